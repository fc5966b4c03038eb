// SPDX-License-Identifier: Apache-2.0
#include "api/api_v3_messages.h"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <ranges>

#include "api/answers.h"
#include "api/jaeger_search.h"
#include "api/parameters.h"
#include "wire/protobuf_reader.h"
#include "wire_core/protobuf_writer.h"
#include "wire_core/utf8.h"

namespace weft::api {
namespace {

using wire::ProtoReader;
using wire::ProtoWriter;
using wire::WireType;

constexpr uint64_t kNsPerSecond = 1'000'000'000;

// ---------------------------------------------------------------- reading

struct Field {
  uint32_t number;
  std::string_view name;
  WireType type;
};
using Fields = std::span<const Field>;

constexpr Field kTimeFields[] = {{1, "seconds", WireType::kVarint},
                                 {2, "nanos", WireType::kVarint}};
constexpr Field kMapEntryFields[] = {{1, "key", WireType::kLength},
                                     {2, "value", WireType::kLength}};
constexpr Field kGetTraceFields[] = {{1, "trace_id", WireType::kLength},
                                     {2, "start_time", WireType::kLength},
                                     {3, "end_time", WireType::kLength},
                                     {4, "raw_traces", WireType::kVarint}};
constexpr Field kFindFields[] = {{1, "query", WireType::kLength}};
constexpr Field kQueryFields[] = {
    {1, "service_name", WireType::kLength},   {2, "operation_name", WireType::kLength},
    {3, "attributes", WireType::kLength},     {4, "start_time_min", WireType::kLength},
    {5, "start_time_max", WireType::kLength}, {6, "duration_min", WireType::kLength},
    {7, "duration_max", WireType::kLength},   {8, "search_depth", WireType::kVarint},
    {9, "raw_traces", WireType::kVarint},     {10, "filter", WireType::kLength}};
constexpr Field kOperationsFields[] = {{1, "service", WireType::kLength},
                                       {2, "span_kind", WireType::kLength}};
constexpr Field kDependenciesFields[] = {{1, "start_time", WireType::kLength},
                                         {2, "end_time", WireType::kLength}};

Error Wrong(std::string_view path, std::string_view what) {
  return {ErrorCode::kInvalidArgument, fmt::format("{}: {}", path, what)};
}

// One request, walked field by field.
class RequestReader {
 public:
  explicit RequestReader(std::string_view message) : message_(message) {}

  // Calls on_field(number, field's reader, path) for each known field; others are skipped.
  template <class OnField>
  Status Walk(std::string_view bytes, std::string_view path, Fields fields,
              OnField on_field) const {
    ProtoReader in(bytes);
    while (in.Next()) {
      const Field* field = Find(fields, in.number());
      if (field == nullptr) continue;
      std::string inner =
          path.empty() ? std::string(field->name) : fmt::format("{}.{}", path, field->name);
      if (in.tag() != wire::ProtoTag(field->number, field->type))
        return Broken(in, inner, wire::ProtoError::kUnexpectedType);
      WEFT_TRY(on_field(field->number, in, inner));
    }
    if (in.error() == wire::ProtoError::kNone) return {};
    const Field* field = Find(fields, in.number());
    std::string_view name = field == nullptr ? std::string_view("message") : field->name;
    return Broken(in, path.empty() ? std::string(name) : fmt::format("{}.{}", path, name),
                  in.error());
  }

  Status ReadText(const ProtoReader& in, std::string_view path, std::string* out) const {
    if (!wire::IsUtf8(in.bytes()))
      return weft::Fail(ErrorCode::kInvalidArgument,
                        fmt::format("{}: byte {}: the text is not UTF-8", path,
                                    in.bytes().data() - message_.data()));
    *out = in.bytes();
    return {};
  }

  // google.protobuf.Timestamp. Zero, and Go's zero time in the year 1, mean that there is none.
  Status ReadTime(const ProtoReader& in, std::string_view path,
                  std::optional<uint64_t>* out) const {
    constexpr int64_t kGoZeroSeconds = -62'135'596'800;
    int64_t seconds = 0, nanos = 0;
    WEFT_TRY(ReadSecondsAndNanos(in, path, &seconds, &nanos));
    out->reset();
    if ((seconds == 0 || seconds == kGoZeroSeconds) && nanos == 0) return {};
    if (seconds < 0 || static_cast<uint64_t>(seconds) >= Parameters::kTimeNsMax / kNsPerSecond)
      return std::unexpected(Wrong(path, "must be a time from 1970 to 2262"));
    *out = static_cast<uint64_t>(seconds) * kNsPerSecond + static_cast<uint64_t>(nanos);
    return {};
  }

  // google.protobuf.Duration.
  Status ReadDuration(const ProtoReader& in, std::string_view path, uint64_t* out) const {
    constexpr int64_t kSecondsMax = 9'000'000'000;
    int64_t seconds = 0, nanos = 0;
    WEFT_TRY(ReadSecondsAndNanos(in, path, &seconds, &nanos));
    if (seconds < 0 || seconds > kSecondsMax)
      return std::unexpected(Wrong(path, fmt::format("must be from 0 to {} seconds", kSecondsMax)));
    *out = static_cast<uint64_t>(seconds) * kNsPerSecond + static_cast<uint64_t>(nanos);
    return {};
  }

 private:
  static const Field* Find(Fields fields, uint32_t number) {
    for (const Field& field : fields)
      if (field.number == number) return &field;
    return nullptr;
  }
  Status Broken(const ProtoReader& in, std::string_view path, wire::ProtoError error) const {
    return weft::Fail(ErrorCode::kInvalidArgument,
                      fmt::format("{}: byte {}: {}", path, in.position() - message_.data(),
                                  wire::ProtoErrorText(error)));
  }
  Status ReadSecondsAndNanos(const ProtoReader& in, std::string_view path, int64_t* seconds,
                             int64_t* nanos) const {
    WEFT_TRY(Walk(in.bytes(), path, kTimeFields,
                  [&](uint32_t number, const ProtoReader& field, std::string_view) -> Status {
                    *(number == 1 ? seconds : nanos) = static_cast<int64_t>(field.value());
                    return {};
                  }));
    if (*nanos >= 0 && *nanos < static_cast<int64_t>(kNsPerSecond)) return {};
    return std::unexpected(Wrong(path, "nanos must be from 0 to 999999999"));
  }

  std::string_view message_;
};

Status ReadQuery(const RequestReader& reader, std::string_view bytes, std::string_view path,
                 JaegerSearch* search, std::optional<uint64_t>* start,
                 std::optional<uint64_t>* end) {
  return reader.Walk(
      bytes, path, kQueryFields,
      [&](uint32_t number, const ProtoReader& field, std::string_view at) -> Status {
        switch (number) {
          case 1:
            return reader.ReadText(field, at, &search->service);
          case 2:
            return reader.ReadText(field, at, &search->operation);
          case 3: {
            auto& entry = search->attributes.emplace_back();
            return reader.Walk(field.bytes(), at, kMapEntryFields,
                               [&](uint32_t part, const ProtoReader& text, std::string_view where) {
                                 return reader.ReadText(text, where,
                                                        part == 1 ? &entry.first : &entry.second);
                               });
          }
          case 4:
            return reader.ReadTime(field, at, start);
          case 5:
            return reader.ReadTime(field, at, end);
          case 6:
            return reader.ReadDuration(field, at, &search->duration_min_ns);
          case 7:
            return reader.ReadDuration(field, at, &search->duration_max_ns);
          case 8: {
            // An int32: not given and 0 are the same, and negative numbers take all 64 bits.
            auto depth = static_cast<int64_t>(field.value());
            if (depth > static_cast<int64_t>(JaegerSearch::kLimitMax))
              return std::unexpected(Wrong(at, fmt::format("is {}: it must be from 1 to {}", depth,
                                                           JaegerSearch::kLimitMax)));
            search->limit = depth > 0 ? static_cast<uint64_t>(depth) : JaegerSearch::kLimitDefault;
            return {};
          }
          case 10:
            // Leaving a condition out would answer with more than was asked for.
            return std::unexpected(
                Wrong(at,
                      "structured filters are not understood here: ask in TraceQL, "
                      "GET /api/weft/v1/search?q="));
          default:
            return {};
        }
      });
}

// ---------------------------------------------------------------- writing

void PutText(uint32_t number, std::string_view text, ProtoWriter* out) {
  if (!text.empty()) out->Text(number, text);
}
void PutCount(uint32_t number, uint64_t count, ProtoWriter* out) {
  if (count > 0) out->Varint(number, count);
}

// One entry per item, each written by put(item) from its last field to its first.
template <class Items, class Put>
std::string EncodeRepeated(const Items& items, Put put) {
  ProtoWriter out;
  for (const auto& item : std::views::reverse(items)) {
    size_t mark = out.bytes();
    put(item, &out);
    out.CloseMessage(1, mark);
  }
  std::string message;
  out.AppendTo(&message);
  return message;
}

void PutSummary(const query::TraceSummary& trace, ProtoWriter* out) {
  std::vector<const query::ServiceShare*> services;
  for (const query::ServiceShare& share : trace.services) services.push_back(&share);
  std::ranges::sort(services, std::greater(), &query::ServiceShare::service);
  for (const query::ServiceShare* share : services) {
    size_t mark = out->bytes();
    PutCount(3, share->errors, out);
    PutCount(2, share->spans, out);
    PutText(1, share->service, out);
    out->CloseMessage(9, mark);
  }
  PutCount(8, trace.orphans, out);
  PutCount(7, trace.errors, out);
  PutCount(6, trace.spans, out);
  out->Fixed64(5, trace.start_ns + trace.duration_ns);
  out->Fixed64(4, trace.start_ns);
  if (!trace.root_missing) {
    PutText(3, trace.root_name, out);
    PutText(2, trace.root_service, out);
  }
  out->Bytes(1, trace.trace_id.ToHex());
}

}  // namespace

Result<TraceId> DecodeGetTraceRequest(std::string_view message) {
  RequestReader reader(message);
  std::string text;
  WEFT_TRY(
      reader.Walk(message, "", kGetTraceFields,
                  [&](uint32_t number, const ProtoReader& field, std::string_view at) -> Status {
                    // The times are hints that this store does not need.
                    std::optional<uint64_t> hint;
                    if (number == 1) return reader.ReadText(field, at, &text);
                    if (number <= 3) return reader.ReadTime(field, at, &hint);
                    return {};
                  }));
  Result<TraceId> id = ReadJaegerTraceId(text);
  if (!id) return weft::Fail(id.error().code, "trace_id: " + id.error().message);
  return id;
}

Result<query::SearchRequest> DecodeFindRequest(std::string_view message) {
  RequestReader reader(message);
  JaegerSearch search;
  std::optional<uint64_t> start, end;
  WEFT_TRY(reader.Walk(message, "", kFindFields,
                       [&](uint32_t, const ProtoReader& field, std::string_view at) {
                         return ReadQuery(reader, field.bytes(), at, &search, &start, &end);
                       }));
  if (!start || !end)
    return Fail(ErrorCode::kInvalidArgument,
                "query.start_time_min and query.start_time_max are required");
  if (*end <= *start)
    return Fail(ErrorCode::kInvalidArgument,
                "query.start_time_min must be before query.start_time_max");
  search.start_ns = *start;
  search.end_ns = *end;
  return ToSearchRequest(search);
}

Result<OperationsRequest> DecodeGetOperationsRequest(std::string_view message) {
  RequestReader reader(message);
  OperationsRequest request;
  WEFT_TRY(reader.Walk(message, "", kOperationsFields,
                       [&](uint32_t number, const ProtoReader& field, std::string_view at) {
                         return reader.ReadText(
                             field, at, number == 1 ? &request.service : &request.span_kind);
                       }));
  return request;
}

Result<DependenciesRequest> DecodeGetDependenciesRequest(std::string_view message) {
  RequestReader reader(message);
  std::optional<uint64_t> start, end;
  WEFT_TRY(reader.Walk(message, "", kDependenciesFields,
                       [&](uint32_t number, const ProtoReader& field, std::string_view at) {
                         return reader.ReadTime(field, at, number == 1 ? &start : &end);
                       }));
  if (!start || !end)
    return Fail(ErrorCode::kInvalidArgument, "start_time and end_time are required");
  if (*end <= *start) return Fail(ErrorCode::kInvalidArgument, "end_time must be after start_time");
  return DependenciesRequest{*start, *end};
}

std::string EncodeServices(const std::vector<query::ServiceCount>& services) {
  ProtoWriter out;
  for (const query::ServiceCount& service : std::views::reverse(services)) {
    size_t mark = out.bytes();
    PutText(1, service.service, &out);
    if (out.bytes() == mark) out.Bytes(1, "");
  }
  std::string message;
  out.AppendTo(&message);
  return message;
}

std::string EncodeOperations(const std::vector<query::OperationName>& operations) {
  return EncodeRepeated(operations, [](const query::OperationName& operation, ProtoWriter* out) {
    if (operation.kind != SpanKind::kUnspecified) PutText(2, KindText(operation.kind), out);
    PutText(1, operation.name, out);
  });
}

std::string EncodeDependencies(const std::vector<query::ServiceCalls>& links) {
  return EncodeRepeated(links, [](const query::ServiceCalls& link, ProtoWriter* out) {
    PutCount(3, link.calls, out);
    PutText(2, link.child, out);
    PutText(1, link.parent, out);
  });
}

std::string EncodeSummaries(std::span<const query::TraceSummary> traces) {
  return EncodeRepeated(traces, PutSummary);
}

}  // namespace weft::api

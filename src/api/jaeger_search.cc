// SPDX-License-Identifier: Apache-2.0
#include "api/jaeger_search.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <simdjson.h>

#include <optional>

#include "api/parameters.h"
#include "model/pasted_id.h"
#include "model/span_batch.h"
#include "traceql/literals.h"
#include "traceql/tag_condition.h"
#include "traceql/traceql.h"
#include "wire_core/base64.h"

namespace weft::api {
namespace {

constexpr uint64_t kNsPerUs = 1000;
constexpr uint64_t kDefaultLookbackNs = 48ull * 3600 * 1'000'000'000;

Status CheckText(std::string_view what, std::string_view text) {
  if (text.size() <= JaegerSearch::kTextBytesMax) return {};
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("{} has {} bytes: it may have at most {}", what, text.size(),
                          JaegerSearch::kTextBytesMax));
}

// ---------------------------------------------------------------- conditions

// The lists call `unknown_service` whatever ServiceName() finds no name for: no service.name, an
// empty one, or one that is no text. TraceQL knows only the attribute.
std::string ServiceCondition(std::string_view service) {
  std::string named = "resource.service.name = " + traceql::QuoteText(service);
  if (service != ServiceName(Resource{})) return named;
  return "(" + named + R"( || !(resource.service.name != "")))";
}

Result<std::string> Condition(const JaegerSearch::Attribute& attribute) {
  const auto& [key, value] = attribute;
  if (key.empty()) return Fail(ErrorCode::kInvalidArgument, "an attribute must have a name");
  WEFT_TRY(CheckText("the name of an attribute", key));
  WEFT_TRY(CheckText("the value of an attribute", value));
  return traceql::TagCondition(key, value);
}

Status AddAttributes(const JaegerSearch& search, std::vector<std::string>* conditions) {
  size_t count = search.attributes.size() + search.either.size();
  if (count > JaegerSearch::kAttributesMax)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} attributes are asked for: at most {} are allowed", count,
                            JaegerSearch::kAttributesMax));
  for (const JaegerSearch::Attribute& attribute : search.attributes) {
    WEFT_ASSIGN(std::string condition, Condition(attribute));
    conditions->push_back(std::move(condition));
  }
  for (const std::vector<JaegerSearch::Attribute>& readings : search.either) {
    std::vector<std::string> either;
    for (const JaegerSearch::Attribute& reading : readings) {
      WEFT_ASSIGN(std::string condition, Condition(reading));
      either.push_back(std::move(condition));
    }
    conditions->push_back(either.size() == 1 ? either[0] : traceql::AnyOf(either));
  }
  return {};
}

// {"http.method": "GET", "retries": 3}
Status ReadAttributeMap(std::string_view name, const std::string& text, JaegerSearch* search) {
  if (text.size() > JaegerSearch::kAttributeJsonBytesMax)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("parameter {} has {} bytes: it may have at most {}", name, text.size(),
                            JaegerSearch::kAttributeJsonBytesMax));
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(text).get(object) != simdjson::SUCCESS)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("parameter {} must be a JSON object of strings", name));
  for (auto [key, value] : object) {
    bool scalar = value.is_string() || value.is_bool() || value.is_number();
    if (!scalar)
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("parameter {} must be a JSON object of strings", name));
    search->attributes.emplace_back(std::string(key), value.is_string()
                                                          ? std::string(std::string_view(value))
                                                          : std::string(simdjson::minify(value)));
  }
  return {};
}

}  // namespace

Result<query::SearchRequest> ToSearchRequest(const JaegerSearch& search) {
  WEFT_TRY(CheckText("the service", search.service));
  WEFT_TRY(CheckText("the operation", search.operation));
  if (search.limit < 1 || search.limit > JaegerSearch::kLimitMax)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("the number of traces is {}: it must be a whole number from 1 to {}",
                            search.limit, JaegerSearch::kLimitMax));
  if (search.duration_max_ns != 0 && search.duration_max_ns < search.duration_min_ns)
    return Fail(ErrorCode::kInvalidArgument,
                "the longest duration must not be less than the shortest");
  std::vector<std::string> conditions;
  if (!search.service.empty()) conditions.push_back(ServiceCondition(search.service));
  if (!search.operation.empty())
    conditions.push_back("name = " + traceql::QuoteText(search.operation));
  WEFT_TRY(AddAttributes(search, &conditions));
  if (search.duration_min_ns > 0)
    conditions.push_back(fmt::format("duration >= {}ns", search.duration_min_ns));
  if (search.duration_max_ns > 0)
    conditions.push_back(fmt::format("duration <= {}ns", search.duration_max_ns));
  query::SearchRequest request;
  request.traceql = fmt::format("{{ {} }}", fmt::join(conditions, " && "));
  if (request.traceql.size() > traceql::kTextBytesMax)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("the conditions are too long: as TraceQL they have {} bytes, and at "
                            "most {} are allowed",
                            request.traceql.size(), traceql::kTextBytesMax));
  request.start_ns = search.start_ns;
  request.end_ns = search.end_ns;
  request.limit = static_cast<uint32_t>(search.limit);
  request.spans_per_trace = 0;
  return request;
}

Result<query::SearchRequest> ReadJaegerSearch(std::string_view query_string, uint64_t now_ns) {
  constexpr uint64_t kTimeUsMax = Parameters::kTimeNsMax / kNsPerUs - 1;
  Parameters parameters(query_string);
  JaegerSearch search;
  search.service = parameters.Text("service");
  if (search.service.empty()) parameters.Reject("parameter 'service' is required");
  search.operation = parameters.Text("operation");
  if (search.operation == "all") search.operation.clear();
  search.end_ns = parameters.Number("end", now_ns / kNsPerUs, 0, kTimeUsMax) * kNsPerUs;
  uint64_t default_start =
      search.end_ns > kDefaultLookbackNs ? search.end_ns - kDefaultLookbackNs : 0;
  search.start_ns = parameters.Number("start", default_start / kNsPerUs, 0, kTimeUsMax) * kNsPerUs;
  search.end_ns += kNsPerUs;  // Jaeger's end is inclusive
  if (search.end_ns <= search.start_ns)
    parameters.Reject("parameter end must not be earlier than start");
  search.limit =
      parameters.Number("limit", JaegerSearch::kLimitDefault, 1, JaegerSearch::kLimitMax);
  search.duration_min_ns = parameters.DurationNs("minDuration", 0);
  search.duration_max_ns = parameters.DurationNs("maxDuration", 0);
  if (search.duration_max_ns != 0 && search.duration_max_ns < search.duration_min_ns)
    parameters.Reject("parameter maxDuration must not be less than minDuration");
  parameters.Flag("raw");
  for (const std::string& tag : parameters.All("tag")) {
    search.either.push_back(ReadJaegerTag(tag));
    if (search.either.back().empty()) parameters.Reject("parameter tag must be key:value");
  }
  WEFT_TRY(parameters.status());
  for (const std::string& tags : parameters.All("tags"))
    if (!tags.empty()) WEFT_TRY(ReadAttributeMap("tags", tags, &search));
  return ToSearchRequest(search);
}

// Names are given as protojson writes them, and in the older spelling of the .proto file.
Result<query::SearchRequest> ReadApiV3Search(std::string_view query_string) {
  Parameters parameters(query_string);
  JaegerSearch search;
  auto name = [&](std::initializer_list<std::string_view> spellings) {
    return parameters.FirstGiven(spellings);
  };
  search.service = parameters.Text(name({"query.serviceName", "query.service_name"}));
  search.operation = parameters.Text(name({"query.operationName", "query.operation_name"}));
  std::string_view start = name({"query.startTimeMin", "query.start_time_min"});
  std::string_view end = name({"query.startTimeMax", "query.start_time_max"});
  if (parameters.Text(start).empty() || parameters.Text(end).empty())
    parameters.Reject("parameters query.startTimeMin and query.startTimeMax are required");
  search.start_ns = parameters.TimeNs(start, 0);
  search.end_ns = parameters.TimeNs(end, 0);
  if (search.end_ns <= search.start_ns)
    parameters.Reject("parameter query.startTimeMin must be before query.startTimeMax");
  search.limit =
      parameters.Number(name({"query.searchDepth", "query.search_depth", "query.num_traces"}),
                        JaegerSearch::kLimitDefault, 1, JaegerSearch::kLimitMax);
  search.duration_min_ns =
      parameters.DurationNs(name({"query.durationMin", "query.duration_min"}), 0);
  search.duration_max_ns =
      parameters.DurationNs(name({"query.durationMax", "query.duration_max"}), 0);
  if (search.duration_max_ns != 0 && search.duration_max_ns < search.duration_min_ns)
    parameters.Reject("parameter query.durationMax must not be less than query.durationMin");
  parameters.Flag(name({"query.rawTraces", "query.raw_traces"}));
  // Leaving a condition out would answer with more than was asked for.
  if (!parameters.Text("query.filter").empty())
    parameters.Reject(
        "parameter query.filter is not understood here: ask in TraceQL, "
        "GET /api/weft/v1/search?q=");
  WEFT_TRY(parameters.status());
  if (std::string attributes = parameters.Text("query.attributes"); !attributes.empty())
    WEFT_TRY(ReadAttributeMap("query.attributes", attributes, &search));
  return ToSearchRequest(search);
}

std::vector<JaegerSearch::Attribute> ReadJaegerTag(std::string_view text) {
  constexpr size_t kReadingsMax = 8;
  std::vector<JaegerSearch::Attribute> readings;
  std::string key;
  bool escaped = false;
  for (size_t i = 0; i < text.size() && readings.size() < kReadingsMax; ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ':') {
      key += ':';
      escaped = true;
      ++i;
      continue;
    }
    if (text[i] == ':' && !key.empty()) {
      readings.emplace_back(key, text.substr(i + 1));
      if (escaped) break;
    }
    key += text[i];
  }
  return readings;
}

Result<TraceId> ReadJaegerTraceId(std::string_view text) {
  if (std::optional<PastedId> id = ParsePastedId(text)) return id->trace_id;
  constexpr size_t kBase64Max = 24;
  if (text.size() <= kBase64Max) {
    char bytes[Base64BytesMax(std::string_view("012345678901234567890123"))];
    std::optional<size_t> count = DecodeBase64(text, bytes);
    if (count == SpanId::kSize || count == TraceId::kSize) {
      TraceId id;
      std::copy_n(bytes, *count, id.bytes.end() - static_cast<ptrdiff_t>(*count));
      if (!id.empty()) return id;
    }
  }
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("cannot parse trace id {}: 1 to 32 hex digits (or 16 bytes in base64), "
                          "not all zero",
                          text.substr(0, 64)));
}

}  // namespace weft::api

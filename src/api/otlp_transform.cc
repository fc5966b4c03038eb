// SPDX-License-Identifier: Apache-2.0
#include "api/otlp_transform.h"

#include <fmt/format.h>

#include <unordered_map>

#include "codec/trace_file.h"
#include "wire/decompress_source.h"

namespace weft::api {
namespace {

constexpr uint64_t kDecompressedBytesMax = 256ull << 20;

// Ends with an error where another source has more than it may have.
class BoundedSource final : public wire::ByteSource {
 public:
  BoundedSource(wire::ByteSource* from, uint64_t bytes_max) : from_(from), left_(bytes_max) {}
  Result<size_t> Read(std::span<char> to) override {
    WEFT_ASSIGN(size_t count, from_->Read(to));
    if (count > left_)
      return Fail(ErrorCode::kTooLarge,
                  fmt::format("more than {} bytes when decompressed", kDecompressedBytesMax));
    left_ -= count;
    return count;
  }

 private:
  wire::ByteSource* const from_;
  uint64_t left_;
};

// Everything uploaded, trace by trace. What a trace holds are views into `read`.
struct Upload {
  std::vector<SpanBatch> read;
  std::vector<SpanBatch> traces;
  std::unordered_map<TraceId, size_t, IdHash> index;

  SpanBatch& Of(const TraceId& id) {
    auto [place, is_new] = index.try_emplace(id, traces.size());
    if (is_new) traces.emplace_back();
    return traces[place->second];
  }
};

// Moves the items of one batch to their traces; a trace gets each resource and scope once.
template <class Item>
void Distribute(const SpanBatch& batch, const std::vector<Item>& items,
                std::vector<Item> SpanBatch::* list, Upload* upload) {
  // (trace, resource or scope of the batch) -> index in the trace
  std::unordered_map<uint64_t, uint32_t> resources, scopes;
  for (Item item : items) {
    SpanBatch& trace = upload->Of(item.trace_id);
    uint64_t number = upload->index[item.trace_id];
    auto [resource, new_resource] = resources.try_emplace(
        number << 32 | item.resource, static_cast<uint32_t>(trace.resources.size()));
    if (new_resource) trace.resources.push_back(batch.resources[item.resource]);
    auto [scope, new_scope] =
        scopes.try_emplace(number << 32 | item.scope, static_cast<uint32_t>(trace.scopes.size()));
    if (new_scope) trace.scopes.push_back(batch.scopes[item.scope]);
    item.resource = resource->second;
    item.scope = scope->second;
    (trace.*list).push_back(item);
  }
}

void NoteRejected(const Rejection& rejection, std::string_view what,
                  std::vector<codec::JaegerError>* errors) {
  if (rejection.count > 0)
    errors->push_back(
        {400, fmt::format("{} {} were left out: {}", rejection.count, what, rejection.message),
         ""});
}

}  // namespace

Result<size_t> TransformOtlp(std::string_view body, std::string* data,
                             std::vector<codec::JaegerError>* errors) {
  wire::MemorySource bytes(body);
  WEFT_ASSIGN(auto plain, wire::OpenDecompressed(&bytes));
  BoundedSource bounded(plain.get(), kDecompressedBytesMax);
  codec::TraceFileReader reader(&bounded, codec::TraceFormat::kOtlp);
  Upload upload;
  while (true) {
    WEFT_ASSIGN(std::optional<codec::TracePiece> piece, reader.Next());
    if (!piece) break;
    if (!piece->problem.empty()) return Fail(ErrorCode::kInvalidArgument, piece->problem);
    for (SpanBatch* batch : {&piece->traces, &piece->logs}) {
      NoteRejected(batch->rejected_spans, "spans", errors);
      NoteRejected(batch->rejected_logs, "log records", errors);
      NoteRejected(batch->left_out, "values of resources and scopes", errors);
      if (!batch->empty()) upload.read.push_back(std::move(*batch));
    }
  }
  for (const SpanBatch& batch : upload.read) {
    Distribute(batch, batch.spans, &SpanBatch::spans, &upload);
    Distribute(batch, batch.logs, &SpanBatch::logs, &upload);
  }
  wire::JsonWriter json(data);
  size_t total = 0;
  json.BeginArray();
  for (const SpanBatch& trace : upload.traces) {
    if (trace.spans.empty()) continue;  // log records alone
    codec::WriteJaegerTrace(trace.spans[0].trace_id, trace, &json);
    ++total;
  }
  json.EndArray();
  return total;
}

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
#include "api/tempo_trace.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "api/stored_trace.h"
#include "codec/otlp.h"
#include "query/trace_filter.h"
#include "wire_core/json_writer.h"
#include "wire_core/protobuf_writer.h"

namespace weft::api {
namespace {

// TraceByIDResponse; its field 2 are metrics, of which weft has none.
constexpr uint32_t kTraceField = 1, kStatusField = 3, kMessageField = 4;
constexpr uint32_t kPartial = 1;

bool TouchesRange(const SpanBatch& batch, const TempoTraceRequest& request) {
  return std::ranges::any_of(batch.spans, [&](const Span& span) {
    return (request.end_ns == 0 || span.start_ns < request.end_ns) &&
           std::max(span.start_ns, span.end_ns) >= request.start_ns;
  });
}

// The spans and those on the way from them to their roots.
void AddAncestors(const SpanBatch& batch, std::vector<bool>* kept) {
  std::unordered_map<SpanId, uint32_t, IdHash> index_of;
  for (uint32_t i = 0; i < batch.spans.size(); ++i) index_of.try_emplace(batch.spans[i].span_id, i);
  for (uint32_t i = 0; i < batch.spans.size(); ++i) {
    if (!(*kept)[i]) continue;
    for (auto parent = index_of.find(batch.spans[i].parent_span_id);
         parent != index_of.end() && !(*kept)[parent->second];
         parent = index_of.find(batch.spans[parent->second].parent_span_id))
      (*kept)[parent->second] = true;
  }
}

Status KeepMatching(const TempoTraceRequest& request, SpanBatch* batch) {
  WEFT_ASSIGN(std::vector<bool> kept, query::MatchingSpans(*batch, request.traceql));
  if (request.keep_ancestors) AddAncestors(*batch, &kept);
  size_t count = 0;
  for (size_t i = 0; i < kept.size(); ++i)
    if (kept[i]) batch->spans[count++] = batch->spans[i];
  batch->spans.resize(count);
  return {};
}

std::string WrapJson(std::string_view trace, std::string_view message) {
  std::string out;
  wire::JsonWriter json(&out);
  json.BeginObject();
  json.Key("trace");
  json.Raw(trace);
  json.Key("metrics");
  json.BeginObject();
  json.EndObject();
  if (!message.empty()) {
    json.Field("status", "PARTIAL");
    json.Field("message", message);
  }
  json.EndObject();
  return out;
}

std::string WrapProtobuf(std::string_view trace, std::string_view message) {
  wire::ProtoWriter writer(trace.size() + message.size() + 64);
  if (!message.empty()) {
    writer.Bytes(kMessageField, message);
    writer.Varint(kStatusField, kPartial);
  }
  writer.Bytes(kTraceField, trace);
  std::string out;
  writer.AppendTo(&out);
  return out;
}

}  // namespace

Result<std::string> TempoTrace(const store::Snapshot& snapshot, const TempoTraceRequest& request,
                               TempoTraceForm form, std::string* partial) {
  WEFT_ASSIGN(StoredTrace stored, ReadStoredTrace(snapshot, request.id));
  SpanBatch& batch = stored.batch;
  if (!TouchesRange(batch, request)) return Fail(NotAmong(stored, "trace not found"));
  *partial = std::move(stored.partial);
  if (!request.traceql.empty()) WEFT_TRY(KeepMatching(request, &batch));
  // Runs of one resource and scope become one message.
  std::ranges::stable_sort(batch.spans, {},
                           [](const Span& span) { return std::tuple(span.resource, span.scope); });
  std::string trace;
  switch (form) {
    case TempoTraceForm::kJsonV1:
      codec::EncodeTracesProtojson(batch, "batches", &trace);
      return trace;
    case TempoTraceForm::kJsonV2:
      codec::EncodeTracesProtojson(batch, "resourceSpans", &trace);
      return WrapJson(trace, *partial);
    case TempoTraceForm::kProtobufV1:
      codec::EncodeSoundOtlpTraces(codec::OtlpFormat::kProtobuf, batch, &trace);
      return trace;
    case TempoTraceForm::kProtobufV2:
      codec::EncodeSoundOtlpTraces(codec::OtlpFormat::kProtobuf, batch, &trace);
      return WrapProtobuf(trace, *partial);
  }
  return trace;
}

}  // namespace weft::api

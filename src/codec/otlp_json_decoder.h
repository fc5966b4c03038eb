// SPDX-License-Identifier: Apache-2.0
//
// OtlpJsonDecoder: the class behind otlp_json_decode.h, over four .cc files (levels and values;
// spans and log records; metrics; data points). It mirrors OtlpProtoDecoder step by step.
//
// Thread rule: one thread at a time.
#pragma once

#include "codec/batch_parts.h"
#include "codec/json_walker.h"
#include "codec/otlp_fields.h"
#include "codec/otlp_json_decode.h"
#include "codec/otlp_metric_parts.h"
#include "model/span_batch.h"

namespace weft::codec {

class OtlpJsonDecoder {
 public:
  OtlpJsonDecoder(const OtlpSignal& signal, SpanBatch* batch, DecodeBudget budget,
                  const OtlpJsonPlace& place)
      : OtlpJsonDecoder(signal, OtlpTarget(signal, batch), &batch->received, &batch->arena,
                        budget) {
    walker_.set_offset_base(place.offset_base);
    at_.resource = place.first;
  }
  OtlpJsonDecoder(MetricBatch* batch, DecodeBudget budget)
      : OtlpJsonDecoder(kMetricSignal, OtlpTarget(batch), &batch->received, &batch->arena, budget) {
  }

  bool Read();
  Error fault() const { return walker_.fault(); }

 private:
  using Json = JsonWalker::Json;

  OtlpJsonDecoder(const OtlpSignal& signal, const OtlpTarget& target, std::string* text,
                  Arena* arena, DecodeBudget budget)
      : signal_(signal),
        target_(target),
        arena_(arena),
        budget_(budget),
        walker_(text, arena),
        messages_(signal, &OtlpField::json, target) {}

  // These return false only for what ends the reading.
  bool ResourceItems(Json json);
  bool ResourceField(uint32_t number, Json value, Resource* resource);
  bool Scopes(uint32_t number, Json list);
  bool ScopeItems(Json json);
  bool ScopeField(uint32_t number, Json value, Scope* scope);
  bool Item(Json json) {
    if (signal_.is_traces) return SpanItem(json);
    return target_.metrics != nullptr ? MetricItem(json) : LogItem(json);
  }
  bool SpanItem(Json json);
  bool LogItem(Json json);
  bool MetricItem(Json json);
  bool ResourceOf(Json json, Resource* resource);
  bool ScopeOf(Json json, Scope* scope);
  // At `levels` of the position, a fault costs what was read there: counts it as one item, or as a
  // value that is left out. False where there is no going on behind it.
  bool Reject(int levels, std::string_view field = {});
  bool LeaveOut(int levels, std::string_view field);
  // Each on its own; the count of those that are left out goes to `dropped`.
  bool SharedAttributes(Json list, int levels, std::string_view field, uint32_t* dropped);

  bool ReadEntityRef(Json json, std::string* encoded);
  bool ReadSpan(Json json, Span* span);
  bool ReadEvent(Json json, Event* event);
  bool ReadLink(Json json, int64_t index, Link* link);
  bool ReadStatus(Json json, Span* span);
  bool ReadLog(Json json, LogRecord* log);

  // Of a metric. As above, these return false only for what ends the reading.
  bool MetricField(uint32_t number, Json value, Metric* metric);
  bool MetricData(MetricKind kind, Json json, Metric* metric);
  bool DataPoint(Json json);
  bool AddExemplars(Json list);
  bool RefuseMetric(std::string_view field = {});
  template <class Point>
  bool AddPoint(Json json, ItemStack<Point>* points);
  // These, for a value that costs the point, or the exemplar.
  bool ReadPoint(Json json, NumberPoint* point);
  bool ReadPoint(Json json, HistogramPoint* point);
  bool ReadPoint(Json json, ExponentialHistogramPoint* point);
  bool ReadPoint(Json json, SummaryPoint* point);
  bool ReadBuckets(Json json, ExponentialBuckets* buckets, ItemStack<uint64_t>* counts);
  bool ReadQuantile(Json json, QuantileValue* quantile);
  bool ReadExemplar(Json json, Exemplar* exemplar);
  bool AddCounts(Json list, ItemStack<uint64_t>* counts);
  bool IntValue(Json json, Value* value);
  bool DoubleValue(Json json, Value* value);
  bool OptionalDouble(Json json, std::optional<double>* real);

  // A list of KeyValues onto the attribute stack.
  bool PushAttributes(Json json, int depth);
  bool PushAttribute(Json json, int depth);
  bool AnyValue(Json json, int depth, Value* value);
  bool ArrayValue(Json json, int depth, Value* value);
  bool MapValue(Json json, int depth, Value* value);

  // For JsonWalker::Object: what is no field of a level.
  static auto NoteIn(UnknownFields* unknown) {
    return [unknown](std::string_view key, Json& value) {
      const char first = JsonWalker::FirstByte(value);
      unknown->Note(key, first == '[' || first == '{');
    };
  }

  bool Id(Json json, RawId* id) {
    id->is_text = true;
    return walker_.String(json, &id->received);
  }

  const OtlpSignal& signal_;
  const OtlpTarget target_;
  Arena* arena_;
  DecodeBudget budget_;
  JsonWalker walker_;
  OtlpScratch scratch_;
  MetricParts metric_;
  OtlpMessages messages_;
  ItemChecker checker_;
  OtlpPosition at_;
  uint32_t resource_ = 0, scope_ = 0;  // indexes that items refer to while they are read
  // Under which of its names the present resource has its scopes, and what there was before them.
  static constexpr uint32_t kNoScopes = 0;
  uint32_t scopes_from_ = kNoScopes;
  struct {
    size_t items = 0;
    Rejection rejection;
  } old_scopes_;
};

}  // namespace weft::codec

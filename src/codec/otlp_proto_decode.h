// SPDX-License-Identifier: Apache-2.0
//
// OTLP protobuf, inside of codec/otlp.cc: one OtlpProtoDecoder reads one message. Unknown fields
// are skipped. What is wrong inside an item (a known field with another wire type, a length beyond
// its end) costs that item, as its own length still tells where the next one begins; inside a
// resource or scope it costs that value. Fields of the levels around them must be whole. Scalars
// that come twice: the last one counts; messages that come twice are merged, but for the one value
// of an AnyValue, where the last counts too. Strings are kept byte for byte even where they are no
// UTF-8 (as the Collector does); JSON writers replace what is broken.
//
// Every Read function returns false at the first problem and leaves it in fault(): nothing on the
// way allocates or throws. Thread rule: one thread at a time. Next: codec/batch_parts.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/batch_parts.h"
#include "codec/otlp_fields.h"
#include "codec/otlp_metric_parts.h"
#include "wire/protobuf_reader.h"

namespace weft::codec {

class OtlpProtoDecoder {
 public:
  // `message` (and `arena`) must outlive everything that is read.
  OtlpProtoDecoder(std::string_view message, Arena* arena, DecodeBudget budget)
      : message_(message), arena_(arena), budget_(budget) {}

  bool ReadTraces(SpanBatch* batch) {
    return Request(kTraceSignal, OtlpTarget(kTraceSignal, batch));
  }
  bool ReadLogs(SpanBatch* batch) { return Request(kLogSignal, OtlpTarget(kLogSignal, batch)); }
  bool ReadMetrics(MetricBatch* batch) { return Request(kMetricSignal, OtlpTarget(batch)); }
  // The whole message is one AnyValue.
  bool ReadValue(Value* value) { return AnyValue(message_, 1, value); }

  // After false: "resource_spans[0].scope_spans[2].scope: byte 417: ...".
  Error fault() const;

 private:
  using Reader = wire::ProtoReader;
  // One request while it is read.
  struct Reading {
    Reading(const OtlpSignal& of, const OtlpTarget& into)
        : signal(of), target(into), messages(of, &OtlpField::name, into) {}
    const OtlpSignal& signal;
    const OtlpTarget target;
    const OtlpMessages messages;
  };

  // All signals wrap their items in the same two levels. These return false only for what ends the
  // reading.
  bool Request(const OtlpSignal& signal, const OtlpTarget& target);
  bool ResourceItems(const Reading& to, std::string_view bytes);
  bool OldScopes(const Reading& to, std::string_view bytes);
  bool ScopeItems(const Reading& to, std::string_view bytes);
  bool Item(const Reading& to, std::string_view bytes) {
    if (to.signal.is_traces) return SpanItem(to, bytes);
    return to.target.metrics != nullptr ? MetricItem(to, bytes) : LogItem(to, bytes);
  }
  bool SpanItem(const Reading& to, std::string_view bytes);
  bool LogItem(const Reading& to, std::string_view bytes);
  bool MetricItem(const Reading& to, std::string_view bytes);
  // At `levels` of the position, a fault costs what was read there: counts it as one item, or as a
  // value that is left out. False where there is no going on behind it.
  bool Reject(const Reading& to, int levels);
  bool LeaveOut(const Reading& to, int levels);
  // A field that is none of a level's: with another wire type than its own, or one nobody knows.
  bool OtherField(const Reading& to, int levels, const Reader& in, OtlpFields fields,
                  UnknownFields* unknown);
  void EndLevel(const Reading& to, int levels, size_t seen_before, const UnknownFields& unknown,
                OtlpFields fields) const {
    if (unknown.Matters(to.messages.SeenCount() > seen_before)) [[unlikely]]
      to.messages.NoteUnknown(at_, levels, unknown, fields);
  }

  bool ReadResource(const Reading& to, std::string_view bytes, Resource* resource);
  bool AddEntityRef(const Reader& in, Resource* resource);
  bool ReadScope(const Reading& to, std::string_view bytes, Scope* scope);
  // An attribute of a resource or scope, on its own.
  bool SharedAttribute(const Reading& to, int levels, std::string_view bytes, size_t index,
                       uint32_t* dropped);
  bool ReadSpan(std::string_view bytes, Span* span);
  bool ReadEvent(std::string_view bytes, Event* event);
  bool ReadLink(std::string_view bytes, int64_t index, Link* link);
  bool ReadStatus(std::string_view bytes, Span* span);
  bool ReadLog(std::string_view bytes, LogRecord* log);

  // Of a metric. As above, these return false only for what ends the reading.
  bool ReadMetric(const Reading& to, std::string_view bytes, Metric* metric);
  bool MetricData(const Reading& to, MetricKind kind, std::string_view bytes, Metric* metric);
  bool DataPoint(const Reading& to, std::string_view bytes);
  bool AddExemplar(const Reading& to, std::string_view bytes);
  bool RefuseMetric(const Reading& to);
  template <class Point>
  bool AddPoint(const Reading& to, std::string_view bytes, ItemStack<Point>* points);
  // These, for a value that costs the point, or the exemplar.
  bool ReadPoint(const Reading& to, std::string_view bytes, NumberPoint* point);
  bool ReadPoint(const Reading& to, std::string_view bytes, HistogramPoint* point);
  bool ReadPoint(const Reading& to, std::string_view bytes, ExponentialHistogramPoint* point);
  bool ReadPoint(const Reading& to, std::string_view bytes, SummaryPoint* point);
  bool ReadBuckets(std::string_view bytes, ExponentialBuckets* buckets,
                   ItemStack<uint64_t>* counts);
  bool ReadQuantile(std::string_view bytes, QuantileValue* quantile);
  bool ReadExemplar(std::string_view bytes, Exemplar* exemplar);
  // Numbers of eight bytes each: a packed field, or one of them.
  template <class Number>
  bool AddFixed64(const Reader& in, ItemStack<Number>* numbers);
  bool AddVarints(const Reader& in, ItemStack<uint64_t>* numbers);
  bool PointAttribute(std::string_view bytes);

  // One KeyValue onto the attribute stack.
  bool PushAttribute(std::string_view bytes, int depth);
  bool AnyValue(std::string_view bytes, int depth, Value* value);
  bool ArrayValue(std::string_view bytes, int depth, Value* value);
  bool MapValue(std::string_view bytes, int depth, Value* value);
  bool TakeAttributes(size_t mark, const Reader& in, Attributes* into);

  // Ends a field loop: true unless the reader stopped at an error.
  bool Finish(const Reader& in, OtlpFields fields);
  // A field that the loop does not handle: unknown, or known with another wire type.
  bool Unhandled(const Reader& in, OtlpFields fields);
  bool FailAt(const char* position, wire::ProtoError error);
  std::string FaultAt(std::string_view place) const;
  // Puts "name" or "name[index]" in front of the fault's path; always false.
  bool Within(std::string_view name, int64_t index = -1);

  std::string_view message_;
  Arena* arena_;
  DecodeBudget budget_;
  OtlpScratch scratch_;
  MetricParts metric_;
  ItemChecker checker_;
  OtlpPosition at_;
  uint32_t resource_ = 0, scope_ = 0;  // indexes that items refer to while they are read

  wire::ProtoError error_ = wire::ProtoError::kNone;
  const char* error_position_ = nullptr;
  std::string error_path_;
};

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
//
// OtlpJsonDecoder: the class behind otlp_json_decode.h, over two .cc files (levels and values;
// spans and log records). It mirrors OtlpProtoDecoder step by step.
//
// Thread rule: one thread at a time.
#pragma once

#include "codec/batch_parts.h"
#include "codec/json_walker.h"
#include "codec/otlp_fields.h"
#include "model/span_batch.h"

namespace weft::codec {

class OtlpJsonDecoder {
 public:
  OtlpJsonDecoder(SpanBatch* batch, DecodeBudget budget)
      : batch_(batch), arena_(&batch->arena), budget_(budget), walker_(&batch->received, arena_) {}

  bool ReadTraces() { return Request(kTraceSignal, &OtlpJsonDecoder::SpanItem); }
  bool ReadLogs() { return Request(kLogSignal, &OtlpJsonDecoder::LogItem); }
  void set_offset_base(int64_t base) { walker_.set_offset_base(base); }
  Error fault() const { return walker_.fault(); }

 private:
  using Json = JsonWalker::Json;
  using ReadItem = bool (OtlpJsonDecoder::*)(Json);

  bool Request(const OtlpSignal& signal, ReadItem item);
  bool ResourceItems(const OtlpSignal& signal, ReadItem item, Json json);
  bool ScopeItems(const OtlpSignal& signal, ReadItem item, Json json);
  bool SpanItem(Json json);
  bool LogItem(Json json);

  bool ReadResource(Json json, Resource* resource);
  bool ReadEntityRef(Json json, std::string* encoded);
  bool ReadScope(Json json, Scope* scope);
  bool ReadSpan(Json json, Span* span);
  bool ReadEvent(Json json, Event* event);
  bool ReadLink(Json json, int64_t index, Link* link);
  bool ReadStatus(Json json, Span* span);
  bool ReadLog(Json json, LogRecord* log);

  // A list of KeyValues onto the attribute stack.
  bool PushAttributes(Json json, int depth);
  bool PushAttribute(Json json, int depth);
  bool AnyValue(Json json, int depth, Value* value);
  bool ArrayValue(Json json, int depth, Value* value);
  bool MapValue(Json json, int depth, Value* value);

  size_t ItemCount() const { return batch_->spans.size() + batch_->logs.size(); }
  bool Id(Json json, RawId* id) {
    id->is_text = true;
    return walker_.String(json, &id->received);
  }

  SpanBatch* batch_;
  Arena* arena_;
  DecodeBudget budget_;
  JsonWalker walker_;
  OtlpScratch scratch_;
  ItemChecker checker_;
  OtlpPosition at_;
  uint32_t resource_ = 0, scope_ = 0;  // indexes that items refer to while they are read
};

}  // namespace weft::codec

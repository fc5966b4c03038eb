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
#include "codec/otlp_json_decode.h"
#include "model/span_batch.h"

namespace weft::codec {

class OtlpJsonDecoder {
 public:
  OtlpJsonDecoder(const OtlpSignal& signal, SpanBatch* batch, DecodeBudget budget,
                  const OtlpJsonPlace& place)
      : signal_(signal),
        batch_(batch),
        arena_(&batch->arena),
        budget_(budget),
        walker_(&batch->received, arena_),
        messages_(signal, &OtlpField::json, batch) {
    walker_.set_offset_base(place.offset_base);
    at_.resource = place.first;
  }

  bool Read();
  Error fault() const { return walker_.fault(); }

 private:
  using Json = JsonWalker::Json;

  // These return false only for what ends the reading.
  bool ResourceItems(Json json);
  bool ResourceField(uint32_t number, Json value, Resource* resource);
  bool Scopes(uint32_t number, Json list);
  bool ScopeItems(Json json);
  bool ScopeField(uint32_t number, Json value, Scope* scope);
  bool SpanItem(Json json);
  bool LogItem(Json json);
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

  // A list of KeyValues onto the attribute stack.
  bool PushAttributes(Json json, int depth);
  bool PushAttribute(Json json, int depth);
  bool AnyValue(Json json, int depth, Value* value);
  bool ArrayValue(Json json, int depth, Value* value);
  bool MapValue(Json json, int depth, Value* value);

  bool Id(Json json, RawId* id) {
    id->is_text = true;
    return walker_.String(json, &id->received);
  }

  const OtlpSignal& signal_;
  SpanBatch* batch_;
  Arena* arena_;
  DecodeBudget budget_;
  JsonWalker walker_;
  OtlpScratch scratch_;
  OtlpMessages messages_;
  ItemChecker checker_;
  OtlpPosition at_;
  uint32_t resource_ = 0, scope_ = 0;  // indexes that items refer to while they are read
  // Under which of its names the present resource has its scopes, and what there was before them.
  static constexpr uint32_t kNoScopes = 0;
  uint32_t scopes_from_ = kNoScopes;
  struct {
    size_t spans = 0, logs = 0;
    Rejection rejection;
  } old_scopes_;
};

}  // namespace weft::codec

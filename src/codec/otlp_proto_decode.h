// SPDX-License-Identifier: Apache-2.0
//
// OTLP protobuf, inside of codec/otlp.cc: one OtlpProtoDecoder reads one message. Known fields with
// another wire type fail the message, unknown ones are skipped. Scalars that come twice: the last
// one counts; messages that come twice are merged, but for the one value of an AnyValue, where the
// last counts too. Strings are kept byte for byte even where they are no UTF-8 (as the Collector
// does); JSON writers replace what is broken.
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
#include "wire/protobuf_reader.h"

namespace weft::codec {

class OtlpProtoDecoder {
 public:
  // `message` (and `arena`) must outlive everything that is read.
  OtlpProtoDecoder(std::string_view message, Arena* arena, DecodeBudget budget)
      : message_(message), arena_(arena), budget_(budget) {}

  bool ReadTraces(SpanBatch* batch);
  bool ReadLogs(SpanBatch* batch);
  // The whole message is one AnyValue.
  bool ReadValue(Value* value) { return AnyValue(message_, 1, value); }

  // After false: "resource_spans[0].scope_spans[2].scope: byte 417: ...".
  Error fault() const;

 private:
  using Reader = wire::ProtoReader;
  // Both signals wrap their items in the same two levels. `Item` reads one item; it returns false
  // only for a fault.
  using ReadItem = bool (OtlpProtoDecoder::*)(std::string_view, SpanBatch*);

  bool Request(const OtlpSignal& signal, ReadItem item, SpanBatch* batch);
  bool ResourceItems(const OtlpSignal& signal, ReadItem item, std::string_view bytes,
                     SpanBatch* batch);
  bool ScopeItems(const OtlpSignal& signal, ReadItem item, std::string_view bytes,
                  SpanBatch* batch);
  bool SpanItem(std::string_view bytes, SpanBatch* batch);
  bool LogItem(std::string_view bytes, SpanBatch* batch);

  bool ReadResource(std::string_view bytes, Resource* resource);
  bool AddEntityRef(const Reader& in, Resource* resource);
  bool ReadScope(std::string_view bytes, Scope* scope);
  bool ReadSpan(std::string_view bytes, Span* span);
  bool ReadEvent(std::string_view bytes, Event* event);
  bool ReadLink(std::string_view bytes, int64_t index, Link* link);
  bool ReadStatus(std::string_view bytes, Span* span);
  bool ReadLog(std::string_view bytes, LogRecord* log);

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
  // Puts "name" or "name[index]" in front of the fault's path; always false.
  bool Within(std::string_view name, int64_t index = -1);

  std::string_view message_;
  Arena* arena_;
  DecodeBudget budget_;
  OtlpScratch scratch_;
  ItemChecker checker_;
  OtlpPosition at_;
  uint32_t resource_ = 0, scope_ = 0;  // indexes that items refer to while they are read

  wire::ProtoError error_ = wire::ProtoError::kNone;
  const char* error_position_ = nullptr;
  std::string error_path_;
};

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
//
// What the decoders of Jaeger's and Zipkin's JSON have in common: a list of items that are walked
// once, spans that are left out one by one when a value of theirs is wrong, ids of any length up to
// their own, and the place in the file that a message names.
//
// Thread rule: one of each per decoding.
// Next: codec/jaeger_json_decode.cc, codec/zipkin_json_decode.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "codec/batch_parts.h"
#include "codec/json_walker.h"
#include "codec/span_list.h"
#include "model/span_batch.h"

namespace weft::codec {

class SpanListDecoder {
 public:
  SpanListDecoder(SpanBatch* batch, const JsonPlace& place)
      : batch_(batch),
        arena_(&batch->arena),
        budget_(DecodeBudget::OfJson(batch->received.size())),
        walker_(&batch->received, arena_),
        place_(place) {}

  // Of the walker's fault: "line 3, byte 217: data[2].spans[0].spanID: expected a string".
  std::string Describe() const;
  Error fault() const { return {walker_.fault().code, Describe(), 0}; }

 protected:
  using Json = JsonWalker::Json;

  // Counts one span as rejected for the walker's fault, and allows to go on behind it. `path` leads
  // to where the fault's own path begins. False when there is no going on.
  bool RejectSpan(std::string_view path);
  // The same for a value of what spans share (a process): it alone is left out.
  bool LeaveOut(std::string_view path);
  std::string ItemPath(size_t index) const;  // "[2]"

  // Hex of 1 to 2 * kBytes digits, zero-extended on the left, or base64 as protojson has it. Empty
  // text and all zero leave *id empty.
  template <size_t kBytes>
  bool ReadId(Json json, Id<kBytes>* id) {
    return ReadIdBytes(json, kBytes, id->bytes.data());
  }
  // Microseconds as a number, maybe in quotes, maybe with a fraction; or RFC 3339 text: as Unix
  // nanoseconds.
  bool ReadTime(Json json, uint64_t* ns);
  // Microseconds as above, or seconds as in "0.000225s", as nanoseconds.
  bool ReadDuration(Json json, uint64_t* ns);
  // A string, boolean or number as it stands; arrays and objects as their JSON text.
  bool ReadAnyValue(Json json, Value* value);
  bool Fits(Json& json, size_t bytes) {
    return budget_.Charge(bytes) || walker_.FailTooLarge(json);
  }
  // The index of a resource with only this service.name; of a scope of this name and version.
  uint32_t ServiceResource(std::string_view service);
  uint32_t ScopeOf(std::string_view name, std::string_view version);

  SpanBatch* const batch_;
  Arena* const arena_;
  DecodeBudget budget_;
  JsonWalker walker_;
  OtlpScratch scratch_;
  const JsonPlace place_;

 private:
  bool ReadIdBytes(Json json, size_t bytes, uint8_t* to);
  // Microseconds, or what `other` makes of text that is none.
  bool ReadMicrosecondsOr(Json json, std::optional<uint64_t> (*other)(std::string_view),
                          std::string_view too_large, std::string_view expected, uint64_t* ns);
  // A fault that costs something and is no end: counted, the first one told.
  bool Forgive(std::string_view path, Rejection* rejection);

  static constexpr uint32_t kNone = UINT32_MAX;

  std::unordered_map<std::string_view, uint32_t> services_;
  std::unordered_map<std::string, uint32_t> scopes_;
  uint32_t plain_scope_ = kNone;  // of spans without a scope: nearly all
};

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
//
// What both OTLP decoders (protobuf, JSON) build a SpanBatch with: stacks that turn items which
// arrive one by one into flat arrays, the budget they are charged against, and the judgement of ids
// that decides which spans and log records are refused.
//
// Thread rule: one of each per decoding. Next: codec/otlp_proto_decode.h, otlp_json_decode.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "codec/otlp_fields.h"
#include "model/span_batch.h"
#include "wire/limits.h"

namespace weft::codec {

// A stack for lists within lists while they are read: an item is pushed when it is complete, and
// the list around it takes everything since its own mark into the arena, as one array.
template <class T>
class ItemStack {
 public:
  size_t mark() const { return items_.size(); }
  T& Push() { return items_.emplace_back(); }
  // REQUIRES: index < mark().
  T& At(size_t index) { return items_[index]; }
  void DropSince(size_t mark) { items_.resize(mark); }
  std::span<const T> TakeSince(size_t mark, Arena* arena) {
    size_t count = items_.size() - mark;
    if (count == 0) return {};
    T* to = static_cast<T*>(arena->Allocate(count * sizeof(T), alignof(T)));
    std::uninitialized_copy_n(items_.data() + mark, count, to);
    items_.resize(mark);
    return {to, count};
  }

 private:
  std::vector<T> items_;
};

// Bytes that a decoding may still allocate.
class DecodeBudget {
 public:
  explicit DecodeBudget(size_t bytes_in)
      : left_(wire::kDecodedBytesFree + wire::kDecodedBytesPerByteMax * bytes_in) {}
  static DecodeBudget Unlimited() {
    DecodeBudget budget(0);
    budget.left_ = UINT64_MAX;
    return budget;
  }
  bool Charge(size_t bytes) {
    if (bytes > left_) [[unlikely]]
      return false;
    left_ -= bytes;
    return true;
  }

 private:
  uint64_t left_;
};

struct OtlpScratch {
  ItemStack<KeyValue> attributes;
  ItemStack<Value> values;
  ItemStack<Event> events;
  ItemStack<Link> links;
};

// The attributes on the stack since `mark`, put behind those that an earlier piece of the same
// message had. False when the budget does not allow it: merging is charged, so that a message in a
// million pieces is not copied a million times.
bool MergeAttributes(size_t mark, OtlpScratch* scratch, Arena* arena, DecodeBudget* budget,
                     Attributes* into);

// Where an item lies in its request, for messages: resource_spans[0].scope_spans[1].spans[7].
struct OtlpPosition {
  size_t resource = 0;
  size_t scope = 0;
  size_t item = 0;
};

// An id as it came, before anyone knows whether it is any good: bytes in protobuf, text in JSON.
struct RawId {
  std::string_view received;
  bool is_text = false;
};

// Reads the ids of one span or log record and keeps the first problem: "trace_id: 15 bytes,
// expected 16". Such an item is refused as a whole: keeping it with another id, or without the
// parent it named, would be a silent change. (The Collector refuses the whole request for it.)
// The same holds for an item with a value that is nested too deep.
class ItemChecker {
 public:
  void Begin() {
    problem_.clear();
    within_ = true;
  }
  // Whether the item is to be refused.
  bool End() {
    within_ = false;
    return !problem_.empty();
  }
  // Takes note of a value that is nested too deep; false outside of an item, where it is a fault of
  // the whole message.
  bool TooDeep();
  // An id that must be there and not be all zero.
  template <size_t kBytes>
  void Required(const char* name, const RawId& raw, Id<kBytes>* id) {
    if (Read(name, raw, -1, id) && id->empty()) [[unlikely]]
      Zero(name);
  }
  // An id that may be missing or all zero, which mean the same. `link` is the index of the link
  // that holds it, or -1.
  template <size_t kBytes>
  void Optional(const char* name, const RawId& raw, int64_t link, Id<kBytes>* id) {
    if (!raw.received.empty()) Read(name, raw, link, id);
  }
  const std::string& problem() const { return problem_; }

 private:
  template <size_t kBytes>
  bool Read(const char* name, const RawId& raw, int64_t link, Id<kBytes>* id) {
    if (!raw.is_text && raw.received.size() == kBytes) [[likely]] {
      std::memcpy(id->bytes.data(), raw.received.data(), kBytes);
      return true;
    }
    if (raw.is_text && ReadIdText(raw.received, kBytes, id->bytes.data())) return true;
    Malformed(name, raw, link, kBytes);
    return false;
  }
  static bool ReadIdText(std::string_view text, size_t bytes, uint8_t* to);
  void Malformed(const char* name, const RawId& raw, int64_t link, size_t expected);
  void Zero(const char* name);

  std::string problem_;
  bool within_ = false;
};

// Counts a refused item; the first one's place, in the names of the format that it came in, and
// reason become the message.
void Reject(const OtlpSignal& signal, OtlpSpelling spelling, const OtlpPosition& at,
            std::string_view problem, Rejection* rejection);

}  // namespace weft::codec

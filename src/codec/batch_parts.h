// SPDX-License-Identifier: Apache-2.0
//
// What both OTLP decoders (protobuf, JSON) build a batch with: stacks that turn items which arrive
// one by one into flat arrays, the budget they are charged against, and the judgement of ids that
// decides which spans and log records are refused.
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
#include "model/metric_batch.h"
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
  std::span<T> PushMany(size_t count) {
    items_.resize(items_.size() + count);
    return std::span<T>(items_).last(count);
  }
  // REQUIRES: index < mark().
  T& At(size_t index) { return items_[index]; }
  void DropSince(size_t mark) { items_.resize(mark); }
  void Clear() { items_.clear(); }
  std::span<T> TakeSince(size_t mark, Arena* arena) {
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
  explicit DecodeBudget(uint64_t bytes_in)
      : left_(wire::kDecodedBytesFree + wire::kDecodedBytesPerByteMax * bytes_in) {}
  // Of JSON, which is long in itself: large documents have less to ask for.
  static DecodeBudget OfJson(uint64_t bytes_in) {
    DecodeBudget budget(bytes_in);
    budget.left_ = std::min(
        budget.left_, wire::kDecodedJsonBytesFree + wire::kDecodedBytesPerJsonByteMax * bytes_in);
    return budget;
  }
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

  // REQUIRES: no list is being read.
  void Clear() {
    attributes.Clear();
    values.Clear();
    events.Clear();
    links.Clear();
  }
};

// The attributes on the stack since `mark`, put behind those that an earlier piece of the same
// message had. False when the budget does not allow it: merging is charged, so that a message in a
// million pieces is not copied a million times.
bool MergeAttributes(size_t mark, OtlpScratch* scratch, Arena* arena, DecodeBudget* budget,
                     Attributes* into);

// Where an item lies in its request, for messages.
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
class ItemChecker {
 public:
  void Begin() { problem_.clear(); }
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
  // Not empty: the item is to be refused.
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
};

// The fields of one level around items that nobody knows, while the level is read.
class UnknownFields {
 public:
  explicit UnknownFields(bool at_root) : at_root_(at_root) {}
  // `holds`: its value could hold items.
  void Note(std::string_view name, bool holds);
  // Worth a word at the end of the level, which found items or did not.
  bool Matters(bool found) const {
    return !foreign_.empty() || (!found && (holds_ || (at_root_ && count_ > 0)));
  }
  // `found "resource_span", expected "resourceSpans": did you mean that?`, in one spelling.
  std::string Describe(OtlpFields expected, OtlpSpelling spelling) const;

 private:
  std::vector<std::string> names_;  // the first few
  const bool at_root_;
  size_t count_ = 0;
  bool holds_ = false;
  std::string_view foreign_;  // where such a field belongs
};

// The batch that a decoding fills, whichever of the two it is: `spans` or `metrics`.
struct OtlpTarget {
  OtlpTarget(const OtlpSignal& signal, SpanBatch* batch)
      : spans(batch),
        resources(&batch->resources),
        scopes(&batch->scopes),
        rejected(signal.is_traces ? &batch->rejected_spans : &batch->rejected_logs),
        left_out(&batch->left_out),
        not_understood(&batch->not_understood) {}
  explicit OtlpTarget(MetricBatch* batch)
      : metrics(batch),
        resources(&batch->resources),
        scopes(&batch->scopes),
        rejected(&batch->rejected_points),
        left_out(&batch->left_out),
        not_understood(&batch->not_understood) {}

  size_t ItemCount() const {
    return spans != nullptr ? spans->spans.size() + spans->logs.size() : metrics->metrics.size();
  }

  // A decoding is of one signal: the batch had no items before it.
  void DropItemsSince(size_t count) const {
    if (metrics != nullptr) {
      metrics->metrics.resize(count);
    } else {
      spans->spans.resize(std::min(count, spans->spans.size()));
      spans->logs.resize(std::min(count, spans->logs.size()));
    }
  }

  SpanBatch* const spans = nullptr;
  MetricBatch* const metrics = nullptr;
  std::vector<Resource>* const resources;
  std::vector<Scope>* const scopes;
  Rejection* const rejected;
  Rejection* const left_out;
  Rejection* const not_understood;
};

// What both decoders say, in the names of the format that a request came in.
class OtlpMessages {
 public:
  OtlpMessages(const OtlpSignal& signal, OtlpSpelling spelling, const OtlpTarget& target)
      : signal_(signal), spelling_(spelling), target_(target) {}

  // "resourceSpans[0].scopeSpans[1].spans[2]" at three levels; "" at none.
  std::string Place(const OtlpPosition& at, int levels) const;
  // Counts something that is lost. What it tells about the first is built only then: `describe` is
  // called with the place, and returns the message.
  template <class Describe>
  void Lose(const OtlpPosition& at, int levels, Rejection* rejection, Describe&& describe) const {
    if (rejection->count++ == 0) rejection->message = describe(Place(at, levels));
  }
  // Counts the item at hand as refused, or what stands in place of items at a level around them.
  template <class Describe>
  void Reject(const OtlpPosition& at, int levels, Describe&& describe) const {
    Lose(at, levels, target_.rejected, std::forward<Describe>(describe));
  }
  // Refuses `count` at once, for one reason.
  void RejectMany(uint64_t count, const std::string& message) const {
    if (target_.rejected->count == 0) target_.rejected->message = message;
    target_.rejected->count += count;
  }
  // Refused for an id.
  void RejectId(const OtlpPosition& at, const ItemChecker& checker) const;
  // At the end of a level whose unknown fields matter.
  void NoteUnknown(const OtlpPosition& at, int levels, const UnknownFields& unknown,
                   OtlpFields expected) const;

  // Items kept and whatever was refused.
  size_t SeenCount() const { return target_.ItemCount() + target_.rejected->count; }

 private:
  const OtlpSignal& signal_;
  const OtlpSpelling spelling_;
  const OtlpTarget target_;
};

}  // namespace weft::codec

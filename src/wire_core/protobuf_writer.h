// SPDX-License-Identifier: Apache-2.0
//
// ProtoWriter writes one protobuf message from its end to its front: a nested message is complete
// before its length is written, so lengths are exact and minimal without a sizing pass and without
// moving bytes. Callers therefore write the last field first and repeated items from the last to
// the first; the bytes then lie in the usual order.
//
//   ProtoWriter out;
//   size_t mark = out.bytes();       // innermost content, then the header around it
//   out.Bytes(1, "key");
//   out.CloseMessage(9, mark);       // field 9 holds everything written since `mark`
//   out.AppendTo(&text);
//
// Thread rule: one thread at a time. Source: protobuf.dev/programming-guides/encoding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "wire_core/protobuf_tag.h"
#include "wire_core/utf8.h"

namespace weft::wire {

class ProtoWriter {
 public:
  explicit ProtoWriter(size_t bytes_expected = 1024)
      : buffer_(new char[bytes_expected]), capacity_(bytes_expected), front_(bytes_expected) {}

  size_t bytes() const { return capacity_ - front_; }
  void AppendTo(std::string* out) const { out->append(buffer_.get() + front_, bytes()); }

  void Varint(uint32_t number, uint64_t value) {
    PutVarint(value);
    PutVarint(ProtoTag(number, WireType::kVarint));
  }
  // int32 and enum fields: negative numbers take ten bytes, as protobuf has it.
  void Int32(uint32_t number, uint32_t bits) {
    Varint(number, static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(bits))));
  }
  void Fixed64(uint32_t number, uint64_t value) {
    PutRaw({reinterpret_cast<const char*>(&value), sizeof value});
    PutVarint(ProtoTag(number, WireType::kFixed64));
  }
  void Fixed32(uint32_t number, uint32_t value) {
    PutRaw({reinterpret_cast<const char*>(&value), sizeof value});
    PutVarint(ProtoTag(number, WireType::kFixed32));
  }
  void Bytes(uint32_t number, std::string_view value) {
    PutRaw(value);
    PutVarint(value.size());
    PutVarint(ProtoTag(number, WireType::kLength));
  }
  // A string field. It must be UTF-8: readers refuse the whole message otherwise.
  void Text(uint32_t number, std::string_view text) {
    IsUtf8(text) ? Bytes(number, text) : Bytes(number, SoundUtf8(text));
  }
  // Of a packed field, which CloseMessage ends as it does a message.
  void PackedVarint(uint64_t value) { PutVarint(value); }
  void CloseMessage(uint32_t number, size_t mark) {
    PutVarint(bytes() - mark);
    PutVarint(ProtoTag(number, WireType::kLength));
  }
  // Encoded fields as they are.
  void PutRaw(std::string_view raw) {
    Reserve(raw.size());
    front_ -= raw.size();
    if (!raw.empty()) std::memcpy(buffer_.get() + front_, raw.data(), raw.size());
  }

 private:
  void PutVarint(uint64_t value) {
    Reserve(10);
    if (__builtin_expect(value < 0x80, true)) {
      buffer_[--front_] = static_cast<char>(value);
      return;
    }
    char encoded[10];
    size_t count = 0;
    for (; value >= 0x80; value >>= 7) encoded[count++] = static_cast<char>(value | 0x80);
    encoded[count++] = static_cast<char>(value);
    front_ -= count;
    std::memcpy(buffer_.get() + front_, encoded, count);
  }
  void Reserve(size_t more) {
    if (__builtin_expect(front_ >= more, true)) return;
    size_t used = bytes();
    size_t capacity = std::max(capacity_ * 2, used + more);
    std::unique_ptr<char[]> buffer(new char[capacity]);
    std::memcpy(buffer.get() + capacity - used, buffer_.get() + front_, used);
    buffer_ = std::move(buffer);
    capacity_ = capacity;
    front_ = capacity - used;
  }

  std::unique_ptr<char[]> buffer_;
  size_t capacity_;
  size_t front_;  // content is [front_, capacity_)
};

}  // namespace weft::wire

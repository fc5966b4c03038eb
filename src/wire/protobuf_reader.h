// SPDX-License-Identifier: Apache-2.0
//
// ProtoReader walks the fields of one protobuf message without copying. Codecs loop over Next() and
// switch on tag(); a field they do not list is skipped by not handling it.
//
// Why not protozero: its readers throw, know neither the offset nor the field of what is wrong, and
// skip groups without a depth. A refused request must be told all of that, and this loop runs a
// hundred times per span. Every access here is bounded by the message; nothing allocates.
//
// Thread rule: one thread at a time. Source: protobuf.dev/programming-guides/encoding.
// Next: wire_core/protobuf_writer.h, codec/otlp_proto_decode.cc.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "wire_core/protobuf_tag.h"

namespace weft::wire {

enum class ProtoError : uint8_t {
  kNone,
  kTruncated,       // the message ends inside a field
  kVarintTooLong,   // more than 10 bytes, or more than 64 bits
  kLengthTooLong,   // a length runs past the end of its message
  kBadFieldNumber,  // 0, or above 2^29 - 1
  kBadWireType,     // 6 or 7
  kBadGroup,        // an end without a start, a start without its end, or too deep
  kUnexpectedType,  // a known field with another wire type than its own
  kTooDeep,         // values nested deeper than kValueDepthMax
  kTooLarge,        // the decoded form is out of proportion (kDecodedBytesPerByteMax)
};
// "length runs past the end of its message", ...
std::string_view ProtoErrorText(ProtoError error);

class ProtoReader {
 public:
  // `message` must outlive the reader and every bytes() it gave.
  explicit ProtoReader(std::string_view message)
      : at_(message.data()), end_(message.data() + message.size()), field_(at_) {}

  // Moves to the next field. False at the end of the message and at an error: ask error().
  bool Next() {
    if (at_ == end_) return false;
    field_ = at_;
    if (!ReadTag()) [[unlikely]]
      return false;
    switch (tag_ & 7) {
      case static_cast<uint32_t>(WireType::kVarint):
        return ReadVarint(&value_);
      case static_cast<uint32_t>(WireType::kFixed64):
        return ReadFixed<uint64_t>();
      case static_cast<uint32_t>(WireType::kFixed32):
        return ReadFixed<uint32_t>();
      case static_cast<uint32_t>(WireType::kLength):
        return ReadBytes();
      default:
        return SkipGroup();
    }
  }

  // For the content of a packed field of varints, which are all it has: moves to the next value().
  bool NextPackedVarint() {
    if (at_ == end_) return false;
    field_ = at_;
    return ReadVarint(&value_);
  }

  uint32_t tag() const { return tag_; }  // ProtoTag(number, type)
  uint32_t number() const { return tag_ >> 3; }
  // A varint or fixed field's value, zero-extended.
  uint64_t value() const { return value_; }
  // REQUIRES: a kLength field.
  std::string_view bytes() const { return {bytes_, static_cast<size_t>(at_ - bytes_)}; }
  // The whole current field, tag included.
  std::string_view field() const { return {field_, static_cast<size_t>(at_ - field_)}; }

  ProtoError error() const { return error_; }
  // Where the current (or broken) field starts.
  const char* position() const { return field_; }

 private:
  bool Fail(ProtoError error) {
    error_ = error;
    at_ = end_;
    return false;
  }
  bool ReadTag() {
    uint8_t first = static_cast<uint8_t>(*at_);
    if (first < 0x80) [[likely]] {
      tag_ = first;
      ++at_;
    } else {
      uint64_t tag;
      if (!ReadVarint(&tag)) return false;
      if (tag > UINT32_MAX) return Fail(ProtoError::kBadFieldNumber);
      tag_ = static_cast<uint32_t>(tag);
    }
    return tag_ >= 8 || Fail(ProtoError::kBadFieldNumber);
  }
  bool ReadVarint(uint64_t* out) {
    if (at_ != end_) [[likely]] {
      uint8_t first = static_cast<uint8_t>(*at_);
      if (first < 0x80) [[likely]] {
        *out = first;
        ++at_;
        return true;
      }
    }
    return ReadLongVarint(out);
  }
  template <class T>
  bool ReadFixed() {
    if (static_cast<size_t>(end_ - at_) < sizeof(T)) [[unlikely]]
      return Fail(ProtoError::kTruncated);
    T value;  // protobuf is little-endian, and so is every machine weft builds for
    std::memcpy(&value, at_, sizeof value);
    value_ = value;
    at_ += sizeof value;
    return true;
  }
  bool ReadBytes() {
    uint64_t length;
    if (!ReadVarint(&length)) [[unlikely]]
      return false;
    if (length > static_cast<uint64_t>(end_ - at_)) [[unlikely]] {
      return Fail(ProtoError::kLengthTooLong);
    }
    bytes_ = at_;
    at_ += length;
    return true;
  }
  bool ReadLongVarint(uint64_t* out);
  bool SkipGroup();

  const char* at_;
  const char* end_;
  const char* field_;
  const char* bytes_ = nullptr;
  uint64_t value_ = 0;
  uint32_t tag_ = 0;
  ProtoError error_ = ProtoError::kNone;
};

}  // namespace weft::wire

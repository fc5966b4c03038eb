// SPDX-License-Identifier: Apache-2.0
//
// The tag in front of every protobuf field: its number and how its value is written.
//
// Thread rule: constants. Source: protobuf.dev/programming-guides/encoding.
// Next: wire_core/protobuf_writer.h, wire/protobuf_reader.h.
#pragma once

#include <cstdint>

namespace weft::wire {

enum class WireType : uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kLength = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5,
};

constexpr uint32_t ProtoTag(uint32_t number, WireType type) {
  return number << 3 | static_cast<uint32_t>(type);
}
constexpr uint32_t VarintTag(uint32_t number) { return ProtoTag(number, WireType::kVarint); }
constexpr uint32_t Fixed64Tag(uint32_t number) { return ProtoTag(number, WireType::kFixed64); }
constexpr uint32_t Fixed32Tag(uint32_t number) { return ProtoTag(number, WireType::kFixed32); }
constexpr uint32_t LengthTag(uint32_t number) { return ProtoTag(number, WireType::kLength); }

}  // namespace weft::wire

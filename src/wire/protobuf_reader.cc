// SPDX-License-Identifier: Apache-2.0
#include "wire/protobuf_reader.h"

#include "wire/limits.h"

namespace weft::wire {

std::string_view ProtoErrorText(ProtoError error) {
  switch (error) {
    case ProtoError::kNone:
      return "no error";
    case ProtoError::kTruncated:
      return "the message ends inside the field";
    case ProtoError::kVarintTooLong:
      return "varint of more than 64 bits";
    case ProtoError::kLengthTooLong:
      return "the length runs past the end of the message";
    case ProtoError::kBadFieldNumber:
      return "no valid field number";
    case ProtoError::kBadWireType:
      return "no valid wire type";
    case ProtoError::kBadGroup:
      return "group without its start or end, or nested too deep";
    case ProtoError::kUnexpectedType:
      return "wrong wire type for this field";
    case ProtoError::kTooDeep:
      return "values nested more than 32 deep";
    case ProtoError::kTooLarge:
      return "decodes to far more memory than its size";
  }
  return "unknown error";
}

bool ProtoReader::ReadLongVarint(uint64_t* out) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (at_ == end_) return Fail(ProtoError::kTruncated);
    uint64_t byte = static_cast<uint8_t>(*at_++);
    // The tenth byte holds bit 63 alone.
    if (shift == 63 && byte > 1) return Fail(ProtoError::kVarintTooLong);
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) {
      *out = value;
      return true;
    }
  }
  return Fail(ProtoError::kVarintTooLong);
}

// Groups are never read, only stepped over: to the end tag that matches the start just read. The
// open field numbers are a fixed stack, so hostile nesting costs neither memory nor recursion.
bool ProtoReader::SkipGroup() {
  if ((tag_ & 7) != static_cast<uint32_t>(WireType::kStartGroup)) {
    return Fail((tag_ & 7) == static_cast<uint32_t>(WireType::kEndGroup)
                    ? ProtoError::kBadGroup
                    : ProtoError::kBadWireType);
  }
  const uint32_t group_tag = tag_;
  uint32_t open[kGroupDepthMax];
  int depth = 0;
  open[depth++] = tag_ >> 3;
  while (depth > 0) {
    if (at_ == end_) return Fail(ProtoError::kTruncated);
    if (!ReadTag()) return false;
    bool read = true;
    switch (tag_ & 7) {
      case static_cast<uint32_t>(WireType::kVarint):
        read = ReadVarint(&value_);
        break;
      case static_cast<uint32_t>(WireType::kFixed64):
        read = ReadFixed<uint64_t>();
        break;
      case static_cast<uint32_t>(WireType::kFixed32):
        read = ReadFixed<uint32_t>();
        break;
      case static_cast<uint32_t>(WireType::kLength):
        read = ReadBytes();
        break;
      case static_cast<uint32_t>(WireType::kStartGroup):
        if (depth == kGroupDepthMax) return Fail(ProtoError::kBadGroup);
        open[depth++] = tag_ >> 3;
        break;
      case static_cast<uint32_t>(WireType::kEndGroup):
        if (open[--depth] != tag_ >> 3) return Fail(ProtoError::kBadGroup);
        break;
      default:
        return Fail(ProtoError::kBadWireType);
    }
    if (!read) return false;
  }
  tag_ = group_tag;
  return true;
}

}  // namespace weft::wire

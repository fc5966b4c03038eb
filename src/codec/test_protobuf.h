// SPDX-License-Identifier: Apache-2.0
//
// Protobuf messages put together field by field, for tests of what is wrong in them.
//
// Thread rule: pure functions. Used by codec/*_test.cc.
#pragma once

#include <cstdint>
#include <string>

#include "wire_core/protobuf_writer.h"

namespace weft::codec {

// Field `number` around `content`.
inline std::string Wrap(uint32_t number, const std::string& content) {
  wire::ProtoWriter out;
  out.Bytes(number, content);
  std::string text;
  out.AppendTo(&text);
  return text;
}
// The ids of a sound span.
inline std::string ProtoIds() {
  return Wrap(1, std::string(16, 'a')) + Wrap(2, std::string(8, 'b'));
}

}  // namespace weft::codec

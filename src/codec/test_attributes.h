// SPDX-License-Identifier: Apache-2.0
//
// Attributes as a line of text, for what tests expect of a decoder. Thread rule: none.
// Next: codec/jaeger_json_test.cc, codec/zipkin_json_test.cc.
#pragma once

#include <string>

#include "codec/otlp.h"

namespace weft::codec {

// "key=value " of each, values as JSON.
inline std::string Text(Attributes attributes) {
  std::string text;
  for (const KeyValue& entry : attributes) {
    text += std::string(entry.key) + "=";
    AppendValueJson(entry.value, &text);
    text += " ";
  }
  return text;
}

}  // namespace weft::codec

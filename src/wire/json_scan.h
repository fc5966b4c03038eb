// SPDX-License-Identifier: Apache-2.0
//
// JSON looked at from outside: where a document ends (files hold several in a row), and where text
// stops being JSON (simdjson knows that it does, not where).
//
// Thread rule: pure functions. Source: RFC 8259.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace weft::wire {

// Bytes of the object or array at the front of `text`, matching bracket included; npos when it does
// not end. Brackets are counted, not checked.
// REQUIRES: text starts with '{' or '['.
size_t JsonDocumentBytes(std::string_view text);

// Calls on_key with each key of the object at the front of `text`, not of those inside it. Escapes
// are left as they stand.
void ForEachTopLevelKey(std::string_view text, const std::function<void(std::string_view)>& on_key);

struct JsonTextProblem {
  size_t offset = 0;
  std::string_view what;  // empty: none of these
};
// The first broken UTF-8, raw control character in a string, or string without an end.
JsonTextProblem FindJsonTextProblem(std::string_view text);

// A copy, byte for byte as long, with an 'x' for each byte that no JSON parser takes although the
// text around it is sound: those above 0x7F (broken UTF-8 is among them) and control characters in
// strings. What the strings really say is read from the original, at the same offsets.
std::string MaskJsonText(std::string_view text);

}  // namespace weft::wire

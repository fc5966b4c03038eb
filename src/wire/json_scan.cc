// SPDX-License-Identifier: Apache-2.0
#include "wire/json_scan.h"

#include <cstdint>

#include "wire_core/utf8.h"

namespace weft::wire {
namespace {

// The offset behind the quote that ends the string opened at `quote`, or npos.
size_t EndOfString(std::string_view text, size_t quote) {
  for (size_t at = quote + 1; (at = text.find_first_of("\"\\", at)) != text.npos; at += 2) {
    if (text[at] == '"') return at + 1;
  }
  return text.npos;
}

}  // namespace

size_t JsonDocumentBytes(std::string_view text) {
  size_t depth = 0;
  for (size_t at = 0; at < text.size();) {
    switch (text[at]) {
      case '"':
        at = EndOfString(text, at);
        if (at == text.npos) return at;
        continue;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) return at + 1;
        break;
      default:
        break;
    }
    ++at;
  }
  return text.npos;
}

void ForEachTopLevelKey(std::string_view text,
                        const std::function<void(std::string_view)>& on_key) {
  size_t depth = 0;
  for (size_t at = 0; at < text.size();) {
    char c = text[at];
    if (c == '"') {
      size_t end = EndOfString(text, at);
      if (end == text.npos) return;
      size_t colon = text.find_first_not_of(" \t\r\n", end);
      if (depth == 1 && colon != text.npos && text[colon] == ':') {
        on_key(text.substr(at + 1, end - at - 2));
      }
      at = end;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && (depth == 0 || --depth == 0)) return;
    ++at;
  }
}

JsonTextProblem FindJsonTextProblem(std::string_view text) {
  size_t quote = text.npos;  // of the string that we are in
  for (size_t at = 0; at < text.size();) {
    uint8_t byte = static_cast<uint8_t>(text[at]);
    if (byte >= 0x80) {
      size_t bytes = Utf8CharacterBytes(text.substr(at));
      if (bytes == 0) return {at, "not valid UTF-8"};
      at += bytes;
      continue;
    }
    if (quote != text.npos && byte < 0x20) return {at, "control character in a string"};
    if (quote != text.npos && byte == '\\') ++at;
    if (byte == '"') quote = quote == text.npos ? at : text.npos;
    ++at;
  }
  if (quote != text.npos) return {quote, "string without an end"};
  return {};
}

std::string MaskJsonText(std::string_view text) {
  std::string masked(text);
  bool in_string = false;
  for (size_t at = 0; at < masked.size(); ++at) {
    const auto byte = static_cast<uint8_t>(masked[at]);
    if (byte >= 0x80 || (in_string && byte < 0x20)) {
      masked[at] = 'x';
    } else if (byte == '"') {
      in_string = !in_string;
    } else if (in_string && byte == '\\' && at + 1 < masked.size()) {
      // The escaped byte ends no string; one that cannot be escaped is masked all the same.
      const auto escaped = static_cast<uint8_t>(masked[++at]);
      if (escaped >= 0x80 || escaped < 0x20) masked[at] = 'x';
    }
  }
  return masked;
}

}  // namespace weft::wire

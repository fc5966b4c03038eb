// SPDX-License-Identifier: Apache-2.0
#include "base/printable.h"

#include <cstdio>

namespace weft {
namespace {

// Bytes of the UTF-8 character at the front of `text`; 0 where there is none.
size_t Utf8Length(std::string_view text) {
  auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  size_t length = byte(0) < 0x80   ? 1
                  : byte(0) < 0xC2 ? 0
                  : byte(0) < 0xE0 ? 2
                  : byte(0) < 0xF0 ? 3
                  : byte(0) < 0xF5 ? 4
                                   : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  // Surrogates, overlong forms and what lies beyond Unicode differ in the second byte.
  if (length == 3 && ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) > 0x9F)))
    return 0;
  if (length == 4 && ((byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) > 0x8F)))
    return 0;
  return length;
}

char32_t CodeOf(std::string_view character) {
  auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first;
  char32_t code = first & (0xFFu >> (character.size() + 1));
  for (char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  return code;
}

// `text` with what `write` makes of each character that is not printable.
template <class Write>
std::string Rewrite(std::string_view text, Write write) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    Character character = FirstCharacter(text);
    if (character.printable) {
      out += text.substr(0, character.bytes);
    } else {
      out += write(character);
    }
    text.remove_prefix(character.bytes);
  }
  return out;
}

}  // namespace

bool IsUnprintable(char32_t code) {
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return true;
  // What has no width and joins nothing: a name with it looks like another one.
  if (code == 0xAD || code == 0x200B || (code >= 0x2060 && code <= 0x2064) || code == 0xFEFF)
    return true;
  // ALM, LRM and RLM, embeddings and overrides, isolates with their deprecated neighbours.
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x206F);
}

Character FirstCharacter(std::string_view text) {
  size_t bytes = Utf8Length(text);
  if (bytes == 0)
    return {.bytes = 1, .code = static_cast<unsigned char>(text[0]), .printable = false};
  char32_t code = CodeOf(text.substr(0, bytes));
  return {.bytes = bytes, .code = code, .is_utf8 = true, .printable = !IsUnprintable(code)};
}

std::string ReplaceUnprintable(std::string_view text) {
  return Rewrite(text, [](const Character&) { return "?"; });
}

std::string ReplaceUnprintableInLines(std::string_view text) {
  return Rewrite(text, [](const Character& character) {
    return character.code == '\n' ? "\n" : character.code == '\t' ? " " : "?";
  });
}

std::string EscapeUnprintable(std::string_view text) {
  return Rewrite(text, [](const Character& character) {
    bool byte = !character.is_utf8 || character.code < 0x80;
    char escape[16];
    std::snprintf(escape, sizeof escape, byte ? "\\x%02x" : "\\u%04x",
                  static_cast<unsigned>(character.code));
    return std::string(escape);
  });
}

}  // namespace weft

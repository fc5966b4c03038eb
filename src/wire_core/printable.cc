// SPDX-License-Identifier: Apache-2.0
#include "wire_core/printable.h"

#include <cstdio>

#include "wire_core/utf8.h"

namespace weft {
namespace {

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
  Character character;
  size_t bytes = wire::Utf8CharacterBytes(text);
  if (bytes == 0) {
    character.code = static_cast<unsigned char>(text[0]);
    character.printable = false;
    return character;
  }
  character.bytes = bytes;
  character.code = CodeOf(text.substr(0, bytes));
  character.is_utf8 = true;
  character.printable = !IsUnprintable(character.code);
  return character;
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

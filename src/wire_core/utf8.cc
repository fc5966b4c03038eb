// SPDX-License-Identifier: Apache-2.0
#include "wire_core/utf8.h"

#include <cstdint>
#include <cstring>

namespace weft::wire {
namespace {

// What may follow a lead byte: how many bytes in all, and the range of the second one, which is
// what keeps out overlong forms, surrogates and anything above U+10FFFF.
struct Lead {
  size_t bytes;
  uint8_t second_min, second_max;
};

Lead LeadOf(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// How many bytes of the front are a sound beginning of one character.
size_t SoundBytes(std::string_view text, const Lead& lead) {
  size_t sound = 1;
  while (sound < lead.bytes && sound < text.size()) {
    uint8_t byte = static_cast<uint8_t>(text[sound]);
    uint8_t min = sound == 1 ? lead.second_min : 0x80, max = sound == 1 ? lead.second_max : 0xBF;
    if (byte < min || byte > max) break;
    ++sound;
  }
  return sound;
}

}  // namespace

size_t Utf8CharacterBytes(std::string_view text) {
  Lead lead = LeadOf(static_cast<uint8_t>(text[0]));
  return lead.bytes != 0 && SoundBytes(text, lead) == lead.bytes ? lead.bytes : 0;
}

size_t Utf8BrokenBytes(std::string_view text) {
  Lead lead = LeadOf(static_cast<uint8_t>(text[0]));
  return lead.bytes == 0 ? 1 : SoundBytes(text, lead);
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    uint64_t word;
    if (text.size() >= sizeof word) {
      std::memcpy(&word, text.data(), sizeof word);
      if ((word & 0x8080808080808080u) == 0) {
        text.remove_prefix(sizeof word);
        continue;
      }
    }
    size_t bytes = Utf8CharacterBytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string SoundUtf8(std::string_view text) {
  std::string sound;
  sound.reserve(text.size() + kReplacementCharacter.size());
  while (!text.empty()) {
    size_t bytes = Utf8CharacterBytes(text);
    sound += bytes > 0 ? text.substr(0, bytes) : kReplacementCharacter;
    text.remove_prefix(bytes > 0 ? bytes : Utf8BrokenBytes(text));
  }
  return sound;
}

}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
#include "wire_core/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "wire_core/base64.h"
#include "wire_core/printable.h"
#include "wire_core/utf8.h"

namespace weft::wire {
namespace {

// Bytes that a JSON string carries as they are: printable ASCII but the quote and the backslash.
// Bytes from 0x80 on are looked at as UTF-8.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (int c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

// Whether any of eight bytes is not plain, that is below 0x20, from 0x7F on, a quote or a
// backslash. With the high bits out of the way (they are asked for at the end), (x - 0x20) borrows
// from a byte's high bit exactly where the byte is below 0x20, (x ^ c) - 1 exactly where it equals
// c, and x + 1 reaches it exactly from 0x7F. A borrow or carry may reach the next byte too, which
// only sends that word to the byte loop.
bool HasSpecial(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101u, kHigh = 0x8080808080808080u;
  uint64_t control = word - kOnes * 0x20;
  uint64_t quote = (word ^ kOnes * '"') - kOnes;
  uint64_t backslash = (word ^ kOnes * '\\') - kOnes;
  uint64_t del = word + kOnes;
  return ((control | quote | backslash | del | word) & kHigh) != 0;
}

void AppendCodeEscape(char32_t code, std::string* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  *out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) *out += kDigits[code >> shift & 15];
}

void AppendEscape(uint8_t byte, std::string* out) {
  switch (byte) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default:
      AppendCodeEscape(byte, out);
  }
}

// Bytes of the character at the front of `text`, from 0x80 on, that is written as it is; 0 where it
// is broken, or is to be escaped: a reader may show the document on a terminal as it stands.
size_t PlainCharacterBytes(std::string_view text) {
  // The first bytes of all that is not printable; most text is spared a closer look.
  auto first = static_cast<uint8_t>(text[0]);
  if (first != 0xC2 && first != 0xD8 && first != 0xE2) return Utf8CharacterBytes(text);
  Character character = FirstCharacter(text);
  return character.printable ? character.bytes : 0;
}

// How many bytes at the front of `text` are written as they are.
size_t PlainBytes(std::string_view text) {
  size_t i = 0;
  uint64_t word;
  while (i < text.size()) {
    if (text.size() - i >= sizeof word) {
      std::memcpy(&word, text.data() + i, sizeof word);
      if (!HasSpecial(word)) {
        i += sizeof word;
        continue;
      }
    } else if (text.size() >= sizeof word) {
      // The last bytes with some before them, which were looked at already.
      std::memcpy(&word, text.data() + text.size() - sizeof word, sizeof word);
      if (!HasSpecial(word)) return text.size();
    }
    if (kPlain[static_cast<uint8_t>(text[i])]) {
      ++i;
      continue;
    }
    size_t sound = static_cast<uint8_t>(text[i]) < 0x80 ? 0 : PlainCharacterBytes(text.substr(i));
    if (sound == 0) break;
    i += sound;
  }
  return i;
}

// A comma where one is due, the text in quotes, a colon where it is a key.
void AppendQuoted(bool comma, std::string_view text, bool colon, std::string* out) {
  size_t plain = PlainBytes(text);
  if (plain == text.size()) {
    // Room of nothing but quotes, filled in place: one growth check for all the parts, where
    // appending each of them costs a call.
    size_t before = out->size();
    out->append(text.size() + 2 + comma + colon, '"');
    char* to = out->data() + before;
    if (comma) *to++ = ',';
    if (!text.empty()) std::memcpy(to + 1, text.data(), text.size());
    if (colon) to[text.size() + 2] = ':';
    return;
  }
  if (comma) *out += ',';
  *out += '"';
  while (true) {
    out->append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    size_t escaped = 1;
    if (Character character = FirstCharacter(text); character.is_utf8 && character.code >= 0x80) {
      AppendCodeEscape(character.code, out);
      escaped = character.bytes;
    } else if (static_cast<uint8_t>(text[0]) >= 0x80) {
      *out += kReplacementCharacter;
      escaped = Utf8BrokenBytes(text);
    } else {
      AppendEscape(static_cast<uint8_t>(text[0]), out);
    }
    text.remove_prefix(escaped);
    plain = PlainBytes(text);
  }
  *out += '"';
  if (colon) *out += ':';
}

// A comma where one is due, and the number, in quotes or not.
template <class T>
void AppendNumber(bool comma, T value, bool quoted, std::string* out) {
  char text[32];
  char* to = text;
  if (comma) *to++ = ',';
  if (quoted) *to++ = '"';
  to = std::to_chars(to, text + sizeof text, value).ptr;
  if (quoted) *to++ = '"';
  out->append(text, to);
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  AppendQuoted(false, text, false, out);
}

void AppendJsonDouble(double value, std::string* out) {
  if (std::isnan(value)) {
    *out += "\"NaN\"";
  } else if (std::isinf(value)) {
    *out += value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  } else {
    AppendNumber(false, value, false, out);
  }
}

void JsonWriter::Key(std::string_view key) {
  AppendQuoted(comma_, key, true, out_);
  comma_ = false;
}

void JsonWriter::String(std::string_view text) {
  AppendQuoted(comma_, text, false, out_);
  comma_ = true;
}

void JsonWriter::Int(int64_t value) {
  AppendNumber(comma_, value, false, out_);
  comma_ = true;
}

void JsonWriter::Uint(uint64_t value) {
  AppendNumber(comma_, value, false, out_);
  comma_ = true;
}

void JsonWriter::IntText(int64_t value) {
  AppendNumber(comma_, value, true, out_);
  comma_ = true;
}

void JsonWriter::UintText(uint64_t value) {
  AppendNumber(comma_, value, true, out_);
  comma_ = true;
}

void JsonWriter::Hex(std::string_view bytes) {
  Raw("\"");
  AppendHex(bytes, out_);
  *out_ += '"';
}

void JsonWriter::Base64(std::string_view bytes) {
  Raw("\"");
  AppendBase64(bytes, out_);
  *out_ += '"';
}

}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
#include "wire/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "wire/base64.h"
#include "wire/utf8.h"

namespace weft::wire {
namespace {

// Bytes that a JSON string carries as they are: printable ASCII but the quote and the backslash.
// Bytes from 0x80 on are looked at as UTF-8, 0x7F passes (RFC 8259 section 7).
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (int c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

// Whether any of eight bytes is not plain, that is below 0x20, from 0x80 on, a quote or a backslash.
// With the high bits out of the way (they are asked for at the end), (x - 0x20) borrows from a byte's
// high bit exactly where the byte is below 0x20, and (x ^ c) - 1 exactly where it equals c. A borrow may
// reach the next byte too, which only sends that word to the byte loop.
bool HasSpecial(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101u, kHigh = 0x8080808080808080u;
  uint64_t control = word - kOnes * 0x20;
  uint64_t quote = (word ^ kOnes * '"') - kOnes;
  uint64_t backslash = (word ^ kOnes * '\\') - kOnes;
  return ((control | quote | backslash | word) & kHigh) != 0;
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
    default: {
      static constexpr char kDigits[] = "0123456789abcdef";
      *out += "\\u00";
      *out += kDigits[byte >> 4];
      *out += kDigits[byte & 15];
    }
  }
}

template <class T>
void AppendNumber(T value, std::string* out) {
  char digits[24];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out->append(digits, end);
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  size_t done = 0;  // everything before it is in *out
  size_t i = 0;
  while (i < text.size()) {
    if (uint64_t word; text.size() - i >= sizeof word) {
      std::memcpy(&word, text.data() + i, sizeof word);
      if (!HasSpecial(word)) {
        i += sizeof word;
        continue;
      }
    }
    uint8_t byte = static_cast<uint8_t>(text[i]);
    if (kPlain[byte]) {
      ++i;
      continue;
    }
    if (byte >= 0x80) {
      if (size_t sound = Utf8CharacterBytes(text.substr(i)); sound != 0) {
        i += sound;
        continue;
      }
    }
    out->append(text, done, i - done);
    if (byte >= 0x80) {
      *out += kReplacementCharacter;
      i += Utf8BrokenBytes(text.substr(i));
    } else {
      AppendEscape(byte, out);
      ++i;
    }
    done = i;
  }
  out->append(text, done, text.size() - done);
  *out += '"';
}

void AppendJsonDouble(double value, std::string* out) {
  if (std::isnan(value)) {
    *out += "\"NaN\"";
  } else if (std::isinf(value)) {
    *out += value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  } else {
    AppendNumber(value, out);
  }
}

void JsonWriter::Int(int64_t value) {
  Separate();
  AppendNumber(value, out_);
}

void JsonWriter::Uint(uint64_t value) {
  Separate();
  AppendNumber(value, out_);
}

void JsonWriter::IntText(int64_t value) {
  Separate();
  *out_ += '"';
  AppendNumber(value, out_);
  *out_ += '"';
}

void JsonWriter::UintText(uint64_t value) {
  Separate();
  *out_ += '"';
  AppendNumber(value, out_);
  *out_ += '"';
}

void JsonWriter::Hex(std::string_view bytes) {
  Separate();
  *out_ += '"';
  AppendHex(bytes, out_);
  *out_ += '"';
}

void JsonWriter::Base64(std::string_view bytes) {
  Separate();
  *out_ += '"';
  AppendBase64(bytes, out_);
  *out_ += '"';
}

}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
#include "wire_core/base64.h"

#include <array>
#include <cstdint>

namespace weft {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNotADigit = 0xFF;

constexpr std::array<uint8_t, 256> kDigitOf = [] {
  std::array<uint8_t, 256> digits{};
  for (size_t i = 0; i < digits.size(); ++i) digits[i] = kNotADigit;
  for (uint8_t i = 0; i < 64; ++i) digits[static_cast<uint8_t>(kAlphabet[i])] = i;
  digits['-'] = 62;
  digits['_'] = 63;
  return digits;
}();

}  // namespace

void AppendBase64(std::string_view bytes, std::string* out) {
  auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) *out += kAlphabet[group >> shift & 63];
  }
  size_t rest = bytes.size() - i;
  if (rest == 0) return;
  uint32_t group = byte(i) << 16 | (rest == 2 ? byte(i + 1) << 8 : 0);
  *out += kAlphabet[group >> 18];
  *out += kAlphabet[group >> 12 & 63];
  *out += rest == 2 ? kAlphabet[group >> 6 & 63] : '=';
  *out += '=';
}

void AppendHex(std::string_view bytes, std::string* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  size_t before = out->size();
  out->append(2 * bytes.size(), '0');
  char* to = out->data() + before;
  for (char c : bytes) {
    uint8_t byte = static_cast<uint8_t>(c);
    *to++ = kDigits[byte >> 4];
    *to++ = kDigits[byte & 15];
  }
}

std::optional<size_t> DecodeBase64(std::string_view text, char* to) {
  size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  if (text.size() % 4 == 1 || (padding > 0 && (text.size() + padding) % 4 != 0))
    return std::nullopt;
  size_t count = 0;
  uint32_t group = 0, bits = 0;
  for (char c : text) {
    uint8_t digit = kDigitOf[static_cast<uint8_t>(c)];
    if (digit == kNotADigit) return std::nullopt;
    group = group << 6 | digit;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      to[count++] = static_cast<char>(group >> bits);
    }
  }
  return count;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string out(Base64BytesMax(text), '\0');
  std::optional<size_t> count = DecodeBase64(text, out.data());
  if (!count) return std::nullopt;
  out.resize(*count);
  return out;
}

}  // namespace weft

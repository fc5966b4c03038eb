// SPDX-License-Identifier: Apache-2.0
#include "query/value_text.h"

#include <fmt/format.h>

#include <iterator>

namespace weft::query {
namespace {

// Values nest only as deep as decoders allow; deeper ones, from elsewhere, are cut here.
constexpr int kDepthMax = 64;

void AppendQuoted(std::string_view text, std::string* out) {
  *out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') *out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      *out += c;
    }
  }
  *out += '"';
}

void Append(const Value& value, int depth, std::string* out) {
  bool inside = depth > 0;
  switch (value.type) {
    case ValueType::kEmpty:
      *out += inside ? "null" : "";
      break;
    case ValueType::kString:
      if (inside) {
        AppendQuoted(value.string(), out);
      } else {
        *out += value.string();
      }
      break;
    case ValueType::kBool:
      *out += value.boolean ? "true" : "false";
      break;
    case ValueType::kInt:
      fmt::format_to(std::back_inserter(*out), "{}", value.integer);
      break;
    case ValueType::kDouble:
      fmt::format_to(std::back_inserter(*out), "{}", value.real);
      break;
    case ValueType::kBytes: {
      if (inside) *out += '"';
      for (char c : value.string())
        fmt::format_to(std::back_inserter(*out), "{:02x}", static_cast<unsigned char>(c));
      if (inside) *out += '"';
      break;
    }
    case ValueType::kArray:
    case ValueType::kMap: {
      bool map = value.type == ValueType::kMap;
      *out += map ? '{' : '[';
      for (uint32_t i = 0; i < value.count && depth < kDepthMax; ++i) {
        if (i > 0) *out += ", ";
        if (map) {
          AppendQuoted(value.entries[i].key, out);
          *out += ": ";
        }
        Append(map ? value.entries[i].value : value.items[i], depth + 1, out);
      }
      *out += map ? '}' : ']';
      break;
    }
  }
}

}  // namespace

std::string ValueText(const Value& value) {
  std::string out;
  Append(value, 0, &out);
  return out;
}

}  // namespace weft::query

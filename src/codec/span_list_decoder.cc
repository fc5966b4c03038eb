// SPDX-License-Identifier: Apache-2.0
#include "codec/span_list_decoder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "codec/time_text.h"
#include "wire_core/base64.h"

namespace weft::codec {
namespace {

constexpr uint64_t kNsPerUs = 1000;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  int lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Right-aligned in `bytes` bytes.
bool ReadHex(std::string_view text, size_t bytes, uint8_t* to) {
  if (text.size() > 2 * bytes) return false;
  std::fill_n(to, bytes, uint8_t{0});
  for (size_t i = 0; i < text.size(); ++i) {
    int digit = HexDigit(text[text.size() - 1 - i]);
    if (digit < 0) return false;
    to[bytes - 1 - i / 2] |= static_cast<uint8_t>(i % 2 == 0 ? digit : digit << 4);
  }
  return true;
}

bool ReadBase64(std::string_view text, size_t bytes, uint8_t* to) {
  std::array<char, 32> decoded;
  if (Base64BytesMax(text) > decoded.size()) return false;
  auto count = DecodeBase64(text, decoded.data());
  if (!count || *count > bytes) return false;
  std::fill_n(to, bytes, uint8_t{0});
  std::copy_n(decoded.data(), *count, to + bytes - *count);
  return true;
}

enum class Microseconds : uint8_t { kRead, kTooLarge, kNone };

Microseconds ReadMicroseconds(std::string_view text, uint64_t* ns) {
  uint64_t us = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), us);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (us > UINT64_MAX / kNsPerUs) return Microseconds::kTooLarge;
    *ns = us * kNsPerUs;
    return Microseconds::kRead;
  }
  double real = 0;
  auto [real_end, real_error] = std::from_chars(text.data(), text.data() + text.size(), real);
  if (real_error != std::errc() || real_end != text.data() + text.size() || !(real >= 0))
    return Microseconds::kNone;
  // 2^64 nanoseconds: the largest number itself is no double.
  if (real >= std::ldexp(1.0, 64) / kNsPerUs) return Microseconds::kTooLarge;
  *ns = static_cast<uint64_t>(std::round(real * kNsPerUs));
  return Microseconds::kRead;
}

}  // namespace

std::string SpanListDecoder::Describe() const {
  // The body has one bracket before the first item.
  size_t at = std::max<size_t>(walker_.fault_offset(), 1) - 1;
  std::string_view items = place_.text;
  if (items.empty() && !batch_->received.empty())
    items = std::string_view(batch_->received).substr(1);
  std::string_view before = items.substr(0, at);
  uint64_t line = place_.line + static_cast<uint64_t>(std::ranges::count(before, '\n'));
  std::string text =
      "line " + std::to_string(line) + ", byte " + std::to_string(place_.offset + at) + ": ";
  if (!walker_.fault_path().empty()) text += std::string(place_.list) + walker_.fault_path() + ": ";
  return text + walker_.fault_text();
}

bool SpanListDecoder::Forgive(std::string_view path, Rejection* rejection) {
  if (walker_.fault_is_final()) return false;
  if (rejection->count++ == 0) {
    walker_.Prefix(path);
    rejection->message = Describe();
  }
  walker_.Forgive();
  return true;
}

bool SpanListDecoder::RejectSpan(std::string_view path) {
  return Forgive(path, &batch_->rejected_spans);
}

bool SpanListDecoder::LeaveOut(std::string_view path) { return Forgive(path, &batch_->left_out); }

std::string SpanListDecoder::ItemPath(size_t index) const {
  return "[" + std::to_string(place_.first + index) + "]";
}

bool SpanListDecoder::ReadIdBytes(Json json, size_t bytes, uint8_t* to) {
  const char* start = JsonWalker::Position(json);
  std::string_view text;
  if (!walker_.String(json, &text)) return false;
  bool read = text.ends_with('=') ? ReadBase64(text, bytes, to) : ReadHex(text, bytes, to);
  return read || walker_.FailAt(start, "expected an id of up to " + std::to_string(2 * bytes) +
                                           " hexadecimal digits");
}

bool SpanListDecoder::ReadTime(Json json, uint64_t* ns) {
  return ReadMicrosecondsOr(json, ParseRfc3339, "a time beyond the year 2554",
                            "expected microseconds or a time such as 2022-05-16T07:58:38.5Z", ns);
}

bool SpanListDecoder::ReadDuration(Json json, uint64_t* ns) {
  return ReadMicrosecondsOr(json, ParseSeconds, "a duration of over 584 years",
                            "expected microseconds or a duration such as 0.5s", ns);
}

bool SpanListDecoder::ReadMicrosecondsOr(Json json,
                                         std::optional<uint64_t> (*other)(std::string_view),
                                         std::string_view too_large, std::string_view expected,
                                         uint64_t* ns) {
  const char* start = JsonWalker::Position(json);
  std::string_view text;
  if (!walker_.NumberText(json, &text)) return false;
  switch (ReadMicroseconds(text, ns)) {
    case Microseconds::kRead:
      return true;
    case Microseconds::kTooLarge:
      return walker_.FailAt(start, too_large);
    default:
      break;
  }
  std::optional<uint64_t> read = other(text);
  if (!read) return walker_.FailAt(start, expected);
  *ns = *read;
  return true;
}

bool SpanListDecoder::ReadAnyValue(Json json, Value* value) {
  switch (JsonWalker::FirstByte(json)) {
    case '"': {
      std::string_view text;
      if (!walker_.String(json, &text)) return false;
      *value = Value::String(text);
      return true;
    }
    case 't':
    case 'f': {
      bool boolean = false;
      if (!walker_.Bool(json, &boolean)) return false;
      *value = Value::Bool(boolean);
      return true;
    }
    case '{':
    case '[': {
      std::string_view text;
      if (!walker_.RawJson(json, &text)) return false;
      *value = Value::String(text);
      return true;
    }
    default: {
      bool whole = false;
      int64_t integer = 0;
      double real = 0;
      if (!walker_.AnyNumber(json, &whole, &integer, &real)) return false;
      *value = whole ? Value::Int(integer) : Value::Double(real);
      return true;
    }
  }
}

uint32_t SpanListDecoder::ServiceResource(std::string_view service) {
  auto [place, is_new] =
      services_.try_emplace(service, static_cast<uint32_t>(batch_->resources.size()));
  if (is_new) {
    Resource& resource = batch_->resources.emplace_back();
    if (!service.empty()) {
      std::span<KeyValue> attributes = arena_->NewArray<KeyValue>(1);
      attributes[0] = {"service.name", Value::String(service)};
      resource.attributes = attributes;
    }
  }
  return place->second;
}

uint32_t SpanListDecoder::ScopeOf(std::string_view name, std::string_view version) {
  if (name.empty() && version.empty() && plain_scope_ != kNone) return plain_scope_;
  std::string key = std::string(name) + '\0' + std::string(version);
  auto [place, is_new] =
      scopes_.try_emplace(std::move(key), static_cast<uint32_t>(batch_->scopes.size()));
  if (is_new) batch_->scopes.push_back({.name = name, .version = version});
  if (name.empty() && version.empty()) plain_scope_ = place->second;
  return place->second;
}

}  // namespace weft::codec

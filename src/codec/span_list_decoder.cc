// SPDX-License-Identifier: Apache-2.0
#include "codec/span_list_decoder.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/base64.h"
#include "codec/time_text.h"

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

bool SpanListDecoder::RejectSpan(std::string_view path) {
  if (walker_.fault_is_final()) return false;
  if (batch_->rejected_spans.count++ == 0) {
    walker_.Prefix(path);
    batch_->rejected_spans.message = Describe();
  }
  walker_.Forgive();
  return true;
}

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
  const char* start = JsonWalker::Position(json);
  if (walker_.IsString(json)) {
    std::string_view text;
    if (!walker_.String(json, &text)) return false;
    if (auto time = ParseRfc3339(text)) {
      *ns = *time;
      return true;
    }
    uint64_t us = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), us);
    if (error == std::errc() && end == text.data() + text.size() && us <= UINT64_MAX / kNsPerUs) {
      *ns = us * kNsPerUs;
      return true;
    }
    return walker_.FailAt(start, "expected microseconds or a time such as 2022-05-16T07:58:38.5Z");
  }
  uint64_t us = 0;
  if (!walker_.Uint64(json, &us)) return false;
  if (us > UINT64_MAX / kNsPerUs) return walker_.FailAt(start, "a time beyond the year 2554");
  *ns = us * kNsPerUs;
  return true;
}

bool SpanListDecoder::ReadDuration(Json json, uint64_t* ns) {
  const char* start = JsonWalker::Position(json);
  if (walker_.IsString(json)) {
    std::string_view text;
    if (!walker_.String(json, &text)) return false;
    auto duration = ParseSeconds(text);
    if (!duration) return walker_.FailAt(start, "expected microseconds or a duration such as 0.5s");
    *ns = *duration;
    return true;
  }
  uint64_t us = 0;
  if (!walker_.Uint64(json, &us)) return false;
  if (us > UINT64_MAX / kNsPerUs) return walker_.FailAt(start, "a duration of over 584 years");
  *ns = us * kNsPerUs;
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

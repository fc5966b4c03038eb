// SPDX-License-Identifier: Apache-2.0
#include "model/pasted_id.h"

#include <algorithm>
#include <string>
#include <vector>

#include "wire_core/base64.h"

namespace weft {
namespace {

constexpr size_t kTraceDigits = 2 * TraceId::kSize, kSpanDigits = 2 * SpanId::kSize;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
bool IsHex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return HexDigit(c) >= 0; });
}
bool IsWordByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
// Bytes of an id and of the headers that hold one.
bool IsTokenByte(char c) { return IsWordByte(c) || c == '-' || c == ':'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view Trim(std::string_view text, std::string_view unwanted) {
  size_t begin = text.find_first_not_of(unwanted);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(unwanted) + 1 - begin);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t at; (at = text.find(separator)) != text.npos; text.remove_prefix(at + 1))
    parts.push_back(text.substr(0, at));
  parts.push_back(text);
  return parts;
}

std::optional<PastedId> OfTrace(std::string_view digits, std::string_view span_digits = {}) {
  size_t surplus = digits.size() > kTraceDigits ? digits.size() - kTraceDigits : 0;
  if (digits.substr(0, surplus).find_first_not_of('0') != digits.npos) return std::nullopt;
  std::optional<TraceId> trace = ParseTraceId(digits.substr(surplus));
  if (!trace || trace->empty()) return std::nullopt;
  PastedId out{*trace, {}};
  if (span_digits.empty()) return out;
  if (span_digits.size() > kSpanDigits || !IsHex(span_digits)) return std::nullopt;
  std::string padded(kSpanDigits - span_digits.size(), '0');
  out.span_id = *SpanId::FromHex(padded.append(span_digits));
  return out;
}

// version-trace-span-flags, and what later versions append.
bool IsTraceParent(const std::vector<std::string_view>& parts) {
  return parts.size() >= 4 && parts[0].size() == 2 && parts[1].size() == kTraceDigits &&
         parts[2].size() == kSpanDigits && parts[3].size() == 2 && IsHex(parts[0]) &&
         IsHex(parts[3]);
}
bool IsUuid(const std::vector<std::string_view>& parts) {
  constexpr size_t kSizes[] = {8, 4, 4, 4, 12};
  return std::ranges::equal(parts, kSizes, {}, &std::string_view::size);
}
// X-Ray writes 1-SECONDS-REST.
bool IsXray(const std::vector<std::string_view>& parts) {
  return parts.size() == 3 && parts[0] == "1" && parts[1].size() == 8 && parts[2].size() == 24;
}
// trace-span[-sampled[-parent]].
bool IsB3(const std::vector<std::string_view>& parts) {
  return parts.size() >= 2 && parts.size() <= 4 && parts[1].size() == kSpanDigits &&
         (parts[0].size() == kTraceDigits || parts[0].size() == kSpanDigits) &&
         (parts.size() < 3 || parts[2].size() == 1);
}

std::optional<PastedId> OfDashed(std::string_view text) {
  std::vector<std::string_view> parts = Split(text, '-');
  if (IsTraceParent(parts)) return OfTrace(parts[1], parts[2]);
  if (IsXray(parts)) return OfTrace(std::string(parts[1]).append(parts[2]));
  if (IsB3(parts)) return OfTrace(parts[0], parts[1]);
  if (!IsUuid(parts)) return std::nullopt;
  std::string digits;
  for (std::string_view part : parts) digits += part;
  return OfTrace(digits);
}

// trace:span:parent:flags of Jaeger's header.
std::optional<PastedId> OfColons(std::string_view text) {
  std::vector<std::string_view> parts = Split(text, ':');
  if (parts.size() != 4) return std::nullopt;
  return OfTrace(parts[0], parts[1]);
}

std::optional<PastedId> OfBase64(std::string_view text) {
  if (text.size() != 24 || !text.ends_with("==")) return std::nullopt;
  char bytes[Base64BytesMax(std::string_view("012345678901234567890123"))];
  std::optional<size_t> count = DecodeBase64(text, bytes);
  if (count != TraceId::kSize) return std::nullopt;
  std::optional<TraceId> id = TraceId::FromBytes({bytes, *count});
  return id->empty() ? std::nullopt : std::optional(PastedId{*id, {}});
}

// A text that is an id or a header, and nothing else.
std::optional<PastedId> OfWhole(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return OfTrace(text.substr(2));
  if (IsHex(text)) return OfTrace(text);
  if (text.contains('-')) return OfDashed(text);
  if (text.contains(':')) return OfColons(text);
  return OfBase64(text);
}

std::string_view TokenAt(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && IsTokenByte(text[end])) ++end;
  return Trim(text.substr(at, end - at), "-:");
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    bool escape = text[i] == '%' && i + 2 < text.size() && IsHex(text.substr(i + 1, 2));
    out += escape ? static_cast<char>(HexDigit(text[i + 1]) << 4 | HexDigit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

// What stands in front of an id, in lower case. After a name an = or : must follow.
struct Marker {
  std::string_view text;
  bool is_name;
};
constexpr Marker kMarkers[] = {{"traceparent", true}, {"/trace/", false}, {"/traces/", false},
                               {"traceid", true},     {"trace_id", true}, {"trace-id", true},
                               {"trace.id", true},    {"trace id", true}, {"b3", true},
                               {"root", true}};

std::optional<PastedId> OfMarked(std::string_view text, std::string_view lower) {
  for (const Marker& marker : kMarkers) {
    for (size_t at = lower.find(marker.text); at != lower.npos;
         at = lower.find(marker.text, at + 1)) {
      size_t begin = at + marker.text.size();
      if (marker.is_name) {
        size_t end = lower.find_first_not_of(" \t\"'\\=:", begin);
        if (end == lower.npos || lower.substr(begin, end - begin).find_first_of("=:") == lower.npos)
          continue;
        begin = end;
      }
      if (auto id = OfWhole(TokenAt(text, begin))) return id;
    }
  }
  return std::nullopt;
}

// The only trace id of full length in a text.
std::optional<PastedId> OnlyOne(std::string_view text) {
  std::optional<PastedId> found;
  for (size_t at = 0; at < text.size(); ++at) {
    if (!IsWordByte(text[at])) continue;
    size_t end = at;
    while (end < text.size() && (IsWordByte(text[end]) || text[end] == '-')) ++end;
    std::string_view word = Trim(text.substr(at, end - at), "-");
    at = end;
    if (word.size() < kTraceDigits) continue;
    std::optional<PastedId> id = OfWhole(word);
    if (!id) continue;
    if (found && found->trace_id != id->trace_id) return std::nullopt;
    if (!found) found = id;
  }
  return found;
}

}  // namespace

std::optional<PastedId> ParsePastedId(std::string_view text) {
  text = Trim(text, " \t\r\n\v\f\"'`<>()[]{},;");
  if (auto id = OfWhole(text)) return id;
  std::string plain = Unescape(text), lower = plain;
  std::ranges::transform(lower, lower.begin(), Lower);
  if (auto id = OfWhole(plain)) return id;
  if (auto id = OfMarked(plain, lower)) return id;
  return OnlyOne(plain);
}

}  // namespace weft

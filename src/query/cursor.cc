// SPDX-License-Identifier: Apache-2.0
#include "query/cursor.h"

#include <fmt/format.h>

#include <charconv>

namespace weft::query {
namespace {

// FNV-1a: tells apart the questions of one person, not of an attacker.
uint32_t HashQuestion(std::string_view question) {
  uint32_t hash = 2166136261u;
  for (char c : question) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

constexpr size_t kStartDigits = 16, kIdDigits = 32, kHashDigits = 8;

}  // namespace

std::string EncodeCursor(const ResultKey& last, std::string_view question) {
  return fmt::format("{:016x}{}{:08x}", last.start_ns, last.trace_id.ToHex(),
                     HashQuestion(question));
}

Result<ResultKey> DecodeCursor(std::string_view cursor, std::string_view question) {
  ResultKey key;
  auto number = [&](size_t at, size_t digits, auto* out) {
    const char* begin = cursor.data() + at;
    auto end = std::from_chars(begin, begin + digits, *out, 16);
    return end.ec == std::errc() && end.ptr == begin + digits;
  };
  uint32_t hash = 0;
  if (cursor.size() != kStartDigits + kIdDigits + kHashDigits ||
      !number(0, kStartDigits, &key.start_ns) ||
      !number(kStartDigits + kIdDigits, kHashDigits, &hash))
    return Fail(ErrorCode::kInvalidArgument, "this is not a cursor of a search answer");
  auto id = TraceId::FromHex(cursor.substr(kStartDigits, kIdDigits));
  if (!id) return Fail(ErrorCode::kInvalidArgument, "this is not a cursor of a search answer");
  if (hash != HashQuestion(question))
    return Fail(ErrorCode::kInvalidArgument, "this cursor belongs to another query or time range");
  key.trace_id = *id;
  return key;
}

}  // namespace weft::query

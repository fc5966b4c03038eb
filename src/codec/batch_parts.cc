// SPDX-License-Identifier: Apache-2.0
#include "codec/batch_parts.h"

#include "base/base64.h"

namespace weft::codec {

bool MergeAttributes(size_t mark, OtlpScratch* scratch, Arena* arena, DecodeBudget* budget,
                     Attributes* into) {
  Attributes taken = scratch->attributes.TakeSince(mark, arena);
  if (into->empty()) {
    *into = taken;
    return true;
  }
  if (taken.empty()) return true;
  size_t count = into->size() + taken.size();
  if (!budget->Charge(count * sizeof(KeyValue))) return false;
  std::span<KeyValue> merged = arena->NewArray<KeyValue>(count);
  std::ranges::copy(taken, std::ranges::copy(*into, merged.begin()).out);
  *into = merged;
  return true;
}

// Hex, or base64 where the length can be nothing else: writers that apply plain protojson to OTLP
// send 24 and 12 characters instead of 32 and 16.
bool ItemChecker::ReadIdText(std::string_view text, size_t bytes, uint8_t* to) {
  if (text.size() == 2 * bytes) {
    auto digit = [](char c) {
      if (c >= '0' && c <= '9') return c - '0';
      int lower = c | 0x20;
      return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
    };
    for (size_t i = 0; i < bytes; ++i) {
      int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
      if (high < 0 || low < 0) return false;
      to[i] = static_cast<uint8_t>(high << 4 | low);
    }
    return true;
  }
  char decoded[2 * TraceId::kSize];
  if (text.size() != (bytes + 2) / 3 * 4) return false;
  if (DecodeBase64(text, decoded) != bytes) return false;
  std::memcpy(to, decoded, bytes);
  return true;
}

void ItemChecker::Malformed(const char* name, const RawId& raw, int64_t link, size_t expected) {
  if (!problem_.empty()) return;
  if (link >= 0) problem_ = "links[" + std::to_string(link) + "].";
  problem_ += name;
  problem_ += ": ";
  if (raw.received.empty()) {
    problem_ += "missing";
  } else if (!raw.is_text) {
    problem_ +=
        std::to_string(raw.received.size()) + " bytes, expected " + std::to_string(expected);
  } else if (raw.received.size() == 2 * expected) {
    problem_ += "not a hexadecimal number";
  } else {
    problem_ += std::to_string(raw.received.size()) + " characters, expected " +
                std::to_string(2 * expected) + " hexadecimal digits";
  }
}

void ItemChecker::Zero(const char* name) {
  if (problem_.empty()) problem_ = std::string(name) + ": all zero";
}

bool ItemChecker::TooDeep() {
  if (within_ && problem_.empty())
    problem_ = "value: nested more than " + std::to_string(wire::kValueDepthMax) + " deep";
  return within_;
}

void Reject(const OtlpSignal& signal, OtlpSpelling spelling, const OtlpPosition& at,
            std::string_view problem, Rejection* rejection) {
  if (rejection->count++ > 0) return;
  auto level = [](std::string_view name, size_t index) {
    return std::string(name) + "[" + std::to_string(index) + "].";
  };
  rejection->message =
      level(OtlpFieldName(signal.request, request::kResources, spelling), at.resource) +
      level(OtlpFieldName(signal.resource_items, resource_items::kScopes, spelling), at.scope) +
      level(OtlpFieldName(signal.scope_items, scope_items::kItems, spelling), at.item) +
      std::string(problem);
}

}  // namespace weft::codec

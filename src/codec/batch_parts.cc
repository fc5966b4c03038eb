// SPDX-License-Identifier: Apache-2.0
#include "codec/batch_parts.h"

#include "base/edit_distance.h"
#include "wire_core/base64.h"

namespace weft::codec {
namespace {

// What people send to the wrong door, by the names of its first field.
std::string_view ForeignHint(std::string_view name) {
  struct Foreign {
    std::string_view name, hint;
  };
  constexpr std::string_view kLogs = "log records go to /v1/logs",
                             kMetrics = "metrics go to /v1/metrics",
                             kSpans = "spans go to /v1/traces",
                             kImport = "`weft import` reads such files and answers";
  constexpr Foreign kForeign[] = {{"resourceLogs", kLogs},
                                  {"resource_logs", kLogs},
                                  {"resourceMetrics", kMetrics},
                                  {"resource_metrics", kMetrics},
                                  {"resourceSpans", kSpans},
                                  {"resource_spans", kSpans},
                                  {"batches", kSpans},
                                  {"data", kImport},
                                  {"trace", kImport},
                                  {"result", kImport},
                                  {"traceID", kImport},
                                  {"traceId", kImport},
                                  {"processes", kImport}};
  for (const Foreign& one : kForeign)
    if (one.name == name) return one.hint;
  return {};
}

}  // namespace

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
  if (!problem_.empty()) return;
  problem_ = std::string(name) + ": all zero";
}

void UnknownFields::Note(std::string_view name, bool holds) {
  constexpr size_t kNamesMax = 5, kNameBytesMax = 40;
  holds_ |= holds;
  if (at_root_ && holds) {
    if (std::string_view hint = ForeignHint(name); !hint.empty()) foreign_ = hint;
  }
  if (++count_ <= kNamesMax) names_.emplace_back(name.substr(0, kNameBytesMax));
}

std::string UnknownFields::Describe(OtlpFields expected, OtlpSpelling spelling) const {
  constexpr size_t kMeantDistanceMax = 4;
  std::string text = "found ";
  std::string_view meant;
  size_t meant_distance = kMeantDistanceMax + 1;
  for (size_t i = 0; i < names_.size(); ++i) {
    text += (i == 0 ? "\"" : ", \"") + names_[i] + "\"";
    for (const OtlpField& field : expected) {
      const size_t distance = EditDistance(names_[i], field.*spelling);
      if (distance >= meant_distance || distance * 2 > names_[i].size()) continue;
      meant_distance = distance;
      meant = field.*spelling;
    }
  }
  if (count_ > names_.size()) text += " and others";
  if (!foreign_.empty()) return text + ": " + std::string(foreign_);
  if (!meant.empty()) return text + ": did you mean \"" + std::string(meant) + "\"?";
  return text + ", expected \"" + std::string(expected[0].*spelling) + "\"";
}

std::string OtlpMessages::Place(const OtlpPosition& at, int levels) const {
  const OtlpFields fields[] = {signal_.request, signal_.resource_items, signal_.scope_items};
  constexpr uint32_t kNumbers[] = {request::kResources, resource_items::kScopes,
                                   scope_items::kItems};
  const size_t indexes[] = {at.resource, at.scope, at.item};
  std::string place;
  for (int i = 0; i < levels; ++i) {
    if (i > 0) place += '.';
    place += std::string(OtlpFieldName(fields[i], kNumbers[i], spelling_)) + "[" +
             std::to_string(indexes[i]) + "]";
  }
  return place;
}

void OtlpMessages::RejectId(const OtlpPosition& at, const ItemChecker& checker) const {
  Reject(at, 3, [&](std::string place) { return std::move(place) + "." + checker.problem(); });
}

void OtlpMessages::NoteUnknown(const OtlpPosition& at, int levels, const UnknownFields& unknown,
                               OtlpFields expected) const {
  Lose(at, levels, target_.not_understood, [&](std::string place) {
    if (!place.empty()) place += ": ";
    return std::move(place) + "not understood: " + unknown.Describe(expected, spelling_);
  });
}

}  // namespace weft::codec

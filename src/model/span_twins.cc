// SPDX-License-Identifier: Apache-2.0
#include "model/span_twins.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace weft {
namespace {

// kUnspecified where a kind has no other half.
SpanKind OtherHalf(SpanKind kind) {
  for (const SpanKind other :
       {SpanKind::kClient, SpanKind::kServer, SpanKind::kProducer, SpanKind::kConsumer})
    if (AreTwoHalves(kind, other)) return other;
  return SpanKind::kUnspecified;
}

}  // namespace

std::vector<uint32_t> FindTwins(const SpanBatch& batch) {
  const std::vector<Span>& spans = batch.spans;
  std::vector<uint32_t> by_id(spans.size());
  for (uint32_t i = 0; i < by_id.size(); ++i) by_id[i] = i;
  std::ranges::sort(by_id, {}, [&](uint32_t i) { return std::pair(spans[i].span_id, i); });
  std::vector<uint32_t> twins;
  for (size_t first = 0, end; first < by_id.size(); first = end) {
    end = first + 1;
    while (end < by_id.size() && spans[by_id[end]].span_id == spans[by_id[first]].span_id) ++end;
    if (end - first == 1) continue;
    std::set<ContentHash> contents;
    std::array<size_t, 6> of_kind{};  // OTLP's; numbers beyond have no other half
    for (size_t i = first; i < end; ++i) {
      const auto kind = static_cast<size_t>(spans[by_id[i]].kind);
      const bool is_new = contents.insert(HashSpan(batch, spans[by_id[i]])).second;
      if (is_new && kind < of_kind.size()) ++of_kind[kind];
    }
    for (size_t i = first; i < end; ++i) {
      const SpanKind half = OtherHalf(spans[by_id[i]].kind);
      const size_t halves = half == SpanKind::kUnspecified ? 0 : of_kind[static_cast<size_t>(half)];
      if (halves + 1 < contents.size()) twins.push_back(by_id[i]);
    }
  }
  std::ranges::sort(twins);
  return twins;
}

std::string TwinWarning(const SpanBatch& batch, const std::vector<uint32_t>& twins) {
  if (twins.empty()) return {};
  return std::to_string(twins.size()) +
         " spans share their id with another one of other content, " +
         batch.spans[twins[0]].span_id.ToHex() +
         " for one: own times and the critical path count one of each.";
}

}  // namespace weft

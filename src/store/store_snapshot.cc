// SPDX-License-Identifier: Apache-2.0
#include "store/store_snapshot.h"

#include <algorithm>
#include <tuple>

namespace weft::store {
namespace {

// Keeps the first of every group of items that are equal by `key` and by content hash.
template <class Item, class Key, class Hash>
void RemoveDuplicates(std::vector<Item>* items, Key key, Hash hash) {
  std::vector<uint32_t> order(items->size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](uint32_t i) { return key((*items)[i]); });
  std::vector<bool> drop(items->size());
  bool any = false;
  for (size_t first = 0; first < order.size();) {
    size_t end = first + 1;
    while (end < order.size() && key((*items)[order[end]]) == key((*items)[order[first]])) ++end;
    std::vector<std::pair<ContentHash, uint32_t>> contents;
    for (size_t i = first; end - first > 1 && i < end; ++i) {
      contents.emplace_back(hash((*items)[order[i]]), order[i]);
    }
    std::ranges::sort(contents);
    for (size_t i = 1; i < contents.size(); ++i) {
      if (contents[i].first == contents[i - 1].first) drop[contents[i].second] = any = true;
    }
    first = end;
  }
  if (!any) return;
  size_t kept = 0;
  for (size_t i = 0; i < items->size(); ++i) {
    if (!drop[i]) (*items)[kept++] = (*items)[i];
  }
  items->resize(kept);
}

}  // namespace

StoreSnapshot::StoreSnapshot(std::vector<std::shared_ptr<const block::Chunk>> chunks,
                             std::vector<std::shared_ptr<LiveBlock>> blocks,
                             std::shared_ptr<const SplitTraces> splits,
                             const trace::ClockRule& rule)
    : chunk_count_(chunks.size()), splits_(std::move(splits)), clock_rule_(rule) {
  segments_.assign(chunks.begin(), chunks.end());
  for (std::shared_ptr<LiveBlock>& live : blocks) {
    if (!live->readable()) {
      unreadable_.push_back(live->path());
      continue;
    }
    // The segment keeps its block alive, so that the file stays while anyone holds either.
    segments_.emplace_back(live, live->segment().get());
    blocks_.push_back(std::move(live));
  }
}

bool StoreSnapshot::stale() const {
  return !std::ranges::all_of(blocks_, [](const auto& live) { return live->readable(); });
}

bool StoreSnapshot::MayBeSplit(const TraceId& id) const {
  if (splits_->Contains(id)) return true;
  for (size_t i = 0; i < chunk_count_; ++i) {
    const auto rows = segments_[i]->FindTrace(id);
    if (!rows || !rows->spans.empty() || !rows->logs.empty()) return true;
  }
  return false;
}

Result<SpanBatch> StoreSnapshot::ReadTrace(const TraceId& id) const {
  SpanBatch out;
  for (size_t i = 0; i < segments_.size(); ++i) {
    const block::Segment& segment = *segments_[i];
    auto rows = segment.FindTrace(id);
    Status status = rows ? Status() : Fail(rows.error());
    if (status) status = segment.ReadSpans(rows->spans, &out);
    if (status) status = segment.ReadLogs(rows->logs, &out);
    if (status) continue;
    if (status.error().code == ErrorCode::kCorruption && i >= chunk_count_) {
      blocks_[i - chunk_count_]->MarkDamaged();
    }
    return Fail(status.error());
  }
  if (out.empty()) return Fail(ErrorCode::kNotFound, "no trace " + id.ToHex());
  RemoveDuplicates(
      &out.spans, [](const Span& span) { return span.span_id; },
      [&](const Span& span) { return HashSpan(out, span); });
  RemoveDuplicates(
      &out.logs, [](const LogRecord& log) { return std::tuple(log.time_ns, log.span_id); },
      [&](const LogRecord& log) { return HashLog(out, log); });
  std::ranges::stable_sort(out.spans, {}, &Span::start_ns);
  std::ranges::stable_sort(out.logs, {}, &LogRecord::time_ns);
  return out;
}

}  // namespace weft::store

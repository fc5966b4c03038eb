// SPDX-License-Identifier: Apache-2.0
#include "store/store_snapshot.h"

#include <algorithm>
#include <map>
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

// By `key`; where it is equal, by content: in which order they came in makes no difference.
template <class Item, class Key, class Hash>
void SortWithoutTies(std::vector<Item>* items, Key key, Hash hash) {
  std::ranges::sort(*items, {}, key);
  for (auto first = items->begin(), end = first; first != items->end(); first = end) {
    for (end = first + 1; end != items->end() && key(*end) == key(*first);) ++end;
    if (end - first < 2) continue;
    std::vector<std::pair<ContentHash, Item>> contents;
    for (auto item = first; item != end; ++item) contents.emplace_back(hash(*item), *item);
    std::ranges::sort(contents, {}, [](const auto& content) { return content.first; });
    std::ranges::transform(contents, first, [](const auto& content) { return content.second; });
  }
}

// Resources and scopes in the order in which the items name them, each content once: segments that
// hold a part of the trace each brought their own. `probe` gives a span that names the index, to
// tell contents apart.
template <class Part, class Probe>
void Renumber(SpanBatch* batch, std::vector<Part> SpanBatch::* parts, uint32_t Span::* of_span,
              uint32_t LogRecord::* of_log, Probe probe) {
  constexpr uint32_t kNone = UINT32_MAX;
  std::vector<uint32_t> numbers((batch->*parts).size(), kNone);
  std::map<ContentHash, uint32_t> known;
  std::vector<Part> kept;
  const auto renumber = [&](uint32_t* index) {
    uint32_t& number = numbers[*index];
    if (number == kNone) {
      const auto [at, added] =
          known.try_emplace(HashSpan(*batch, probe(*index)), static_cast<uint32_t>(kept.size()));
      if (added) kept.push_back((batch->*parts)[*index]);
      number = at->second;
    }
    *index = number;
  };
  for (Span& span : batch->spans) renumber(&(span.*of_span));
  for (LogRecord& log : batch->logs) renumber(&(log.*of_log));
  batch->*parts = std::move(kept);
}

// The same content gives the same batch, however it was spread over segments.
void Order(SpanBatch* batch) {
  SortWithoutTies(
      &batch->spans, [](const Span& span) { return std::tuple(span.start_ns, span.span_id); },
      [&](const Span& span) { return HashSpan(*batch, span); });
  SortWithoutTies(
      &batch->logs, [](const LogRecord& log) { return std::tuple(log.time_ns, log.span_id); },
      [&](const LogRecord& log) { return HashLog(*batch, log); });
  Renumber(batch, &SpanBatch::resources, &Span::resource, &LogRecord::resource,
           [](uint32_t index) { return Span{.resource = index}; });
  Renumber(batch, &SpanBatch::scopes, &Span::scope, &LogRecord::scope,
           [](uint32_t index) { return Span{.scope = index}; });
}

// Why a trace may not be whole: a few blocks by name, the others by their number.
class Gaps {
 public:
  void Add(ErrorCode code, const std::string& what) {
    if (count_++ >= kNamesMax) return;
    if (count_ == 1) code_ = code == ErrorCode::kIo ? ErrorCode::kIo : ErrorCode::kCorruption;
    if (!text_.empty()) text_ += "; ";
    text_ += "cannot read " + what;
  }
  bool any() const { return count_ > 0; }
  ErrorCode code() const { return code_; }
  std::string Text() const {
    if (count_ <= kNamesMax) return text_;
    return text_ + "; and " + std::to_string(count_ - kNamesMax) + " more";
  }

 private:
  static constexpr size_t kNamesMax = 5;
  size_t count_ = 0;
  ErrorCode code_ = ErrorCode::kCorruption;
  std::string text_;
};

// The rows of one row group after the other: damage to one leaves the others.
template <class Read>
void ReadByGroup(const std::vector<segment::Row>& rows, const segment::RowGroups& groups,
                 SpanBatch* out, Gaps* gaps, Read read) {
  const auto take = [&](std::span<const segment::Row> some) -> Status {
    const size_t resources = out->resources.size(), scopes = out->scopes.size();
    const size_t spans = out->spans.size(), logs = out->logs.size();
    Status status = read(some);
    if (status) return status;
    out->resources.resize(resources);
    out->scopes.resize(scopes);
    out->spans.resize(spans);
    out->logs.resize(logs);
    return status;
  };
  const Status all = take(rows);
  if (all) return;
  gaps->Add(all.error().code, all.error().message);
  for (size_t first = 0, end; first < rows.size(); first = end) {
    const uint32_t group = groups.group_of(rows[first]);
    for (end = first + 1; end < rows.size() && groups.group_of(rows[end]) == group;) ++end;
    if (first == 0 && end == rows.size()) return;
    // What fails again is a part of what is noted.
    [[maybe_unused]] const Status some = take(std::span(rows).subspan(first, end - first));
  }
}

void ReadFrom(const segment::Segment& segment, const TraceId& id, SpanBatch* out, Gaps* gaps) {
  const auto rows = segment.FindTrace(id);
  if (!rows) return gaps->Add(rows.error().code, rows.error().message);
  ReadByGroup(rows->spans, segment.spans().groups(), out, gaps,
              [&](std::span<const segment::Row> some) { return segment.ReadSpans(some, out); });
  ReadByGroup(rows->logs, segment.table(segment::TableId::kLogs).groups(), out, gaps,
              [&](std::span<const segment::Row> some) { return segment.ReadLogs(some, out); });
}

}  // namespace

StoreSnapshot::StoreSnapshot(std::vector<HeadChunk> chunks,
                             std::vector<std::shared_ptr<LiveBlock>> blocks,
                             std::shared_ptr<const SplitTraces> splits,
                             const trace::ClockRule& rule, uint64_t losses)
    : chunk_count_(chunks.size()), splits_(std::move(splits)), losses_(losses), clock_rule_(rule) {
  for (HeadChunk& head : chunks) {
    segments_.push_back(std::move(head.chunk));
    sequences_.push_back(head.sequences);
  }
  for (std::shared_ptr<LiveBlock>& live : blocks) {
    if (!live->readable()) {
      unreadable_.push_back(live->problem());
      unreadable_blocks_.push_back(std::move(live));
      continue;
    }
    // The segment keeps its block alive, so that the file stays while anyone holds either.
    const BlockName& name = live->meta().name;
    sequences_.push_back({name.first_sequence, name.last_sequence});
    const segment::Segment* segment = live->segment().get();
    segments_.emplace_back(std::move(live), segment);
  }
}

bool StoreSnapshot::MayBeSplit(const TraceId& id) const {
  if (splits_->Contains(id)) return true;
  for (size_t i = 0; i < chunk_count_; ++i) {
    const auto rows = segments_[i]->FindTrace(id);
    if (!rows || !rows->spans.empty() || !rows->logs.empty()) return true;
  }
  return false;
}

Result<SpanBatch> StoreSnapshot::ReadTrace(const TraceId& id, std::string* partial) const {
  partial->clear();
  SpanBatch out;
  Gaps gaps;
  for (const auto& segment : segments_) ReadFrom(*segment, id, &out, &gaps);
  for (const auto& live : unreadable_blocks_) {
    if (!live->Refutes(id)) gaps.Add(ErrorCode::kCorruption, live->problem());
  }
  if (gaps.any()) *partial = gaps.Text();
  if (out.empty() && !gaps.any()) return Fail(ErrorCode::kNotFound, "no trace " + id.ToHex());
  if (out.empty()) {
    return Fail(gaps.code(),
                "trace " + id.ToHex() + " may be stored and cannot be shown: " + *partial);
  }
  RemoveDuplicates(
      &out.spans, [](const Span& span) { return span.span_id; },
      [&](const Span& span) { return HashSpan(out, span); });
  RemoveDuplicates(
      &out.logs, [](const LogRecord& log) { return std::tuple(log.time_ns, log.span_id); },
      [&](const LogRecord& log) { return HashLog(out, log); });
  Order(&out);
  return out;
}

}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
#include "block/block_merge.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include "block/block_format.h"
#include "column/byte_cursor.h"
#include "column/numbers.h"
#include "segment/materialize.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::block {

using segment::Row;
using segment::RowCursor;
using segment::RowView;
using segment::Slot;
using segment::StoredTable;

namespace {

using enum StoredTable;
namespace key = format::page_key;

// Rows that are fetched at a time.
constexpr size_t kStep = 1024;
// The same for large traces: in pre-order their rows may come from all over the sources, and each
// step then decodes all groups that hold some.
constexpr size_t kLargeStep = 64 << 10;
// What a span holds here beside its row: numbers, node, place in the tree.
constexpr uint64_t kBytesPerItem = 256;

std::vector<ContentHash> SpanHashes(const SpanBatch& batch) {
  std::vector<ContentHash> hashes;
  for (const Span& span : batch.spans) hashes.push_back(HashSpan(batch, span));
  return hashes;
}
std::vector<ContentHash> LogHashes(const SpanBatch& batch) {
  std::vector<ContentHash> hashes;
  for (const LogRecord& log : batch.logs) hashes.push_back(HashLog(batch, log));
  return hashes;
}

uint64_t IdNumber(const SpanId& id) {
  uint64_t number;
  std::memcpy(&number, id.bytes.data(), sizeof number);
  return number;
}

uint64_t Difference(uint64_t from, uint64_t to) {
  return column::ZigZag(static_cast<int64_t>(to - from));
}

void Append(std::string* out, const auto& number) {
  out->append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

Status BlockMerge::Begin() {
  for (const segment::StoredRows* source : sources_) {
    cursors_.push_back(source->NewCursor(true));
    WEFT_TRY(nodes_of_.emplace_back(source, cursors_.back().get()).Begin());
  }
  for (uint32_t t = 0; t < segment::kStoredTables; ++t)
    WEFT_TRY(merges_[t].Build(StoredTable{uint8_t(t)}, sources_, columns_max_, file_, sealer_));
  std::vector<std::vector<uint32_t>> resources, scopes;
  WEFT_TRY(MergeReferred(kResources, &resources));
  WEFT_TRY(MergeReferred(kScopes, &scopes));
  for (StoredTable table : {kSpans, kLogs}) {
    merge(table).SetReferences(segment::span_column::kResource, groups(kResources).row_count(),
                               resources);
    merge(table).SetReferences(segment::span_column::kScope, groups(kScopes).row_count(), scopes);
  }
  resource_origins_.resize(groups(kResources).row_count());
  clocks_.resize(resource_origins_.size());
  clock_known_.resize(resource_origins_.size());
  for (uint32_t s = 0; s < resources.size(); ++s)
    for (Row row = 0; row < resources[s].size(); ++row)
      resource_origins_[resources[s][row]] = {s, row};
  resource_rows_ = std::move(resources);
  for (StoredTable table : {kSpans, kEvents, kLinks, kLogs}) {
    uint64_t rows = 0;
    for (const segment::StoredRows* source : sources_) rows += source->stored_row_count(table);
    if (rows >= segment::kAbsent)
      return Fail(ErrorCode::kResourceExhausted, "too many rows for one block");
    groups_[static_cast<size_t>(table)] =
        std::make_unique<GroupWriter>(&merge(table), rows, row_groups_, file_, sealer_);
  }
  return {};
}

// Distinct rows of the resources or scopes of all sources, written at once; `rows` says what each
// source's rows become.
Status BlockMerge::MergeReferred(StoredTable table, std::vector<std::vector<uint32_t>>* rows) {
  segment::RowSet distinct;
  segment::HashIndex index;
  for (uint32_t s = 0; s < sources_.size(); ++s) {
    std::vector<uint32_t>& of_source = rows->emplace_back();
    for (Row row = 0; row < sources_[s]->stored_row_count(table); ++row) {
      RowView view;
      WEFT_TRY(cursors_[s]->ReadRows(table, {&row, 1}, {&view, 1}));
      WEFT_ASSIGN(TableMerge::MappedRow mapped, merge(table).Map(s, view));
      const uint32_t layout = distinct.InternLayout(mapped.slots);
      const uint64_t hash =
          XXH3_64bits_withSeed(mapped.ids.data(), mapped.ids.size_bytes(), layout);
      uint32_t known = index.Find(hash, [&](uint32_t other) {
        return distinct.layout_of(other) == layout &&
               std::ranges::equal(distinct.ids(other), mapped.ids);
      });
      if (known == segment::HashIndex::kNone) {
        known = distinct.row_count();
        distinct.Add(layout, mapped.ids);
        index.Add(hash, known);
      }
      of_source.push_back(known);
    }
  }
  // By content: which one came first makes no difference.
  std::vector<Row> order(distinct.row_count()), place(order.size());
  std::iota(order.begin(), order.end(), 0);
  const auto rank = [&](Slot slot) { return merge(table).Rank(slot); };
  std::ranges::sort(order, [&](Row a, Row b) {
    const auto slots_a = distinct.view(a).slots, slots_b = distinct.view(b).slots;
    const auto slots = std::lexicographical_compare_three_way(
        slots_a.begin(), slots_a.end(), slots_b.begin(), slots_b.end(),
        [&](Slot x, Slot y) { return rank(x) <=> rank(y); });
    return slots != 0 ? slots < 0
                      : std::ranges::lexicographical_compare(distinct.ids(a), distinct.ids(b));
  });
  for (Row row = 0; row < order.size(); ++row) place[order[row]] = row;
  for (std::vector<uint32_t>& of_source : *rows)
    for (uint32_t& row : of_source) row = place[row];
  auto& writer = groups_[static_cast<size_t>(table)];
  writer = std::make_unique<GroupWriter>(&merge(table), distinct.row_count(), row_groups_, file_,
                                         sealer_);
  for (Row row : order) {
    if (writer->full()) writer->WriteGroup({});
    RowView view = distinct.view(row);
    writer->Add(view.slots, distinct.ids(row), 0);
  }
  writer->WriteGroup({});
  return file_->status();
}

Status BlockMerge::ReadItems(std::span<const TraceFragment> fragments) {
  items_.clear();
  logs_.clear();
  for (const TraceFragment& fragment : fragments) {
    RowCursor& cursor = *cursors_[fragment.source];
    WEFT_ASSIGN(segment::Segment::TraceRows rows, cursor.ReadTraceRows(fragment.ordinal));
    numbers_.resize(rows.spans.size());
    WEFT_TRY(cursor.ReadSpanNumbers(rows.spans, numbers_));
    for (size_t i = 0; i < rows.spans.size(); ++i)
      items_.push_back({fragment.source, rows.spans[i], numbers_[i]});
    std::vector<segment::LogNumbers> log_numbers(rows.logs.size());
    if (!rows.logs.empty()) WEFT_TRY(cursor.ReadLogNumbers(rows.logs, log_numbers));
    for (size_t i = 0; i < rows.logs.size(); ++i)
      logs_.push_back({fragment.source, rows.logs[i], log_numbers[i]});
  }
  return {};
}

// Of small traces all together need little.
void BlockMerge::HoldItems() {
  if (!hold_ || items_.size() <= std::max(kLargeStep, held_items_)) return;
  held_items_ = items_.size();
  hold_(held_items_ * kBytesPerItem);
}

// Appends what makes the content of rows [first, first + count) equal or not: mapped to the result,
// so that equal means equal whatever the source.
Status BlockMerge::AppendContent(StoredTable table, uint32_t source, Row first, uint32_t count,
                                 std::string* out) {
  RowCursor& cursor = *cursors_[source];
  Append(out, count);
  for (Row row = first; row < first + count; ++row) {
    RowView view;
    WEFT_TRY(cursor.ReadRows(table, {&row, 1}, {&view, 1}));
    WEFT_ASSIGN(TableMerge::MappedRow mapped, merge(table).Map(source, view));
    Append(out, mapped.slots.size());
    for (const Slot slot : mapped.slots) Append(out, merge(table).Rank(slot));
    out->append(reinterpret_cast<const char*>(mapped.ids.data()), mapped.ids.size_bytes());
    if (table == kEvents) {
      uint64_t time;
      WEFT_TRY(cursor.ReadEventTimes({&row, 1}, {&time, 1}));
      Append(out, time);
    } else if (table == kLinks) {
      segment::LinkNumbers numbers;
      WEFT_TRY(cursor.ReadLinkNumbers({&row, 1}, {&numbers, 1}));
      Append(out, numbers.trace_id.bytes);
      Append(out, numbers.span_id.bytes);
    }
  }
  return {};
}

// Few rows tie, and many of one source at a time cost little.
template <class Materialize, class Hash>
Result<BlockMerge::RowHashes> BlockMerge::HashContent(std::vector<RowPlace> places,
                                                      const Materialize& materialize,
                                                      const Hash& hash) const {
  RowHashes hashes;
  std::ranges::sort(places);
  for (size_t first = 0, end; first < places.size(); first = end) {
    const uint32_t source = places[first].first;
    std::vector<Row> rows;
    for (end = first; end < places.size() && rows.size() < kStep && places[end].first == source;
         ++end)
      rows.push_back(places[end].second);
    SpanBatch batch;
    WEFT_TRY(materialize(*sources_[source], rows, &batch));
    const std::vector<ContentHash> contents = hash(batch);
    for (size_t i = 0; i < rows.size(); ++i) hashes.emplace(places[first + i], contents[i]);
  }
  return hashes;
}

// Only spans that share their id are compared, by the hash of their whole mapped content. It is
// taken in the order of rows: in the order of ids every span of a large trace would decode a row
// group. Those whose numbers are equal then lie in the order of their content's own hashes: the
// order of different spans must not depend on how they came in, nor on what else is in the block.
// The others stay where they are, for the same reason.
Status BlockMerge::RemoveDuplicates() {
  by_id_.clear();
  for (uint32_t i = 0; i < items_.size(); ++i)
    by_id_.push_back({IdNumber(items_[i].numbers.span_id), i});
  std::ranges::sort(by_id_);
  std::vector<uint32_t> doubtful;
  for (size_t i = 0; i < by_id_.size(); ++i) {
    const bool as_before = i > 0 && by_id_[i].first == by_id_[i - 1].first;
    const bool as_after = i + 1 < by_id_.size() && by_id_[i].first == by_id_[i + 1].first;
    if (as_before || as_after) doubtful.push_back(by_id_[i].second);
  }
  if (doubtful.empty()) return {};
  std::ranges::sort(doubtful);
  const auto numbers_of = [](const Item& item) {
    const segment::SpanNumbers& numbers = item.numbers;
    return std::tuple(numbers.span_id, numbers.start_ns, numbers.end_ns, numbers.parent_span_id);
  };
  using Numbers = decltype(numbers_of(Item()));
  std::map<Numbers, std::map<std::pair<uint64_t, uint64_t>, Item>> found;  // by hash
  std::string content;
  for (uint32_t i : doubtful) {
    const Item& item = items_[i];
    content.clear();
    Append(&content, item.numbers.span_id.bytes);
    Append(&content, item.numbers.start_ns);
    Append(&content, item.numbers.end_ns);
    Append(&content, item.numbers.parent_span_id.bytes);
    WEFT_TRY(AppendContent(kSpans, item.source, item.row, 1, &content));
    WEFT_TRY(AppendContent(kEvents, item.source, item.numbers.first_event, item.numbers.event_count,
                           &content));
    WEFT_TRY(AppendContent(kLinks, item.source, item.numbers.first_link, item.numbers.link_count,
                           &content));
    const XXH128_hash_t hash = XXH3_128bits(content.data(), content.size());
    found[numbers_of(item)].try_emplace({hash.low64, hash.high64}, item);
  }
  std::vector<RowPlace> tied;
  for (const auto& [numbers, items] : found) {
    if (items.size() < 2) continue;
    for (const auto& [mapped, item] : items) tied.emplace_back(item.source, item.row);
  }
  WEFT_ASSIGN(const RowHashes hashes,
              HashContent(std::move(tied), segment::MaterializeSpans, SpanHashes));
  std::map<Numbers, std::multimap<ContentHash, Item>> distinct;
  for (const auto& [numbers, items] : found) {
    for (const auto& [mapped, item] : items) {
      const auto hash = hashes.find({item.source, item.row});
      distinct[numbers].emplace(hash == hashes.end() ? ContentHash() : hash->second, item);
    }
  }
  // The first places of equal numbers take what is left of them.
  size_t kept = 0, next_doubtful = 0;
  for (uint32_t i = 0; i < items_.size(); ++i) {
    if (next_doubtful == doubtful.size() || doubtful[next_doubtful] != i) {
      items_[kept++] = items_[i];
      continue;
    }
    ++next_doubtful;
    auto& left = distinct[numbers_of(items_[i])];
    if (left.empty()) continue;
    items_[kept++] = left.begin()->second;
    left.erase(left.begin());
  }
  duplicate_spans += static_cast<uint32_t>(items_.size() - kept);
  items_.resize(kept);
  return {};
}

Status BlockMerge::RemoveDuplicateLogs() {
  if (logs_.size() < 2) return {};
  // By time, then by content: in which order they came in makes no difference.
  std::map<std::string, LogItem> distinct;
  for (const LogItem& log : logs_) {
    std::string content;
    Append(&content, log.numbers.time_ns);
    Append(&content, log.numbers.observed_ns);
    Append(&content, log.numbers.span_id.bytes);
    WEFT_TRY(AppendContent(kLogs, log.source, log.row, 1, &content));
    distinct.try_emplace(std::move(content), log);
  }
  duplicate_logs += static_cast<uint32_t>(logs_.size() - distinct.size());
  logs_.clear();
  for (auto& [content, log] : distinct) logs_.push_back(log);
  const auto numbers_of = [](const LogItem& log) {
    return std::tuple(log.numbers.time_ns, log.numbers.span_id, log.numbers.observed_ns);
  };
  std::ranges::sort(logs_, {}, numbers_of);
  std::vector<RowPlace> tied;
  for (size_t i = 0; i < logs_.size(); ++i) {
    const bool ties = (i > 0 && numbers_of(logs_[i - 1]) == numbers_of(logs_[i])) ||
                      (i + 1 < logs_.size() && numbers_of(logs_[i + 1]) == numbers_of(logs_[i]));
    if (ties) tied.emplace_back(logs_[i].source, logs_[i].row);
  }
  if (tied.empty()) return {};
  WEFT_ASSIGN(const RowHashes hashes,
              HashContent(std::move(tied), segment::MaterializeLogs, LogHashes));
  std::ranges::sort(logs_, {}, [&](const LogItem& log) {
    const auto hash = hashes.find({log.source, log.row});
    return std::pair(numbers_of(log), hash == hashes.end() ? ContentHash() : hash->second);
  });
  return {};
}

Status BlockMerge::ReadNodes() {
  nodes_.resize(items_.size());
  for (size_t first = 0, end; first < items_.size(); first = end) {
    const uint32_t source = items_[first].source;
    rows_.clear();
    numbers_.clear();
    for (end = first; end < items_.size() && end - first < kStep && items_[end].source == source;
         ++end) {
      rows_.push_back(items_[end].row);
      numbers_.push_back(items_[end].numbers);
    }
    const std::span<trace::Node> nodes = std::span(nodes_).subspan(first, end - first);
    WEFT_TRY(nodes_of_[source].Read(rows_, numbers_, nodes));
    for (trace::Node& node : nodes) {
      if (node.resource >= resource_rows_[source].size())
        return Fail(ErrorCode::kCorruption, "row names a resource that is not there");
      node.resource = resource_rows_[source][node.resource];
    }
  }
  return {};
}

Result<std::span<const trace::ClockName>> BlockMerge::ReadClocks(std::span<trace::Node> nodes) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    trace::Node* node = &nodes[i];
    WEFT_TRY(nodes_of_[items_[i].source].ReadFailures({&items_[i].row, 1}, {&node, 1}));
    if (clock_known_[node->resource]) continue;
    const auto [source, row] = resource_origins_[node->resource];
    WEFT_ASSIGN(clocks_[node->resource], nodes_of_[source].ClockOf(row, &clock_names_));
    clock_known_[node->resource] = true;
  }
  return std::span<const trace::ClockName>(clocks_);
}

Status BlockMerge::FindTimes() {
  tree_builder_.Build(nodes_, &tree_);
  WEFT_ASSIGN(derived_, FindDerived(tree_, nodes_, rule_, [this](std::span<trace::Node> nodes) {
                return ReadClocks(nodes);
              }));
  return {};
}

Result<BlockMerge::TraceRows> BlockMerge::AddTrace(std::span<const TraceFragment> fragments,
                                                   const std::function<bool()>& cancelled) {
  WEFT_TRY(ReadItems(fragments));
  HoldItems();
  WEFT_TRY(RemoveDuplicates());
  WEFT_TRY(RemoveDuplicateLogs());
  WEFT_TRY(ReadNodes());
  TraceRows rows;
  rows.first_span = first_row_ = groups(kSpans).row_count();
  rows.first_log = groups(kLogs).row_count();
  rows.spans = static_cast<uint32_t>(items_.size());
  rows.logs = static_cast<uint32_t>(logs_.size());
  rows.start_ns = UINT64_MAX;
  auto cover = [&](uint64_t start_ns, uint64_t end_ns) {
    rows.start_ns = std::min(rows.start_ns, start_ns);
    rows.end_ns = std::max(rows.end_ns, end_ns);
  };
  for (const Item& item : items_) cover(item.numbers.start_ns, item.numbers.end_ns);
  if (items_.empty())
    for (const LogItem& log : logs_) cover(log.numbers.time_ns, log.numbers.time_ns);
  WEFT_TRY(FindTimes());
  WEFT_TRY(AddSpans(cancelled));
  WEFT_TRY(AddLogs(cancelled));
  return rows;
}

// Pre-order, a step at a time; in a step one fetch for each source.
Status BlockMerge::AddSpans(const std::function<bool()>& cancelled) {
  const uint32_t count = static_cast<uint32_t>(tree_.node.size());
  const uint32_t step = count > kLargeStep ? kLargeStep : kStep;
  for (uint32_t first = 0, end; first < count; first = end) {
    end = std::min(count, first + step);
    views_.resize(end - first);
    std::vector<RowView> views;
    for (uint32_t source = 0; source < sources_.size(); ++source) {
      rows_.clear();
      for (uint32_t p = first; p < end; ++p)
        if (items_[tree_.node[p]].source == source) rows_.push_back(items_[tree_.node[p]].row);
      if (rows_.empty()) continue;
      views.resize(rows_.size());
      WEFT_TRY(cursors_[source]->ReadRows(kSpans, rows_, views));
      size_t next = 0;
      for (uint32_t p = first; p < end; ++p)
        if (items_[tree_.node[p]].source == source) views_[p - first] = views[next++];
    }
    for (uint32_t p = first; p < end; ++p) {
      if (groups(kSpans).full()) WEFT_TRY(CloseSpanGroup(p, cancelled));
      WEFT_TRY(AddSpanRow(p, views_[p - first]));
    }
  }
  return {};
}

Status BlockMerge::AddSpanRow(uint32_t position, const RowView& view) {
  const Item& item = items_[tree_.node[position]];
  const segment::SpanNumbers& numbers = item.numbers;
  GroupWriter& spans = groups(kSpans);
  SpanColumns& columns = span_columns_;
  WEFT_ASSIGN(TableMerge::MappedRow mapped, merge(kSpans).Map(item.source, view));
  const Row row = spans.row_count(), in_group = spans.rows_in_group();
  spans.Add(mapped.slots, mapped.ids, numbers.start_ns);

  const uint32_t parent = tree_.parent[position];
  const Row parent_row = parent == trace::kNone ? segment::kAbsent : first_row_ + parent;
  const bool parent_known = parent == trace::kNone
                                ? numbers.parent_span_id.empty()
                                : parent_row >= row - in_group &&
                                      numbers.parent_span_id == nodes_[tree_.node[parent]].span_id;
  if (!parent_known) {
    columns.foreign_rows.push_back(in_group);
    columns.foreign_ids.append(numbers.parent_span_id.view());
  }
  const uint64_t duration =
      numbers.end_ns > numbers.start_ns ? numbers.end_ns - numbers.start_ns : 0;
  columns.ids.append(numbers.span_id.view());
  columns.starts.push_back(numbers.start_ns);
  columns.durations.push_back(Difference(numbers.start_ns, numbers.end_ns));
  columns.depths.push_back(tree_.depth[position]);
  const uint64_t self_ns = derived_.self_ns[position];
  columns.covered.push_back(Difference(self_ns, duration));
  columns.critical_gaps.push_back(Difference(derived_.critical_ns[position], self_ns));
  columns.error_origins.push_back(derived_.error_origins[position] ? 1 : 0);
  columns.children.push_back(tree_.children[position]);
  columns.subtrees.push_back(tree_.subtree[position]);
  columns.events.push_back(numbers.event_count);
  columns.links.push_back(numbers.link_count);
  if (numbers.event_count > 0) WEFT_TRY(AddEvents(item, row));
  if (numbers.link_count > 0) WEFT_TRY(AddLinks(item, row, numbers.start_ns));
  return {};
}

Status BlockMerge::AddEvents(const Item& item, Row span) {
  RowCursor& cursor = *cursors_[item.source];
  GroupWriter& events = groups(kEvents);
  for (uint32_t first = 0, end; first < item.numbers.event_count; first = end) {
    end = std::min<uint32_t>(item.numbers.event_count, first + kStep);
    std::vector<Row> rows(end - first);
    for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = item.numbers.first_event + first + i;
    std::vector<RowView> views(rows.size());
    std::vector<uint64_t> times(rows.size());
    WEFT_TRY(cursor.ReadRows(kEvents, rows, views));
    WEFT_TRY(cursor.ReadEventTimes(rows, times));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (events.full()) CloseGroup(kEvents);
      WEFT_ASSIGN(TableMerge::MappedRow mapped, merge(kEvents).Map(item.source, views[i]));
      events.Add(mapped.slots, mapped.ids, times[i]);
      event_columns_.times.push_back(times[i]);
      event_columns_.parents.push_back(span);
    }
  }
  return {};
}

Status BlockMerge::AddLinks(const Item& item, Row span, uint64_t start_ns) {
  RowCursor& cursor = *cursors_[item.source];
  GroupWriter& links = groups(kLinks);
  for (Row row = item.numbers.first_link, i = 0; i < item.numbers.link_count; ++i, ++row) {
    RowView view;
    segment::LinkNumbers numbers;
    WEFT_TRY(cursor.ReadRows(kLinks, {&row, 1}, {&view, 1}));
    WEFT_TRY(cursor.ReadLinkNumbers({&row, 1}, {&numbers, 1}));
    if (links.full()) CloseGroup(kLinks);
    WEFT_ASSIGN(TableMerge::MappedRow mapped, merge(kLinks).Map(item.source, view));
    links.Add(mapped.slots, mapped.ids, start_ns);
    link_columns_.trace_ids.append(numbers.trace_id.view());
    link_columns_.span_ids.append(numbers.span_id.view());
    link_columns_.parents.push_back(span);
  }
  return {};
}

// Each belongs to the first span with its span id.
Status BlockMerge::AddLogs(const std::function<bool()>& cancelled) {
  if (logs_.empty()) return {};
  std::unordered_map<SpanId, Row, IdHash> spans;
  for (uint32_t p = 0; p < tree_.node.size(); ++p)
    spans.try_emplace(nodes_[tree_.node[p]].span_id, first_row_ + p);
  GroupWriter& logs = groups(kLogs);
  for (const LogItem& log : logs_) {
    if (logs.full()) {
      CloseGroup(kLogs);
      if (cancelled && cancelled()) return Fail(ErrorCode::kCancelled, "block write was cancelled");
    }
    RowView view;
    WEFT_TRY(cursors_[log.source]->ReadRows(kLogs, {&log.row, 1}, {&view, 1}));
    WEFT_ASSIGN(TableMerge::MappedRow mapped, merge(kLogs).Map(log.source, view));
    logs.Add(mapped.slots, mapped.ids, log.numbers.time_ns);
    log_columns_.span_ids.append(log.numbers.span_id.view());
    log_columns_.times.push_back(log.numbers.time_ns);
    log_columns_.observed.push_back(Difference(log.numbers.time_ns, log.numbers.observed_ns));
    auto at = spans.find(log.numbers.span_id);
    log_columns_.parents.push_back(at == spans.end() ? 0 : uint64_t{at->second} + 1);
  }
  return file_->status();
}

// `position`: how much of the trace at hand is written; the rest goes into the next group.
Status BlockMerge::CloseSpanGroup(uint32_t position, const std::function<bool()>& cancelled) {
  const uint32_t rows = groups(kSpans).rows_in_group();
  const uint32_t tail = std::min(position, rows);
  groups(kSpans).OnGroup([this, tail] { WriteSpanNumbers(tail); });
  groups(kSpans).WriteGroup({span_columns_.first_event, span_columns_.first_link});
  span_columns_ = {};
  span_columns_.head_rows = position > 0 ? static_cast<uint32_t>(tree_.node.size()) - position : 0;
  span_columns_.first_event = groups(kEvents).row_count();
  span_columns_.first_link = groups(kLinks).row_count();
  WEFT_TRY(file_->status());
  if (cancelled && cancelled()) return Fail(ErrorCode::kCancelled, "block write was cancelled");
  return {};
}

void BlockMerge::WriteSpanNumbers(uint32_t tail_rows) {
  GroupWriter& spans = groups(kSpans);
  SpanColumns& columns = span_columns_;
  const uint32_t rows = spans.rows_in_group();
  spans.WritePage(key::kSpanIds, sealer_->SealStored(columns.ids));
  spans.WriteNumbers(key::kTimes, columns.starts);
  spans.WriteNumbers(key::kDurations, columns.durations);
  spans.WriteNumbers(key::kDepths, columns.depths);
  if (!columns.foreign_rows.empty()) {
    std::string payload;
    column::ByteWriter(&payload).Varint(columns.foreign_rows.size());
    column::EncodeNumbers(columns.foreign_rows, &payload);
    payload.append(columns.foreign_ids);
    spans.WritePage(key::kForeignParents, sealer_->Seal(payload));
  }
  spans.WriteNumbers(key::kCoveredTimes, columns.covered);
  spans.WriteNumbers(key::kCriticalGaps, columns.critical_gaps);
  spans.WriteNumbers(key::kErrorOrigins, columns.error_origins);
  // Rows of traces that lie in more than one group: their children and subtrees cannot be counted
  // from the depths of one group.
  const uint32_t head = std::min(columns.head_rows, rows);
  const uint32_t tail = std::min(tail_rows, rows - head);
  if (head + tail > 0) {
    std::string payload;
    column::ByteWriter writer(&payload);
    writer.Varint(head);
    writer.Varint(tail);
    auto keep = [&](std::vector<uint64_t>& numbers) {
      numbers.erase(numbers.begin() + head, numbers.end() - tail);
      column::EncodeNumbers(numbers, &payload);
    };
    keep(columns.children);
    keep(columns.subtrees);
    spans.WritePage(key::kEdges, sealer_->Seal(payload));
  }
  spans.WriteNumbers(key::kEventCounts, columns.events);
  spans.WriteNumbers(key::kLinkCounts, columns.links);
}

void BlockMerge::CloseGroup(StoredTable table) {
  GroupWriter& writer = groups(table);
  if (table == kEvents) {
    writer.OnGroup([this, &writer] {
      writer.WriteNumbers(key::kTimes, event_columns_.times);
      writer.WriteNumbers(key::kParentRows, event_columns_.parents);
    });
  } else if (table == kLinks) {
    writer.OnGroup([this, &writer] {
      writer.WritePage(key::kSpanIds, sealer_->Seal(link_columns_.span_ids));
      writer.WriteNumbers(key::kParentRows, link_columns_.parents);
      writer.WritePage(key::kTraceIds, sealer_->Seal(link_columns_.trace_ids));
    });
  } else {
    writer.OnGroup([this, &writer] {
      writer.WritePage(key::kSpanIds, sealer_->Seal(log_columns_.span_ids));
      writer.WriteNumbers(key::kTimes, log_columns_.times);
      writer.WriteNumbers(key::kParentRows, log_columns_.parents);
      writer.WriteNumbers(key::kObservedTimes, log_columns_.observed);
    });
  }
  writer.WriteGroup({});
  if (table == kEvents) event_columns_ = {};
  if (table == kLinks) link_columns_ = {};
  if (table == kLogs) log_columns_ = {};
}

Status BlockMerge::Finish() {
  WEFT_TRY(CloseSpanGroup(0, {}));
  for (StoredTable table : {kEvents, kLinks, kLogs}) CloseGroup(table);
  for (auto& writer : groups_) writer->FinishIndexes();
  return file_->status();
}

}  // namespace weft::block

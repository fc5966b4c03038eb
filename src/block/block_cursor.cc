// SPDX-License-Identifier: Apache-2.0
#include "block/block_cursor.h"

#include <algorithm>
#include <numeric>

#include "block/block_format.h"
#include "block/group_decoder.h"

namespace weft::block {

using segment::Row;
using segment::RowGroups;
using segment::RowView;
using segment::StoredTable;

namespace {

using enum StoredTable;
namespace key = format::page_key;

// Decoded groups kept when rows are read in order: fragments of a trace may lie a little apart.
constexpr size_t kKeptGroups = 4;

template <class T>
std::shared_ptr<T> FindGroup(std::list<std::shared_ptr<T>>& kept, uint32_t group) {
  for (auto at = kept.begin(); at != kept.end(); ++at) {
    if ((*at)->group != group) continue;
    kept.splice(kept.begin(), kept, at);
    return kept.front();
  }
  return nullptr;
}

template <class T>
void Keep(std::list<std::shared_ptr<T>>& kept, std::shared_ptr<T> decoded) {
  kept.push_front(std::move(decoded));
  if (kept.size() > kKeptGroups) kept.pop_back();
}

SpanId IdOf(uint64_t number) {
  SpanId id;
  std::memcpy(id.bytes.data(), &number, sizeof number);
  return id;
}

// Rows of each element become the first row of each, and the end.
std::vector<Row> FirstRows(Row first, std::span<const uint64_t> counts) {
  std::vector<Row> rows{first};
  for (uint64_t count : counts) rows.push_back(static_cast<Row>(rows.back() + count));
  return rows;
}

}  // namespace

Result<std::shared_ptr<DecodedRows>> BlockCursor::Decode(StoredTable table, uint32_t group,
                                                         uint32_t first, uint32_t end) {
  auto decoded = std::make_shared<DecodedRows>();
  decoded->group = group;
  decoded->first = first;
  decoded->layout_base = next_layout_base_;
  WEFT_TRY(DecodeGroupRows(*file_, table, group, first, end, &decoded->rows));
  next_layout_base_ += decoded->rows.layout_count();
  return decoded;
}

Result<std::shared_ptr<DecodedRows>> BlockCursor::Rows(StoredTable table, uint32_t group,
                                                       uint32_t first, uint32_t end) {
  Kept<DecodedRows>& kept = rows_[static_cast<size_t>(table)];
  std::shared_ptr<DecodedRows> found = FindGroup(kept, group);
  if (found && found->first <= first && end <= found->first + found->rows.row_count()) return found;
  const bool whole = sequential_ || table == kResources || table == kScopes;
  WEFT_ASSIGN(found, Decode(table, group, whole ? 0 : first,
                            whole ? file_->table(table).rows_in_group(group) : end));
  Keep(kept, found);
  return found;
}

Status BlockCursor::ReadScattered(StoredTable table, std::span<const Row> rows,
                                  std::span<RowView> out) {
  const RowGroups& groups = file_->table(table).row_groups;
  std::vector<uint32_t> order(rows.size());  // of `rows`, by row
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](uint32_t i) { return rows[i]; });
  for (size_t begin = 0, end; begin < order.size(); begin = end) {
    auto decoded = std::make_shared<DecodedRows>();
    decoded->group = groups.group_of(rows[order[begin]]);
    decoded->layout_base = next_layout_base_;
    std::vector<uint32_t>& places = decoded->places;
    for (end = begin; end < order.size(); ++end) {
      const Row row = rows[order[end]];
      if (groups.group_of(row) != decoded->group) break;
      if (places.empty() || places.back() != groups.place_of(row))
        places.push_back(groups.place_of(row));
    }
    WEFT_TRY(DecodeGroupRows(*file_, table, decoded->group, places, &decoded->rows));
    next_layout_base_ += decoded->rows.layout_count();
    for (size_t i = begin, at = 0; i < end; ++i) {
      if (places[at] != groups.place_of(rows[order[i]])) ++at;
      RowView& view = out[order[i]];
      view = decoded->rows.view(static_cast<Row>(at));
      view.layout += decoded->layout_base;
    }
    in_use_[static_cast<size_t>(table)].push_back(std::move(decoded));
  }
  return {};
}

// Runs of rows of one group are decoded together, from the smallest to the largest.
Status BlockCursor::ReadRows(StoredTable table, std::span<const Row> rows, std::span<RowView> out) {
  auto& in_use = in_use_[static_cast<size_t>(table)];
  in_use.clear();
  const RowGroups& groups = file_->table(table).row_groups;
  size_t runs = 0;
  for (size_t i = 0; i < rows.size() && runs <= kKeptGroups; ++i)
    runs += i == 0 || groups.group_of(rows[i]) != groups.group_of(rows[i - 1]);
  if (runs > kKeptGroups) return ReadScattered(table, rows, out);
  for (size_t begin = 0, end; begin < rows.size(); begin = end) {
    const uint32_t group = groups.group_of(rows[begin]);
    uint32_t low = rows[begin], high = low;
    for (end = begin; end < rows.size() && groups.group_of(rows[end]) == group; ++end) {
      low = std::min(low, rows[end]);
      high = std::max(high, rows[end]);
    }
    WEFT_ASSIGN(std::shared_ptr<DecodedRows> decoded,
                Rows(table, group, groups.place_of(low), groups.place_of(high) + 1));
    for (size_t i = begin; i < end; ++i) {
      out[i] = decoded->rows.view(groups.place_of(rows[i]) - decoded->first);
      out[i].layout += decoded->layout_base;
    }
    in_use.push_back(std::move(decoded));
  }
  return {};
}

Status BlockCursor::DecodeSpanNumbers(uint32_t group, DecodedNumbers* numbers) {
  const TableMeta& spans = file_->table(kSpans);
  const uint32_t rows = spans.rows_in_group(group);
  for (auto* all :
       {&numbers->traces, &numbers->ids, &numbers->parents, &numbers->starts, &numbers->ends})
    all->resize(rows);
  WEFT_TRY(ReadTraceOrdinals(*file_, kSpans, group, numbers->traces));
  WEFT_TRY(ReadIdPage(*file_, spans, group, key::kSpanIds, numbers->ids));
  WEFT_TRY(ReadParentSpanIds(*file_, group, numbers->parents));
  WEFT_TRY(ReadNumberPage(*file_, spans, group, key::kTimes, numbers->starts));
  WEFT_TRY(ReadEnds(*file_, group, numbers->ends));
  std::vector<uint64_t> counts(rows);
  WEFT_TRY(ReadNumberPage(*file_, spans, group, key::kEventCounts, counts));
  numbers->first_events = FirstRows(spans.groups[group].first_event, counts);
  WEFT_TRY(ReadNumberPage(*file_, spans, group, key::kLinkCounts, counts));
  numbers->first_links = FirstRows(spans.groups[group].first_link, counts);
  if (!std::ranges::is_sorted(numbers->first_events) ||
      !std::ranges::is_sorted(numbers->first_links) ||
      numbers->first_events.back() > file_->table(kEvents).rows ||
      numbers->first_links.back() > file_->table(kLinks).rows)
    return file_->Corrupt("spans name events or links that are not there");
  return {};
}

Status BlockCursor::DecodeLinkNumbers(uint32_t group, DecodedNumbers* numbers) {
  const TableMeta& links = file_->table(kLinks);
  numbers->ids.resize(links.rows_in_group(group));
  numbers->linked_traces.resize(numbers->ids.size());
  WEFT_TRY(ReadIdPage(*file_, links, group, key::kSpanIds, numbers->ids));
  WEFT_ASSIGN(BlockFile::Page page, file_->ReadGroupPage(links, group, key::kTraceIds));
  if (!page || page->size() != numbers->linked_traces.size() * TraceId::kSize)
    return file_->Corrupt("malformed page of ids");
  std::memcpy(numbers->linked_traces.data(), page->data(), page->size());
  return {};
}

Status BlockCursor::DecodeLogNumbers(uint32_t group, DecodedNumbers* numbers) {
  const TableMeta& logs = file_->table(kLogs);
  for (auto* all : {&numbers->traces, &numbers->ids, &numbers->starts, &numbers->observed})
    all->resize(logs.rows_in_group(group));
  WEFT_TRY(ReadTraceOrdinals(*file_, kLogs, group, numbers->traces));
  WEFT_TRY(ReadIdPage(*file_, logs, group, key::kSpanIds, numbers->ids));
  WEFT_TRY(ReadNumberPage(*file_, logs, group, key::kTimes, numbers->starts));
  return ReadObservedTimes(*file_, group, numbers->observed);
}

Result<std::shared_ptr<BlockCursor::DecodedNumbers>> BlockCursor::Numbers(StoredTable table,
                                                                          uint32_t group) {
  Kept<DecodedNumbers>& kept = numbers_[static_cast<size_t>(table)];
  if (std::shared_ptr<DecodedNumbers> found = FindGroup(kept, group)) return found;
  auto decoded = std::make_shared<DecodedNumbers>();
  decoded->group = group;
  if (table == kSpans) {
    WEFT_TRY(DecodeSpanNumbers(group, decoded.get()));
  } else if (table == kLinks) {
    WEFT_TRY(DecodeLinkNumbers(group, decoded.get()));
  } else if (table == kLogs) {
    WEFT_TRY(DecodeLogNumbers(group, decoded.get()));
  } else {
    decoded->starts.resize(file_->table(table).rows_in_group(group));
    WEFT_TRY(ReadNumberPage(*file_, file_->table(table), group, key::kTimes, decoded->starts));
  }
  Keep(kept, decoded);
  return decoded;
}

Status BlockCursor::ReadSpanNumbers(std::span<const Row> rows,
                                    std::span<segment::SpanNumbers> out) {
  const RowGroups& groups = file_->table(kSpans).row_groups;
  std::shared_ptr<DecodedNumbers> numbers;
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t group = groups.group_of(rows[i]), at = groups.place_of(rows[i]);
    if (!numbers || numbers->group != group) {
      WEFT_ASSIGN(numbers, Numbers(kSpans, group));
    }
    out[i] = {static_cast<uint32_t>(numbers->traces[at]),
              IdOf(numbers->ids[at]),
              IdOf(numbers->parents[at]),
              numbers->starts[at],
              numbers->ends[at],
              numbers->first_events[at],
              numbers->first_links[at],
              numbers->first_events[at + 1] - numbers->first_events[at],
              numbers->first_links[at + 1] - numbers->first_links[at]};
  }
  return {};
}

Status BlockCursor::ReadEventTimes(std::span<const Row> rows, std::span<uint64_t> out) {
  const RowGroups& groups = file_->table(kEvents).row_groups;
  std::shared_ptr<DecodedNumbers> numbers;
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t group = groups.group_of(rows[i]);
    if (!numbers || numbers->group != group) {
      WEFT_ASSIGN(numbers, Numbers(kEvents, group));
    }
    out[i] = numbers->starts[groups.place_of(rows[i])];
  }
  return {};
}

Status BlockCursor::ReadLinkNumbers(std::span<const Row> rows,
                                    std::span<segment::LinkNumbers> out) {
  const RowGroups& groups = file_->table(kLinks).row_groups;
  std::shared_ptr<DecodedNumbers> numbers;
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t group = groups.group_of(rows[i]), at = groups.place_of(rows[i]);
    if (!numbers || numbers->group != group) {
      WEFT_ASSIGN(numbers, Numbers(kLinks, group));
    }
    out[i] = {numbers->linked_traces[at], IdOf(numbers->ids[at])};
  }
  return {};
}

Status BlockCursor::ReadLogNumbers(std::span<const Row> rows, std::span<segment::LogNumbers> out) {
  const RowGroups& groups = file_->table(kLogs).row_groups;
  std::shared_ptr<DecodedNumbers> numbers;
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t group = groups.group_of(rows[i]), at = groups.place_of(rows[i]);
    if (!numbers || numbers->group != group) {
      WEFT_ASSIGN(numbers, Numbers(kLogs, group));
    }
    out[i] = {static_cast<uint32_t>(numbers->traces[at]), IdOf(numbers->ids[at]),
              numbers->starts[at], numbers->observed[at]};
  }
  return {};
}

Status BlockCursor::LoadTracePage(uint32_t page) {
  if (page == trace_page_) return {};
  const TracePage& place = file_->trace_pages()[page];
  WEFT_ASSIGN(trace_numbers_, ReadTracePage(*file_, place));
  trace_ids_.resize(place.traces);
  WEFT_TRY(ReadTraceIds(*file_, place, trace_ids_));
  trace_page_ = page;
  return {};
}

Result<TraceId> BlockCursor::ReadTraceId(uint32_t ordinal) {
  if (ordinal >= file_->traces()) return file_->Corrupt("row of an unknown trace");
  const uint32_t page = TracePageOf(*file_, ordinal);
  WEFT_TRY(LoadTracePage(page));
  return trace_ids_[ordinal - file_->trace_pages()[page].first_ordinal];
}

Result<segment::Segment::TraceRows> BlockCursor::ReadTraceRows(uint32_t ordinal) {
  segment::Segment::TraceRows rows;
  if (ordinal >= file_->traces()) return file_->Corrupt("no such trace");
  const uint32_t page = TracePageOf(*file_, ordinal);
  WEFT_TRY(LoadTracePage(page));
  const uint32_t at = ordinal - file_->trace_pages()[page].first_ordinal;
  auto fill = [&](StoredTable table, const std::vector<uint64_t>& first,
                  std::vector<Row>* out) -> Status {
    const uint64_t end =
        at + 1 < first.size() ? first[at + 1] : EndOfTracePage(*file_, page, table);
    if (first[at] > end || end > file_->table(table).rows)
      return file_->Corrupt("trace names rows that are not there");
    for (uint64_t row = first[at]; row < end; ++row) out->push_back(static_cast<Row>(row));
    return {};
  };
  WEFT_TRY(fill(kSpans, trace_numbers_.first_spans, &rows.spans));
  WEFT_TRY(fill(kLogs, trace_numbers_.first_logs, &rows.logs));
  return rows;
}

}  // namespace weft::block

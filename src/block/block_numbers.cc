// SPDX-License-Identifier: Apache-2.0
#include "block/block_numbers.h"

#include <algorithm>

#include "block/block_format.h"
#include "column/byte_cursor.h"
#include "column/numbers.h"

namespace weft::block {

using segment::StoredTable;

namespace {

namespace key = format::page_key;
using column::ByteReader;
using column::UnZigZag;

const TableMeta& Spans(const BlockFile& file) { return file.table(StoredTable::kSpans); }

Result<BlockFile::Page> NeedPage(const BlockFile& file, const TableMeta& table, uint32_t group,
                                 uint32_t page_key) {
  WEFT_ASSIGN(BlockFile::Page page, file.ReadGroupPage(table, group, page_key));
  if (!page) return file.Corrupt("row group lacks a page");
  return page;
}

// Rows of the group whose parent id is stored as it is.
struct ForeignParents {
  std::vector<uint32_t> rows;
  std::vector<uint64_t> ids;
};

Result<ForeignParents> ReadForeignParents(const BlockFile& file, uint32_t group, size_t rows) {
  ForeignParents foreign;
  WEFT_ASSIGN(BlockFile::Page page, file.ReadGroupPage(Spans(file), group, key::kForeignParents));
  if (!page) return foreign;
  ByteReader reader(*page);
  foreign.rows.resize(reader.VarintUpTo(rows));
  foreign.ids.resize(foreign.rows.size());
  WEFT_TRY(column::DecodeNumbers(&reader, foreign.rows));
  for (uint64_t& id : foreign.ids) id = reader.Fixed<uint64_t>();
  if (!reader.ok()) return file.Corrupt("malformed foreign parents");
  return foreign;
}

// Nested-set numbers follow from position p in the trace, depth d and subtree size s: before a span
// is entered, p others were entered and p - d of them left.
enum class Side { kLeft, kRight };
Status ReadNested(const BlockFile& file, uint32_t group, Side side, std::span<uint64_t> out) {
  std::vector<uint64_t> depths(out.size());
  WEFT_TRY(ReadNumberPage(file, Spans(file), group, key::kDepths, depths));
  WEFT_ASSIGN(Nesting nesting, ReadNesting(file, group));
  WEFT_TRY(ReadTraceOrdinals(file, StoredTable::kSpans, group, out));
  uint64_t first_row = 0, ordinal = UINT64_MAX;
  TraceNumbers page;
  uint32_t page_index = segment::kAbsent;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] != ordinal) {
      ordinal = out[i];
      const uint32_t of_ordinal = TracePageOf(file, static_cast<uint32_t>(ordinal));
      if (of_ordinal != page_index) {
        page_index = of_ordinal;
        WEFT_ASSIGN(page, ReadTracePage(file, file.trace_pages()[page_index]));
      }
      first_row = page.first_spans[ordinal - file.trace_pages()[page_index].first_ordinal];
    }
    const uint64_t position = uint64_t{Spans(file).row_groups.first_row(group)} + i - first_row;
    const uint64_t left = 2 * position - depths[i] + 1;
    out[i] = side == Side::kLeft ? left : left + 2 * nesting.subtrees[i] - 1;
  }
  return {};
}

}  // namespace

Status ReadRowShapes(const BlockFile& file, const TableMeta& table, uint32_t group,
                     std::span<uint32_t> out) {
  WEFT_ASSIGN(BlockFile::Page page, NeedPage(file, table, group, key::kRowShapes));
  ByteReader reader(*page);
  WEFT_TRY(column::DecodeNumbers(&reader, out));
  if (std::ranges::any_of(out, [&](uint32_t shape) { return shape >= out.size(); }))
    return file.Corrupt("row of an unknown shape");
  return {};
}

Status ReadNumberPage(const BlockFile& file, const TableMeta& table, uint32_t group,
                      uint32_t page_key, std::span<uint64_t> out) {
  WEFT_ASSIGN(BlockFile::Page page, NeedPage(file, table, group, page_key));
  ByteReader reader(*page);
  return column::DecodeNumbers(&reader, out);
}

Status ReadIdPage(const BlockFile& file, const TableMeta& table, uint32_t group, uint32_t page_key,
                  std::span<uint64_t> out) {
  WEFT_ASSIGN(BlockFile::Page page, NeedPage(file, table, group, page_key));
  if (page->size() != out.size_bytes()) return file.Corrupt("malformed page of ids");
  std::memcpy(out.data(), page->data(), page->size());
  return {};
}

Status ReadEnds(const BlockFile& file, uint32_t group, std::span<uint64_t> out) {
  std::vector<uint64_t> durations(out.size());
  WEFT_TRY(ReadNumberPage(file, Spans(file), group, key::kTimes, out));
  WEFT_TRY(ReadNumberPage(file, Spans(file), group, key::kDurations, durations));
  for (size_t i = 0; i < out.size(); ++i) out[i] += static_cast<uint64_t>(UnZigZag(durations[i]));
  return {};
}

// In pre-order the parent is the last row above that is one less deep.
Status ReadParentSpanIds(const BlockFile& file, uint32_t group, std::span<uint64_t> out) {
  std::vector<uint64_t> depths(out.size()), ids(out.size());
  WEFT_TRY(ReadNumberPage(file, Spans(file), group, key::kDepths, depths));
  WEFT_TRY(ReadIdPage(file, Spans(file), group, key::kSpanIds, ids));
  WEFT_ASSIGN(ForeignParents foreign, ReadForeignParents(file, group, out.size()));
  std::vector<uint32_t> ancestors;
  size_t next = 0;
  for (uint32_t i = 0; i < out.size(); ++i) {
    while (!ancestors.empty() && depths[ancestors.back()] >= depths[i]) ancestors.pop_back();
    if (next < foreign.rows.size() && foreign.rows[next] == i) {
      out[i] = foreign.ids[next++];
    } else if (depths[i] == 0) {
      out[i] = 0;
    } else if (!ancestors.empty() && depths[ancestors.back()] == depths[i] - 1) {
      out[i] = ids[ancestors.back()];
    } else {
      return file.Corrupt("span without its parent");
    }
    ancestors.push_back(i);
  }
  return {};
}

// Counted from the depths for traces that lie whole in the group; stored for those that do not.
Result<Nesting> ReadNesting(const BlockFile& file, uint32_t group) {
  const uint32_t rows = Spans(file).rows_in_group(group);
  Nesting nesting{std::vector<uint64_t>(rows), std::vector<uint64_t>(rows)};
  std::vector<uint64_t> depths(rows);
  WEFT_TRY(ReadNumberPage(file, Spans(file), group, key::kDepths, depths));
  std::vector<uint32_t> ancestors;
  auto leave_until = [&](uint64_t depth, uint32_t row) {
    while (!ancestors.empty() && depths[ancestors.back()] >= depth) {
      nesting.subtrees[ancestors.back()] = row - ancestors.back();
      ancestors.pop_back();
    }
  };
  for (uint32_t i = 0; i < rows; ++i) {
    leave_until(depths[i], i);
    if (!ancestors.empty()) ++nesting.children[ancestors.back()];
    ancestors.push_back(i);
  }
  leave_until(0, rows);
  WEFT_ASSIGN(BlockFile::Page page, file.ReadGroupPage(Spans(file), group, key::kEdges));
  if (!page) return nesting;
  ByteReader reader(*page);
  const uint64_t head = reader.VarintUpTo(rows), tail = reader.VarintUpTo(rows);
  if (!reader.ok() || head + tail > rows) return file.Corrupt("malformed edges");
  std::vector<uint64_t> edge(head + tail);
  for (std::vector<uint64_t>* all : {&nesting.children, &nesting.subtrees}) {
    WEFT_TRY(column::DecodeNumbers(&reader, edge));
    std::copy_n(edge.begin(), head, all->begin());
    std::copy_n(edge.begin() + static_cast<ptrdiff_t>(head), tail,
                all->end() - static_cast<ptrdiff_t>(tail));
  }
  return nesting;
}

Status ReadNestedLeft(const BlockFile& file, uint32_t group, std::span<uint64_t> out) {
  return ReadNested(file, group, Side::kLeft, out);
}
Status ReadNestedRight(const BlockFile& file, uint32_t group, std::span<uint64_t> out) {
  return ReadNested(file, group, Side::kRight, out);
}

Status ReadSelfTimes(const BlockFile& file, uint32_t group, std::span<uint64_t> out) {
  std::vector<uint64_t> starts(out.size()), covered(out.size());
  WEFT_TRY(ReadNumberPage(file, Spans(file), group, key::kTimes, starts));
  WEFT_TRY(ReadEnds(file, group, out));
  WEFT_TRY(ReadNumberPage(file, Spans(file), group, key::kCoveredTimes, covered));
  for (size_t i = 0; i < out.size(); ++i) {
    const uint64_t duration = out[i] > starts[i] ? out[i] - starts[i] : 0;
    out[i] = duration - static_cast<uint64_t>(UnZigZag(covered[i]));
  }
  return {};
}

Status ReadCriticalTimes(const BlockFile& file, uint32_t group, std::span<uint64_t> out) {
  std::vector<uint64_t> gaps(out.size());
  WEFT_TRY(ReadSelfTimes(file, group, out));
  WEFT_TRY(ReadNumberPage(file, Spans(file), group, key::kCriticalGaps, gaps));
  for (size_t i = 0; i < out.size(); ++i) out[i] -= static_cast<uint64_t>(UnZigZag(gaps[i]));
  return {};
}

Status ReadTraceOrdinals(const BlockFile& file, StoredTable table, uint32_t group,
                         std::span<uint64_t> out) {
  const bool logs = table == StoredTable::kLogs;
  const std::vector<TracePage>& pages = file.trace_pages();
  auto first_of = [&](const TracePage& page) { return logs ? page.first_log : page.first_span; };
  const segment::Row first_row = file.table(table).row_groups.first_row(group);
  // The last page that begins at or before the first row.
  uint32_t p = static_cast<uint32_t>(std::ranges::upper_bound(pages, first_row, {}, first_of) -
                                     pages.begin());
  if (p == 0) return file.Corrupt("rows without a trace");
  --p;
  size_t filled = 0;
  for (; p < pages.size() && filled < out.size(); ++p) {
    WEFT_ASSIGN(TraceNumbers numbers, ReadTracePage(file, pages[p]));
    const std::vector<uint64_t>& first = logs ? numbers.first_logs : numbers.first_spans;
    const uint64_t page_end = EndOfTracePage(file, p, table);
    for (size_t t = 0; t < first.size() && filled < out.size(); ++t) {
      const uint64_t end = t + 1 < first.size() ? first[t + 1] : page_end;
      while (filled < out.size() && first_row + filled < end)
        out[filled++] = pages[p].first_ordinal + t;
    }
  }
  if (filled < out.size()) return file.Corrupt("rows without a trace");
  return {};
}

Status ReadLogSpans(const BlockFile& file, uint32_t group, std::span<uint64_t> out) {
  WEFT_TRY(ReadNumberPage(file, file.table(StoredTable::kLogs), group, key::kParentRows, out));
  for (uint64_t& row : out) row = row == 0 || row > UINT32_MAX ? segment::kAbsent : row - 1;
  return {};
}

Status ReadObservedTimes(const BlockFile& file, uint32_t group, std::span<uint64_t> out) {
  const TableMeta& logs = file.table(StoredTable::kLogs);
  std::vector<uint64_t> times(out.size());
  WEFT_TRY(ReadNumberPage(file, logs, group, key::kTimes, times));
  WEFT_TRY(ReadNumberPage(file, logs, group, key::kObservedTimes, out));
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = times[i] + static_cast<uint64_t>(UnZigZag(out[i]));
  return {};
}

Result<TraceNumbers> ReadTracePage(const BlockFile& file, const TracePage& page) {
  TraceNumbers numbers;
  file.Prefetch({page.ids, page.starts, page.durations, page.first_spans, page.first_logs});
  auto read = [&](PagePlace place, std::vector<uint64_t>* out) -> Status {
    WEFT_ASSIGN(BlockFile::Page payload, file.ReadPage(place, "trace"));
    out->resize(page.traces);
    ByteReader reader(*payload);
    return column::DecodeNumbers(&reader, *out);
  };
  WEFT_TRY(read(page.starts, &numbers.starts));
  WEFT_TRY(read(page.durations, &numbers.durations));
  WEFT_TRY(read(page.first_spans, &numbers.first_spans));
  WEFT_TRY(read(page.first_logs, &numbers.first_logs));
  return numbers;
}

Status ReadTraceIds(const BlockFile& file, const TracePage& page, std::span<TraceId> out) {
  WEFT_ASSIGN(BlockFile::Page payload, file.ReadPage(page.ids, "trace"));
  if (payload->size() != out.size() * TraceId::kSize) return file.Corrupt("malformed trace ids");
  std::memcpy(out.data(), payload->data(), payload->size());
  return {};
}

uint32_t TracePageOf(const BlockFile&, uint32_t ordinal) {
  return ordinal / format::kTracesPerPage;
}

segment::Row EndOfTracePage(const BlockFile& file, uint32_t page, StoredTable table) {
  const bool logs = table == StoredTable::kLogs;
  if (page + 1 == file.trace_pages().size()) return file.table(table).rows;
  const TracePage& next = file.trace_pages()[page + 1];
  return logs ? next.first_log : next.first_span;
}

}  // namespace weft::block

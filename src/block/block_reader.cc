// SPDX-License-Identifier: Apache-2.0
#include "block/block_reader.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "block/block_columns.h"
#include "block/block_cursor.h"
#include "block/block_file.h"
#include "block/block_format.h"
#include "block/block_numbers.h"
#include "block/derived_values.h"
#include "block/read_everything.h"
#include "column/bloom_filter.h"
#include "column/numbers.h"
#include "column/page.h"
#include "segment/composed_table.h"
#include "segment/materialize.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::block {

using segment::ColumnRef;
using segment::ComposedTable;
using segment::FixedColumn;
using segment::Row;
using segment::Segment;
using segment::StoredTable;
using segment::TableId;
using segment::TraceEntry;

namespace {

namespace key = format::page_key;

class BlockTable : public ComposedTable {
 public:
  BlockTable(const BlockFile* file, TableId id, const BlockColumns* own,
             const segment::ColumnSource* resources, const segment::ColumnSource* scopes,
             OldDerivedValues* old)
      : ComposedTable(own, resources, scopes),
        file_(file),
        own_(own),
        id_(id),
        meta_(file->table(StoredTable{static_cast<uint8_t>(id)})),
        old_(old) {}

  Result<std::shared_ptr<const segment::Dictionary>> OpenDictionary(
      ColumnRef column) const override {
    return file_->Named(ComposedTable::OpenDictionary(column));
  }
  Status ReadIds(ColumnRef column, uint32_t group, std::span<uint32_t> out) const override {
    return file_->Named(ComposedTable::ReadIds(column, group, out));
  }
  Result<std::vector<bool>> GroupsWith(ColumnRef column, uint32_t id) const override {
    return file_->Named(ComposedTable::GroupsWith(column, id));
  }
  Status ReadNumbers(FixedColumn column, uint32_t group, std::span<uint64_t> out) const override {
    return file_->Named(NumbersOf(column, group, out));
  }
  std::pair<uint64_t, uint64_t> TimeRange(uint32_t group) const override {
    if (group >= meta_.groups.size()) return {};
    return {meta_.groups[group].time_min_ns, meta_.groups[group].time_max_ns};
  }
  void Prefetch(uint32_t group, std::span<const ColumnRef> columns,
                std::span<const FixedColumn> numbers) const override {
    file_->Prefetch(PlacesOf(group, columns, numbers));
  }
  void WillNeed(uint32_t group, std::span<const ColumnRef> columns,
                std::span<const FixedColumn> numbers) const override {
    file_->WillNeed(PlacesOf(group, columns, numbers));
  }

 private:
  std::vector<PagePlace> PlacesOf(uint32_t group, std::span<const ColumnRef> columns,
                                  std::span<const FixedColumn> numbers) const {
    if (group >= meta_.groups.size()) return {};
    std::vector<uint32_t> keys = {key::kRowShapes};
    for (ColumnRef column : columns)
      if (uint32_t own = OwnColumn(column); own != segment::kAbsent)
        keys.push_back(own_->PageKey(own));
    for (FixedColumn column : numbers) AppendPageKeys(column, &keys);
    std::vector<PagePlace> places;
    for (const GroupPage& page : meta_.groups[group].pages)
      if (std::ranges::find(keys, page.key) != keys.end())
        places.push_back({page.offset, page.bytes});
    return places;
  }
  static void AppendPageKeys(FixedColumn column, std::vector<uint32_t>* keys) {
    switch (column) {
      case FixedColumn::kStart:
      case FixedColumn::kTime:
        keys->push_back(key::kTimes);
        return;
      case FixedColumn::kEnd:
        keys->insert(keys->end(), {key::kTimes, key::kDurations});
        return;
      case FixedColumn::kSpanId:
        keys->push_back(key::kSpanIds);
        return;
      case FixedColumn::kParentSpanId:
        keys->insert(keys->end(), {key::kSpanIds, key::kDepths, key::kForeignParents});
        return;
      case FixedColumn::kDepth:
        keys->push_back(key::kDepths);
        return;
      default:  // the others are seldom asked for with others
        return;
    }
  }
  static Status Unknown() {
    return Fail(ErrorCode::kInvalidArgument, "this table has no such number");
  }
  Status Stored(uint32_t group, uint32_t page_key, std::span<uint64_t> out) const {
    return ReadNumberPage(*file_, meta_, group, page_key, out);
  }
  Status NumbersOf(FixedColumn column, uint32_t group, std::span<uint64_t> out) const {
    if (group >= group_count() || out.size() != rows_in_group(group))
      return Fail(ErrorCode::kInvalidArgument, "no such row group");
    switch (id_) {
      case TableId::kSpans:
        return SpanNumbersOf(column, group, out);
      case TableId::kEvents:
        if (column == FixedColumn::kParentRow) return Stored(group, key::kParentRows, out);
        if (column == FixedColumn::kTime) return Stored(group, key::kTimes, out);
        break;
      case TableId::kLinks:
        if (column == FixedColumn::kParentRow) return Stored(group, key::kParentRows, out);
        if (column == FixedColumn::kLinkedSpanId)
          return ReadIdPage(*file_, meta_, group, key::kSpanIds, out);
        break;
      case TableId::kLogs:
        return LogNumbersOf(column, group, out);
    }
    return Unknown();
  }
  Status SpanNumbersOf(FixedColumn column, uint32_t group, std::span<uint64_t> out) const {
    switch (column) {
      case FixedColumn::kStart:
        return Stored(group, key::kTimes, out);
      case FixedColumn::kEnd:
        return ReadEnds(*file_, group, out);
      case FixedColumn::kSpanId:
        return ReadIdPage(*file_, meta_, group, key::kSpanIds, out);
      case FixedColumn::kParentSpanId:
        return ReadParentSpanIds(*file_, group, out);
      case FixedColumn::kTrace:
        return ReadTraceOrdinals(*file_, StoredTable::kSpans, group, out);
      case FixedColumn::kDepth:
        return Stored(group, key::kDepths, out);
      case FixedColumn::kChildCount: {
        WEFT_ASSIGN(Nesting nesting, ReadNesting(*file_, group));
        std::ranges::copy(nesting.children, out.begin());
        return {};
      }
      case FixedColumn::kNestedLeft:
        return ReadNestedLeft(*file_, group, out);
      case FixedColumn::kNestedRight:
        return ReadNestedRight(*file_, group, out);
      case FixedColumn::kSelfTime:
        return old_ != nullptr ? old_->Read(column, group, out) : ReadSelfTimes(*file_, group, out);
      case FixedColumn::kCriticalTime:
        return old_ != nullptr ? old_->Read(column, group, out)
                               : ReadCriticalTimes(*file_, group, out);
      case FixedColumn::kErrorOrigin:
        return old_ != nullptr ? old_->Read(column, group, out)
                               : Stored(group, key::kErrorOrigins, out);
      default:
        return Unknown();
    }
  }
  Status LogNumbersOf(FixedColumn column, uint32_t group, std::span<uint64_t> out) const {
    switch (column) {
      case FixedColumn::kParentRow:
        return ReadLogSpans(*file_, group, out);
      case FixedColumn::kTime:
        return Stored(group, key::kTimes, out);
      case FixedColumn::kObservedTime:
        return ReadObservedTimes(*file_, group, out);
      case FixedColumn::kSpanId:
        return ReadIdPage(*file_, meta_, group, key::kSpanIds, out);
      case FixedColumn::kTrace:
        return ReadTraceOrdinals(*file_, StoredTable::kLogs, group, out);
      default:
        return Unknown();
    }
  }

  const BlockFile* file_;
  const BlockColumns* own_;
  TableId id_;
  const TableMeta& meta_;
  OldDerivedValues* old_;  // null where the derived columns are those of the rule
};

class Block : public Segment, public segment::StoredRows {
 public:
  Block(std::unique_ptr<BlockFile> file, const trace::ClockRule& rule) : file_(std::move(file)) {
    if (file_->rule_version() != trace::kRuleVersion || file_->shift_max_ns() != rule.shift_max_ns)
      old_derived_ = std::make_unique<OldDerivedValues>(
          this, file_->table(StoredTable::kSpans).row_groups, rule);
    for (uint8_t t = 0; t < segment::kStoredTables; ++t)
      columns_.push_back(std::make_unique<BlockColumns>(file_.get(), StoredTable{t}));
    for (TableId id : {TableId::kSpans, TableId::kEvents, TableId::kLinks, TableId::kLogs}) {
      const bool composed = id == TableId::kSpans || id == TableId::kLogs;
      tables_.push_back(std::make_unique<BlockTable>(
          file_.get(), id, columns_[static_cast<size_t>(id)].get(),
          composed ? columns_[static_cast<size_t>(StoredTable::kResources)].get() : nullptr,
          composed ? columns_[static_cast<size_t>(StoredTable::kScopes)].get() : nullptr,
          old_derived_.get()));
    }
  }

  const segment::Table& table(TableId id) const override {
    return *tables_[static_cast<size_t>(id)];
  }
  bool has_derived() const override { return true; }
  const segment::StoredRows& stored_rows() const override { return *this; }
  uint32_t trace_count() const override { return file_->traces(); }
  Status ReadTraces(uint32_t first, std::span<TraceEntry> out) const override {
    return file_->Named(TracesFrom(first, out));
  }
  Result<GroupTraces> ReadGroupTraces(uint32_t group) const override {
    return file_->Named(TracesOfGroup(group));
  }
  bool MayHold(const TraceId& id) const override {
    return FilterMayHold(file_->trace_filter(), id);
  }
  Result<TraceRows> FindTrace(const TraceId& id) const override { return file_->Named(RowsOf(id)); }
  Status ReadSpans(std::span<const Row> rows, SpanBatch* out) const override {
    return file_->Named(segment::MaterializeSpans(*this, rows, out));
  }
  Status ReadLogs(std::span<const Row> rows, SpanBatch* out) const override {
    return file_->Named(segment::MaterializeLogs(*this, rows, out));
  }
  std::pair<uint64_t, uint64_t> time_range() const override { return file_->time_range(); }
  std::pair<uint64_t, uint64_t> received_range() const override { return file_->received_range(); }
  uint64_t distinct_values() const override { return segment::DistinctValues(*this); }
  uint64_t bytes() const override { return file_->bytes(); }

  std::unique_ptr<segment::RowCursor> NewCursor(bool sequential) const override {
    return std::make_unique<BlockCursor>(file_.get(), columns_, sequential);
  }
  uint32_t stored_row_count(StoredTable table) const override { return file_->table(table).rows; }
  uint32_t stored_column_count(StoredTable table) const override {
    return of(table).column_count();
  }
  segment::ColumnName stored_column(StoredTable table, uint32_t index) const override {
    return of(table).column(index);
  }
  Result<Value> ReadValue(StoredTable table, uint32_t column, uint32_t id,
                          Arena* arena) const override {
    return of(table).Get(column, id, arena);
  }
  bool has_value_pages() const override { return true; }
  Status ReadValues(StoredTable table, uint32_t column, std::span<const uint32_t> ids, Arena* arena,
                    const segment::Dictionary::VisitValue& visit) const override {
    return of(table).GetEach(column, ids, arena, visit);
  }
  uint32_t value_count(StoredTable table, uint32_t column) const override {
    return of(table).value_count(column);
  }
  std::unique_ptr<segment::ValueCursor> SortedValues(StoredTable table,
                                                     uint32_t column) const override {
    return of(table).SortedValues(column);
  }
  std::vector<uint64_t> ColumnUse(StoredTable table) const override {
    std::vector<uint64_t> use;
    for (uint32_t c = 0; c < of(table).column_count(); ++c) use.push_back(of(table).use(c));
    return use;
  }

 private:
  const BlockColumns& of(StoredTable table) const { return *columns_[static_cast<size_t>(table)]; }
  struct DirectoryPage {
    size_t traces() const { return numbers.first_spans.size(); }
    uint64_t EndOfRows(size_t index) const {
      return index + 1 < traces() ? numbers.first_spans[index + 1] : end;
    }
    TraceNumbers numbers;
    BlockFile::Page ids;
    uint64_t end = 0;  // of the last trace's rows
  };
  Status TracesFrom(uint32_t first, std::span<TraceEntry> out) const;
  Result<GroupTraces> TracesOfGroup(uint32_t group) const;
  Result<TraceRows> RowsOf(const TraceId& id) const;
  Result<DirectoryPage> ReadDirectoryPage(uint32_t index) const;
  Result<TraceEntry> EntryOf(const DirectoryPage& page, size_t index) const;
  Status FindInIndex(const TraceIndexPage& page, uint32_t half, const TraceId& id,
                     std::optional<uint32_t>* ordinal) const;

  std::unique_ptr<BlockFile> file_;
  std::vector<std::unique_ptr<BlockColumns>> columns_;  // by StoredTable
  std::unique_ptr<OldDerivedValues> old_derived_;       // null where there are none
  std::vector<std::unique_ptr<BlockTable>> tables_;     // by TableId
};

Result<Block::DirectoryPage> Block::ReadDirectoryPage(uint32_t index) const {
  const TracePage& page = file_->trace_pages()[index];
  DirectoryPage out;
  WEFT_ASSIGN(out.numbers, ReadTracePage(*file_, page));
  WEFT_ASSIGN(out.ids, file_->ReadPage(page.ids, "trace"));
  if (out.ids->size() != page.traces * TraceId::kSize) return file_->Corrupt("malformed trace ids");
  out.end = EndOfTracePage(*file_, index, StoredTable::kSpans);
  return out;
}

Result<TraceEntry> Block::EntryOf(const DirectoryPage& page, size_t index) const {
  const TraceNumbers& numbers = page.numbers;
  const uint64_t first_row = numbers.first_spans[index];
  const uint64_t next = page.EndOfRows(index);
  if (first_row > next || next > spans().row_count())
    return file_->Corrupt("trace names rows that are not there");
  TraceEntry entry;
  std::memcpy(entry.id.bytes.data(), page.ids->data() + index * TraceId::kSize, TraceId::kSize);
  entry.first_row = static_cast<Row>(first_row);
  entry.rows = static_cast<uint32_t>(next - first_row);
  entry.start_ns = numbers.starts[index];
  entry.end_ns = entry.start_ns + static_cast<uint64_t>(column::UnZigZag(numbers.durations[index]));
  return entry;
}

Status Block::TracesFrom(uint32_t first, std::span<TraceEntry> out) const {
  if (first > trace_count() || out.size() > trace_count() - first)
    return Fail(ErrorCode::kInvalidArgument, "no such trace");
  for (size_t filled = 0; filled < out.size();) {
    const uint32_t ordinal = first + static_cast<uint32_t>(filled);
    const uint32_t index = TracePageOf(*file_, ordinal);
    WEFT_ASSIGN(DirectoryPage page, ReadDirectoryPage(index));
    for (size_t t = ordinal - file_->trace_pages()[index].first_ordinal;
         t < page.traces() && filled < out.size(); ++t) {
      WEFT_ASSIGN(out[filled++], EntryOf(page, t));
    }
  }
  return {};
}

Result<Segment::GroupTraces> Block::TracesOfGroup(uint32_t group) const {
  if (group >= spans().group_count()) return Fail(ErrorCode::kInvalidArgument, "no such row group");
  const uint64_t first = spans().groups().first_row(group),
                 last = first + spans().rows_in_group(group);
  const std::vector<TracePage>& pages = file_->trace_pages();
  // The last page that begins at or before the first row.
  auto after = std::ranges::upper_bound(pages, first, {}, &TracePage::first_span);
  if (after == pages.begin()) return file_->Corrupt("rows without a trace");
  GroupTraces out;
  for (auto at = std::prev(after); at != pages.end() && at->first_span < last; ++at) {
    WEFT_ASSIGN(DirectoryPage page, ReadDirectoryPage(static_cast<uint32_t>(at - pages.begin())));
    for (uint32_t t = 0; t < page.traces(); ++t) {
      if (page.EndOfRows(t) <= first) continue;
      WEFT_ASSIGN(TraceEntry entry, EntryOf(page, t));
      if (entry.first_row >= last) return out;
      if (entry.rows == 0) continue;
      out.ordinals.push_back(at->first_ordinal + t);
      out.entries.push_back(entry);
    }
  }
  return out;
}

Status Block::FindInIndex(const TraceIndexPage& page, uint32_t half, const TraceId& id,
                          std::optional<uint32_t>* ordinal) const {
  WEFT_ASSIGN(BlockFile::Page payload, file_->ReadPage(page.place, "trace index"));
  column::ByteReader reader(*payload);
  std::vector<uint32_t> halves(page.entries), ordinals(page.entries);
  WEFT_TRY(column::DecodeNumbers(&reader, halves));
  WEFT_TRY(column::DecodeNumbers(&reader, ordinals));
  for (auto at = std::ranges::lower_bound(halves, half); at != halves.end() && *at == half; ++at) {
    const uint32_t candidate = ordinals[static_cast<size_t>(at - halves.begin())];
    if (candidate >= trace_count()) return file_->Corrupt("index names an unknown trace");
    const TracePage& traces = file_->trace_pages()[TracePageOf(*file_, candidate)];
    std::vector<TraceId> ids(traces.traces);
    WEFT_TRY(ReadTraceIds(*file_, traces, ids));
    if (ids[candidate - traces.first_ordinal] == id) *ordinal = candidate;
  }
  return {};
}

Result<Segment::TraceRows> Block::RowsOf(const TraceId& id) const {
  if (!MayHold(id)) return TraceRows();
  const uint64_t hash = format::HashTraceId(id);
  const uint32_t half = static_cast<uint32_t>(hash >> 32);
  const std::vector<TraceIndexPage>& pages = file_->trace_index();
  auto page = std::ranges::upper_bound(pages, half, {}, &TraceIndexPage::first_hash);
  std::optional<uint32_t> ordinal;
  // Equal halves may begin in an earlier page.
  while (page != pages.begin() && !ordinal) {
    --page;
    WEFT_TRY(FindInIndex(*page, half, id, &ordinal));
    if (page->first_hash < half) break;
  }
  if (!ordinal) return TraceRows();
  return BlockCursor(file_.get(), columns_, false).ReadTraceRows(*ordinal);
}

}  // namespace

Result<std::shared_ptr<const Segment>> OpenBlockUnverified(Env* env, const std::string& path) {
  WEFT_ASSIGN(auto file, BlockFile::Open(env, path, nullptr, false));
  return std::make_shared<const Block>(std::move(file), trace::ClockRule{});
}

Result<std::shared_ptr<const Segment>> OpenBlock(Env* env, const std::string& path,
                                                 std::shared_ptr<PageCache> cache,
                                                 const trace::ClockRule& rule) {
  WEFT_ASSIGN(auto file, BlockFile::Open(env, path, std::move(cache), true));
  return std::make_shared<const Block>(std::move(file), rule);
}

Result<OpenedBlock> OpenBlockWithIdentity(Env* env, const std::string& path,
                                          std::shared_ptr<PageCache> cache, OnDamage on_damage,
                                          const trace::ClockRule& rule) {
  WEFT_ASSIGN(auto file, BlockFile::Open(env, path, std::move(cache), true, std::move(on_damage)));
  const BlockIdentity identity = file->identity();
  return OpenedBlock{std::make_shared<const Block>(std::move(file), rule), identity};
}

Result<std::string> ReadTraceFilter(Env* env, const std::string& path,
                                    const BlockIdentity& expected) {
  return BlockFile::ReadFilter(env, path, expected);
}

bool FilterMayHold(std::string_view filter, const TraceId& id) {
  return column::BloomFilterMayContain(filter, format::HashTraceId(id));
}

namespace {

// kCorruption where the bytes before the sections are not those that were written.
Status CheckContent(const BlockFile& file, const VerifyOptions& options) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  std::string buffer;
  for (uint64_t offset = 0; offset < file.content_bytes(); offset += buffer.size()) {
    buffer.resize(std::min<uint64_t>(1 << 20, file.content_bytes() - offset));
    if (options.may_read && !options.may_read(buffer.size()))
      return Fail(ErrorCode::kCancelled, "the check was stopped");
    WEFT_TRY(file.Named(file.file().ReadAt(offset, buffer)));
    XXH3_64bits_update(&state, buffer.data(), buffer.size());
  }
  if (XXH3_64bits_digest(&state) == file.content_checksum()) return {};
  return file.Corrupt("file checksum differs");
}

}  // namespace

BlockVerdict VerifyBlock(Env* env, const std::string& path, const VerifyOptions& options) {
  auto file = BlockFile::Open(env, path, nullptr, true);
  if (!file) return {Fail(std::move(file).error())};
  if (options.expected && (*file)->identity() != *options.expected)
    return {(*file)->Corrupt("another block's file"), true};
  Status content = CheckContent(**file, options);
  if (content || content.error().code != ErrorCode::kCorruption) return {std::move(content)};
  for (const PagePlace& place : (*file)->AllPages())
    if (auto page = (*file)->ReadPage(place, "stored"); !page)
      return {Fail(std::move(page).error())};
  return {std::move(content), true};
}

}  // namespace weft::block

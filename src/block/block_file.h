// SPDX-License-Identifier: Apache-2.0
//
// BlockFile: an open block file: its sections, parsed and checked, and its pages, read on demand.
// Knows where everything lies, not what it means.
//
// Thread rule: immutable; every method from any thread.
// Source of the format: docs/format_block.md. Next: block/block_columns.h, block/block_numbers.h.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "block/page_cache.h"
#include "column/byte_cursor.h"
#include "segment/stored_rows.h"

namespace weft::block {

struct PagePlace {
  uint64_t offset = 0;
  uint32_t bytes = 0;  // 0: there is none
};

struct DictionaryPage {
  PagePlace place;
  uint32_t first_id = 0, values = 0;
  uint64_t number = 0;     // smallest value of number types
  std::string_view fence;  // of the others: not greater than any value of the page
};

struct ColumnMeta {
  segment::AttributeScope scope = segment::kInternal;
  std::string_view key;
  ValueType type = ValueType::kEmpty;
  uint64_t rows = 0;
  uint32_t values = 0;  // for a reference, rows of the table referred to
  std::vector<DictionaryPage> pages;
  std::vector<PagePlace> index;  // empty: every value may be anywhere
};

struct GroupPage {
  uint32_t key = 0;
  uint32_t bytes = 0;
  uint64_t offset = 0;
};

struct GroupMeta {
  uint64_t time_min_ns = 0, time_max_ns = 0;
  segment::Row first_event = 0, first_link = 0;  // spans only
  std::vector<GroupPage> pages;                  // by key
};

// A key whose values lie in the overflow column, ids [first_id, end_id) of it.
struct OverflowKey {
  segment::AttributeScope scope = segment::kInternal;
  std::string_view key;
  ValueType type = ValueType::kEmpty;
  uint32_t first_id = 0, end_id = 0;
};

struct TableMeta {
  segment::StoredTable id = segment::StoredTable::kSpans;
  uint32_t rows = 0;
  uint32_t groups_per_part = 1;
  std::vector<GroupMeta> groups;
  std::vector<ColumnMeta> columns;
  uint32_t overflow_column = segment::kAbsent;
  std::vector<OverflowKey> overflow;

  segment::RowGroups row_groups;

  uint32_t rows_in_group(uint32_t group) const { return row_groups.rows_in(group, rows); }
};

struct TracePage {
  uint32_t first_ordinal = 0, traces = 0;
  segment::Row first_span = 0, first_log = 0;
  PagePlace ids, starts, durations, first_spans, first_logs;
};

struct TraceIndexPage {
  uint32_t entries = 0;
  uint32_t first_hash = 0;  // upper half
  PagePlace place;
};

class BlockFile {
 public:
  using Page = PageCache::Page;

  // `cache` may be null. `verify` false skips checksums: only for fuzzing what lies behind them.
  // `on_damage`, if there is one, hears of every read after this call that fails.
  static Result<std::unique_ptr<BlockFile>> Open(Env* env, const std::string& path,
                                                 std::shared_ptr<PageCache> cache, bool verify,
                                                 OnDamage on_damage = nullptr);
  // The filter alone, of a file that may be damaged elsewhere. kCorruption unless the file is the
  // one expected.
  static Result<std::string> ReadFilter(Env* env, const std::string& path,
                                        const BlockIdentity& expected);
  ~BlockFile();

  const TableMeta& table(segment::StoredTable id) const { return tables_[static_cast<size_t>(id)]; }
  const std::vector<TracePage>& trace_pages() const { return trace_pages_; }
  const std::vector<TraceIndexPage>& trace_index() const { return trace_index_; }
  std::string_view trace_filter() const { return trace_filter_; }
  uint32_t traces() const { return traces_; }
  std::pair<uint64_t, uint64_t> time_range() const { return time_range_; }
  std::pair<uint64_t, uint64_t> received_range() const { return received_range_; }
  uint64_t bytes() const { return bytes_; }
  // Of the rule about time by which derived columns were computed, and its limit.
  uint64_t rule_version() const { return rule_version_; }
  uint64_t shift_max_ns() const { return shift_max_ns_; }
  BlockIdentity identity() const { return {bytes_, summary_checksum_}; }

  // The payload; `what` names it in errors.
  Result<Page> ReadPage(PagePlace place, std::string_view what) const;
  // The page of a group; null when the group has none of this key.
  Result<Page> ReadGroupPage(const TableMeta& table, uint32_t group, uint32_t key) const;
  // Brings these pages into the cache, neighbours with one read. Best effort: a page that cannot be
  // read stays out.
  void Prefetch(std::vector<PagePlace> places) const;
  // Says that they will be asked for soon: the disk may begin to fetch them.
  void WillNeed(std::vector<PagePlace> places) const;
  // An error of this file: "path: what: ...".
  std::unexpected<Error> Corrupt(std::string_view what) const;
  // The same result; an error that the file's bytes cause names the file, and is heard of.
  template <class T>
  Result<T> Named(Result<T> result) const {
    if (result) return result;
    return Fail(NamedError(std::move(result).error()));
  }

  // Places of all pages, for VerifyBlock, and the checksum of all bytes before the sections.
  std::vector<PagePlace> AllPages() const;
  uint64_t content_checksum() const { return content_checksum_; }
  uint64_t content_bytes() const { return content_bytes_; }
  const ReadableFile& file() const { return *file_; }

 private:
  BlockFile() = default;
  struct Section {
    uint64_t tag = 0;
    PagePlace place;
  };
  static Result<std::unique_ptr<BlockFile>> OpenFile(Env* env, const std::string& path,
                                                     bool verify);
  Result<PagePlace> ReadTrailer();
  Result<std::vector<Section>> ReadFooter();
  Status ReadSections(const std::vector<Section>& sections);
  Status ReadSection(const Section& section);
  Error NamedError(Error error) const;
  void NoteDamage(const Error& error) const;
  Status ParseSummary(std::string_view payload);
  Status ParseColumns(std::string_view payload);
  Status ParseColumn(column::ByteReader* reader, ColumnMeta* column);
  Status ParseGroupRows(std::string_view payload);
  Status ParseGroups(std::string_view payload);
  Status ParseGroup(column::ByteReader* reader, TableMeta* table);
  Status ParseTraces(std::string_view payload);
  Status ParseTraceIndex(std::string_view payload);
  Status ParseOverflow(std::string_view payload);
  Status ParseDerived(std::string_view payload);
  Status CheckTables();
  PagePlace ParsePlace(column::ByteReader* reader) const;
  PagePlace CheckPlace(PagePlace place, column::ByteReader* reader) const;
  Result<std::string> ReadBytes(PagePlace place) const;
  std::vector<std::span<const PagePlace>> Neighbours(std::vector<PagePlace>* places) const;
  void ReadTogether(std::span<const PagePlace> places) const;

  std::string path_;
  std::unique_ptr<ReadableFile> file_;
  std::shared_ptr<PageCache> cache_;
  bool verify_ = true;
  uint64_t cache_id_ = 0;
  uint64_t bytes_ = 0;
  TableMeta tables_[segment::kStoredTables];
  uint32_t traces_ = 0;
  std::vector<TracePage> trace_pages_;
  std::vector<TraceIndexPage> trace_index_;
  std::string trace_filter_;
  std::pair<uint64_t, uint64_t> time_range_, received_range_;
  uint64_t rule_version_ = 1, shift_max_ns_ = 0;  // of blocks that do not say
  uint64_t content_checksum_ = 0, content_bytes_ = 0;
  std::vector<PagePlace> sections_;
  std::string identity_bytes_;  // trailer and footer page, until the summary has come
  uint64_t summary_checksum_ = 0;
  OnDamage on_damage_;
  std::string columns_payload_, overflow_payload_;  // keys and fences point into them
};

}  // namespace weft::block

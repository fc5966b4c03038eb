// SPDX-License-Identifier: Apache-2.0
//
// BlockMerge: the rows of a block being written. Takes traces one by one in their final order, each
// as fragments in one or more sources; removes exact duplicates, builds the tree, and adds spans in
// pre-order, their events and links, and the trace's log records to the groups of their tables.
//
// Thread rule: one thread at a time. Next: block/group_writer.h, trace/trace.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "block/derived_values.h"
#include "block/group_writer.h"
#include "block/node_reader.h"
#include "block/table_merge.h"
#include "segment/stored_rows.h"
#include "trace/trace.h"

namespace weft::block {

// What of a trace lies in one source.
struct TraceFragment {
  TraceId id;
  uint32_t source = 0;
  uint32_t ordinal = 0;
  uint64_t start_ns = 0;
};

class BlockMerge {
 public:
  BlockMerge(std::span<const segment::StoredRows* const> sources, FileWriter* file,
             column::PageSealer* sealer, uint32_t columns_max, segment::RowGroups row_groups,
             const trace::ClockRule& rule, std::function<void(uint64_t bytes)> hold)
      : sources_(sources),
        file_(file),
        sealer_(sealer),
        columns_max_(columns_max),
        row_groups_(row_groups),
        rule_(rule),
        hold_(std::move(hold)) {}

  // Dictionaries, resources and scopes.
  Status Begin();
  struct TraceRows {
    segment::Row first_span = 0, first_log = 0;
    uint32_t spans = 0, logs = 0;
    uint64_t start_ns = 0, end_ns = 0;
  };
  // REQUIRES: all fragments are of one trace. `cancelled` is asked after each row group.
  Result<TraceRows> AddTrace(std::span<const TraceFragment> fragments,
                             const std::function<bool()>& cancelled);
  // Last groups and value indexes.
  Status Finish();

  TableMerge& merge(segment::StoredTable table) { return merges_[static_cast<size_t>(table)]; }
  GroupWriter& groups(segment::StoredTable table) { return *groups_[static_cast<size_t>(table)]; }
  uint32_t duplicate_spans = 0, duplicate_logs = 0;

 private:
  struct Item {
    uint32_t source = 0;
    segment::Row row = 0;
    segment::SpanNumbers numbers;
  };
  struct LogItem {
    uint32_t source = 0;
    segment::Row row = 0;
    segment::LogNumbers numbers;
  };
  // Numbers of the open group of each table that has any.
  struct SpanColumns {
    std::string ids;
    std::vector<uint64_t> starts, durations, depths, covered, critical_gaps, error_origins, events,
        links;
    std::vector<uint64_t> foreign_rows;  // rows of the group whose parent id is kept as it is
    std::string foreign_ids;
    uint32_t head_rows = 0;                    // rows of a trace that began in an earlier group
    std::vector<uint64_t> children, subtrees;  // of all rows of the group
    segment::Row first_event = 0, first_link = 0;
  };
  struct EventColumns {
    std::vector<uint64_t> times, parents;
  };
  struct LinkColumns {
    std::string trace_ids, span_ids;
    std::vector<uint64_t> parents;
  };
  struct LogColumns {
    std::string span_ids;
    std::vector<uint64_t> times, observed, parents;
  };

  Status MergeReferred(segment::StoredTable table, std::vector<std::vector<uint32_t>>* rows);
  Status ReadItems(std::span<const TraceFragment> fragments);
  void HoldItems();
  Status ReadNodes();
  Status FindTimes();
  Result<std::span<const trace::ClockName>> ReadClocks(std::span<trace::Node> nodes);
  Status RemoveDuplicates();
  // Of the rows' own content, whatever else is in the block.
  using RowPlace = std::pair<uint32_t, segment::Row>;  // source, row
  using RowHashes = std::map<RowPlace, ContentHash>;
  template <class Materialize, class Hash>
  Result<RowHashes> HashContent(std::vector<RowPlace> places, const Materialize& materialize,
                                const Hash& hash) const;
  Status RemoveDuplicateLogs();
  Status AppendContent(segment::StoredTable table, uint32_t source, segment::Row first,
                       uint32_t count, std::string* out);
  Status AddSpans(const std::function<bool()>& cancelled);
  Status AddSpanRow(uint32_t position, const segment::RowView& view);
  Status AddEvents(const Item& item, segment::Row span);
  Status AddLinks(const Item& item, segment::Row span, uint64_t start_ns);
  Status AddLogs(const std::function<bool()>& cancelled);
  Status CloseSpanGroup(uint32_t tail_rows, const std::function<bool()>& cancelled);
  void WriteSpanNumbers(uint32_t tail_rows);
  void CloseGroup(segment::StoredTable table);

  std::span<const segment::StoredRows* const> sources_;
  FileWriter* file_;
  column::PageSealer* sealer_;
  uint32_t columns_max_;
  segment::RowGroups row_groups_;
  trace::ClockRule rule_;
  const std::function<void(uint64_t bytes)> hold_;  // may be null
  size_t held_items_ = 0;
  std::vector<std::unique_ptr<segment::RowCursor>> cursors_;
  std::vector<NodeReader> nodes_of_;  // by source
  // By source and row of its resources: row of the result.
  std::vector<std::vector<uint32_t>> resource_rows_;
  // By row of the result's resources, as far as traces asked for them.
  std::vector<std::pair<uint32_t, segment::Row>> resource_origins_;  // a source and its row
  std::vector<trace::ClockName> clocks_;
  std::vector<bool> clock_known_;
  trace::ClockNames clock_names_;
  TableMerge merges_[segment::kStoredTables];
  std::unique_ptr<GroupWriter> groups_[segment::kStoredTables];
  SpanColumns span_columns_;
  EventColumns event_columns_;
  LinkColumns link_columns_;
  LogColumns log_columns_;

  // The trace at hand.
  std::vector<Item> items_;
  std::vector<LogItem> logs_;
  std::vector<trace::Node> nodes_;
  trace::TreeBuilder tree_builder_;
  trace::Tree tree_;
  DerivedValues derived_;
  segment::Row first_row_ = 0;
  std::vector<segment::Row> rows_;
  std::vector<segment::RowView> views_;
  std::vector<segment::SpanNumbers> numbers_;
  std::vector<std::pair<uint64_t, uint32_t>> by_id_;
};

}  // namespace weft::block

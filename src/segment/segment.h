// SPDX-License-Identifier: Apache-2.0
//
// Segment: spans at rest, as queries and compaction see them, wherever they lie. Two kinds exist:
// Chunk (chunk/chunk.h, rows in memory in arrival order, a piece of the head) and Block
// (block/block_reader.h, the immutable file). One set of operators reads both.
//
// A segment is a few tables: spans, their events and links, and log records. A table has rows,
// dense from 0 and cut into groups (RowGroups). Every attribute is a column, one for each (scope,
// key, value type); so are the text and enum intrinsics (Scope kIntrinsic). A column has a
// dictionary of its distinct values; ReadIds() gives one dictionary id for each row of a group, or
// kAbsent. Predicates are therefore evaluated once per distinct value and then looked up by id.
// Numbers that differ in almost every row (ids, times) are fixed columns, read by ReadNumbers().
//
// Resource and scope attributes appear as columns of the span and log tables (Scope kResource,
// kInstrumentation) although they are stored once per resource.
//
// A row whose attribute list repeats a key shows the first value in the columns; ReadSpans()
// returns all, in order.
//
// Thread rule: a Segment is immutable and may be read from any thread.
// Next: chunk/chunk.h, block/block_reader.h, block/block_writer.h, docs/format_block.md.
#pragma once

// The room. The same rows have two faces: columns, of which queries ask, and whole rows, which
// flush and compaction take.
//
//        query                      block::WriteBlock
//          |                               |
//       Segment                        StoredRows        (stored_rows.h)
//       Table, Dictionary              RowCursor
//          |                               |
//     ComposedTable                  MaterializeSpans    (composed_table.h; materialize.h: back
//          |                               |              to a SpanBatch)
//          +------- chunk, block ----------+              who have the rows
//                        |
//                     RowSet                             (row_set.h: layouts, slots, ids)
//                     StoredKey                          (value_bytes.h: a value as a key)
//
// Begin here, then stored_rows.h.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/ids.h"
#include "model/span_batch.h"
#include "model/value.h"

namespace weft::segment {

inline constexpr uint32_t kAbsent = 0xFFFFFFFF;
using Row = uint32_t;

// How the rows of a table are cut into groups: all but the last hold as many rows, a power of two.
class RowGroups {
 public:
  static constexpr uint32_t kRowsMin = 16, kRowsMax = 8192;

  constexpr RowGroups() = default;
  // REQUIRES: IsValid(rows).
  constexpr explicit RowGroups(uint32_t rows)
      : shift_(static_cast<uint32_t>(std::countr_zero(rows))) {}
  static constexpr bool IsValid(uint64_t rows) {
    return rows >= kRowsMin && rows <= kRowsMax && std::has_single_bit(rows);
  }

  constexpr uint32_t rows() const { return uint32_t{1} << shift_; }
  constexpr uint32_t group_of(uint64_t row) const { return static_cast<uint32_t>(row >> shift_); }
  // Of a row within its group.
  constexpr uint32_t place_of(uint64_t row) const {
    return static_cast<uint32_t>(row) & (rows() - 1);
  }
  constexpr Row first_row(uint32_t group) const { return group << shift_; }
  constexpr uint32_t count(uint64_t row_count) const { return group_of(row_count + rows() - 1); }
  // REQUIRES: group < count(row_count).
  constexpr uint32_t rows_in(uint32_t group, uint32_t row_count) const {
    return std::min(row_count - first_row(group), rows());
  }

 private:
  uint32_t shift_ = static_cast<uint32_t>(std::countr_zero(kRowsMax));
};

// Numbered for good: stored in block files.
enum class TableId : uint8_t { kSpans = 0, kEvents = 1, kLinks = 2, kLogs = 3 };
enum class AttributeScope : uint8_t {
  kIntrinsic = 0,
  kSpan = 1,
  kResource = 2,
  kInstrumentation = 3,
  kEvent = 4,
  kLink = 5,
  kLog = 6,
};

// Intrinsic columns, by name, in scope kIntrinsic:
//   spans:  "name" string, "kind" int, "status" int, "statusMessage" string (absent when empty),
//           "traceState" string (absent when empty), "serviceName" string (ServiceName() of the
//           resource, never absent), "scopeName", "scopeVersion" string (absent when empty)
//   events: "name" string          links: "traceState" string (absent when empty)
//   logs:   "severity" int, "severityText", "eventName" string, "body" of its own type,
//   "serviceName"
// Fixed columns; every number is widened to uint64_t.
enum class FixedColumn : uint8_t {
  // spans
  kStart = 0,         // ns since the Unix epoch
  kEnd = 1,           // ns since the Unix epoch, as received
  kSpanId = 2,        // 8 bytes read as a little-endian number
  kParentSpanId = 3,  // the same; 0 for a root
  kTrace = 4,         // ordinal of the row's trace in this segment: index of traces()
  // spans, derived: only where has_derived(). They are relative to the part of the trace that lies
  // in this segment; true for the whole trace only where it is not split (store/store.h).
  kDepth = 8,  // 0 for a root
  kChildCount = 9,
  kNestedLeft =
      10,  // nested set: a is an ancestor of b  <=>  left(a) < left(b) && right(b) < right(a)
  kNestedRight = 11,
  kSelfTime = 12,      // ns not covered by children
  kCriticalTime = 13,  // ns of the trace's critical path spent in this span
  kErrorOrigin = 14,   // 1: status error and no child has status error
  // events, links, logs
  kParentRow = 16,     // events, links: row of the span. logs: row of the span, or kAbsent
  kTime = 17,          // events, logs
  kLinkedSpanId = 18,  // links
  kObservedTime = 19,  // logs
};

struct ColumnRef {
  uint32_t index = 0;  // into the table's columns()
  ValueType type = ValueType::kEmpty;
};
struct ColumnName {
  AttributeScope scope;
  std::string_view key;  // lives as long as the segment
  ValueType type;
};

class Dictionary {
 public:
  virtual ~Dictionary() = default;
  virtual uint32_t count() const = 0;
  // Calls `visit(id, value)` for every distinct value, in id order; the value dies with the call.
  virtual Status ForEach(const std::function<void(uint32_t, const Value&)>& visit) const = 0;
  // The id of exactly this value (same type), or kAbsent: the cheap way to refute.
  virtual Result<uint32_t> Find(const Value& value) const = 0;
  // Copies one value into `arena`.
  virtual Result<Value> Get(uint32_t id, Arena* arena) const = 0;
  // The same for many ids, visit(index, value) in their order. REQUIRES: the ids do not descend.
  using VisitValue = std::function<void(size_t index, const Value&)>;
  virtual Status GetEach(std::span<const uint32_t> ids, Arena* arena,
                         const VisitValue& visit) const = 0;
};

class Table {
 public:
  virtual ~Table() = default;
  virtual uint32_t row_count() const = 0;
  const RowGroups& groups() const { return groups_; }
  uint32_t group_count() const { return groups_.count(row_count()); }
  uint32_t rows_in_group(uint32_t group) const { return groups_.rows_in(group, row_count()); }
  virtual std::vector<ColumnName> columns() const = 0;
  // One column for each value type that occurs under this key; none: no row has it.
  virtual std::vector<ColumnRef> FindColumns(AttributeScope scope, std::string_view key) const = 0;
  virtual Result<std::shared_ptr<const Dictionary>> OpenDictionary(ColumnRef column) const = 0;
  // out[i] = dictionary id of row groups().first_row(group) + i, or kAbsent.
  // REQUIRES: out.size() == rows_in_group(group).
  virtual Status ReadIds(ColumnRef column, uint32_t group, std::span<uint32_t> out) const = 0;
  // kInvalidArgument where this table has no such column.
  virtual Status ReadNumbers(FixedColumn column, uint32_t group, std::span<uint64_t> out) const = 0;
  // Groups in which the value may occur (a superset), one bit a group, from the value index.
  virtual Result<std::vector<bool>> GroupsWith(ColumnRef column, uint32_t id) const = 0;
  // Smallest and largest kStart (kTime) of a group's rows: zone map.
  virtual std::pair<uint64_t, uint64_t> TimeRange(uint32_t group) const = 0;
  // A hint that these columns of the group will be read: what lies side by side on disk is then
  // read at once. What cannot be read is left to the reads themselves.
  virtual void Prefetch(uint32_t /*group*/, std::span<const ColumnRef> /*columns*/,
                        std::span<const FixedColumn> /*numbers*/) const {}
  // The same about what comes after that: the disk may begin to fetch it, nothing waits for it.
  virtual void WillNeed(uint32_t /*group*/, std::span<const ColumnRef> /*columns*/,
                        std::span<const FixedColumn> /*numbers*/) const {}

 protected:
  explicit Table(RowGroups groups = {}) : groups_(groups) {}

 private:
  const RowGroups groups_;
};

class StoredRows;

struct TraceEntry {
  TraceId id;
  Row first_row = 0;  // blocks only: rows lie contiguous, depth-first
  uint32_t rows = 0;
  uint64_t start_ns = 0;  // smallest start
  uint64_t end_ns = 0;    // largest end
};

class Segment {
 public:
  virtual ~Segment() = default;
  virtual const Table& table(TableId id) const = 0;
  const Table& spans() const { return table(TableId::kSpans); }

  // Blocks have derived columns and contiguous traces ordered by start; chunks have neither.
  virtual bool has_derived() const = 0;
  virtual uint32_t trace_count() const = 0;
  // Entries of traces [first, first + out.size()).
  virtual Status ReadTraces(uint32_t first, std::span<TraceEntry> out) const = 0;
  // Blocks only: the traces with spans in this row group, in the order of their rows.
  struct GroupTraces {
    std::vector<uint32_t> ordinals;
    std::vector<TraceEntry> entries;
  };
  virtual Result<GroupTraces> ReadGroupTraces(uint32_t /*group*/) const {
    return Fail(ErrorCode::kInvalidArgument, "rows of a trace lie side by side in blocks only");
  }
  // False: nothing of the trace is here. Told from memory alone, whatever became of the disk.
  virtual bool MayHold(const TraceId& /*id*/) const { return true; }
  // Rows of this trace's spans and log records; both empty when the trace is not here. A miss reads
  // no page (filter first).
  struct TraceRows {
    std::vector<Row> spans;
    std::vector<Row> logs;
  };
  virtual Result<TraceRows> FindTrace(const TraceId& id) const = 0;

  // Appends these spans with resource, scope, events and links to `out`, in the order given,
  // strings copied into out->arena. Equal resources and scopes are appended once per call.
  virtual Status ReadSpans(std::span<const Row> rows, SpanBatch* out) const = 0;
  virtual Status ReadLogs(std::span<const Row> rows, SpanBatch* out) const = 0;

  // Span starts: smallest and largest. Received times: retention counts from the largest.
  virtual std::pair<uint64_t, uint64_t> time_range() const = 0;
  virtual std::pair<uint64_t, uint64_t> received_range() const = 0;
  // The same rows, whole, as merges take them.
  virtual const StoredRows& stored_rows() const = 0;
  // Distinct values, over all columns: merging holds an id for each of them.
  virtual uint64_t distinct_values() const = 0;
  // Bytes on disk, or in memory for a chunk.
  virtual uint64_t bytes() const = 0;
};

}  // namespace weft::segment

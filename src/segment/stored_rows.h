// SPDX-License-Identifier: Apache-2.0
//
// What Chunk and Block share and queries do not see: the six stored tables with their intrinsic
// columns, and RowCursor, which reads whole rows of either. ReadSpans()/ReadLogs()
// (segment/materialize.h) and the writer's merge are written once against it.
//
// Resources and scopes are tables of their own, one row for each distinct content; spans and logs
// refer to them by row number. Other intrinsic fields are columns with dictionaries like
// attributes; where a field has its default (empty text, 0) the row has no slot for it.
//
// Thread rule: StoredRows as Segment; a RowCursor by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "segment/row_set.h"
#include "segment/segment.h"

namespace weft::segment {

// Numbered for good: 0 to 3 as TableId, stored in block files.
enum class StoredTable : uint8_t {
  kSpans = 0,
  kEvents = 1,
  kLinks = 2,
  kLogs = 3,
  kResources = 4,
  kScopes = 5,
};
inline constexpr uint32_t kStoredTables = 6;

// Scope of columns that queries do not see. Stored in block files.
inline constexpr AttributeScope kInternal = AttributeScope{15};

// Index of the intrinsic columns: the first columns of every table, in every chunk and block.
namespace span_column {
enum : uint32_t {
  kResource,
  kScope,
  kName,
  kKind,
  kStatus,
  kStatusMessage,
  kTraceState,
  kFlags,
  kDroppedAttributes,
  kDroppedEvents,
  kDroppedLinks,
  kCount,
};
}
namespace event_column {
enum : uint32_t { kName, kDroppedAttributes, kCount };
}
namespace link_column {
enum : uint32_t { kTraceState, kFlags, kDroppedAttributes, kCount };
}
namespace log_column {
// One body column for each value type: kBody + type.
enum : uint32_t {
  kResource,
  kScope,
  kSeverity,
  kSeverityText,
  kEventName,
  kFlags,
  kDroppedAttributes,
  kBody,
  kCount = kBody + 8,
};
}  // namespace log_column
namespace resource_column {
enum : uint32_t { kServiceName, kDroppedAttributes, kSchemaUrl, kEntityRefs, kCount };
}
namespace scope_column {
enum : uint32_t { kName, kVersion, kDroppedAttributes, kSchemaUrl, kCount };
}

struct IntrinsicColumn {
  AttributeScope scope;  // kIntrinsic or kInternal
  std::string_view key;
  ValueType type;
};
std::span<const IntrinsicColumn> IntrinsicColumns(StoredTable table);
// Scope of the attributes of this table's rows.
AttributeScope AttributeScopeOf(StoredTable table);
// Columns whose ids are rows of another stored table and that have no dictionary.
inline bool IsReference(StoredTable table, uint32_t column) {
  return (table == StoredTable::kSpans || table == StoredTable::kLogs) &&
         column <= span_column::kScope;
}

struct SpanNumbers {
  uint32_t trace = 0;  // ordinal
  SpanId span_id;
  SpanId parent_span_id;
  uint64_t start_ns = 0, end_ns = 0;
  Row first_event = 0, first_link = 0;
  uint32_t event_count = 0, link_count = 0;
};
struct LinkNumbers {
  TraceId trace_id;
  SpanId span_id;
};
struct LogNumbers {
  uint32_t trace = 0;  // ordinal
  SpanId span_id;
  uint64_t time_ns = 0, observed_ns = 0;
};

// REQUIRES of all: rows are in range; out.size() == rows.size().
class RowCursor {
 public:
  virtual ~RowCursor() = default;
  // Views live until the next ReadRows of the same table. A layout number means the same slots for
  // the life of the cursor.
  virtual Status ReadRows(StoredTable table, std::span<const Row> rows, std::span<RowView> out) = 0;
  virtual Status ReadSpanNumbers(std::span<const Row> rows, std::span<SpanNumbers> out) = 0;
  virtual Status ReadEventTimes(std::span<const Row> rows, std::span<uint64_t> out) = 0;
  virtual Status ReadLinkNumbers(std::span<const Row> rows, std::span<LinkNumbers> out) = 0;
  virtual Status ReadLogNumbers(std::span<const Row> rows, std::span<LogNumbers> out) = 0;
  virtual Result<TraceId> ReadTraceId(uint32_t ordinal) = 0;
  virtual Result<Segment::TraceRows> ReadTraceRows(uint32_t ordinal) = 0;
};

// The distinct values of a column in the order of their keys (segment/value_bytes.h).
class ValueCursor {
 public:
  virtual ~ValueCursor() = default;
  // False at the end. The key is void before the first call and after the last.
  virtual Result<bool> Next() = 0;

  uint32_t id = 0;
  uint64_t number = 0;    // of number types
  std::string_view text;  // of the others; lives until the next call
};

class StoredRows {
 public:
  virtual ~StoredRows() = default;
  // `sequential`: rows will be read about in order, so decode whole row groups and keep a few.
  virtual std::unique_ptr<RowCursor> NewCursor(bool sequential) const = 0;
  virtual uint32_t stored_row_count(StoredTable table) const = 0;
  // All columns of the table, intrinsic ones first.
  virtual uint32_t stored_column_count(StoredTable table) const = 0;
  virtual ColumnName stored_column(StoredTable table, uint32_t index) const = 0;
  virtual Result<Value> ReadValue(StoredTable table, uint32_t column, uint32_t id,
                                  Arena* arena) const = 0;
  // Values lie in pages that are decoded for each read: ask for many of a column at once. The ids
  // ascend.
  virtual bool has_value_pages() const { return false; }
  virtual Status ReadValues(StoredTable table, uint32_t column, std::span<const uint32_t> ids,
                            Arena* arena, const Dictionary::VisitValue& visit) const {
    for (size_t i = 0; i < ids.size(); ++i) {
      WEFT_ASSIGN(const Value value, ReadValue(table, column, ids[i], arena));
      visit(i, value);
    }
    return {};
  }
  // Distinct values of the column; 0 for a reference.
  virtual uint32_t value_count(StoredTable table, uint32_t column) const = 0;
  virtual std::unique_ptr<ValueCursor> SortedValues(StoredTable table, uint32_t column) const = 0;
  // About how many rows have each column.
  virtual std::vector<uint64_t> ColumnUse(StoredTable table) const = 0;
};

// Over all columns of all tables.
uint64_t DistinctValues(const StoredRows& rows);

}  // namespace weft::segment

// SPDX-License-Identifier: Apache-2.0
#include "segment/materialize.h"

#include <algorithm>
#include <unordered_map>

namespace weft::segment {
namespace {

// Rows handled at a time: bounds what is decoded and not yet copied.
constexpr size_t kStep = 1024;

// Reads values of one call: each distinct value is looked up and copied once.
class Materializer {
 public:
  Materializer(const StoredRows& from, size_t rows, SpanBatch* out)
      : from_(from), cursor_(from.NewCursor(rows > kStep)), out_(out) {}

  Status Spans(std::span<const Row> rows);
  Status Logs(std::span<const Row> rows);

 private:
  // What the rows have and Get() has not met, a page of a dictionary at a time. One by one a trace
  // of many different values would decode a page for each of them.
  Status FetchValues(StoredTable table, std::span<const RowView> rows);
  Result<Value> Get(StoredTable table, uint32_t column, uint32_t id);
  Result<std::string_view> Text(StoredTable table, uint32_t column, uint32_t id);
  Result<uint32_t> Number(StoredTable table, uint32_t column, uint32_t id);
  Status AddAttribute(StoredTable table, uint32_t column, uint32_t id);
  Attributes TakeAttributes();
  Result<uint32_t> ResourceOf(uint32_t row);
  Result<uint32_t> ScopeOf(uint32_t row);
  Status FillSpan(const RowView& row, Span* span);
  Status FetchEvents(std::span<const SpanNumbers> numbers);
  Status FetchLinks(std::span<const SpanNumbers> numbers);
  Status FillEvents(size_t first, uint32_t count, Span* span);
  Status FillLinks(size_t first, uint32_t count, Span* span);
  Status FillLog(const RowView& row, LogRecord* log);

  const StoredRows& from_;
  std::unique_ptr<RowCursor> cursor_;
  SpanBatch* out_;
  std::unordered_map<uint64_t, Value> values_[kStoredTables];  // by column and id
  std::vector<uint64_t> missing_;                              // keys of it
  std::vector<uint32_t> missing_ids_;                          // of one column
  std::unordered_map<uint32_t, uint32_t> resources_, scopes_;  // row -> index in out_
  std::vector<KeyValue> attributes_;                           // of the row at hand
  std::unordered_map<uint32_t, std::string_view> keys_[kStoredTables];
  // Events and links of the spans of one step, fetched together: row groups are decoded once.
  std::vector<RowView> event_views_, link_views_;
  std::vector<uint64_t> event_times_;
  std::vector<LinkNumbers> link_targets_;
};

Status Materializer::FetchValues(StoredTable table, std::span<const RowView> rows) {
  if (!from_.has_value_pages()) return {};
  auto& values = values_[static_cast<size_t>(table)];
  missing_.clear();
  for (const RowView& row : rows) {
    for (size_t i = 0; i < row.slots.size(); ++i) {
      const uint32_t column = row.slots[i].column();
      if (IsReference(table, column)) continue;
      const uint64_t key = static_cast<uint64_t>(column) << 32 | row.ids[i];
      if (values.try_emplace(key).second) missing_.push_back(key);
    }
  }
  std::ranges::sort(missing_);
  for (size_t first = 0, end; first < missing_.size(); first = end) {
    const uint32_t column = static_cast<uint32_t>(missing_[first] >> 32);
    missing_ids_.clear();
    for (end = first; end < missing_.size() && missing_[end] >> 32 == column; ++end)
      missing_ids_.push_back(static_cast<uint32_t>(missing_[end]));
    WEFT_TRY(from_.ReadValues(
        table, column, missing_ids_, &out_->arena,
        [&](size_t i, const Value& value) { values[missing_[first + i]] = value; }));
  }
  return {};
}

Result<Value> Materializer::Get(StoredTable table, uint32_t column, uint32_t id) {
  auto [at, added] =
      values_[static_cast<size_t>(table)].try_emplace(static_cast<uint64_t>(column) << 32 | id);
  if (added) {
    WEFT_ASSIGN(at->second, from_.ReadValue(table, column, id, &out_->arena));
  }
  return at->second;
}

Result<std::string_view> Materializer::Text(StoredTable table, uint32_t column, uint32_t id) {
  WEFT_ASSIGN(Value value, Get(table, column, id));
  return value.string();
}

Result<uint32_t> Materializer::Number(StoredTable table, uint32_t column, uint32_t id) {
  WEFT_ASSIGN(Value value, Get(table, column, id));
  return static_cast<uint32_t>(value.integer);
}

Status Materializer::AddAttribute(StoredTable table, uint32_t column, uint32_t id) {
  auto [at, added] = keys_[static_cast<size_t>(table)].try_emplace(column);
  if (added) at->second = out_->arena.Copy(from_.stored_column(table, column).key);
  WEFT_ASSIGN(Value value, Get(table, column, id));
  attributes_.push_back({at->second, value});
  return {};
}

Attributes Materializer::TakeAttributes() {
  std::span<KeyValue> kept = out_->arena.NewArray<KeyValue>(attributes_.size());
  std::ranges::copy(attributes_, kept.begin());
  attributes_.clear();
  return kept;
}

Result<uint32_t> Materializer::ResourceOf(uint32_t row) {
  constexpr StoredTable kTable = StoredTable::kResources;
  auto [at, added] = resources_.try_emplace(row, out_->resources.size());
  if (!added) return at->second;
  if (row >= from_.stored_row_count(kTable))
    return Fail(ErrorCode::kCorruption, "row names a resource that is not there");
  RowView view;
  WEFT_TRY(cursor_->ReadRows(kTable, {&row, 1}, {&view, 1}));
  Resource resource;
  for (size_t i = 0; i < view.slots.size(); ++i) {
    uint32_t column = view.slots[i].column(), id = view.ids[i];
    switch (column) {
      case resource_column::kServiceName:
        break;  // derived from the attributes
      case resource_column::kDroppedAttributes: {
        WEFT_ASSIGN(resource.dropped_attributes, Number(kTable, column, id));
        break;
      }
      case resource_column::kSchemaUrl: {
        WEFT_ASSIGN(resource.schema_url, Text(kTable, column, id));
        break;
      }
      case resource_column::kEntityRefs: {
        WEFT_ASSIGN(resource.entity_refs, Text(kTable, column, id));
        break;
      }
      default:
        WEFT_TRY(AddAttribute(kTable, column, id));
    }
  }
  resource.attributes = TakeAttributes();
  out_->resources.push_back(resource);
  return at->second;
}

Result<uint32_t> Materializer::ScopeOf(uint32_t row) {
  constexpr StoredTable kTable = StoredTable::kScopes;
  auto [at, added] = scopes_.try_emplace(row, out_->scopes.size());
  if (!added) return at->second;
  if (row >= from_.stored_row_count(kTable))
    return Fail(ErrorCode::kCorruption, "row names a scope that is not there");
  RowView view;
  WEFT_TRY(cursor_->ReadRows(kTable, {&row, 1}, {&view, 1}));
  Scope scope;
  for (size_t i = 0; i < view.slots.size(); ++i) {
    uint32_t column = view.slots[i].column(), id = view.ids[i];
    switch (column) {
      case scope_column::kName: {
        WEFT_ASSIGN(scope.name, Text(kTable, column, id));
        break;
      }
      case scope_column::kVersion: {
        WEFT_ASSIGN(scope.version, Text(kTable, column, id));
        break;
      }
      case scope_column::kDroppedAttributes: {
        WEFT_ASSIGN(scope.dropped_attributes, Number(kTable, column, id));
        break;
      }
      case scope_column::kSchemaUrl: {
        WEFT_ASSIGN(scope.schema_url, Text(kTable, column, id));
        break;
      }
      default:
        WEFT_TRY(AddAttribute(kTable, column, id));
    }
  }
  scope.attributes = TakeAttributes();
  out_->scopes.push_back(scope);
  return at->second;
}

Status Materializer::FillSpan(const RowView& row, Span* span) {
  constexpr StoredTable kTable = StoredTable::kSpans;
  uint32_t resource = kAbsent, scope = kAbsent;
  for (size_t i = 0; i < row.slots.size(); ++i) {
    uint32_t column = row.slots[i].column(), id = row.ids[i];
    if (column >= span_column::kCount) {
      WEFT_TRY(AddAttribute(kTable, column, id));
      continue;
    }
    if (column == span_column::kResource) {
      resource = id;
    } else if (column == span_column::kScope) {
      scope = id;
    } else if (column == span_column::kName) {
      WEFT_ASSIGN(span->name, Text(kTable, column, id));
    } else if (column == span_column::kStatusMessage) {
      WEFT_ASSIGN(span->status_message, Text(kTable, column, id));
    } else if (column == span_column::kTraceState) {
      WEFT_ASSIGN(span->trace_state, Text(kTable, column, id));
    } else {
      WEFT_ASSIGN(uint32_t number, Number(kTable, column, id));
      switch (column) {
        case span_column::kKind:
          span->kind = static_cast<SpanKind>(number);
          break;
        case span_column::kStatus:
          span->status = static_cast<StatusCode>(number);
          break;
        case span_column::kFlags:
          span->flags = number;
          break;
        case span_column::kDroppedAttributes:
          span->dropped_attributes = number;
          break;
        case span_column::kDroppedEvents:
          span->dropped_events = number;
          break;
        case span_column::kDroppedLinks:
          span->dropped_links = number;
          break;
      }
    }
  }
  span->attributes = TakeAttributes();
  WEFT_ASSIGN(span->resource, ResourceOf(resource));
  WEFT_ASSIGN(span->scope, ScopeOf(scope));
  return {};
}

Status Materializer::FetchEvents(std::span<const SpanNumbers> numbers) {
  std::vector<Row> rows;
  for (const SpanNumbers& span : numbers)
    for (uint32_t i = 0; i < span.event_count; ++i) rows.push_back(span.first_event + i);
  event_views_.resize(rows.size());
  event_times_.resize(rows.size());
  if (rows.empty()) return {};
  WEFT_TRY(cursor_->ReadRows(StoredTable::kEvents, rows, event_views_));
  WEFT_TRY(FetchValues(StoredTable::kEvents, event_views_));
  return cursor_->ReadEventTimes(rows, event_times_);
}

Status Materializer::FetchLinks(std::span<const SpanNumbers> numbers) {
  std::vector<Row> rows;
  for (const SpanNumbers& span : numbers)
    for (uint32_t i = 0; i < span.link_count; ++i) rows.push_back(span.first_link + i);
  link_views_.resize(rows.size());
  link_targets_.resize(rows.size());
  if (rows.empty()) return {};
  WEFT_TRY(cursor_->ReadRows(StoredTable::kLinks, rows, link_views_));
  WEFT_TRY(FetchValues(StoredTable::kLinks, link_views_));
  return cursor_->ReadLinkNumbers(rows, link_targets_);
}

// `first`: of the span's events among those fetched.
Status Materializer::FillEvents(size_t first, uint32_t count, Span* span) {
  constexpr StoredTable kTable = StoredTable::kEvents;
  const std::span<const RowView> views = std::span(event_views_).subspan(first, count);
  const std::span<const uint64_t> times = std::span(event_times_).subspan(first, count);
  std::span<Event> events = out_->arena.NewArray<Event>(count);
  for (size_t e = 0; e < events.size(); ++e) {
    events[e].time_ns = times[e];
    for (size_t i = 0; i < views[e].slots.size(); ++i) {
      uint32_t column = views[e].slots[i].column(), id = views[e].ids[i];
      if (column == event_column::kName) {
        WEFT_ASSIGN(events[e].name, Text(kTable, column, id));
      } else if (column == event_column::kDroppedAttributes) {
        WEFT_ASSIGN(events[e].dropped_attributes, Number(kTable, column, id));
      } else {
        WEFT_TRY(AddAttribute(kTable, column, id));
      }
    }
    events[e].attributes = TakeAttributes();
  }
  span->events = events;
  return {};
}

Status Materializer::FillLinks(size_t first, uint32_t count, Span* span) {
  constexpr StoredTable kTable = StoredTable::kLinks;
  const std::span<const RowView> views = std::span(link_views_).subspan(first, count);
  const std::span<const LinkNumbers> targets = std::span(link_targets_).subspan(first, count);
  std::span<Link> links = out_->arena.NewArray<Link>(count);
  for (size_t l = 0; l < links.size(); ++l) {
    links[l].trace_id = targets[l].trace_id;
    links[l].span_id = targets[l].span_id;
    for (size_t i = 0; i < views[l].slots.size(); ++i) {
      uint32_t column = views[l].slots[i].column(), id = views[l].ids[i];
      if (column == link_column::kTraceState) {
        WEFT_ASSIGN(links[l].trace_state, Text(kTable, column, id));
      } else if (column == link_column::kFlags) {
        WEFT_ASSIGN(links[l].flags, Number(kTable, column, id));
      } else if (column == link_column::kDroppedAttributes) {
        WEFT_ASSIGN(links[l].dropped_attributes, Number(kTable, column, id));
      } else {
        WEFT_TRY(AddAttribute(kTable, column, id));
      }
    }
    links[l].attributes = TakeAttributes();
  }
  span->links = links;
  return {};
}

Status Materializer::FillLog(const RowView& row, LogRecord* log) {
  constexpr StoredTable kTable = StoredTable::kLogs;
  uint32_t resource = kAbsent, scope = kAbsent;
  for (size_t i = 0; i < row.slots.size(); ++i) {
    uint32_t column = row.slots[i].column(), id = row.ids[i];
    if (column >= log_column::kCount) {
      WEFT_TRY(AddAttribute(kTable, column, id));
      continue;
    }
    switch (column) {
      case log_column::kResource:
        resource = id;
        break;
      case log_column::kScope:
        scope = id;
        break;
      case log_column::kSeverity: {
        WEFT_ASSIGN(log->severity_number, Number(kTable, column, id));
        break;
      }
      case log_column::kSeverityText: {
        WEFT_ASSIGN(log->severity_text, Text(kTable, column, id));
        break;
      }
      case log_column::kEventName: {
        WEFT_ASSIGN(log->event_name, Text(kTable, column, id));
        break;
      }
      case log_column::kFlags: {
        WEFT_ASSIGN(log->flags, Number(kTable, column, id));
        break;
      }
      case log_column::kDroppedAttributes: {
        WEFT_ASSIGN(log->dropped_attributes, Number(kTable, column, id));
        break;
      }
      default:
        WEFT_ASSIGN(log->body, Get(kTable, column, id));
    }
  }
  log->attributes = TakeAttributes();
  WEFT_ASSIGN(log->resource, ResourceOf(resource));
  WEFT_ASSIGN(log->scope, ScopeOf(scope));
  return {};
}

Status Materializer::Spans(std::span<const Row> rows) {
  std::vector<RowView> views(rows.size());
  std::vector<SpanNumbers> numbers(rows.size());
  WEFT_TRY(cursor_->ReadRows(StoredTable::kSpans, rows, views));
  WEFT_TRY(FetchValues(StoredTable::kSpans, views));
  WEFT_TRY(cursor_->ReadSpanNumbers(rows, numbers));
  WEFT_TRY(FetchEvents(numbers));
  WEFT_TRY(FetchLinks(numbers));
  size_t next_event = 0, next_link = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    Span span;
    WEFT_ASSIGN(span.trace_id, cursor_->ReadTraceId(numbers[i].trace));
    span.span_id = numbers[i].span_id;
    span.parent_span_id = numbers[i].parent_span_id;
    span.start_ns = numbers[i].start_ns;
    span.end_ns = numbers[i].end_ns;
    WEFT_TRY(FillSpan(views[i], &span));
    WEFT_TRY(FillEvents(next_event, numbers[i].event_count, &span));
    WEFT_TRY(FillLinks(next_link, numbers[i].link_count, &span));
    next_event += numbers[i].event_count;
    next_link += numbers[i].link_count;
    out_->spans.push_back(span);
  }
  return {};
}

Status Materializer::Logs(std::span<const Row> rows) {
  std::vector<RowView> views(rows.size());
  std::vector<LogNumbers> numbers(rows.size());
  WEFT_TRY(cursor_->ReadRows(StoredTable::kLogs, rows, views));
  WEFT_TRY(FetchValues(StoredTable::kLogs, views));
  WEFT_TRY(cursor_->ReadLogNumbers(rows, numbers));
  for (size_t i = 0; i < rows.size(); ++i) {
    LogRecord log;
    WEFT_ASSIGN(log.trace_id, cursor_->ReadTraceId(numbers[i].trace));
    log.span_id = numbers[i].span_id;
    log.time_ns = numbers[i].time_ns;
    log.observed_ns = numbers[i].observed_ns;
    WEFT_TRY(FillLog(views[i], &log));
    out_->logs.push_back(log);
  }
  return {};
}

Status CheckRows(const StoredRows& from, StoredTable table, std::span<const Row> rows) {
  for (Row row : rows)
    if (row >= from.stored_row_count(table))
      return Fail(ErrorCode::kInvalidArgument, "row is beyond the segment");
  return {};
}

}  // namespace

Status MaterializeSpans(const StoredRows& from, std::span<const Row> rows, SpanBatch* out) {
  WEFT_TRY(CheckRows(from, StoredTable::kSpans, rows));
  Materializer materializer(from, rows.size(), out);
  for (; rows.size() > kStep; rows = rows.subspan(kStep))
    WEFT_TRY(materializer.Spans(rows.first(kStep)));
  return materializer.Spans(rows);
}

Status MaterializeLogs(const StoredRows& from, std::span<const Row> rows, SpanBatch* out) {
  WEFT_TRY(CheckRows(from, StoredTable::kLogs, rows));
  Materializer materializer(from, rows.size(), out);
  for (; rows.size() > kStep; rows = rows.subspan(kStep))
    WEFT_TRY(materializer.Logs(rows.first(kStep)));
  return materializer.Logs(rows);
}

}  // namespace weft::segment

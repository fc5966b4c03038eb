// SPDX-License-Identifier: Apache-2.0
#include "chunk/chunk_rows.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "base/check.h"
#include "segment/materialize.h"

namespace weft::chunk {

namespace link_column = segment::link_column;
namespace log_column = segment::log_column;
namespace resource_column = segment::resource_column;
namespace scope_column = segment::scope_column;
namespace span_column = segment::span_column;
using segment::kAbsent;
using segment::kStoredTables;
using segment::LogNumbers;
using segment::Row;
using segment::StoredTable;

namespace {

using enum StoredTable;

class ChunkCursor : public segment::RowCursor {
 public:
  explicit ChunkCursor(const ChunkRows& rows) : chunk_(rows) {}

  Status ReadRows(StoredTable table, std::span<const Row> rows,
                  std::span<segment::RowView> out) override {
    const segment::RowSet& set = chunk_.of(table).rows;
    for (size_t i = 0; i < rows.size(); ++i) out[i] = set.view(rows[i]);
    return {};
  }
  Status ReadSpanNumbers(std::span<const Row> rows, std::span<segment::SpanNumbers> out) override {
    for (size_t i = 0; i < rows.size(); ++i) {
      Row row = rows[i];
      out[i] = {chunk_.span_trace[row],
                chunk_.span_id[row],
                chunk_.parent_span_id[row],
                chunk_.start_ns[row],
                chunk_.end_ns[row],
                chunk_.first_event[row],
                chunk_.first_link[row],
                chunk_.first_event[row + 1] - chunk_.first_event[row],
                chunk_.first_link[row + 1] - chunk_.first_link[row]};
    }
    return {};
  }
  Status ReadEventTimes(std::span<const Row> rows, std::span<uint64_t> out) override {
    for (size_t i = 0; i < rows.size(); ++i) out[i] = chunk_.event_ns[rows[i]];
    return {};
  }
  Status ReadLinkNumbers(std::span<const Row> rows, std::span<segment::LinkNumbers> out) override {
    for (size_t i = 0; i < rows.size(); ++i) out[i] = chunk_.links[rows[i]];
    return {};
  }
  Status ReadLogNumbers(std::span<const Row> rows, std::span<LogNumbers> out) override {
    for (size_t i = 0; i < rows.size(); ++i) out[i] = chunk_.logs[rows[i]];
    return {};
  }
  Result<TraceId> ReadTraceId(uint32_t ordinal) override { return chunk_.traces[ordinal].id; }
  Result<segment::Segment::TraceRows> ReadTraceRows(uint32_t ordinal) override {
    segment::Segment::TraceRows rows;
    std::span<const Row> spans = chunk_.span_rows(ordinal), logs = chunk_.log_rows(ordinal);
    rows.spans.assign(spans.begin(), spans.end());
    rows.logs.assign(logs.begin(), logs.end());
    return rows;
  }

 private:
  const ChunkRows& chunk_;
};

// Sorts by the first eight bytes as a number, and by the rest only where they are equal.
class ChunkValues : public segment::ValueCursor {
 public:
  ChunkValues(const Interner& interner, uint32_t column)
      : interner_(interner),
        column_(column),
        is_number_(segment::IsNumber(interner.column(column).type)),
        order_(interner.value_count(column)) {
    for (uint32_t i = 0; i < order_.size(); ++i) {
      const Interner::Entry& entry = interner.entry(column, i);
      order_[i] = {is_number_ ? entry.number : Prefix(entry.view()), i};
    }
    std::ranges::sort(order_, [&](const Place& a, const Place& b) {
      if (a.prefix != b.prefix || is_number_) return a.prefix < b.prefix;
      return interner_.entry(column_, a.id).view() < interner_.entry(column_, b.id).view();
    });
  }

  Result<bool> Next() override {
    if (next_ == order_.size()) return false;
    id = order_[next_++].id;
    const Interner::Entry& entry = interner_.entry(column_, id);
    if (is_number_) {
      number = entry.number;
    } else {
      text = entry.view();
    }
    return true;
  }

 private:
  struct Place {
    uint64_t prefix = 0;
    uint32_t id = 0;
  };
  static uint64_t Prefix(std::string_view text) {
    uint64_t prefix = 0;
    if (!text.empty()) std::memcpy(&prefix, text.data(), std::min<size_t>(8, text.size()));
    return __builtin_bswap64(prefix);
  }

  const Interner& interner_;
  uint32_t column_;
  bool is_number_;
  std::vector<Place> order_;
  size_t next_ = 0;
};

// Rows of each trace, traces one after the other: a counting sort, so rows stay in arrival order.
void GroupByTrace(std::span<const uint32_t> first, std::span<const uint32_t> trace_of_row,
                  std::vector<Row>* rows) {
  std::vector<uint32_t> next(first.begin(), first.end());
  rows->resize(trace_of_row.size());
  for (Row row = 0; row < trace_of_row.size(); ++row) (*rows)[next[trace_of_row[row]]++] = row;
}

}  // namespace

ChunkRows::ChunkRows()
    : first_event{0},
      first_link{0},
      tables_{StoredRowsInMemory(kSpans),     StoredRowsInMemory(kEvents),
              StoredRowsInMemory(kLinks),     StoredRowsInMemory(kLogs),
              StoredRowsInMemory(kResources), StoredRowsInMemory(kScopes)},
      spans_(&at(kSpans)),
      events_(&at(kEvents)),
      links_(&at(kLinks)),
      logs_(&at(kLogs)),
      resources_(&at(kResources)),
      scopes_(&at(kScopes)) {}

std::unique_ptr<segment::RowCursor> ChunkRows::NewCursor(bool) const {
  return std::make_unique<ChunkCursor>(*this);
}

std::unique_ptr<segment::ValueCursor> ChunkRows::SortedValues(StoredTable table,
                                                              uint32_t column) const {
  return std::make_unique<ChunkValues>(of(table).interner, column);
}

std::vector<uint64_t> ChunkRows::ColumnUse(StoredTable table) const {
  const segment::RowSet& rows = of(table).rows;
  std::vector<uint64_t> layout_rows(rows.layout_count()), use(stored_column_count(table));
  for (Row row = 0; row < rows.row_count(); ++row) ++layout_rows[rows.layout_of(row)];
  for (uint32_t layout = 0; layout < rows.layout_count(); ++layout)
    for (segment::Slot slot : rows.layout(layout)) use[slot.column()] += layout_rows[layout];
  return use;
}

uint32_t ChunkRows::FindTrace(const TraceId& id) const {
  uint32_t found =
      trace_index_.Find(IdHash()(id), [&](uint32_t index) { return traces[index].id == id; });
  return found == segment::HashIndex::kNone ? kAbsent : found;
}

uint32_t ChunkRows::InternTrace(const TraceId& id) {
  if (!traces.empty() && traces.back().id == id) return static_cast<uint32_t>(traces.size() - 1);
  uint32_t known = FindTrace(id);
  if (known != kAbsent) return known;
  uint32_t ordinal = static_cast<uint32_t>(traces.size());
  traces.push_back({.id = id});
  trace_index_.Add(IdHash()(id), ordinal);
  return ordinal;
}

uint32_t ChunkRows::AddResource(const Resource& resource) {
  resources_.Begin();
  resources_.Text(resource_column::kServiceName, ServiceName(resource));
  resources_.NumberUnlessZero(resource_column::kDroppedAttributes, resource.dropped_attributes);
  resources_.TextUnlessEmpty(resource_column::kSchemaUrl, resource.schema_url);
  resources_.TextUnlessEmpty(resource_column::kEntityRefs, resource.entity_refs);
  resources_.All(resource.attributes);
  return resources_.CommitDistinct(&resource_index_);
}

uint32_t ChunkRows::AddScope(const Scope& scope) {
  scopes_.Begin();
  scopes_.TextUnlessEmpty(scope_column::kName, scope.name);
  scopes_.TextUnlessEmpty(scope_column::kVersion, scope.version);
  scopes_.NumberUnlessZero(scope_column::kDroppedAttributes, scope.dropped_attributes);
  scopes_.TextUnlessEmpty(scope_column::kSchemaUrl, scope.schema_url);
  scopes_.All(scope.attributes);
  return scopes_.CommitDistinct(&scope_index_);
}

void ChunkRows::AddSpanNumbers(uint32_t trace, const segment::SpanNumbers& numbers) {
  span_trace.push_back(trace);
  span_id.push_back(numbers.span_id);
  parent_span_id.push_back(numbers.parent_span_id);
  start_ns.push_back(numbers.start_ns);
  end_ns.push_back(numbers.end_ns);
  first_event.push_back(static_cast<Row>(event_ns.size()));
  first_link.push_back(static_cast<Row>(links.size()));
  CountSpan(trace, numbers.start_ns, numbers.end_ns);
}

void ChunkRows::CountSpan(uint32_t trace, uint64_t start, uint64_t end) {
  Trace& of_span = traces[trace];
  ++of_span.spans;
  of_span.start_ns = std::min(of_span.start_ns, start);
  of_span.end_ns = std::max(of_span.end_ns, end);
  start_min_ns = std::min(start_min_ns, start);
  start_max_ns = std::max(start_max_ns, start);
}

void ChunkRows::AddLogNumbers(uint32_t trace, LogNumbers numbers) {
  numbers.trace = trace;
  logs.push_back(numbers);
  CountLog(numbers);
}

void ChunkRows::CountLog(const LogNumbers& log) {
  Trace& of_log = traces[log.trace];
  ++of_log.logs;
  of_log.log_start_ns = std::min(of_log.log_start_ns, log.time_ns);
  of_log.log_end_ns = std::max(of_log.log_end_ns, log.time_ns);
  log_min_ns = std::min(log_min_ns, log.time_ns);
  log_max_ns = std::max(log_max_ns, log.time_ns);
}

void ChunkRows::AddSpan(const Span& span, uint32_t resource, uint32_t scope) {
  Row row = static_cast<Row>(span_id.size());
  spans_.Begin();
  spans_.Reference(span_column::kResource, resource);
  spans_.Reference(span_column::kScope, scope);
  spans_.Text(span_column::kName, span.name);
  spans_.Number(span_column::kKind, static_cast<uint32_t>(span.kind));
  spans_.Number(span_column::kStatus, static_cast<uint32_t>(span.status));
  spans_.TextUnlessEmpty(span_column::kStatusMessage, span.status_message);
  spans_.TextUnlessEmpty(span_column::kTraceState, span.trace_state);
  spans_.NumberUnlessZero(span_column::kFlags, span.flags);
  spans_.NumberUnlessZero(span_column::kDroppedAttributes, span.dropped_attributes);
  spans_.NumberUnlessZero(span_column::kDroppedEvents, span.dropped_events);
  spans_.NumberUnlessZero(span_column::kDroppedLinks, span.dropped_links);
  spans_.All(span.attributes);
  spans_.Commit();
  for (const Event& event : span.events) {
    events_.Begin();
    events_.Text(segment::event_column::kName, event.name);
    events_.NumberUnlessZero(segment::event_column::kDroppedAttributes, event.dropped_attributes);
    events_.All(event.attributes);
    events_.Commit();
    event_ns.push_back(event.time_ns);
    event_span.push_back(row);
  }
  for (const Link& link : span.links) {
    links_.Begin();
    links_.TextUnlessEmpty(link_column::kTraceState, link.trace_state);
    links_.NumberUnlessZero(link_column::kFlags, link.flags);
    links_.NumberUnlessZero(link_column::kDroppedAttributes, link.dropped_attributes);
    links_.All(link.attributes);
    links_.Commit();
    links.push_back({link.trace_id, link.span_id});
    link_span.push_back(row);
  }
  AddSpanNumbers(InternTrace(span.trace_id), {.span_id = span.span_id,
                                              .parent_span_id = span.parent_span_id,
                                              .start_ns = span.start_ns,
                                              .end_ns = span.end_ns});
}

void ChunkRows::AddLog(const LogRecord& log, uint32_t resource, uint32_t scope) {
  logs_.Begin();
  logs_.Reference(log_column::kResource, resource);
  logs_.Reference(log_column::kScope, scope);
  logs_.Number(log_column::kSeverity, log.severity_number);
  logs_.TextUnlessEmpty(log_column::kSeverityText, log.severity_text);
  logs_.TextUnlessEmpty(log_column::kEventName, log.event_name);
  logs_.NumberUnlessZero(log_column::kFlags, log.flags);
  logs_.NumberUnlessZero(log_column::kDroppedAttributes, log.dropped_attributes);
  if (log.body.type != ValueType::kEmpty)
    logs_.Any(log_column::kBody + static_cast<uint32_t>(log.body.type), log.body);
  logs_.All(log.attributes);
  logs_.Commit();
  AddLogNumbers(InternTrace(log.trace_id),
                {.span_id = log.span_id, .time_ns = log.time_ns, .observed_ns = log.observed_ns});
}

void ChunkRows::Append(const SpanBatch& batch) {
  if (batch.empty()) return;
  WEFT_CHECK_MSG(at(kSpans).rows.HasRoom(1u << 30), "a chunk is sealed long before it is this big");
  batch_resources_.assign(batch.resources.size(), kAbsent);
  batch_scopes_.assign(batch.scopes.size(), kAbsent);
  auto resource_row = [&](uint32_t index) {
    uint32_t& row = batch_resources_[index];
    if (row == kAbsent) row = AddResource(batch.resources[index]);
    return row;
  };
  auto scope_row = [&](uint32_t index) {
    uint32_t& row = batch_scopes_[index];
    if (row == kAbsent) row = AddScope(batch.scopes[index]);
    return row;
  };
  for (const Span& span : batch.spans)
    AddSpan(span, resource_row(span.resource), scope_row(span.scope));
  for (const LogRecord& log : batch.logs)
    AddLog(log, resource_row(log.resource), scope_row(log.scope));
  received_min_ns = std::min(received_min_ns, batch.received_ns);
  received_max_ns = std::max(received_max_ns, batch.received_ns);
}

struct ChunkRows::Remap {
  std::vector<uint32_t> columns[kStoredTables];           // other column -> column
  std::vector<std::vector<uint32_t>> ids[kStoredTables];  // other column, other id -> id
  std::vector<uint32_t> rows[kStoredTables];              // resources and scopes: row -> row

  static uint32_t InternEntry(const Interner::Entry& entry, ValueType type, uint32_t column,
                              Interner* into) {
    return segment::IsNumber(type) ? into->InternNumber(column, entry.number)
                                   : into->InternBytes(column, entry.view());
  }
};

// Maps columns, values, then rows. Resources and scopes come first because rows name them.
void ChunkRows::AppendMapped(const ChunkRows& other, Remap* remap) {
  for (StoredTable table : {kResources, kScopes, kSpans, kEvents, kLinks, kLogs}) {
    const size_t t = static_cast<size_t>(table);
    const StoredRowsInMemory& from = other.of(table);
    StoredRowsInMemory& into = at(table);
    remap->columns[t].resize(from.interner.column_count());
    remap->ids[t].resize(from.interner.column_count());
    for (uint32_t c = 0; c < from.interner.column_count(); ++c) {
      segment::ColumnName name = from.interner.column(c);
      remap->columns[t][c] = into.interner.InternColumn(name.scope, name.key, name.type);
      if (segment::IsReference(table, c)) {
        remap->ids[t][c] =
            remap->rows[static_cast<size_t>(c == span_column::kResource ? kResources : kScopes)];
        continue;
      }
      for (uint32_t id = 0; id < from.interner.value_count(c); ++id)
        remap->ids[t][c].push_back(Remap::InternEntry(from.interner.entry(c, id), name.type,
                                                      remap->columns[t][c], &into.interner));
    }
    segment::HashIndex* distinct = table == kResources ? &resource_index_
                                   : table == kScopes  ? &scope_index_
                                                       : nullptr;
    RowBuilder builder(&into);
    for (Row row = 0; row < from.rows.row_count(); ++row) {
      segment::RowView view = from.rows.view(row);
      builder.Begin();
      for (size_t i = 0; i < view.slots.size(); ++i) {
        uint32_t column = view.slots[i].column();
        builder.Mapped(segment::Slot::Of(remap->columns[t][column], view.slots[i].repeated()),
                       remap->ids[t][column][view.ids[i]]);
      }
      if (distinct != nullptr) {
        remap->rows[t].push_back(builder.CommitDistinct(distinct));
      } else {
        builder.Commit();
      }
    }
  }
}

void ChunkRows::AppendRowsOf(const ChunkRows& other) {
  Remap remap;
  const Row spans_before = static_cast<Row>(span_id.size());
  AppendMapped(other, &remap);
  for (Row span : other.event_span) event_span.push_back(spans_before + span);
  for (Row span : other.link_span) link_span.push_back(spans_before + span);
  const Row events_before = static_cast<Row>(event_ns.size());
  const Row links_before = static_cast<Row>(links.size());
  event_ns.insert(event_ns.end(), other.event_ns.begin(), other.event_ns.end());
  links.insert(links.end(), other.links.begin(), other.links.end());
  for (Row row = 0; row < other.span_id.size(); ++row) {
    AddSpanNumbers(InternTrace(other.traces[other.span_trace[row]].id),
                   {.span_id = other.span_id[row],
                    .parent_span_id = other.parent_span_id[row],
                    .start_ns = other.start_ns[row],
                    .end_ns = other.end_ns[row]});
    first_event.back() = events_before + other.first_event[row + 1];
    first_link.back() = links_before + other.first_link[row + 1];
  }
  for (const LogNumbers& log : other.logs)
    AddLogNumbers(InternTrace(other.traces[log.trace].id), log);
  received_min_ns = std::min(received_min_ns, other.received_min_ns);
  received_max_ns = std::max(received_max_ns, other.received_max_ns);
}

ChunkMark ChunkRows::mark() const {
  ChunkMark mark;
  for (uint32_t t = 0; t < kStoredTables; ++t) mark.tables[t] = tables_[t].mark();
  mark.traces = static_cast<uint32_t>(traces.size());
  mark.received_min_ns = received_min_ns;
  mark.received_max_ns = received_max_ns;
  return mark;
}

void ChunkRows::Truncate(const ChunkMark& mark) {
  for (uint32_t t = 0; t < kStoredTables; ++t) tables_[t].Truncate(mark.tables[t]);
  resource_index_.KeepBelow(mark.rows(kResources));
  scope_index_.KeepBelow(mark.rows(kScopes));
  const uint32_t spans = mark.spans();
  span_trace.resize(spans);
  span_id.resize(spans);
  parent_span_id.resize(spans);
  start_ns.resize(spans);
  end_ns.resize(spans);
  first_event.resize(spans + 1);
  first_link.resize(spans + 1);
  event_span.resize(mark.rows(kEvents));
  event_ns.resize(mark.rows(kEvents));
  link_span.resize(mark.rows(kLinks));
  links.resize(mark.rows(kLinks));
  logs.resize(mark.logs());
  traces.resize(mark.traces);
  trace_index_.KeepBelow(mark.traces);
  received_min_ns = mark.received_min_ns;
  received_max_ns = mark.received_max_ns;
  CountTraces();
}

// What is known of each trace and of all times, anew from the rows.
void ChunkRows::CountTraces() {
  for (Trace& trace : traces) trace = {.id = trace.id};
  start_min_ns = log_min_ns = UINT64_MAX;
  start_max_ns = log_max_ns = 0;
  for (Row row = 0; row < span_id.size(); ++row)
    CountSpan(span_trace[row], start_ns[row], end_ns[row]);
  for (const LogNumbers& log : logs) CountLog(log);
}

// A log record belongs to the span of its trace that has its span id. Where several have it, to the
// first by time and content: which one arrived first makes no difference.
bool ChunkRows::ComesBefore(Row a, Row b) const {
  const auto numbers_of = [this](Row row) {
    return std::tie(start_ns[row], end_ns[row], parent_span_id[row]);
  };
  if (numbers_of(a) != numbers_of(b)) return numbers_of(a) < numbers_of(b);
  const auto hash_of = [this](Row row) {
    SpanBatch batch;
    // Reading rows back from memory cannot fail for a reason outside the program.
    WEFT_CHECK(segment::MaterializeSpans(*this, {&row, 1}, &batch));
    return HashSpan(batch, batch.spans[0]);
  };
  return hash_of(a) < hash_of(b);
}

void ChunkRows::FindSpansOfLogs() {
  log_span.assign(logs.size(), kAbsent);
  std::unordered_map<SpanId, Row, IdHash> rows;
  for (uint32_t trace = 0; trace < traces.size(); ++trace) {
    if (traces[trace].logs == 0 || traces[trace].spans == 0) continue;
    rows.clear();
    for (Row row : span_rows(trace)) {
      const auto [known, is_new] = rows.try_emplace(span_id[row], row);
      if (!is_new && ComesBefore(row, known->second)) known->second = row;
    }
    for (Row row : log_rows(trace))
      if (auto at = rows.find(logs[row].span_id); at != rows.end()) log_span[row] = at->second;
  }
}

void ChunkRows::Seal() {
  uint32_t spans = 0, log_count = 0;
  for (const Trace& trace : traces) {
    span_rows_first_.push_back(spans);
    log_rows_first_.push_back(log_count);
    spans += trace.spans;
    log_count += trace.logs;
  }
  std::vector<uint32_t> log_trace(logs.size());
  for (size_t i = 0; i < logs.size(); ++i) log_trace[i] = logs[i].trace;
  GroupByTrace(span_rows_first_, span_trace, &span_rows_);
  GroupByTrace(log_rows_first_, log_trace, &log_rows_);
  FindSpansOfLogs();
}

uint64_t ChunkRows::bytes() const {
  uint64_t total =
      sizeof(*this) + resource_index_.bytes() + scope_index_.bytes() + trace_index_.bytes();
  for (const StoredRowsInMemory& table : tables_) total += table.bytes();
  auto add = [&](const auto&... arrays) {
    ((total += arrays.capacity() * sizeof(arrays[0])), ...);
  };
  add(traces, span_trace, span_id, parent_span_id, start_ns, end_ns, first_event, first_link,
      event_span, link_span, event_ns, links, logs, log_span, span_rows_first_, log_rows_first_,
      span_rows_, log_rows_);
  return total;
}

}  // namespace weft::chunk

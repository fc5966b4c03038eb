// SPDX-License-Identifier: Apache-2.0
#include "query/block_trace.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <tuple>

#include "query/value_text.h"

namespace weft::query {
namespace {

using segment::AttributeScope;
using segment::ColumnRef;
using segment::FixedColumn;
using segment::kAbsent;

bool ComesFirst(const MatchedSpan& a, const MatchedSpan& b) {
  return std::tie(a.start_ns, a.span_id) < std::tie(b.start_ns, b.span_id);
}

class Summariser {
 public:
  Summariser(const segment::Segment& segment, const Plan& plan, const BlockTrace& trace,
             uint32_t spans_max, SegmentScan* scan)
      : spans_(segment.spans()), plan_(plan), trace_(trace), spans_max_(spans_max), scan_(*scan) {}

  Result<std::optional<TraceSummary>> Run();

 private:
  // Calls take(group, begin, end) for each group with rows of the trace, until one says it is over.
  template <class Take>
  Status EachGroup(const Take& take);
  Status Judge(uint32_t group, uint32_t begin, uint32_t end);
  Status TakeGroup(uint32_t group, uint32_t begin, uint32_t end);
  Status TakeMatches(uint32_t begin, uint32_t end);
  Status AddAttributes(uint32_t row, MatchedSpan* span);
  Result<bool> AddAttribute(AttributeScope scope, std::string_view scope_name,
                            const std::string& key, uint32_t row, MatchedSpan* span);
  Result<std::string> Text(std::string_view column, uint32_t row);
  Result<ColumnRef> Intrinsic(std::string_view column) const;

  const segment::Table& spans_;
  const Plan& plan_;
  const BlockTrace& trace_;
  uint32_t spans_max_;
  SegmentScan& scan_;
  TraceSummary out_;
  uint64_t end_ns_ = 0;  // of the spans that have a time
  bool certain_ = true;
  std::vector<uint8_t> has_;                   // by filter: has the trace a span of it?
  std::vector<uint32_t> selected_;             // filters whose spans are the answer
  std::map<uint32_t, ServiceShare> services_;  // by dictionary id
  std::vector<MatchedSpan> matches_;           // the first ones by start
};

bool NamesEventsOrLinks(const Plan& plan) {
  return std::ranges::any_of(plan.attributes, [](const traceql::Field& field) {
    return traceql::IsEventField(field) || traceql::IsLinkField(field);
  });
}

Result<std::optional<TraceSummary>> Summariser::Run() {
  out_.trace_id = trace_.id;
  out_.start_ns = out_.order_ns = UINT64_MAX;
  out_.root_missing = true;
  if (uint64_t{trace_.first_row} + trace_.rows > spans_.row_count())
    return Fail(ErrorCode::kCorruption, "a trace names rows that its block lacks");
  has_.resize(plan_.filters.size());
  WEFT_TRY(EachGroup(
      [&](uint32_t group, uint32_t begin, uint32_t end) { return Judge(group, begin, end); }));
  if (!certain_) return std::nullopt;
  if (!Select(plan_.root, [&](uint32_t filter) { return has_[filter] != 0; }, &selected_))
    return out_;
  WEFT_TRY(EachGroup(
      [&](uint32_t group, uint32_t begin, uint32_t end) { return TakeGroup(group, begin, end); }));
  out_.spans = trace_.rows;
  if (end_ns_ == 0) out_.start_ns = 0;
  out_.duration_ns = end_ns_ - out_.start_ns;
  WEFT_ASSIGN(ColumnRef service_column, Intrinsic("serviceName"));
  WEFT_ASSIGN(auto dictionary, spans_.OpenDictionary(service_column));
  for (auto& [id, share] : services_) {
    Arena arena(256);
    WEFT_ASSIGN(Value name, dictionary->Get(id, &arena));
    share.service = ValueText(name);
    out_.services.push_back(std::move(share));
  }
  std::ranges::sort(out_.services, [](const ServiceShare& a, const ServiceShare& b) {
    return a.spans != b.spans ? a.spans > b.spans : a.service < b.service;
  });
  out_.matches = std::move(matches_);
  return std::optional(std::move(out_));
}

template <class Take>
Status Summariser::EachGroup(const Take& take) {
  uint64_t last = uint64_t{trace_.first_row} + trace_.rows;
  for (uint64_t row = trace_.first_row; row < last && certain_;) {
    uint32_t group = spans_.groups().group_of(row);
    uint64_t first = spans_.groups().first_row(group);
    uint64_t end = std::min(last, first + spans_.rows_in_group(group));
    WEFT_TRY(take(group, static_cast<uint32_t>(row - first), static_cast<uint32_t>(end - first)));
    row = end;
  }
  return {};
}

// Rows [begin, end) of the group.
Status Summariser::Judge(uint32_t group, uint32_t begin, uint32_t end) {
  scan_.Open(group);
  for (uint32_t filter = 0; filter < has_.size(); ++filter) {
    WEFT_ASSIGN(const std::vector<uint8_t>* rows, scan_.Rows(filter));
    has_[filter] |= std::memchr(rows->data() + begin, 1, end - begin) != nullptr;
  }
  certain_ &= std::memchr(scan_.uncertain().data() + begin, 1, end - begin) == nullptr;
  return {};
}

Status Summariser::TakeGroup(uint32_t group, uint32_t begin, uint32_t end) {
  scan_.Open(group);
  GroupColumns& columns = scan_.columns();
  WEFT_ASSIGN(ColumnRef service_column, Intrinsic("serviceName"));
  WEFT_ASSIGN(ColumnRef status_column, Intrinsic("status"));
  WEFT_ASSIGN(ColumnRef name_column, Intrinsic("name"));
  columns.Prefetch(std::array{service_column, status_column, name_column},
                   std::array{FixedColumn::kEnd, FixedColumn::kParentSpanId});
  WEFT_ASSIGN(auto starts, columns.Numbers(FixedColumn::kStart));
  WEFT_ASSIGN(auto ends, columns.Numbers(FixedColumn::kEnd));
  WEFT_ASSIGN(auto parents, columns.Numbers(FixedColumn::kParentSpanId));
  WEFT_ASSIGN(auto depths, columns.Numbers(FixedColumn::kDepth));
  WEFT_ASSIGN(auto services, columns.Ids(service_column));
  WEFT_ASSIGN(auto statuses, columns.Ids(status_column));
  WEFT_ASSIGN(auto status_values, spans_.OpenDictionary(status_column));
  WEFT_ASSIGN(uint32_t error,
              status_values->Find(Value::Int(static_cast<int64_t>(StatusCode::kError))));
  for (uint32_t i = begin; i < end; ++i) {
    out_.order_ns = std::min(out_.order_ns, starts[i]);
    if (starts[i] != 0) {
      out_.start_ns = std::min(out_.start_ns, starts[i]);
      end_ns_ = std::max({end_ns_, starts[i], ends[i]});
    }
    bool failed = statuses[i] == error && error != kAbsent;
    ServiceShare& share = services_[services[i]];
    ++share.spans;
    share.errors += failed;
    out_.errors += failed;
    out_.orphans += depths[i] == 0 && parents[i] != 0;
    // Roots lie in start order; an orphan stands in until a root comes.
    bool is_root = depths[i] == 0 && parents[i] == 0;
    bool is_first = spans_.groups().first_row(group) + i == trace_.first_row;
    if (is_first || (is_root && out_.root_missing)) {
      out_.root_missing = !is_root;
      WEFT_ASSIGN(out_.root_name, Text("name", i));
      WEFT_ASSIGN(out_.root_service, Text("serviceName", i));
    }
  }
  return TakeMatches(begin, end);
}

Status Summariser::TakeMatches(uint32_t begin, uint32_t end) {
  GroupColumns& columns = scan_.columns();
  WEFT_ASSIGN(auto starts, columns.Numbers(FixedColumn::kStart));
  WEFT_ASSIGN(auto ends, columns.Numbers(FixedColumn::kEnd));
  WEFT_ASSIGN(auto ids, columns.Numbers(FixedColumn::kSpanId));
  WEFT_ASSIGN(ColumnRef status_column, Intrinsic("status"));
  WEFT_ASSIGN(auto statuses, columns.Ids(status_column));
  WEFT_ASSIGN(auto status_values, spans_.OpenDictionary(status_column));
  WEFT_ASSIGN(uint32_t error,
              status_values->Find(Value::Int(static_cast<int64_t>(StatusCode::kError))));
  std::vector<uint8_t> matches(end - begin);
  for (uint32_t filter : selected_) {
    WEFT_ASSIGN(const std::vector<uint8_t>* rows, scan_.Rows(filter));
    for (uint32_t i = begin; i < end; ++i) matches[i - begin] |= (*rows)[i];
  }
  for (uint32_t i = begin; i < end; ++i) {
    if (!matches[i - begin] || !plan_.InWindow(starts[i])) continue;
    ++out_.matched;
    MatchedSpan span;
    std::memcpy(span.span_id.bytes.data(), &ids[i], sizeof ids[i]);
    span.start_ns = starts[i];
    bool full = matches_.size() >= spans_max_;
    if (full && (spans_max_ == 0 || !ComesFirst(span, matches_.back()))) continue;
    span.duration_ns = ends[i] > starts[i] ? ends[i] - starts[i] : 0;
    span.error = statuses[i] == error && error != kAbsent;
    WEFT_ASSIGN(span.name, Text("name", i));
    WEFT_ASSIGN(span.service, Text("serviceName", i));
    WEFT_TRY(AddAttributes(i, &span));
    if (full) matches_.pop_back();
    matches_.insert(std::ranges::upper_bound(matches_, span, ComesFirst), std::move(span));
  }
  return {};
}

Status Summariser::AddAttributes(uint32_t row, MatchedSpan* span) {
  for (const traceql::Field& field : plan_.attributes) {
    bool any = field.scope == traceql::Scope::kAny;
    bool found = false;
    if (any || field.scope == traceql::Scope::kSpan) {
      WEFT_ASSIGN(found, AddAttribute(AttributeScope::kSpan, "span.", field.key, row, span));
    }
    if ((any && !found) || field.scope == traceql::Scope::kResource) {
      WEFT_TRY(AddAttribute(AttributeScope::kResource, "resource.", field.key, row, span));
    }
    if (field.scope == traceql::Scope::kInstrumentation) {
      WEFT_TRY(
          AddAttribute(AttributeScope::kInstrumentation, "instrumentation.", field.key, row, span));
    }
  }
  return {};
}

Result<bool> Summariser::AddAttribute(AttributeScope scope, std::string_view scope_name,
                                      const std::string& key, uint32_t row, MatchedSpan* span) {
  for (ColumnRef column : spans_.FindColumns(scope, key)) {
    if (column.type == ValueType::kEmpty) continue;
    WEFT_ASSIGN(auto ids, scan_.columns().Ids(column));
    if (ids[row] == kAbsent) continue;
    Arena arena(256);
    WEFT_ASSIGN(auto dictionary, spans_.OpenDictionary(column));
    WEFT_ASSIGN(Value value, dictionary->Get(ids[row], &arena));
    span->attributes.emplace_back(std::string(scope_name) + key, ValueText(value));
    span->attribute_types.push_back(value.type);
    return true;
  }
  return false;
}

Result<std::string> Summariser::Text(std::string_view column, uint32_t row) {
  WEFT_ASSIGN(ColumnRef ref, Intrinsic(column));
  WEFT_ASSIGN(auto ids, scan_.columns().Ids(ref));
  if (ids[row] == kAbsent) return std::string();
  Arena arena(256);
  WEFT_ASSIGN(auto dictionary, spans_.OpenDictionary(ref));
  WEFT_ASSIGN(Value value, dictionary->Get(ids[row], &arena));
  return ValueText(value);
}

Result<ColumnRef> Summariser::Intrinsic(std::string_view column) const {
  std::vector<ColumnRef> found = spans_.FindColumns(AttributeScope::kIntrinsic, column);
  if (found.empty())
    return Fail(ErrorCode::kCorruption, "a block lacks the column " + std::string(column));
  return found[0];
}

}  // namespace

Result<std::optional<TraceSummary>> SummariseInBlock(const segment::Segment& segment,
                                                     const Plan& plan, const BlockTrace& trace,
                                                     uint32_t spans_max, SegmentScan* scan) {
  if (NamesEventsOrLinks(plan)) return std::nullopt;
  return Summariser(segment, plan, trace, spans_max, scan).Run();
}

}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
#include "query/dependencies.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>
#include <unordered_map>

#include "query/budget_meter.h"
#include "query/group_columns.h"
#include "query/partial_answer.h"
#include "trace/trace.h"

namespace weft::query {
namespace {

using segment::ColumnRef;
using segment::FixedColumn;
using segment::Segment;

constexpr uint32_t kEntriesAtOnce = 4096;
// Split traces brought together at once: bounds the memory, not the answer.
constexpr size_t kTracesAtOnce = 1 << 16;

// What structure needs of one span of a split trace.
struct Fragment {
  uint32_t trace = 0;
  uint32_t service = 0;
  trace::Node node;
};
bool SamePlace(const Fragment& a, const Fragment& b) {
  return a.service == b.service && a.node.span_id == b.node.span_id &&
         a.node.parent_span_id == b.node.parent_span_id && a.node.start_ns == b.node.start_ns &&
         a.node.end_ns == b.node.end_ns && a.node.kind == b.node.kind;
}

SpanId ToSpanId(uint64_t number) {
  SpanId id;
  std::memcpy(id.bytes.data(), &number, sizeof number);
  return id;
}

class DependencyCounter {
 public:
  DependencyCounter(const store::Snapshot& snapshot, uint64_t start_ns, uint64_t end_ns,
                    const Budget& budget)
      : snapshot_(snapshot), start_ns_(start_ns), end_ns_(end_ns), meter_(budget) {}

  Result<Dependencies> Run();

 private:
  // The columns of one segment, and its services under the numbers of this answer.
  struct Source {
    const Segment& segment;
    GroupColumns columns;
    ColumnRef service, kind;
    std::vector<uint32_t> services;  // by dictionary id
    std::vector<SpanKind> kinds;     // by dictionary id
  };

  Status Count();
  Status CountSegment(const Segment& segment);
  Status CountWhole(const segment::TraceEntry& entry, Source* source);
  Status CountSplit();
  Status GatherFrom(const Segment& segment, const std::vector<TraceId>& ids);
  Status GatherRow(uint32_t trace, uint32_t row_in_group, Source* source);
  Status CountFragments(const std::vector<TraceId>& ids);
  Status CountTree(std::span<const Fragment> fragments);
  Status CountAssembled(const TraceId& id, uint64_t spans);
  Result<Source> Open(const Segment& segment);
  Result<ColumnRef> Intrinsic(const Segment& segment, std::string_view name) const;
  bool MayStartInRange(const segment::TraceEntry& entry, const segment::Table& spans) const;
  bool InRange(uint64_t start) const { return start >= start_ns_ && start < end_ns_; }
  uint32_t ServiceNumber(std::string_view name);
  void AddCall(uint32_t parent, uint32_t child) { ++calls_[uint64_t{parent} << 32 | child]; }
  uint64_t bytes_used() const {
    return split_.size() * 3 * sizeof(TraceId) + fragments_.capacity() * sizeof(Fragment);
  }

  const store::Snapshot& snapshot_;
  const uint64_t start_ns_, end_ns_;
  BudgetMeter meter_;
  std::map<std::string, uint32_t, std::less<>> services_;
  std::unordered_map<uint64_t, uint64_t> calls_;  // parent << 32 | child
  std::unordered_map<TraceId, uint32_t, IdHash> split_;
  std::vector<TraceId> split_order_;
  uint64_t too_large_ = 0;  // traces left out
  std::vector<Fragment> fragments_;
  std::vector<uint32_t> path_;  // services from the root down to the span before
  trace::TreeBuilder trees_;
  trace::Tree tree_;
  std::vector<trace::Node> nodes_;
  Dependencies result_;
};

Result<Dependencies> DependencyCounter::Run() {
  NoteUnreadable(snapshot_, &result_.partial, &result_.damaged);
  Status status = Count();
  if (!status) {
    ErrorCode code = status.error().code;
    if (code != ErrorCode::kDeadlineExceeded && code != ErrorCode::kResourceExhausted)
      return Fail(std::move(status).error());
    NotePartial(status.error().message, &result_.partial);
  }
  if (too_large_ > 1)
    NotePartial(std::to_string(too_large_ - 1) + " more traces were left out for the same reason",
                &result_.partial);
  std::vector<std::string_view> names(services_.size());
  for (const auto& [name, number] : services_) names[number] = name;
  for (const auto& [pair, calls] : calls_)
    result_.links.push_back(
        {std::string(names[pair >> 32]), std::string(names[static_cast<uint32_t>(pair)]), calls});
  std::ranges::sort(result_.links);
  return std::move(result_);
}

Status DependencyCounter::Count() {
  for (const auto& segment : snapshot_.segments()) {
    auto [first, last] = segment->time_range();
    if (segment->spans().row_count() == 0 || last < start_ns_ || first >= end_ns_) continue;
    WEFT_TRY(ExcuseDamage(CountSegment(*segment), &result_.partial, &result_.damaged));
  }
  return CountSplit();
}

Status DependencyCounter::CountSegment(const Segment& segment) {
  WEFT_ASSIGN(Source source, Open(segment));
  std::vector<segment::TraceEntry> entries;
  for (uint32_t at = 0; at < segment.trace_count(); at += kEntriesAtOnce) {
    entries.resize(std::min(kEntriesAtOnce, segment.trace_count() - at));
    WEFT_TRY(segment.ReadTraces(at, entries));
    for (const segment::TraceEntry& entry : entries) {
      if (entry.start_ns >= end_ns_ || entry.rows == 0) continue;
      bool whole = segment.has_derived();
      if (whole && !MayStartInRange(entry, segment.spans())) continue;
      if (whole && !snapshot_.MayBeSplit(entry.id)) {
        WEFT_TRY(CountWhole(entry, &source));
      } else if (split_.try_emplace(entry.id, 0).second) {
        split_order_.push_back(entry.id);
      }
    }
    WEFT_TRY(meter_.Check(bytes_used()));
  }
  return {};
}

bool DependencyCounter::MayStartInRange(const segment::TraceEntry& entry,
                                        const segment::Table& spans) const {
  uint32_t first = spans.groups().group_of(entry.first_row);
  uint32_t last = spans.groups().group_of(uint64_t{entry.first_row} + entry.rows - 1);
  for (uint32_t group = first; group <= last && group < spans.group_count(); ++group)
    if (spans.TimeRange(group).second >= start_ns_) return true;
  return false;
}

// Rows lie in pre-order: the parent of a row is the last one before it with one depth less.
Status DependencyCounter::CountWhole(const segment::TraceEntry& entry, Source* source) {
  uint64_t end = uint64_t{entry.first_row} + entry.rows;
  if (end > source->segment.spans().row_count())
    return Fail(ErrorCode::kCorruption, "a trace names rows that its block lacks");
  path_.clear();
  GroupColumns& columns = source->columns;
  for (uint64_t row = entry.first_row; row < end;) {
    uint32_t group = source->segment.spans().groups().group_of(row);
    if (columns.rows() == 0 || columns.group() != group) {
      WEFT_TRY(meter_.Check(bytes_used()));
      columns.Open(group);
    }
    WEFT_ASSIGN(auto starts, columns.Numbers(FixedColumn::kStart));
    WEFT_ASSIGN(auto depths, columns.Numbers(FixedColumn::kDepth));
    WEFT_ASSIGN(auto services, columns.Ids(source->service));
    uint64_t stop = std::min<uint64_t>(end, uint64_t{columns.first_row()} + columns.rows());
    for (; row < stop; ++row) {
      size_t i = row - columns.first_row();
      if (depths[i] > path_.size() || services[i] >= source->services.size())
        return Fail(ErrorCode::kCorruption, "a block's tree of spans does not fit together");
      uint32_t service = source->services[services[i]];
      path_.resize(depths[i]);
      if (!path_.empty() && path_.back() != service && InRange(starts[i]))
        AddCall(path_.back(), service);
      path_.push_back(service);
    }
  }
  return {};
}

Status DependencyCounter::CountSplit() {
  std::vector<TraceId> ids;
  for (size_t at = 0; at < split_order_.size(); at += kTracesAtOnce) {
    ids.assign(split_order_.begin() + static_cast<ptrdiff_t>(at),
               split_order_.begin() +
                   static_cast<ptrdiff_t>(std::min(at + kTracesAtOnce, split_order_.size())));
    split_.clear();
    for (uint32_t i = 0; i < ids.size(); ++i) split_[ids[i]] = i;
    fragments_.clear();
    for (const auto& segment : snapshot_.segments())
      if (segment->spans().row_count() > 0)
        WEFT_TRY(ExcuseDamage(GatherFrom(*segment, ids), &result_.partial, &result_.damaged));
    WEFT_TRY(CountFragments(ids));
  }
  return {};
}

Status DependencyCounter::GatherFrom(const Segment& segment, const std::vector<TraceId>& ids) {
  WEFT_ASSIGN(Source source, Open(segment));
  if (segment.has_derived()) {
    for (uint32_t i = 0; i < ids.size(); ++i) {
      WEFT_ASSIGN(Segment::TraceRows rows, segment.FindTrace(ids[i]));
      for (segment::Row row : rows.spans) {
        uint32_t group = segment.spans().groups().group_of(row);
        if (source.columns.rows() == 0 || source.columns.group() != group) {
          WEFT_TRY(meter_.Check(bytes_used()));
          source.columns.Open(group);
        }
        WEFT_TRY(GatherRow(i, segment.spans().groups().place_of(row), &source));
      }
      if (i % 256 == 0) WEFT_TRY(meter_.Check(bytes_used()));
    }
    return {};
  }
  // Rows in order of arrival, many traces in turn: one pass over them all.
  std::vector<uint32_t> wanted(segment.trace_count(), trace::kNone);
  std::vector<segment::TraceEntry> entries(segment.trace_count());
  WEFT_TRY(segment.ReadTraces(0, entries));
  bool any = false;
  for (size_t i = 0; i < entries.size(); ++i) {
    auto found = split_.find(entries[i].id);
    if (found == split_.end()) continue;
    wanted[i] = found->second;
    any = true;
  }
  for (uint32_t group = 0; any && group < segment.spans().group_count(); ++group) {
    WEFT_TRY(meter_.Check(bytes_used()));
    source.columns.Open(group);
    WEFT_ASSIGN(auto traces, source.columns.Numbers(FixedColumn::kTrace));
    for (uint32_t i = 0; i < traces.size(); ++i)
      if (traces[i] < wanted.size() && wanted[traces[i]] != trace::kNone)
        WEFT_TRY(GatherRow(wanted[traces[i]], i, &source));
  }
  return {};
}

Status DependencyCounter::GatherRow(uint32_t trace, uint32_t row_in_group, Source* source) {
  GroupColumns& columns = source->columns;
  WEFT_ASSIGN(auto ids, columns.Numbers(FixedColumn::kSpanId));
  WEFT_ASSIGN(auto parents, columns.Numbers(FixedColumn::kParentSpanId));
  WEFT_ASSIGN(auto starts, columns.Numbers(FixedColumn::kStart));
  WEFT_ASSIGN(auto ends, columns.Numbers(FixedColumn::kEnd));
  WEFT_ASSIGN(auto services, columns.Ids(source->service));
  WEFT_ASSIGN(auto kinds, columns.Ids(source->kind));
  uint32_t i = row_in_group;
  if (services[i] >= source->services.size() || kinds[i] >= source->kinds.size())
    return Fail(ErrorCode::kCorruption, "a span has no service or kind");
  fragments_.push_back({trace, source->services[services[i]],
                        trace::Node{.span_id = ToSpanId(ids[i]),
                                    .parent_span_id = ToSpanId(parents[i]),
                                    .start_ns = starts[i],
                                    .end_ns = trace::EndOf(starts[i], ends[i]),
                                    .kind = source->kinds[kinds[i]]}});
  return {};
}

Status DependencyCounter::CountFragments(const std::vector<TraceId>& ids) {
  std::ranges::sort(fragments_, [](const Fragment& a, const Fragment& b) {
    return std::tie(a.trace, a.node.span_id, a.node.start_ns, a.node.end_ns, a.node.parent_span_id,
                    a.node.kind, a.service) < std::tie(b.trace, b.node.span_id, b.node.start_ns,
                                                       b.node.end_ns, b.node.parent_span_id,
                                                       b.node.kind, b.service);
  });
  uint32_t traces = 0;
  for (size_t begin = 0; begin < fragments_.size();) {
    size_t end = begin + 1;
    // Rows that agree in all of this are duplicates if the rest of them agrees too.
    bool doubtful = false;
    for (; end < fragments_.size() && fragments_[end].trace == fragments_[begin].trace; ++end)
      doubtful |= SamePlace(fragments_[end - 1], fragments_[end]);
    WEFT_TRY(doubtful ? CountAssembled(ids[fragments_[begin].trace], end - begin)
                      : CountTree(std::span(fragments_).subspan(begin, end - begin)));
    begin = end;
    if (++traces % 256 == 0) WEFT_TRY(meter_.Check(bytes_used()));
  }
  return {};
}

Status DependencyCounter::CountTree(std::span<const Fragment> fragments) {
  nodes_.clear();
  for (const Fragment& fragment : fragments) nodes_.push_back(fragment.node);
  trees_.Build(nodes_, &tree_);
  for (uint32_t i = 0; i < tree_.node.size(); ++i) {
    const Fragment& child = fragments[tree_.node[i]];
    if (tree_.parent[i] == trace::kNone || !InRange(child.node.start_ns)) continue;
    const Fragment& parent = fragments[tree_.node[tree_.parent[i]]];
    if (parent.service != child.service) AddCall(parent.service, child.service);
  }
  return {};
}

Status DependencyCounter::CountAssembled(const TraceId& id, uint64_t spans) {
  if (Status fits = meter_.CheckTrace(id, spans, bytes_used()); !fits) {
    if (too_large_++ == 0) NotePartial(fits.error().message, &result_.partial);
    return {};
  }
  std::string gaps;
  Result<SpanBatch> batch = snapshot_.ReadTrace(id, &gaps);
  NoteGaps(gaps, &result_.partial, &result_.damaged);
  if (!batch)
    return ExcuseDamage(weft::Fail(std::move(batch).error()), &result_.partial, &result_.damaged);
  std::vector<uint32_t> service_of;
  for (const Resource& resource : batch->resources)
    service_of.push_back(ServiceNumber(ServiceName(resource)));
  std::vector<Fragment> fragments;
  for (const Span& span : batch->spans)
    fragments.push_back({0, service_of[span.resource], trace::NodeOf(span)});
  return CountTree(fragments);
}

Result<DependencyCounter::Source> DependencyCounter::Open(const Segment& segment) {
  Source source{.segment = segment, .columns = GroupColumns(snapshot_, segment)};
  WEFT_ASSIGN(source.service, Intrinsic(segment, "serviceName"));
  WEFT_ASSIGN(source.kind, Intrinsic(segment, "kind"));
  WEFT_ASSIGN(auto names, segment.spans().OpenDictionary(source.service));
  source.services.resize(names->count());
  WEFT_TRY(names->ForEach([&](uint32_t id, const Value& value) {
    if (id < source.services.size() && value.type == ValueType::kString)
      source.services[id] = ServiceNumber(value.string());
  }));
  WEFT_ASSIGN(auto kinds, segment.spans().OpenDictionary(source.kind));
  source.kinds.resize(kinds->count());
  WEFT_TRY(kinds->ForEach([&](uint32_t id, const Value& value) {
    if (id < source.kinds.size()) source.kinds[id] = static_cast<SpanKind>(value.integer);
  }));
  return source;
}

Result<ColumnRef> DependencyCounter::Intrinsic(const Segment& segment,
                                               std::string_view name) const {
  auto found = segment.spans().FindColumns(segment::AttributeScope::kIntrinsic, name);
  if (found.empty())
    return Fail(ErrorCode::kCorruption, "a segment lacks the column " + std::string(name));
  return found[0];
}

uint32_t DependencyCounter::ServiceNumber(std::string_view name) {
  auto found = services_.find(name);
  if (found != services_.end()) return found->second;
  return services_.emplace(std::string(name), static_cast<uint32_t>(services_.size()))
      .first->second;
}

}  // namespace

Result<Dependencies> FindDependencies(const store::Snapshot& snapshot, uint64_t start_ns,
                                      uint64_t end_ns, const Budget& budget) {
  if (end_ns <= start_ns)
    return Fail(ErrorCode::kInvalidArgument, "the end of the time range must lie after its start");
  return DependencyCounter(snapshot, start_ns, end_ns, budget).Run();
}

}  // namespace weft::query

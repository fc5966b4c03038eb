// SPDX-License-Identifier: Apache-2.0
//
// Newest first without sorting everything. Every row group has an upper bound for the start of any
// trace with rows in it: its largest span start. Groups are scanned by falling bound; traces found
// wait in a heap by falling start; the top of the heap is final once no unscanned group can hold a
// newer one. So the first page of a broad question reads a few groups, whatever the store holds.
//
// A trace that may be split has a start that only all its fragments together tell. It waits under
// the start of the fragment that was found, which is an upper bound too, and is put back under its
// true start when it reaches the top.
//
// A query of several spansets is prepared on all segments first: a value that is nowhere ends it at
// once, and of two sides that are both needed the rarer one is looked for.
#include <algorithm>
#include <optional>
#include <queue>
#include <ranges>
#include <unordered_set>

#include "query/assembled_trace.h"
#include "query/block_trace.h"
#include "query/budget_meter.h"
#include "query/cursor.h"
#include "query/partial_answer.h"
#include "query/plan.h"
#include "query/query.h"
#include "query/search_profile.h"
#include "query/segment_scan.h"
#include "query/triggers.h"
#include "traceql/traceql.h"

namespace weft::query {
namespace {

constexpr uint32_t kLimitMax = 10'000;
// Groups looked through for the next one of the same segment.
constexpr uint32_t kLooksForNext = 16;

struct Waiting {
  ResultKey key;
  bool exact = true;           // the key is the trace's true one
  uint32_t segment = 0;        // where the key's start comes from
  segment::Row first_row = 0;  // of a trace that lies whole in a block
  uint32_t rows = 0;           // 0: to be assembled
  uint64_t all_rows = 0;       // of a split trace, in all segments: once its true start is known
  bool operator<(const Waiting& other) const { return key < other.key; }
};

struct GroupBound {
  uint64_t start_ns;  // no trace with rows in the group starts later
  uint32_t segment;
  uint32_t group;
};

class Searcher {
 public:
  Searcher(const store::Snapshot& snapshot, const SearchRequest& request, Plan plan,
           std::optional<ResultKey> after, std::string question, const Budget& budget)
      : snapshot_(snapshot),
        request_(request),
        plan_(std::move(plan)),
        after_(after),
        question_(std::move(question)),
        meter_(budget),
        profile_(budget.profile),
        scans_(snapshot.segments().size()),
        broken_(snapshot.segments().size()),
        looked_at_(snapshot.segments().size()) {}

  Result<SearchResult> Run();

 private:
  void ListGroups();
  Status ChooseWhatToFind();
  Status Advance();
  Result<SegmentScan*> ScanOf(uint32_t segment);
  Status ScanGroup(const GroupBound& bound);
  Status ScanRows(SegmentScan* scan, const GroupBound& bound);
  bool MayMatch(const SegmentScan& scan, uint32_t group) const;
  void NoteNextGroup(SegmentScan* scan, uint32_t segment);
  Status Wait(const Candidate& candidate, uint32_t segment);
  Status Settle(const Waiting& waiting);
  Result<Waiting> FindTrueStart(const Waiting& waiting);
  // False: no memory for it; the answer goes on without it, and says so.
  Result<bool> MayAssemble(const Waiting& waiting);
  Status AddResult(const Waiting& waiting);
  void Keep(TraceSummary summary);
  bool IsDone() const { return result_.traces.size() >= request_.limit; }
  // A segment that cannot be read makes the answer partial; the rest still counts.
  Status Excuse(Status status, uint32_t segment);
  uint64_t bytes_used() const;

  const store::Snapshot& snapshot_;
  const SearchRequest& request_;
  Plan plan_;
  std::optional<ResultKey> after_;
  std::string question_;
  BudgetMeter meter_;
  SearchProfile* const profile_;
  std::vector<std::unique_ptr<SegmentScan>> scans_;
  std::vector<bool> broken_;
  std::vector<bool> looked_at_;     // beyond dictionaries
  std::vector<GroupBound> groups_;  // by rising bound: taken from the back
  std::vector<uint32_t> triggers_;  // filters that find the traces
  std::priority_queue<Waiting> waiting_;
  std::unordered_set<TraceId, IdHash> settled_;  // split traces put back or answered
  std::vector<Candidate> found_;
  uint64_t scan_bytes_ = 0, result_bytes_ = 0;
  uint64_t too_large_ = 0;  // traces left out
  SearchResult result_;
};

Result<SearchResult> Searcher::Run() {
  {
    PhaseTimer timer(profile_, SearchPhase::kPlan);
    ListGroups();
  }
  NoteUnreadable(snapshot_, &result_.partial, &result_.damaged);
  Status status = ChooseWhatToFind();
  while (status && !IsDone() && (!groups_.empty() || !waiting_.empty())) {
    status = meter_.Check(bytes_used());
    if (status) status = Advance();
  }
  if (!status) {
    ErrorCode code = status.error().code;
    if (code != ErrorCode::kDeadlineExceeded && code != ErrorCode::kResourceExhausted)
      return Fail(std::move(status).error());
    NotePartial(status.error().message, &result_.partial);
  }
  if (too_large_ > 1)
    NotePartial(std::to_string(too_large_ - 1) + " more traces were left out for the same reason",
                &result_.partial);
  bool more = !groups_.empty() || !waiting_.empty();
  if (more && !result_.traces.empty()) {
    const TraceSummary& last = result_.traces.back();
    result_.cursor = EncodeCursor({last.order_ns, last.trace_id}, question_);
  } else if (more) {
    result_.cursor = request_.cursor;
  }
  for (bool looked_at : looked_at_) result_.stats.segments_skipped += !looked_at;
  result_.stats.elapsed_ns = meter_.elapsed_ns();
  if (profile_ != nullptr) profile_->NoteResult(result_);
  return std::move(result_);
}

void Searcher::ListGroups() {
  const auto& segments = snapshot_.segments();
  result_.stats.segments = segments.size();
  for (uint32_t s = 0; s < segments.size(); ++s) {
    const segment::Table& spans = segments[s]->spans();
    result_.stats.spans_total += spans.row_count();
    auto [first, last] = segments[s]->time_range();
    if (spans.row_count() == 0 || !plan_.Overlaps(first, last)) continue;
    for (uint32_t g = 0; g < spans.group_count(); ++g) {
      auto [group_first, group_last] = spans.TimeRange(g);
      if (!plan_.Overlaps(group_first, group_last)) continue;
      groups_.push_back({group_last, s, g});
    }
  }
  std::ranges::sort(groups_, [](const GroupBound& a, const GroupBound& b) {
    return std::tie(a.start_ns, a.segment, a.group) < std::tie(b.start_ns, b.segment, b.group);
  });
}

// One step: the newest group where it may hold something newer than what waits, else the newest
// trace that waits.
Status Searcher::Advance() {
  if (!groups_.empty() &&
      (waiting_.empty() || groups_.back().start_ns >= waiting_.top().key.start_ns)) {
    GroupBound bound = groups_.back();
    groups_.pop_back();
    return broken_[bound.segment] ? Status{} : ScanGroup(bound);
  }
  Waiting waiting = waiting_.top();
  waiting_.pop();
  return Settle(waiting);
}

Result<SegmentScan*> Searcher::ScanOf(uint32_t segment) {
  std::unique_ptr<SegmentScan>& scan = scans_[segment];
  if (scan != nullptr) return scan.get();
  auto fresh = std::make_unique<SegmentScan>(snapshot_, *snapshot_.segments()[segment], plan_);
  WEFT_TRY(fresh->Prepare());
  scan_bytes_ += fresh->bytes();
  scan = std::move(fresh);
  return scan.get();
}

Status Searcher::ChooseWhatToFind() {
  if (plan_.filters.size() == 1) {
    triggers_ = {0};
    return {};
  }
  std::vector<uint64_t> groups(plan_.filters.size());
  bool everywhere = true;
  for (uint32_t s = 0; s < scans_.size(); ++s) {
    const segment::Segment& segment = *snapshot_.segments()[s];
    if (segment.spans().row_count() == 0) continue;
    auto [first, last] = segment.time_range();
    everywhere &= plan_.InWindow(first) && plan_.InWindow(last);
    WEFT_TRY(meter_.Check(bytes_used()));
    auto scan = ScanOf(s);
    if (!scan) {
      WEFT_TRY(Excuse(weft::Fail(std::move(scan).error()), s));
      continue;
    }
    for (uint32_t filter = 0; filter < groups.size(); ++filter)
      for (uint32_t group = 0; group < segment.spans().group_count(); ++group)
        groups[filter] += (*scan)->MayMatch(filter, group);
  }
  triggers_ = ChooseTriggers(plan_.root, groups, everywhere);
  if (triggers_.empty()) groups_.clear();
  return {};
}

bool Searcher::MayMatch(const SegmentScan& scan, uint32_t group) const {
  return std::ranges::any_of(triggers_,
                             [&](uint32_t filter) { return scan.MayMatch(filter, group); });
}

Status Searcher::ScanGroup(const GroupBound& bound) {
  PhaseTimer timer(profile_, SearchPhase::kScan);
  auto prepared = ScanOf(bound.segment);
  if (!prepared) return Excuse(weft::Fail(std::move(prepared).error()), bound.segment);
  SegmentScan* scan = *prepared;
  looked_at_[bound.segment] = true;
  if (!MayMatch(*scan, bound.group)) return {};
  size_t bytes = scan->bytes();
  if (Status rows = scan->PrepareRows(); !rows) return Excuse(std::move(rows), bound.segment);
  scan_bytes_ += scan->bytes() - bytes;
  if (!MayMatch(*scan, bound.group)) return {};
  // Damage to a group leaves the others.
  return ExcuseDamage(ScanRows(scan, bound), &result_.partial, &result_.damaged);
}

Status Searcher::ScanRows(SegmentScan* scan, const GroupBound& bound) {
  const segment::Segment& segment = *snapshot_.segments()[bound.segment];
  if (after_) {
    // Pages before this one have given what lies here, where nothing can move down.
    WEFT_ASSIGN(bool newer, scan->IsNewerThan(bound.group, after_->start_ns));
    if (newer) return {};
  }
  result_.stats.spans_inspected += segment.spans().rows_in_group(bound.group);
  scan->Open(bound.group);
  NoteNextGroup(scan, bound.segment);
  found_.clear();
  WEFT_TRY(scan->Scan(bound.group, triggers_, &found_));
  for (const Candidate& candidate : found_) WEFT_TRY(Wait(candidate, bound.segment));
  return {};
}

// While a group is judged the disk fetches the segment's next one.
void Searcher::NoteNextGroup(SegmentScan* scan, uint32_t segment) {
  uint32_t looks = kLooksForNext;
  for (const GroupBound& next : std::views::reverse(groups_)) {
    if (looks-- == 0) return;
    if (next.segment == segment && MayMatch(*scan, next.group))
      return scan->columns().WillNeed(next.group);
  }
}

Status Searcher::Wait(const Candidate& candidate, uint32_t segment) {
  bool exact = !candidate.split;
  Waiting waiting{{candidate.start_ns, candidate.id}, exact, segment};
  if (exact && snapshot_.segments()[segment]->has_derived()) {
    waiting.first_row = candidate.first_row;
    waiting.rows = candidate.rows;
  }
  bool given = after_ && waiting.key >= *after_;
  if (!given) {
    waiting_.push(waiting);
    return {};
  }
  // An earlier page has given it, unless another fragment moves its start down to this page.
  return waiting.exact ? Status{} : Settle(waiting);
}

Status Searcher::Settle(const Waiting& waiting) {
  PhaseTimer timer(profile_, SearchPhase::kAssemble);
  if (waiting.exact) return AddResult(waiting);
  // Other fragments may have put the same trace here.
  if (!settled_.insert(waiting.key.trace_id).second) return {};
  WEFT_ASSIGN(Waiting exact, FindTrueStart(waiting));
  if (after_ && exact.key >= *after_) return {};
  waiting_.push(exact);
  return {};
}

// The smallest start over all fragments.
Result<Waiting> Searcher::FindTrueStart(const Waiting& waiting) {
  Waiting exact{waiting.key};
  const auto& segments = snapshot_.segments();
  for (uint32_t s = 0; s < segments.size(); ++s) {
    if (broken_[s]) continue;
    const segment::Segment& segment = *segments[s];
    auto look = [&]() -> Status {
      WEFT_ASSIGN(segment::Segment::TraceRows rows, segment.FindTrace(waiting.key.trace_id));
      exact.all_rows += rows.spans.size() + rows.logs.size();
      if (rows.spans.empty() || s == waiting.segment) return {};
      uint32_t group = segment.spans().groups().group_of(rows.spans[0]);
      std::vector<uint64_t> ordinals(segment.spans().rows_in_group(group));
      WEFT_TRY(segment.spans().ReadNumbers(segment::FixedColumn::kTrace, group, ordinals));
      segment::TraceEntry entry;
      uint64_t ordinal = ordinals[segment.spans().groups().place_of(rows.spans[0])];
      if (ordinal >= segment.trace_count())
        return Fail(ErrorCode::kCorruption, "a row names a trace that its segment lacks");
      WEFT_TRY(segment.ReadTraces(static_cast<uint32_t>(ordinal), std::span(&entry, 1)));
      exact.key.start_ns = std::min(exact.key.start_ns, entry.start_ns);
      return {};
    };
    WEFT_TRY(Excuse(look(), s));
  }
  return exact;
}

Result<bool> Searcher::MayAssemble(const Waiting& waiting) {
  uint64_t rows = waiting.all_rows;
  if (waiting.rows > 0) {
    auto found = snapshot_.segments()[waiting.segment]->FindTrace(waiting.key.trace_id);
    if (found) rows = found->spans.size() + found->logs.size();
  }
  Status fits = meter_.CheckTrace(waiting.key.trace_id, rows, bytes_used());
  if (fits) return true;
  // It may fit on a page of its own: this one ends before it.
  if (!result_.traces.empty() && meter_.CheckTrace(waiting.key.trace_id, rows, 0)) {
    waiting_.push(waiting);
    return Fail(ErrorCode::kResourceExhausted, "the query's memory holds no more of the answer");
  }
  if (too_large_++ == 0) NotePartial(fits.error().message, &result_.partial);
  return false;
}

// The last judgement, on the whole trace: from columns where it lies whole in a block and they tell
// all, else assembled.
Status Searcher::AddResult(const Waiting& waiting) {
  if (waiting.rows > 0 && !broken_[waiting.segment]) {
    auto summary = SummariseInBlock(*snapshot_.segments()[waiting.segment], plan_,
                                    {waiting.key.trace_id, waiting.first_row, waiting.rows},
                                    request_.spans_per_trace, scans_[waiting.segment].get());
    if (summary && summary->has_value()) {
      Keep(std::move(**summary));
      return {};
    }
    // What of it can be read may tell enough.
    if (!summary)
      WEFT_TRY(
          ExcuseDamage(weft::Fail(std::move(summary).error()), &result_.partial, &result_.damaged));
  }
  WEFT_ASSIGN(bool may, MayAssemble(waiting));
  if (!may) return {};
  std::string gaps;
  auto batch = snapshot_.ReadTrace(waiting.key.trace_id, &gaps);
  NoteGaps(gaps, &result_.partial, &result_.damaged);
  if (!batch)
    return ExcuseDamage(weft::Fail(std::move(batch).error()), &result_.partial, &result_.damaged);
  if (batch->spans.empty()) return {};
  AssembledTrace trace(std::move(*batch));
  std::vector<uint32_t> matches = trace.FindMatches(plan_);
  Keep(trace.Summarise(plan_, matches, request_.spans_per_trace));
  return {};
}

void Searcher::Keep(TraceSummary summary) {
  if (summary.matched == 0) return;
  result_bytes_ += sizeof(TraceSummary) + summary.services.size() * sizeof(ServiceShare) +
                   summary.matches.size() * sizeof(MatchedSpan);
  for (const MatchedSpan& match : summary.matches)
    for (const auto& [key, value] : match.attributes) result_bytes_ += key.size() + value.size();
  result_.traces.push_back(std::move(summary));
}

Status Searcher::Excuse(Status status, uint32_t segment) {
  broken_[segment] = broken_[segment] || (!status && IsDamage(status.error()));
  return ExcuseDamage(std::move(status), &result_.partial, &result_.damaged);
}

uint64_t Searcher::bytes_used() const {
  return scan_bytes_ + result_bytes_ + waiting_.size() * sizeof(Waiting) +
         settled_.size() * 2 * sizeof(TraceId);
}

}  // namespace

Result<SearchResult> Search(const store::Snapshot& snapshot, const SearchRequest& request,
                            const Budget& budget) {
  if (request.limit < 1 || request.limit > kLimitMax)
    return Fail(ErrorCode::kInvalidArgument, "limit must be between 1 and 10000");
  if (request.spans_per_trace > kLimitMax)
    return Fail(ErrorCode::kInvalidArgument, "spans per trace must be between 0 and 10000");
  if (request.end_ns != 0 && request.end_ns <= request.start_ns)
    return Fail(ErrorCode::kInvalidArgument, "the end of the time range must lie after its start");
  std::optional<PhaseTimer> timer(std::in_place, budget.profile, SearchPhase::kParse);
  WEFT_ASSIGN(traceql::Query query, traceql::Parse(request.traceql));
  timer.emplace(budget.profile, SearchPhase::kPlan);
  Plan plan = MakePlan(query);
  plan.SetWindow(request.start_ns, request.end_ns);
  std::string question = traceql::ToString(query) + " " + std::to_string(plan.start_ns) + " " +
                         std::to_string(plan.last_ns);
  if (budget.profile != nullptr) budget.profile->NoteQuestion(traceql::ToString(query));
  timer.reset();
  std::optional<ResultKey> after;
  if (!request.cursor.empty()) {
    WEFT_ASSIGN(after, DecodeCursor(request.cursor, question));
  }
  return Searcher(snapshot, request, std::move(plan), after, std::move(question), budget).Run();
}

uint64_t MemoryOf(const TraceSummary& trace) {
  uint64_t bytes = sizeof trace + trace.root_service.capacity() + trace.root_name.capacity();
  for (const ServiceShare& share : trace.services) bytes += sizeof share + share.service.capacity();
  for (const MatchedSpan& match : trace.matches) {
    bytes += sizeof match + match.name.capacity() + match.service.capacity();
    for (const auto& [key, value] : match.attributes)
      bytes += sizeof(key) + sizeof(value) + key.capacity() + value.capacity();
  }
  return bytes;
}

}  // namespace weft::query

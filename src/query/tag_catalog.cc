// SPDX-License-Identifier: Apache-2.0
#include "query/tag_catalog.h"

#include <algorithm>

#include "query/assembled_trace.h"
#include "query/partial_answer.h"
#include "query/plan.h"
#include "query/tag_collect.h"
#include "query/tag_rows.h"
#include "traceql/lexer.h"
#include "traceql/traceql.h"
#include "traceql/vocabulary.h"

namespace weft::query {
namespace {

using traceql::Intrinsic;

constexpr std::string_view kIntrinsicScope = "intrinsic", kLogScope = "log";

Status CheckRequest(const TagRequest& request) {
  if (request.limit < 1 || request.limit > kTagLimitMax)
    return Fail(ErrorCode::kInvalidArgument, "limit must be between 1 and 100000");
  if (request.end_ns != 0 && request.end_ns <= request.start_ns)
    return Fail(ErrorCode::kInvalidArgument, "the end of the time range must lie after its start");
  return {};
}

// Only of attributes; "" is every one of them.
bool IsAttributeScope(std::string_view scope) {
  return scope.empty() || scope == kAnyPlace ||
         std::ranges::any_of(kTagScopes,
                             [&](const TagScope& known) { return known.name == scope; });
}

Error UnknownScope(std::string_view scope) {
  return {ErrorCode::kInvalidArgument,
          "unknown scope '" + std::string(scope.substr(0, 64)) +
              "': use span, resource, instrumentation, event, link, log or intrinsic",
          0};
}

// Leads a collector through the segments of a snapshot, then through the traces that columns could
// not judge.
class Gatherer {
 public:
  Gatherer(const store::Snapshot& snapshot, const Budget& budget)
      : snapshot_(snapshot), meter_(budget) {}

  Status Run(const TagRequest& request, TagCollector* collector);

  SearchStats stats;
  std::string partial;

 private:
  Status TakeSegments(const Plan& plan, bool whole, TagCollector* collector);
  Status TakeUndecided(const Plan& plan, TagCollector* collector);

  const store::Snapshot& snapshot_;
  BudgetMeter meter_;
  TraceSet undecided_;
  bool damaged_ = false;
};

Status Gatherer::Run(const TagRequest& request, TagCollector* collector) {
  WEFT_TRY(CheckRequest(request));
  WEFT_ASSIGN(traceql::Query query, traceql::Parse(request.traceql));
  Plan plan = MakePlan(query);
  plan.SetWindow(request.start_ns, request.end_ns);
  NoteUnreadable(snapshot_, &partial, &damaged_);
  stats.segments = snapshot_.segments().size();
  // Column lists and dictionaries first: names that they tell need not be looked for in rows.
  Status status = TakeSegments(plan, true, collector);
  if (status) status = TakeSegments(plan, false, collector);
  if (status) status = TakeUndecided(plan, collector);
  stats.elapsed_ns = meter_.elapsed_ns();
  if (status) return {};
  ErrorCode code = status.error().code;
  if (code != ErrorCode::kDeadlineExceeded && code != ErrorCode::kResourceExhausted) return status;
  NotePartial(status.error().message, &partial);
  return {};
}

Status Gatherer::TakeSegments(const Plan& plan, bool whole, TagCollector* collector) {
  for (const auto& segment : snapshot_.segments()) {
    WEFT_TRY(meter_.Check(collector->bytes()));
    TagRows rows(snapshot_, *segment, plan);
    if (rows.CoversSegment() != whole) continue;
    stats.spans_total += segment->spans().row_count();
    auto take = [&]() -> Status {
      WEFT_TRY(rows.Prepare(meter_, &undecided_));
      stats.spans_inspected += rows.spans_inspected();
      stats.segments_skipped += rows.none();
      return rows.none() ? Status{} : collector->TakeSegment(*segment, rows, meter_);
    };
    WEFT_TRY(ExcuseDamage(take(), &partial, &damaged_));
  }
  return {};
}

Status Gatherer::TakeUndecided(const Plan& plan, TagCollector* collector) {
  uint64_t too_large = 0;
  for (const TraceId& id : undecided_) {
    uint64_t bytes = collector->bytes() + undecided_.size() * 4 * sizeof(TraceId);
    WEFT_TRY(meter_.Check(bytes));
    // What cannot be counted cannot be read either, and is told then.
    if (Status fits = meter_.CheckTrace(id, CountRows(snapshot_, id).value_or(0), bytes); !fits) {
      if (too_large++ == 0) NotePartial(fits.error().message, &partial);
      continue;
    }
    std::string gaps;
    Result<SpanBatch> batch = snapshot_.ReadTrace(id, &gaps);
    NoteGaps(gaps, &partial, &damaged_);
    if (!batch) {
      WEFT_TRY(ExcuseDamage(weft::Fail(std::move(batch).error()), &partial, &damaged_));
      continue;
    }
    if (batch->spans.empty()) continue;
    AssembledTrace trace(std::move(*batch));
    collector->TakeSpans(trace.batch(), trace.FindMatches(plan));
  }
  if (too_large > 1)
    NotePartial(std::to_string(too_large - 1) + " more traces were left out for the same reason",
                &partial);
  return {};
}

const traceql::IntrinsicWord* FindIntrinsicWord(std::string_view text) {
  for (const traceql::IntrinsicWord& word : traceql::IntrinsicWords())
    if (!text.empty() && (word.scoped == text || word.unscoped == text)) return &word;
  return nullptr;
}

// Of all traces: what spans without a parent have. A trace whose root has not come adds nothing,
// one with two roots both; reading every trace to know better would cost too much for a completion.
constexpr std::string_view kRootSpans = R"({ span:parentID = "" })";

// The roots' names or services of traces with a matching span: a search without its spans.
Result<TagValues> ListRootValues(const store::Snapshot& snapshot, Intrinsic intrinsic,
                                 const TagRequest& request, const Budget& budget) {
  WEFT_TRY(CheckRequest(request));
  constexpr uint32_t kPage = 1000;
  BudgetMeter meter(budget);
  ValueCollector values = ValueCollector::OfIntrinsic(intrinsic, request.limit);
  SearchRequest search{.traceql = request.traceql,
                       .start_ns = request.start_ns,
                       .end_ns = request.end_ns,
                       .limit = kPage,
                       .spans_per_trace = 0,
                       .cursor = ""};
  TagValues out;
  do {
    Budget rest = budget;
    rest.deadline_ns -= std::min(meter.elapsed_ns(), budget.deadline_ns);
    WEFT_ASSIGN(SearchResult page, Search(snapshot, search, rest));
    for (const TraceSummary& trace : page.traces)
      values.Add(
          Value::String(intrinsic == Intrinsic::kRootName ? trace.root_name : trace.root_service));
    out.stats.spans_inspected += page.stats.spans_inspected;
    out.stats.spans_total = page.stats.spans_total;
    out.stats.segments = page.stats.segments;
    out.partial = page.partial;
    search.cursor = page.cursor;
  } while (!search.cursor.empty() && out.partial.empty());
  out.stats.elapsed_ns = meter.elapsed_ns();
  out.truncated = values.truncated();
  out.values = values.Finish();
  return out;
}

}  // namespace

std::span<const std::string_view> TagScopes() {
  static constexpr std::string_view kNames[] = {
      "event", "instrumentation", "link", "log", "resource", "span", kIntrinsicScope};
  return kNames;
}

std::optional<TagName> ParseTag(std::string_view text) {
  if (FindIntrinsicWord(text) != nullptr)
    return TagName{std::string(kIntrinsicScope), std::string(text)};
  if (text.starts_with("log.")) {
    std::optional<TagName> tag = ParseTag(text.substr(kLogScope.size()));
    if (tag) tag->scope = kLogScope;
    return tag;
  }
  auto tokens = traceql::Tokenize(text);
  if (!tokens || tokens->size() != 2) return std::nullopt;
  const traceql::Token& token = tokens->front();
  if (token.kind != traceql::TokenKind::kField || token.of_parent ||
      token.field.intrinsic != Intrinsic::kNone)
    return std::nullopt;
  for (const traceql::ScopeWord& word : traceql::ScopeWords())
    if (word.scope == token.field.scope) return TagName{std::string(word.word), token.field.key};
  return std::nullopt;
}

std::string TagText(const TagName& tag) {
  if (tag.scope == kIntrinsicScope) return tag.key;
  return tag.scope + '.' + traceql::KeyText(tag.key);
}

std::string TagField(const TagName& tag) { return tag.scope == kLogScope ? "" : TagText(tag); }

Result<TagNames> ListTags(const store::Snapshot& snapshot, std::string_view scope,
                          const TagRequest& request, const Budget& budget) {
  bool intrinsics = scope.empty() || scope == kIntrinsicScope;
  if (!intrinsics && (scope == kAnyPlace || !IsAttributeScope(scope)))
    return Fail(UnknownScope(scope));
  TagNames out;
  NameCollector names(scope, request.limit);
  Gatherer gatherer(snapshot, budget);
  if (scope != kIntrinsicScope) WEFT_TRY(gatherer.Run(request, &names));
  out.tags = names.Finish();
  out.truncated = names.truncated();
  out.partial = gatherer.partial;
  out.stats = gatherer.stats;
  if (!intrinsics) return out;
  for (const traceql::IntrinsicWord& word : traceql::IntrinsicWords())
    out.tags.push_back({std::string(kIntrinsicScope),
                        std::string(word.unscoped.empty() ? word.scoped : word.unscoped)});
  return out;
}

Result<TagValues> ListTagValues(const store::Snapshot& snapshot, const TagName& tag,
                                const TagRequest& request, const Budget& budget) {
  ValueCollector values = ValueCollector::OfAttribute(tag, request.limit);
  TagRequest effective = request;
  if (tag.scope == kIntrinsicScope) {
    const traceql::IntrinsicWord* word = FindIntrinsicWord(tag.key);
    if (word == nullptr)
      return Fail(ErrorCode::kInvalidArgument,
                  "TraceQL has no intrinsic '" + tag.key.substr(0, 64) + "'");
    values = ValueCollector::OfIntrinsic(word->intrinsic, request.limit);
    if (word->intrinsic == Intrinsic::kRootName || word->intrinsic == Intrinsic::kRootService) {
      WEFT_ASSIGN(traceql::Query query, traceql::Parse(request.traceql));
      if (query.spanset->kind != traceql::Spanset::Kind::kFilter ||
          query.spanset->filter != nullptr)
        return ListRootValues(snapshot, word->intrinsic, request, budget);
      effective.traceql = kRootSpans;
    }
  } else if (!IsAttributeScope(tag.scope)) {
    return Fail(UnknownScope(tag.scope));
  }
  Gatherer gatherer(snapshot, budget);
  WEFT_TRY(gatherer.Run(effective, &values));
  return TagValues{.values = values.Finish(),
                   .truncated = values.truncated(),
                   .partial = gatherer.partial,
                   .stats = gatherer.stats};
}

}  // namespace weft::query

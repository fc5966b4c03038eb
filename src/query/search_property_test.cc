// SPDX-License-Identifier: Apache-2.0
//
// Strategy: random spans (every value type under one key, arrays, empty values, events, links,
// broken parents, duplicates, split traces) and random queries; the engine must give what the slow
// reference evaluator gives, wherever the spans lie, in one page and in many.
// A failure prints seed, placement and query.
#include <gtest/gtest.h>

#include <random>

#include "query/query.h"
#include "testing/reference_query.h"
#include "testing/segment_placements.h"
#include "testing/wild_batch.h"
#include "traceql/traceql.h"

namespace weft::query {
namespace {

using testing::ReferenceTrace;
using testing::WildBatch;

class QueryMaker {
 public:
  explicit QueryMaker(std::mt19937_64& random) : random_(random) {}

  std::string Make() { return Up(2) ? Spanset(3) : Spansets(3); }

 private:
  uint64_t Up(uint64_t count) { return random_() % count; }
  template <size_t n>
  std::string Pick(const char* const (&words)[n]) {
    return words[Up(n)];
  }

  std::string Spanset(int depth) { return Up(40) == 0 ? "{ }" : "{ " + Condition(depth) + " }"; }
  std::string Spansets(int depth) {
    if (depth == 0 || Up(4) == 0) return Spanset(1);
    std::string joined = Spansets(depth - 1) + Pick({" && ", " && ", " || "}) + Spansets(depth - 1);
    return Up(2) ? "(" + joined + ")" : joined;
  }

  std::string Condition(int depth) {
    if (depth > 0) {
      switch (Up(8)) {
        case 0:
          return "(" + Condition(depth - 1) + " && " + Condition(depth - 1) + ")";
        case 1:
          return "(" + Condition(depth - 1) + " || " + Condition(depth - 1) + ")";
        case 2:
          return Condition(depth - 1) + (Up(2) ? " && " : " || ") + Condition(depth - 1);
        case 3:
          return "!(" + Condition(depth - 1) + ")";
        default:
          break;
      }
    }
    switch (Up(12)) {
      case 0:
        return Attribute();
      case 1:
        return "!" + Attribute();
      case 2:
        return Attribute() + Pick({" = nil", " != nil"});
      case 3:
        return Attribute() + Compare() + Attribute();
      case 4:
        return Number() + Compare() + Literal();
      case 5:
        return Attribute() + Pick({" =~ ", " !~ "}) + Pattern();
      case 6:
        return Literal() + Compare() + Attribute();
      case 7:
      case 8:
        return Intrinsic();
      case 9:
        return Up(4) ? Intrinsic() : "(" + Intrinsic() + ") = " + Pick({"true", "false"});
      default:
        return Attribute() + Compare() + Literal();
    }
  }

  std::string Attribute() {
    return Pick({".", ".", "span.", "span.", "resource.", "event.", "link.", "instrumentation."}) +
           (Up(20) == 0   ? "\"\""
            : Up(20) == 0 ? "absent"
                          : "key." + std::to_string(1 + Up(12)));
  }
  std::string Compare() {
    return Pick({" = ", " = ", " = ", " != ", " != ", " < ", " <= ", " > ", " >= "});
  }
  std::string Literal() {
    switch (Up(7)) {
      case 0:
        return std::to_string(static_cast<int64_t>(Up(20)) - 5);
      case 1:
        return Pick({"0.85", "-2.0", "0.0", "1e300", "3.0", "-0.52", "9007199254740993.0"});
      case 2:
        return Pick({"true", "false"});
      case 3:
        return Pick({"minInt", "maxInt", "5ns", "0s", "1ms"});
      case 4:
        return "\"\"";
      default:
        return "\"value-" + std::to_string(Up(22)) + "\"";
    }
  }
  std::string Pattern() {
    return Pick({"\"value-1.*\"", "\"value-1\"", "\".*\"", "\"\"", "\"(value-2|value-3)\"",
                 "\"alue-1\"", "`value-\\d`"});
  }
  std::string Number() {
    std::string a =
        Up(2) ? Attribute() : Pick({"duration", "traceDuration", "3", "2ms", "nestedSetLeft"});
    switch (Up(3)) {
      case 0:
        return "-" + a;
      default:
        return "(" + a + Pick({" + ", " - ", " * ", " / ", " % ", " ^ "}) +
               (Up(2) ? Attribute()
                      : Pick({"2", "1.5", "3ms", "duration", "-1", "span:childCount"})) +
               ")";
    }
  }
  std::string Intrinsic() {
    std::string duration = Pick({"0s", "1ms", "3ms", "2500000", "4.9e6", "70s", "1h"});
    std::string small = std::to_string(static_cast<int64_t>(Up(8)) - 1);
    switch (Up(20)) {
      case 0:
        return "duration" + Compare() + duration;
      case 1:
        return "traceDuration" + Compare() + Pick({"50s", "59s", "60s", "1ms", "1e12"});
      case 2:
        return "name" + Compare() + "\"operation-" + std::to_string(Up(10)) + "\"";
      case 3:
        return "name" + Pick({" =~ ", " !~ "}) + Pick({"\"operation-[0-4]\"", "\"\"", "\"x\""});
      case 4:
        return "status" + Pick({" = ", " != "}) + Pick({"ok", "error", "unset"});
      case 5:
        return "kind" + Pick({" = ", " != "}) + Pick({"server", "client", "unspecified"});
      case 6:
        return "statusMessage" + Compare() + Pick({"\"\"", "\"failed 1\""});
      case 7:
        return "span:childCount" + Compare() + small;
      case 8:
        return "nestedSetParent" + Compare() + small;
      case 9:
        return "nestedSetLeft" + Compare() + small;
      case 10:
        return "nestedSetRight" + Compare() + std::to_string(Up(30));
      case 11:
        return "rootName" + Compare() + "\"operation-" + std::to_string(Up(10)) + "\"";
      case 12:
        return "rootServiceName" + Compare() + Pick({"\"service-1\"", "\"unknown_service\""});
      case 13:
        return "event:name" + Compare() + Pick({"\"event-1\"", "\"\"", "\"event-2\""});
      case 14:
        return "event:timeSinceStart" + Compare() + Pick({"0s", "10s", "-10s"});
      case 15:
        return "instrumentation:name" + Compare() + Pick({"\"scope-1\"", "\"\""});
      case 16:
        return "instrumentation:version" + Pick({" =~ ", " !~ "}) + Pick({"`1\\.[01]`", "\"\""});
      case 17:
        return "span:parentID" + Compare() + Pick({"\"\"", "\"0000000000000000\"", "\"8\""});
      case 18:
        return Pick({"span:id", "trace:id"}) + Compare() + Pick({"\"8\"", "\"\"", "\"c\""});
      default:
        return Pick({"link:spanID", "link:traceID"}) + Compare() + Pick({"\"8\"", "\"\"", "\"c\""});
    }
  }

  std::mt19937_64& random_;
};

std::vector<TraceSummary> SearchAll(const store::Snapshot& snapshot, SearchRequest request) {
  std::vector<TraceSummary> all;
  while (true) {
    auto page = Search(snapshot, request, {});
    if (!page) {
      ADD_FAILURE() << page.error().message;
      return all;
    }
    EXPECT_EQ(page->partial, "");
    for (TraceSummary& trace : page->traces) all.push_back(std::move(trace));
    if (page->cursor.empty()) return all;
    request.cursor = page->cursor;
  }
}

void ExpectSame(const std::vector<TraceSummary>& found, const std::vector<ReferenceTrace>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].trace_id.ToHex(), wanted[i].trace_id.ToHex()) << "result " << i;
    EXPECT_EQ(found[i].start_ns, wanted[i].start_ns);
    EXPECT_EQ(found[i].start_ns + found[i].duration_ns, wanted[i].end_ns);
    EXPECT_EQ(found[i].spans, wanted[i].spans);
    EXPECT_EQ(found[i].matched, wanted[i].matched.size());
    std::vector<SpanId> matched;
    for (const MatchedSpan& span : found[i].matches) matched.push_back(span.span_id);
    EXPECT_EQ(matched, wanted[i].matched);
  }
}

class SearchProperty : public ::testing::TestWithParam<uint64_t> {};

TEST_P(SearchProperty, EngineAgreesWithReference) {
  std::mt19937_64 random(GetParam());
  std::vector<SpanBatch> batches;
  for (int i = 0; i < 6; ++i)
    batches.push_back(WildBatch(
        random, {.spans = 60, .logs = 2, .traces = 25, .extreme_times = GetParam() % 2 == 0}));
  // Some spans arrive a second time in another batch.
  std::vector<const SpanBatch*> all;
  for (const SpanBatch& batch : batches) all.push_back(&batch);
  std::vector<const SpanBatch*> stored = all;
  stored.push_back(&batches[1]);
  std::vector<testing::Placement> placements = testing::MakePlacements(stored);
  QueryMaker maker(random);
  for (int i = 0; i < 25; ++i) {
    std::string text = maker.Make();
    auto query = traceql::Parse(text);
    if (!query) {
      ASSERT_EQ(query.error().code, ErrorCode::kInvalidArgument) << query.error().message;
      continue;
    }
    SearchRequest request{.traceql = text, .limit = 10'000, .spans_per_trace = 10'000};
    if (i % 3 == 0) {
      request.start_ns = 1'700'000'000'000'000'000 + random() % 40'000'000'000;
      request.end_ns = request.start_ns + 1 + random() % 30'000'000'000;
    }
    std::vector<ReferenceTrace> wanted =
        testing::ReferenceSearch(all, *query, request.start_ns, request.end_ns);
    for (const testing::Placement& placement : placements) {
      SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", " + placement.name + ", " + text);
      request.limit = 10'000;
      ExpectSame(SearchAll(*placement.snapshot, request), wanted);
      request.limit = 4 + static_cast<uint32_t>(random() % 9);
      ExpectSame(SearchAll(*placement.snapshot, request), wanted);
      if (HasFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SearchProperty, ::testing::Range<uint64_t>(1, 5));

}  // namespace
}  // namespace weft::query

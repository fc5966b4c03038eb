// SPDX-License-Identifier: Apache-2.0
#include "query/search_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/query.h"
#include "testing/manual_clock.h"
#include "testing/segment_placements.h"
#include "testing/span_text.h"

namespace weft::query {
namespace {

TEST(SearchProfileTest, TurnsOfOnePhaseAreOneInterval) {
  weft::testing::ManualClock clock;
  SearchProfile profile(&clock);
  auto turn = [&](SearchPhase phase, uint64_t ns) {
    PhaseTimer timer(&profile, phase);
    PhaseTimer within(&profile, SearchPhase::kPlan);  // belongs to the outer one
    clock.Advance(ns);
  };
  turn(SearchPhase::kScan, 5);
  clock.Advance(1);
  turn(SearchPhase::kScan, 7);
  turn(SearchPhase::kAssemble, 2);
  ASSERT_EQ(profile.intervals().size(), 2u);
  EXPECT_EQ(profile.intervals()[0].phase, SearchPhase::kScan);
  EXPECT_EQ(profile.intervals()[0].busy_ns, 12u);
  EXPECT_EQ(profile.intervals()[0].end_ns - profile.intervals()[0].start_ns, 13u);
  EXPECT_EQ(profile.intervals()[0].turns, 2u);
  EXPECT_EQ(profile.intervals()[1].phase, SearchPhase::kAssemble);
  // Without a profile nothing happens.
  PhaseTimer none(nullptr, SearchPhase::kScan);
}

TEST(SearchProfileTest, ManyTurnsStayBounded) {
  weft::testing::ManualClock clock;
  SearchProfile profile(&clock);
  for (int i = 0; i < 1000; ++i) {
    PhaseTimer timer(&profile, i % 2 == 0 ? SearchPhase::kScan : SearchPhase::kAssemble);
    clock.Advance(10);
  }
  EXPECT_EQ(profile.intervals().size(), SearchProfile::kIntervalsMax);
  uint64_t busy = 0, turns = 0;
  for (const auto& interval : profile.intervals()) {
    busy += interval.busy_ns;
    turns += interval.turns;
  }
  EXPECT_EQ(busy, 10'000u);
  EXPECT_EQ(turns, 1000u);
}

TEST(SearchProfileTest, ASearchSaysWhatItDid) {
  weft::testing::SpanTextReader reader(1);
  for (const char* line :
       {"trace 1", "  resource service.name=\"shop\"", "  span a start=0ms for=5s : n=1"})
    ASSERT_TRUE(reader.TakeLine(line).has_value()) << line;
  std::vector<SpanBatch> batches = reader.Finish();
  const SpanBatch* batch = &batches[0];
  weft::testing::SegmentSnapshot snapshot({weft::testing::MakeChunk(std::span(&batch, 1))});
  weft::testing::ManualClock clock;
  auto ask = [&](const char* traceql) {
    SearchProfile profile(&clock);
    EXPECT_TRUE(Search(snapshot, {.traceql = traceql}, {.clock = &clock, .profile = &profile}));
    return profile;
  };
  SearchProfile all = ask("{}");
  EXPECT_TRUE(all.searched());
  std::vector<SearchPhase> phases;
  for (const auto& interval : all.intervals()) phases.push_back(interval.phase);
  EXPECT_THAT(phases, ::testing::ElementsAre(SearchPhase::kParse, SearchPhase::kPlan,
                                             SearchPhase::kScan, SearchPhase::kAssemble));
}

TEST(SearchProfileTest, QuestionsAboutOneServiceAlone) {
  weft::testing::ManualClock clock;
  SearchProfile profile(&clock);
  EXPECT_FALSE(profile.IsOnlyAbout("weft"));
  SearchResult result;
  result.traces.emplace_back().services = {{.service = "weft", .spans = 1}};
  profile.NoteResult(result);
  EXPECT_TRUE(profile.IsOnlyAbout("weft"));
  result.traces.emplace_back().services = {{.service = "shop", .spans = 1}};
  profile.NoteResult(result);
  EXPECT_FALSE(profile.IsOnlyAbout("weft"));
  profile.NoteQuestion("{ resource.service.name = \"weft\" }");
  EXPECT_TRUE(profile.IsOnlyAbout("weft"));
}

}  // namespace
}  // namespace weft::query

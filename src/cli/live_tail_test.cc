// SPDX-License-Identifier: Apache-2.0
#include "cli/live_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "cli/time_option.h"
#include "codec/otlp.h"
#include "testing/manual_clock.h"

namespace weft::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kNow = 1'700'000'000 * kSecond;

// Traces of one span each; pages of two, newest first.
class FakeSource : public TraceSource {
 public:
  Result<SearchAnswer> Search(const query::SearchRequest& request) override {
    if (away) return Fail(ErrorCode::kUnavailable, "away");
    windows.push_back({request.start_ns, request.end_ns});
    size_t skip = request.cursor.empty() ? 0 : std::stoul(request.cursor), at = 0;
    SearchAnswer answer;
    answer.result.partial = partial;
    for (auto it = spans.rbegin(); it != spans.rend(); ++it) {
      auto [start_ns, id] = *it;
      if (start_ns < request.start_ns || start_ns >= request.end_ns || at++ < skip) continue;
      if (answer.result.traces.size() == 2) {
        answer.result.cursor = std::to_string(skip + 2);
        break;
      }
      query::TraceSummary trace;
      trace.trace_id = *ParseTraceId(id);
      trace.start_ns = start_ns;
      answer.result.traces.push_back(trace);
    }
    return answer;
  }
  Result<SpanBatch> ReadTrace(const TraceId&, std::string*) override {
    if (otlp.empty()) return Fail(ErrorCode::kNotFound, "no such trace");
    return codec::DecodeOtlpTraces(codec::OtlpFormat::kJson, otlp);
  }
  Result<std::vector<query::ServiceCount>> ListServices(std::string*) override {
    return std::vector<query::ServiceCount>();
  }
  Result<std::vector<query::OperationName>> ListOperations(const std::string&,
                                                           std::string*) override {
    return std::vector<query::OperationName>();
  }
  Result<query::TagNames> ListTags(const query::TagRequest&) override { return query::TagNames(); }
  Result<query::TagValues> ListTagValues(const query::TagName&, const query::TagRequest&) override {
    return query::TagValues();
  }

  std::multimap<uint64_t, std::string> spans;  // start, trace id
  std::vector<std::pair<uint64_t, uint64_t>> windows;
  std::string partial, otlp;
  bool away = false;
};

class SearchTailTest : public ::testing::Test {
 protected:
  std::vector<std::string> Poll(SearchTail* tail) {
    auto found = tail->Poll();
    EXPECT_TRUE(found.has_value());
    std::vector<std::string> ids;
    for (const query::TraceSummary& trace : *found) {
      std::string id = trace.trace_id.ToHex();
      ids.push_back(id.substr(id.find_first_not_of('0')));
    }
    return ids;
  }

  weft::testing::ManualClock clock_{kNow};
  FakeSource source_;
};

TEST_F(SearchTailTest, EachNewMatchComesOnceOldestFirst) {
  source_.spans = {{kNow - 5 * kSecond, "a"}};
  SearchTail tail(&source_, {}, kNow, &clock_);
  EXPECT_THAT(Poll(&tail), IsEmpty()) << "a was there before";
  for (int i = 1; i <= 5; ++i)
    source_.spans.emplace(kNow + static_cast<uint64_t>(i), std::to_string(i));
  EXPECT_THAT(Poll(&tail), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(Poll(&tail), IsEmpty());
  source_.spans.emplace(kNow + 6, "1");  // another match of a trace that was given
  EXPECT_THAT(Poll(&tail), IsEmpty());
}

TEST_F(SearchTailTest, SinceShowsWhatWasThere) {
  source_.spans = {{kNow - 7200 * kSecond, "1"}, {kNow - 60 * kSecond, "2"}, {kNow - 1, "3"}};
  SearchTail tail(&source_, {}, kNow - 600 * kSecond, &clock_);
  EXPECT_THAT(Poll(&tail), ElementsAre("2", "3"));
}

TEST_F(SearchTailTest, LateSpansAreFoundByTheNextSweep) {
  SearchTail tail(&source_, {}, kNow, &clock_);
  EXPECT_THAT(Poll(&tail), IsEmpty());
  EXPECT_THAT(Poll(&tail), IsEmpty());  // a sweep
  // A span that began half an hour ago ends and arrives now: the recent minute does not have it.
  source_.spans.emplace(kNow - 1800 * kSecond, "1");
  clock_.Advance(kSecond);
  EXPECT_THAT(Poll(&tail), IsEmpty());
  EXPECT_GE(source_.windows.back().first, kNow - kRecentNs);
  clock_.Advance(kSweepEveryNs);
  EXPECT_THAT(Poll(&tail), ElementsAre("1"));
  EXPECT_EQ(source_.windows.back(), std::pair(kNow - kLookBackNs, kEndOfTimeNs));
  clock_.Advance(kSweepEveryNs);
  EXPECT_THAT(Poll(&tail), IsEmpty());
}

TEST_F(SearchTailTest, WhatCameWhileTheServerWasAwayIsGivenAfterwards) {
  source_.away = true;
  SearchTail tail(&source_, {}, kNow, &clock_);
  EXPECT_FALSE(tail.Poll().has_value());
  source_.spans.emplace(kNow + 1, "1");
  source_.away = false;
  EXPECT_THAT(Poll(&tail), ElementsAre("1"));
  source_.away = true;
  EXPECT_FALSE(tail.Poll().has_value());
  source_.spans.emplace(kNow + 2, "2");
  source_.away = false;
  clock_.Advance(300 * kSecond);
  EXPECT_THAT(Poll(&tail), ElementsAre("2")) << "no sweep was made meanwhile, so this is one";
}

TEST_F(SearchTailTest, SaysWhenALookWasPartial) {
  SearchTail tail(&source_, {}, kNow, &clock_);
  source_.partial = "out of time";
  EXPECT_THAT(Poll(&tail), IsEmpty());
  EXPECT_EQ(tail.partial(), "out of time");
  source_.partial = "";
  Poll(&tail);
  EXPECT_EQ(tail.partial(), "");
}

std::string Otlp(std::initializer_list<int> ids) {
  std::string spans;
  for (int id : ids)
    spans +=
        (spans.empty() ? "" : ",") +
        std::string(R"({"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"000000000000000)") +
        std::to_string(id) + R"(","name":"n","startTimeUnixNano":"170000000000000000)" +
        std::to_string(id) + R"("})";
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[)" + spans + "]}]}]}";
}

TEST(SpanTailTest, EachSpanComesOnceAlsoLateOnes) {
  FakeSource source;
  SpanTail tail(&source, *ParseTraceId("1"));
  auto starts = [&] {
    std::vector<uint64_t> out;
    auto batch = tail.Poll();
    EXPECT_TRUE(batch.has_value());
    for (const Span& span : batch->spans) out.push_back(span.start_ns % 10);
    return out;
  };
  EXPECT_THAT(starts(), IsEmpty());
  EXPECT_FALSE(tail.any());
  source.otlp = Otlp({5, 3});
  EXPECT_THAT(starts(), ElementsAre(3, 5));
  source.otlp = Otlp({5, 3, 1, 7});
  EXPECT_THAT(starts(), ElementsAre(1, 7));
  EXPECT_THAT(starts(), IsEmpty());
}

}  // namespace
}  // namespace weft::cli

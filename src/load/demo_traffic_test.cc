// SPDX-License-Identifier: Apache-2.0
#include "load/demo_traffic.h"

#include <gtest/gtest.h>

#include "codec/otlp.h"

namespace weft::load {
namespace {

constexpr uint64_t kNowNs = 1'760'000'000'000'000'000;
constexpr uint64_t kSecondNs = 1'000'000'000;

SpanBatch Decode(const DemoRequest& request) {
  auto batch = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, request.traces);
  EXPECT_TRUE(batch.has_value());
  return std::move(*batch);
}

TEST(DemoTrafficTest, HistoryIsDueAtOnceAndInTheRightAmount) {
  DemoTraffic traffic({}, 1, 2, kNowNs - 900 * kSecondNs);
  std::vector<DemoRequest> requests = traffic.Due(kNowNs);
  uint32_t visits = 0, logs = 0;
  for (const DemoRequest& request : requests) {
    visits += request.visits;
    logs += !request.logs.empty();
    EXPECT_EQ(Decode(request).spans.size(), request.spans);
    EXPECT_LE(request.visits, 50u);
  }
  EXPECT_NEAR(visits, 1800, 150);
  EXPECT_GT(logs, 0u);
}

TEST(DemoTrafficTest, NothingArrivesBeforeItHappenedAndTimeGoesOn) {
  DemoTraffic traffic({.slow_stripe = true}, 1, 5, kNowNs);
  uint32_t visits = 0;
  uint64_t now_ns = kNowNs;
  while (now_ns < kNowNs + 60 * kSecondNs) {
    for (const DemoRequest& request : traffic.Due(now_ns)) {
      ++visits;
      for (const Span& span : Decode(request).spans) EXPECT_LE(span.end_ns, now_ns);
    }
    ASSERT_GT(traffic.NextDueNs(), now_ns);
    now_ns = traffic.NextDueNs();
  }
  EXPECT_NEAR(visits, 300, 70);
}

}  // namespace
}  // namespace weft::load

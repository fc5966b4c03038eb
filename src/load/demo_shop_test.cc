// SPDX-License-Identifier: Apache-2.0
#include "load/demo_shop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "trace/trace_view.h"

namespace weft::load {
namespace {

constexpr uint64_t kStartNs = 1'760'000'000'000'000'000;
constexpr uint64_t kSecondNs = 1'000'000'000;

// "service name" of what holds most of the critical path.
std::string Culprit(const SpanBatch& batch) {
  trace::TraceView view = trace::BuildTraceView(batch);
  std::map<std::string, uint64_t> time;
  for (size_t i = 0; i < view.tree.node.size(); ++i) {
    const Span& span = batch.spans[view.tree.node[i]];
    time[std::string(ServiceName(batch.resources[span.resource])) + " " + std::string(span.name)] +=
        view.times.critical_ns[i];
  }
  auto most = std::max_element(time.begin(), time.end(),
                               [](auto& a, auto& b) { return a.second < b.second; });
  return most->first;
}

SpanBatch CheckoutWith(std::string_view fault, uint64_t seed) {
  DemoFaults faults;
  EXPECT_TRUE(SetDemoFault(fault, &faults).has_value());
  return DemoShop(faults, seed).Checkout(kStartNs);
}

TEST(DemoShopTest, EachFaultHasItsOwnCulprit) {
  const std::map<std::string_view, std::string> culprits = {
      {"slow-stripe", "stripe-api POST /v1/charges"},
      {"fraud-900ms", "fraud shop.Fraud/Score"},
      {"missing-index", "inventory SELECT shop.stock"},
      {"cache-miss-retries", "pricing GET"},
  };
  ASSERT_EQ(culprits.size(), std::size(kDemoFaultNames));
  for (auto& [fault, culprit] : culprits) {
    for (uint64_t seed = 1; seed <= 50; ++seed) {
      EXPECT_EQ(Culprit(CheckoutWith(fault, seed)), culprit) << fault << " seed " << seed;
    }
  }
}

TEST(DemoShopTest, NoClockSeemsToBeOff) {
  DemoShop shop({}, 5);
  for (std::string_view fault : kDemoFaultNames)
    EXPECT_TRUE(trace::BuildTraceView(CheckoutWith(fault, 9)).findings.empty()) << fault;
  for (int i = 0; i < 300; ++i)
    EXPECT_TRUE(trace::BuildTraceView(shop.Checkout(kStartNs)).findings.empty()) << i;
}

TEST(DemoShopTest, WithoutAFaultSomeCheckoutsHangInStripe) {
  DemoShop shop({}, 1);
  int slow = 0;
  for (int i = 0; i < 200; ++i) {
    SpanBatch batch = shop.Checkout(kStartNs);
    const Span& root = batch.spans.front();
    ASSERT_EQ(root.name, "POST /checkout");
    if (DurationNs(root) < 4 * kSecondNs) continue;
    ++slow;
    EXPECT_LT(DurationNs(root), 5 * kSecondNs);
    EXPECT_EQ(Culprit(batch), "stripe-api POST /v1/charges");
  }
  EXPECT_GT(slow, 4);
  EXPECT_LT(slow, 30);
}

TEST(DemoShopTest, AnUnknownFaultIsRefusedWithTheKnownOnes) {
  DemoFaults faults;
  Status status = SetDemoFault("gremlins", &faults);
  ASSERT_FALSE(status.has_value());
  for (std::string_view name : kDemoFaultNames) {
    EXPECT_THAT(status.error().message, testing::HasSubstr(std::string(name)));
  }
  EXPECT_FALSE(faults.any());
}

TEST(DemoShopTest, VisitsHaveErrorsRetriesAndLogsOfTheirSpans) {
  std::vector<uint64_t> starts;
  for (uint64_t i = 0; i < 600; ++i) starts.push_back(kStartNs + i * kSecondNs);
  DemoShop shop({}, 3);
  SpanBatch batch = shop.Visits(starts);
  std::set<TraceId> traces;
  std::set<SpanId> ids;
  std::set<std::string_view> services;
  int errors = 0, retries = 0, exceptions = 0;
  for (const Span& span : batch.spans) {
    traces.insert(span.trace_id);
    EXPECT_TRUE(ids.insert(span.span_id).second);
    services.insert(ServiceName(batch.resources[span.resource]));
    errors += span.status == StatusCode::kError;
    retries += Find(span.attributes, "http.request.resend_count") != nullptr;
    for (const Event& event : span.events) exceptions += event.name == "exception";
  }
  EXPECT_EQ(traces.size(), starts.size());
  EXPECT_EQ(services.size(), 8u);
  EXPECT_GT(errors, 0);
  EXPECT_GT(retries, 0);
  EXPECT_GT(exceptions, 0);
  EXPECT_GT(batch.logs.size(), 100u);
  for (const LogRecord& log : batch.logs) {
    EXPECT_TRUE(ids.contains(log.span_id));
    EXPECT_TRUE(traces.contains(log.trace_id));
  }
}

}  // namespace
}  // namespace weft::load

// SPDX-License-Identifier: Apache-2.0
#include "load/demo_traffic.h"

#include <algorithm>
#include <cmath>

#include "codec/otlp.h"

namespace weft::load {
namespace {

constexpr size_t kVisitsPerRequest = 50;
// Longer than any visit lasts: what began earlier is surely over.
constexpr uint64_t kOverNs = 30ull * 1'000'000'000;

template <class Item>
void SortByResource(std::vector<Item>* items) {
  std::stable_sort(items->begin(), items->end(),
                   [](const Item& a, const Item& b) { return a.resource < b.resource; });
}

}  // namespace

DemoTraffic::DemoTraffic(DemoFaults faults, uint64_t seed, double visits_per_second,
                         uint64_t start_ns)
    : shop_(faults, seed), mean_gap_ns_(1e9 / visits_per_second), next_visit_ns_(start_ns) {}

std::vector<DemoRequest> DemoTraffic::Due(uint64_t now_ns) {
  std::vector<DemoRequest> due;
  std::vector<uint64_t> starts;
  while (next_visit_ns_ + kOverNs < now_ns) {
    starts.push_back(next_visit_ns_);
    Advance();
    if (starts.size() < kVisitsPerRequest && next_visit_ns_ + kOverNs < now_ns) continue;
    due.push_back(Make(starts));
    starts.clear();
  }
  for (; next_visit_ns_ <= now_ns; Advance()) {
    pending_.push_back(Make(std::span(&next_visit_ns_, 1)));
    std::sort(pending_.begin(), pending_.end(),
              [](const DemoRequest& a, const DemoRequest& b) { return a.due_ns > b.due_ns; });
  }
  for (; !pending_.empty() && pending_.back().due_ns <= now_ns; pending_.pop_back()) {
    due.push_back(std::move(pending_.back()));
  }
  return due;
}

uint64_t DemoTraffic::NextDueNs() const {
  return pending_.empty() ? next_visit_ns_ : std::min(next_visit_ns_, pending_.back().due_ns);
}

DemoRequest DemoTraffic::Make(std::span<const uint64_t> starts) {
  SpanBatch batch = shop_.Visits(starts);
  DemoRequest request;
  request.visits = static_cast<uint32_t>(starts.size());
  request.spans = static_cast<uint32_t>(batch.spans.size());
  for (const Span& span : batch.spans) request.due_ns = std::max(request.due_ns, span.end_ns);
  SortByResource(&batch.spans);
  SortByResource(&batch.logs);
  codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, batch, &request.traces);
  if (!batch.logs.empty())
    codec::EncodeOtlpLogs(codec::OtlpFormat::kProtobuf, batch, &request.logs);
  return request;
}

// Visitors come independently of each other: exponential gaps.
void DemoTraffic::Advance() {
  next_visit_ns_ += 1 + static_cast<uint64_t>(-std::log(1 - shop_.dice().Unit()) * mean_gap_ns_);
}

}  // namespace weft::load

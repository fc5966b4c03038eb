// SPDX-License-Identifier: Apache-2.0
//
// The generated traffic that benches and `weft loadgen` send. Two shapes:
//   tracegen  1 root + 9 client children, 11 attributes a span cycling through 97 keys and 1000
//             values: the load that trace stores publish numbers for.
//   shop      15 services calling each other, about 16 spans a trace and 9 attributes a span, rpc
//             message events, 1 % of the spans failed: what a company's traffic looks like.
// The same options give the same bytes. Trace times run through the window from start_ns on.
//
// Thread rule: one thread at a time.
// Sources: the published settings of Jaeger's tracegen; OpenTelemetry semantic conventions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/span_batch.h"

namespace weft::load {

inline constexpr uint64_t kDayNs = 24ull * 3600 * 1'000'000'000;

struct LoadOptions {
  std::string shape = "shop";
  uint64_t seed = 1;
  uint64_t start_ns = 0;        // of the first trace
  uint64_t window_ns = kDayNs;  // over which `spans` are spread
  uint64_t spans = 1'000'000;   // in the whole window; later traces continue at the same pace
  uint32_t spans_per_request = 200;
};

class LoadShape {
 public:
  virtual ~LoadShape() = default;
  // The next whole traces, at least `spans` spans (the last trace is not cut).
  virtual SpanBatch NextBatch(uint32_t spans) = 0;
  // The mean number of spans a trace, to place traces in the window.
  virtual double spans_per_trace() const = 0;
};

// "tracegen", "shop"; anything else is kInvalidArgument and names them.
Result<std::unique_ptr<LoadShape>> MakeLoadShape(const LoadOptions& options);

// One request, ready to send. Its traces are whole: no other request has spans of them.
struct LoadRequest {
  struct Trace {
    TraceId id;
    uint32_t spans = 0;
  };
  std::string body;  // ExportTraceServiceRequest
  uint32_t spans = 0;
  std::vector<Trace> traces;
};
LoadRequest NextRequest(LoadShape* shape, uint32_t spans);

// Start times of consecutive traces: evenly paced, with a jitter of one step.
class TracePace {
 public:
  TracePace(const LoadOptions& options, double spans_per_trace);
  uint64_t StartOf(uint64_t trace_number, double jitter) const {
    return start_ns_ +
           static_cast<uint64_t>((static_cast<double>(trace_number) + jitter) * step_ns_);
  }

 private:
  uint64_t start_ns_;
  double step_ns_;
};

// The shapes themselves, for MakeLoadShape().
std::unique_ptr<LoadShape> MakeTracegenShape(const LoadOptions& options);
std::unique_ptr<LoadShape> MakeShopShape(const LoadOptions& options);

}  // namespace weft::load

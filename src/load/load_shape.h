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

// Start times of traces: as far into the window as spans were made before, give or take.
class TracePace {
 public:
  explicit TracePace(const LoadOptions& options)
      : start_ns_(options.start_ns),
        span_ns_(static_cast<double>(options.window_ns) /
                 static_cast<double>(options.spans > 0 ? options.spans : 1)) {}
  // `jitter` in [0, 1).
  uint64_t StartOf(uint64_t spans_before, double jitter) const {
    return start_ns_ +
           static_cast<uint64_t>((static_cast<double>(spans_before) + jitter) * span_ns_);
  }

 private:
  uint64_t start_ns_;
  double span_ns_;
};

// The shapes themselves, for MakeLoadShape().
std::unique_ptr<LoadShape> MakeTracegenShape(const LoadOptions& options);
std::unique_ptr<LoadShape> MakeShopShape(const LoadOptions& options);

}  // namespace weft::load

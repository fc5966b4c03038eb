// SPDX-License-Identifier: Apache-2.0
#include "load/load_shape.h"

#include <algorithm>

#include "codec/otlp.h"

namespace weft::load {

Result<std::unique_ptr<LoadShape>> MakeLoadShape(const LoadOptions& options) {
  if (options.shape == "tracegen") return MakeTracegenShape(options);
  if (options.shape == "shop") return MakeShopShape(options);
  return Fail(ErrorCode::kInvalidArgument,
              "no shape of traffic is called '" + options.shape + "': there are tracegen and shop");
}

LoadRequest NextRequest(LoadShape* shape, uint32_t spans) {
  SpanBatch batch = shape->NextBatch(spans);
  LoadRequest request;
  request.spans = static_cast<uint32_t>(batch.spans.size());
  for (const Span& span : batch.spans) {  // still trace by trace
    if (request.traces.empty() || request.traces.back().id != span.trace_id) {
      request.traces.push_back({span.trace_id});
    }
    ++request.traces.back().spans;
  }
  // Senders group by resource; the encoder makes one group of each run.
  std::stable_sort(batch.spans.begin(), batch.spans.end(),
                   [](const Span& a, const Span& b) { return a.resource < b.resource; });
  codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, batch, &request.body);
  return request;
}

}  // namespace weft::load

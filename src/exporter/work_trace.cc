// SPDX-License-Identifier: Apache-2.0
#include "exporter/work_trace.h"

namespace weft::exporter {

std::string TraceWork(selftrace::Tracer* tracer, const std::string& exporter,
                      const store::StoreWork& work) {
  static constexpr std::string_view kNames[] = {"flush", "compaction", "retention"};
  if (work.kind == store::StoreWork::Kind::kFlush && work.status &&
      work.spans + work.logs <= tracer->TakeDelivered())
    return "";
  selftrace::OwnSpan span;
  span.trace_id = tracer->Begin("")->trace_id;
  span.span_id = tracer->NewSpanId();
  span.name = kNames[static_cast<int>(work.kind)];
  span.start_ns = work.start_ns;
  span.end_ns = work.start_ns + work.duration_ns;
  if (!work.status) span.error = work.status.error().message;
  auto number = [](uint64_t n) { return static_cast<int64_t>(n); };
  span.attributes = {{"weft.exporter", exporter},          {"weft.tenant", work.tenant},
                     {"weft.inputs", number(work.inputs)}, {"weft.spans", number(work.spans)},
                     {"weft.logs", number(work.logs)},     {"weft.bytes", number(work.bytes)},
                     {"weft.level", number(work.level)}};
  std::string trace_id = span.trace_id.ToHex();
  tracer->Record({std::move(span)});
  return trace_id;
}

}  // namespace weft::exporter

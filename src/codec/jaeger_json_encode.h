// SPDX-License-Identifier: Apache-2.0
//
// A trace in Jaeger's v1 JSON: processes, spans with references, tags and logs; times in µs. Log
// records of a span appear among its logs, after its events.
//
// Thread rule: pure functions. Used by api/jaeger_api.cc.
// Source: Jaeger's internal/uimodel and its fixtures (facts on the v1 JSON of port 16686).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/span_batch.h"
#include "wire_core/json_writer.h"

namespace weft::codec {

// 16 hex digits where the high half is zero, as Jaeger writes 64-bit ids.
std::string JaegerTraceId(const TraceId& id);
// One element of `data`, written in pieces. Spans in the order of the batch. `warning`, if there is
// one, stands at the trace and at its first span, where viewers show it. The batch is borrowed.
class JaegerTraceWriter {
 public:
  JaegerTraceWriter(const TraceId& id, const SpanBatch& batch, std::string_view warning);
  JaegerTraceWriter(const JaegerTraceWriter&) = delete;
  JaegerTraceWriter& operator=(const JaegerTraceWriter&) = delete;
  // Appends what comes next, about `bytes` of it. False: that was the end.
  bool Write(size_t bytes, std::string* out);

 private:
  void Begin();
  void WriteSpan(uint32_t index);
  void End();

  const TraceId id_;
  const SpanBatch& batch_;
  const std::string warning_;
  std::map<std::string, std::string> process_ids_;  // JSON -> "p1"
  std::vector<std::string_view> process_of_;        // by resource index
  std::unordered_map<SpanId, std::vector<const LogRecord*>, IdHash> logs_;
  std::vector<uint32_t> twins_;
  size_t next_twin_ = 0;
  uint32_t next_span_ = 0;
  std::string text_;  // of this piece
  wire::JsonWriter json_{&text_};
};

// The same at once.
void WriteJaegerTrace(const TraceId& id, const SpanBatch& batch, wire::JsonWriter* json,
                      std::string_view warning = {});

struct JaegerError {
  int code = 0;
  std::string message;
  std::string trace_id;  // may be empty
};
// {"data": <data>, "total": n, "limit": 0, "offset": 0, "errors": null | [...]}
std::string JaegerEnvelope(std::string_view data, size_t total,
                           const std::vector<JaegerError>& errors);

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
//
// A trace id out of what people paste: the id itself in any spelling, a propagation header, an
// address of a trace in weft, Jaeger, Zipkin or Grafana, or a line of a log that names one. The
// commands and the APIs read ids with it; the UI has its own, and both are held to the same table:
// test/ids/pasted_ids.test.
//
// Accepted: 1 to 32 hex digits of either case, with 0x in front, or longer with nothing but zeros
// before the last 32; a UUID; traceparent, b3, uber-trace-id and X-Ray's Root; 16 bytes in padded
// base64. Around one of these: white space, quotes and brackets, an escaped URL with /trace/ID or
// /traces/ID, or text that names a trace id (`trace_id=...`) or has only one of 32 digits.
// Thread rule: pure functions. Next: model/ids.h.
#pragma once

#include <optional>
#include <string_view>

#include "model/ids.h"

namespace weft {

struct PastedId {
  TraceId trace_id;  // not empty
  SpanId span_id;    // of headers that name one; else empty
  bool operator==(const PastedId&) const = default;
};

// Nothing where the text names no trace id, more than one, or the id of zeros, which is none.
std::optional<PastedId> ParsePastedId(std::string_view text);

// What an error says about a text that is none.
inline constexpr std::string_view kTraceIdForms =
    "a trace id has 1 to 32 hex digits, not all zero; a traceparent, a dashed id or the address of "
    "a trace will do too";

}  // namespace weft

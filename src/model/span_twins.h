// SPDX-License-Identifier: Apache-2.0
//
// Spans that share one id within a trace. In Zipkin's model the two halves of a call do, and both
// are meant. Any other two are twins: one of them is a copy in another format, or somebody gave an
// id twice.
//
// Thread rule: pure functions. Used by store/import.cc, trace/tree.cc and every view of a trace.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/span_batch.h"

namespace weft {

// Of a call or a message.
inline bool AreTwoHalves(SpanKind a, SpanKind b) {
  const auto pair = [a, b](SpanKind one, SpanKind other) {
    return (a == one && b == other) || (a == other && b == one);
  };
  return pair(SpanKind::kClient, SpanKind::kServer) ||
         pair(SpanKind::kProducer, SpanKind::kConsumer);
}

// Indexes of the spans that have a twin, ascending; equal spans are none. REQUIRES: all are of one
// trace.
std::vector<uint32_t> FindTwins(const SpanBatch& batch);
// A sentence for those who look at the trace; empty where there is no twin.
std::string TwinWarning(const SpanBatch& batch, const std::vector<uint32_t>& twins);

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
//
// What a format can hold of a span, as a few numbers: Jaeger's and Zipkin's JSON have microseconds,
// no scope attributes, some no types. A span that was downloaded in such a format is recognised by
// them as the stored one that it was made from, also where the system that wrote it orders tags in
// another way, leaves out what is not content (flags, dropped counts, schema URLs), or rounds a
// time where another cuts it.
//
// What the format holds is not said twice: a span is written by codec's own encoder and read by its
// decoder, and what comes back is hashed. Log records come back as events of their span; their
// prints are taken apart, and add up.
//
// Thread rule: pure functions. Used by store/import.cc. Next: codec/trace_file.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codec/trace_file.h"
#include "model/span_batch.h"

namespace weft::codec {

// Of any number of events, in any order: sums over hashes of name, attributes and time of each,
// with the times as they are and in each form in which a format may give them back.
struct EventPrint {
  uint64_t exact = 0;    // nanoseconds
  uint64_t cut = 0;      // microseconds, cut
  uint64_t rounded = 0;  // microseconds, rounded
  uint64_t script = 0;   // nanoseconds as a browser's numbers hold them
  uint32_t count = 0;

  void Add(const EventPrint& more);
};

struct Fingerprint {
  uint64_t content = 0;  // everything but what follows
  uint64_t extras = 0;   // what other systems leave out at times; 0 where there is nothing of it
  EventPrint events;
  uint64_t start_ns = 0, end_ns = 0;
  bool start_is_absent = false;  // Zipkin: taken from another span
};

// Of each span as it stands, in terms of the format: Zipkin, say, knows no upper case. The batch's
// log records are left out. `format` is none of kAny.
std::vector<Fingerprint> FingerprintSpans(TraceFormat format, const SpanBatch& batch);
// Of what a trip through the format leaves of each span; times are those before it. Nothing for a
// span that does not come back.
std::vector<std::optional<Fingerprint>> FingerprintTrips(TraceFormat format,
                                                         const SpanBatch& batch);
// The same of each log record, as the event that it becomes. OTLP has records apart: no events.
std::vector<EventPrint> FingerprintLogTrips(TraceFormat format, const SpanBatch& batch);

// The content of each log record after a trip through OTLP's JSON, which is text and has one NaN.
std::vector<ContentHash> HashLogTrips(const SpanBatch& batch);

// True when `coarse`, as it stands, is all that the format keeps of the span whose trip is `fine`,
// with or without its log records.
bool IsAllThatIsKept(TraceFormat format, const Fingerprint& fine, const EventPrint& logs,
                     const Fingerprint& coarse);

}  // namespace weft::codec

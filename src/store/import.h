// SPDX-License-Identifier: Apache-2.0
//
// Import: appends batches of spans from files, and counts exactly how many were new. Spans that the
// store already holds are left out before they reach the log: those with the same trace, id and
// content, and those that are all that the file's format keeps of a stored one (a download in
// microseconds, say). A span with the id of another one but other content is kept, counted and
// named, and so is one that a stored span is a coarser copy of: the store only ever adds.
//
// Thread rule: any thread; waits for the append, so never call it on a net thread. Batches go one
// after the other, so that each sees what the one before has stored.
// Next: store/known_traces.h, codec/fingerprint.h.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/trace_file.h"
#include "model/span_batch.h"
#include "store/known_traces.h"
#include "store/store.h"

namespace weft::store {

struct ImportCounts {
  static constexpr size_t kExamplesMax = 3;

  uint64_t kept = 0, duplicates = 0, rejected = 0;
  // Of those that were kept: the id is another span's with other content, but not the other half of
  // its call; or the store has a coarser copy.
  uint64_t same_id = 0, finer = 0;
  uint64_t kept_logs = 0, duplicate_logs = 0, rejected_logs = 0;
  std::string rejected_message;               // the first reason
  std::vector<std::string> same_id_examples;  // "00f067aa0ba902b7 of trace 4bf9..."

  void Add(const ImportCounts& more);
};

class Importer {
 public:
  static constexpr uint64_t kKnownBytesMax = 64 << 20;

  // Both are borrowed.
  Importer(Store* store, Clock* clock, uint64_t known_bytes_max = kKnownBytesMax)
      : store_(store), clock_(clock), known_(known_bytes_max) {}

  // `format` is of the file that the batch was read from: kAny stands for OTLP.
  // kUnavailable or kNoSpace with a retry hint when the store takes nothing now: nothing was
  // stored.
  Result<ImportCounts> Import(SpanBatch batch, codec::TraceFormat format);

  uint64_t items_read() const { return known_.items_read(); }

 private:
  Status Sift(codec::TraceFormat format, SpanBatch* batch, ImportCounts* counts);
  Status SiftSpans(codec::TraceFormat format, SpanBatch* batch, ImportCounts* counts);
  Status SiftLogs(codec::TraceFormat format, SpanBatch* batch, ImportCounts* counts);
  Status Append(SpanBatch batch);

  Store* const store_;
  Clock* const clock_;
  std::mutex mutex_;
  KnownTraces known_;
};

}  // namespace weft::store

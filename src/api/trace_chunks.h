// SPDX-License-Identifier: Apache-2.0
//
// Whole traces as a row of OTLP TracesData messages of about half a megabyte each: one trace after
// the other, no message with spans of two, none empty. Only one trace is in memory at a time.
//
// Spans of one resource and scope stand together in a message, by start; what a trace holds twice
// is there once, text that is no UTF-8 is made sound, and nothing else about it is changed.
// Thread rule: one thread at a time. Next: api/api_v3.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/query_runner.h"
#include "api/trace_hold.h"
#include "codec/otlp.h"
#include "model/ids.h"

namespace weft::api {

class TraceChunks {
 public:
  // gRPC clients take messages of 4 MiB unless told otherwise.
  static constexpr size_t kBytesWanted = 512 << 10;

  TraceChunks(SnapshotPtr snapshot, std::vector<TraceId> ids, codec::OtlpFormat format,
              TraceHold hold)
      : snapshot_(std::move(snapshot)),
        ids_(std::move(ids)),
        format_(format),
        hold_(std::move(hold)) {}

  // A message; nothing at the end. A trace that the store does not hold is passed over. After an
  // error (a trace that cannot be read) the next call goes on behind it.
  Result<std::optional<std::string>> Next();
  // Why the traces given so far may not be whole, naming the blocks; empty: they are.
  const std::string& partial() const { return partial_; }

 private:
  Status ReadNextTrace();
  std::string EncodeSome();
  std::string Encode(size_t count) const;

  const SnapshotPtr snapshot_;
  const std::vector<TraceId> ids_;
  const codec::OtlpFormat format_;
  TraceHold hold_;
  size_t next_id_ = 0;
  SpanBatch trace_;
  std::string partial_;
  size_t next_span_ = 0;
  size_t spans_at_once_ = 256;
};

}  // namespace weft::api

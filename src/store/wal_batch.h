// SPDX-License-Identifier: Apache-2.0
//
// The payload of a kBatch log record: one SpanBatch as OTLP protobuf, its spans and its log records
// each as one lz4 block (docs/format_wal.md). Where the pipeline changed nothing, the part of the
// spans is the very bytes that were received.
//
// Thread rule: pure functions; encoding happens before any lock is taken.
// Next: store/engine.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/span_batch.h"

namespace weft::store {

// kTooLarge when a part is over kWalPartBytesMax.
Result<std::string> EncodeWalBatch(const SpanBatch& batch);

// The batch again, as one SpanBatch for each part that is there; tenant and received time are not
// set. kCorruption when the bytes are not what EncodeWalBatch() makes or hold other than `items`
// spans and log records: a log that verified its checksum then met a bug, and must be kept.
Result<std::vector<SpanBatch>> DecodeWalBatch(std::string_view payload, uint64_t items);

}  // namespace weft::store

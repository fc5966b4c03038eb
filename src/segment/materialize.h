// SPDX-License-Identifier: Apache-2.0
//
// Rows back into spans and log records: the one implementation of Segment::ReadSpans() and
// ReadLogs(), over any StoredRows.
//
// Thread rule: pure functions over an immutable segment.
#pragma once

#include <span>

#include "model/span_batch.h"
#include "segment/stored_rows.h"

namespace weft::segment {

// kInvalidArgument when a row is out of range.
Status MaterializeSpans(const StoredRows& from, std::span<const Row> rows, SpanBatch* out);
Status MaterializeLogs(const StoredRows& from, std::span<const Row> rows, SpanBatch* out);

}  // namespace weft::segment

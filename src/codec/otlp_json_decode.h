// SPDX-License-Identifier: Apache-2.0
//
// OTLP/JSON, inside of codec/otlp.cc: reads batch->received as the specification says, and what
// writers in the field make of it: snake_case names, enum names, numbers as strings and strings as
// numbers, ids in base64, a byte order mark, the names that OTLP's fields had before. Fields that
// come twice are treated as in protobuf. Values of unknown fields are stepped over unseen.
//
// A wrong value costs what it belongs to and nothing else: a span or log record, an attribute of a
// resource. Only text that is no JSON, or a list of resources that is no list, costs everything.
//
// Thread rule: one thread at a time. Next: codec/json_walker.h, codec/batch_parts.h.
#pragma once

#include <string_view>

#include "base/result.h"
#include "codec/batch_parts.h"
#include "model/metric_batch.h"
#include "model/span_batch.h"

namespace weft::codec {

// Where the text stands in something larger, for messages.
struct OtlpJsonPlace {
  int64_t offset_base = 0;  // of its first byte
  size_t first = 0;         // the index of its first resource
};

// May move batch->received.
Status DecodeTracesJson(SpanBatch* batch, DecodeBudget budget, const OtlpJsonPlace& place = {});
Status DecodeLogsJson(SpanBatch* batch, DecodeBudget budget, const OtlpJsonPlace& place = {});
Status DecodeMetricsJson(MetricBatch* batch, DecodeBudget budget);
Result<uint64_t> CountMetricPointsJson(std::string_view body);

}  // namespace weft::codec

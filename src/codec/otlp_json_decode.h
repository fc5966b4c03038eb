// SPDX-License-Identifier: Apache-2.0
//
// OTLP/JSON, inside of codec/otlp.cc: reads batch->received as the specification says, and what
// writers in the field make of it: snake_case names, enum names, numbers as strings and strings as
// numbers, ids in base64. Fields that come twice are treated as in protobuf. Values of unknown
// fields are stepped over unseen.
//
// Thread rule: one thread at a time. Next: codec/json_walker.h, codec/batch_parts.h.
#pragma once

#include <string_view>

#include "base/result.h"
#include "codec/batch_parts.h"
#include "model/span_batch.h"

namespace weft::codec {

// May move batch->received. Messages add offset_base to the byte they name.
Status DecodeTracesJson(SpanBatch* batch, DecodeBudget budget, int64_t offset_base = 0);
Status DecodeLogsJson(SpanBatch* batch, DecodeBudget budget, int64_t offset_base = 0);
Result<uint64_t> CountMetricPointsJson(std::string_view body);

}  // namespace weft::codec

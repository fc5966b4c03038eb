// SPDX-License-Identifier: Apache-2.0
//
// The OTLP writers behind codec/otlp.h and codec/otlp_metrics.h: one file per format. Items are
// written in the order of the batch; a run of equal resource indexes becomes one ResourceSpans, a
// run of equal scope indexes in it one ScopeSpans. Fields that hold their default are left out.
//
// Thread rule: pure functions. Next: codec/otlp_proto_encode.cc, codec/otlp_json_encode.cc.
#pragma once

#include <cstdint>
#include <string>

#include "model/metric_batch.h"
#include "model/span_batch.h"

namespace weft::codec {

// What becomes of text that is no UTF-8.
enum class ProtoText : uint8_t { kAsReceived, kSound };

void EncodeTracesProto(const SpanBatch& batch, ProtoText text, std::string* out);
void EncodeLogsProto(const SpanBatch& batch, std::string* out);
void EncodeMetricsProto(const MetricBatch& batch, ProtoText text, std::string* out);
void EncodeValueProto(const Value& value, std::string* out);

void EncodeTracesJson(const SpanBatch& batch, std::string* out);
void EncodeLogsJson(const SpanBatch& batch, std::string* out);
void EncodeMetricsJson(const MetricBatch& batch, std::string* out);

}  // namespace weft::codec

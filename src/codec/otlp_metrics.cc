// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp_metrics.h"

#include "codec/otlp_encode.h"
#include "codec/otlp_front.h"
#include "codec/otlp_json_decode.h"
#include "codec/otlp_proto_decode.h"

namespace weft::codec {
namespace {

// A metric of a few bytes is sound, unlike a span. Bytes that a string keeps within itself would
// move with the batch, away from the views into them: these are on the heap.
std::string OnHeap(std::string body) {
  constexpr size_t kBeyondInlineBytes = 64;
  body.reserve(kBeyondInlineBytes);
  return body;
}

}  // namespace

Result<MetricBatch> DecodeOtlpMetrics(OtlpFormat format, std::string body, OtlpSource source) {
  WEFT_TRY(CheckMessageBytes(body));
  MetricBatch batch;
  batch.received = OnHeap(std::move(body));
  const DecodeBudget budget = BudgetOf(batch.received, source);
  if (format == OtlpFormat::kJson) {
    WEFT_TRY(DecodeMetricsJson(&batch, budget));
    return batch;
  }
  OtlpProtoDecoder decoder(batch.received, &batch.arena, budget);
  if (!decoder.ReadMetrics(&batch)) return NoProtobuf(decoder.fault(), batch.received);
  batch.received_is_content = batch.rejected_points.count == 0 && batch.left_out.count == 0;
  return batch;
}

void EncodeOtlpMetrics(OtlpFormat format, const MetricBatch& batch, std::string* out) {
  format == OtlpFormat::kProtobuf ? EncodeMetricsProto(batch, ProtoText::kAsReceived, out)
                                  : EncodeMetricsJson(batch, out);
}

void EncodeSoundOtlpMetrics(OtlpFormat format, const MetricBatch& batch, std::string* out) {
  format == OtlpFormat::kProtobuf ? EncodeMetricsProto(batch, ProtoText::kSound, out)
                                  : EncodeMetricsJson(batch, out);
}

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp.h"

#include "codec/otlp_encode.h"
#include "codec/otlp_front.h"
#include "codec/otlp_json_decode.h"
#include "codec/otlp_proto_decode.h"

namespace weft::codec {

Result<SpanBatch> DecodeOtlpTraces(OtlpFormat format, std::string body, OtlpSource source) {
  WEFT_TRY(CheckMessageBytes(body));
  SpanBatch batch;
  batch.received = std::move(body);
  if (format == OtlpFormat::kJson) {
    WEFT_TRY(DecodeTracesJson(&batch, BudgetOf(batch.received, source)));
    return batch;
  }
  OtlpProtoDecoder decoder(batch.received, &batch.arena, BudgetOf(batch.received, source));
  if (!decoder.ReadTraces(&batch)) return NoProtobuf(decoder.fault(), batch.received);
  batch.received_is_content = batch.rejected_spans.count == 0 && batch.left_out.count == 0;
  return batch;
}

Result<SpanBatch> DecodeOtlpLogs(OtlpFormat format, std::string body, OtlpSource source) {
  WEFT_TRY(CheckMessageBytes(body));
  SpanBatch batch;
  batch.received = std::move(body);
  if (format == OtlpFormat::kJson) {
    WEFT_TRY(DecodeLogsJson(&batch, BudgetOf(batch.received, source)));
    return batch;
  }
  OtlpProtoDecoder decoder(batch.received, &batch.arena, BudgetOf(batch.received, source));
  if (!decoder.ReadLogs(&batch)) return NoProtobuf(decoder.fault(), batch.received);
  return batch;
}

OtlpSignalKind SignalOfRefused(std::string_view body) {
  auto logs = DecodeOtlpLogs(OtlpFormat::kProtobuf, std::string(body));
  if (logs && !logs->logs.empty()) return OtlpSignalKind::kLogs;
  auto points = CountOtlpMetricPoints(OtlpFormat::kProtobuf, body);
  return points && *points > 0 ? OtlpSignalKind::kMetrics : OtlpSignalKind::kTraces;
}

void EncodeOtlpTraces(OtlpFormat format, const SpanBatch& batch, std::string* out) {
  format == OtlpFormat::kProtobuf ? EncodeTracesProto(batch, ProtoText::kAsReceived, out)
                                  : EncodeTracesJson(batch, out);
}

void EncodeSoundOtlpTraces(OtlpFormat format, const SpanBatch& batch, std::string* out) {
  format == OtlpFormat::kProtobuf ? EncodeTracesProto(batch, ProtoText::kSound, out)
                                  : EncodeTracesJson(batch, out);
}

void EncodeOtlpLogs(OtlpFormat format, const SpanBatch& batch, std::string* out) {
  format == OtlpFormat::kProtobuf ? EncodeLogsProto(batch, out) : EncodeLogsJson(batch, out);
}

void EncodeOtlpValue(const Value& value, std::string* out) { EncodeValueProto(value, out); }

Result<Value> DecodeOtlpValue(std::string_view bytes, Arena* arena) {
  WEFT_TRY(CheckMessageBytes(bytes));
  OtlpProtoDecoder decoder(bytes, arena, DecodeBudget(bytes.size()));
  Value value;
  if (!decoder.ReadValue(&value)) return Fail(decoder.fault());
  return value;
}

}  // namespace weft::codec

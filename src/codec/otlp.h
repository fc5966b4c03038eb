// SPDX-License-Identifier: Apache-2.0
//
// OTLP: bytes <-> SpanBatch, protobuf and JSON. Decoding copies no string: views point into
// batch->received (protobuf) or into the arena (JSON escapes, hex, base64).
//
// Decoders are bounded (wire/limits.h) and never trust a length. A span or log record with a wrong
// value anywhere in it (an id that is missing, all zero or of a wrong length; a value of the wrong
// type or that cannot be read) is left out and counted in rejected_spans or rejected_logs, with the
// first reason. A wrong value of a resource or scope is left out alone, and counted in left_out and
// among their dropped attributes. What stands in place of a list around items counts as one item.
// Objects around items in which nothing was known are told in not_understood; OTLP's former names
// are known. Bytes that are not the message at all fail the whole request with the offset or field.
// Times, enum numbers and text that is no UTF-8 are kept as received.
//
// Sources: opentelemetry-proto 1.x trace/logs/common/resource/collector; its specification.md
// (JSON). Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/span_batch.h"

namespace weft::codec {

enum class OtlpFormat : uint8_t { kProtobuf, kJson };

// Where the bytes come from. A peer's message may decode to kDecodedBytesPerByteMax times its size
// at most (wire/limits.h). What weft itself encoded from such a message can be smaller than that
// message was, so stored bytes (the WAL) are read without that limit.
enum class OtlpSource : uint8_t { kPeer, kStored };

// ExportTraceServiceRequest (= TracesData). Takes the body over into batch.received.
Result<SpanBatch> DecodeOtlpTraces(OtlpFormat format, std::string body,
                                   OtlpSource source = OtlpSource::kPeer);
// ExportLogsServiceRequest (= LogsData). Records without a trace id are kept.
Result<SpanBatch> DecodeOtlpLogs(OtlpFormat format, std::string body,
                                 OtlpSource source = OtlpSource::kPeer);
// Counts the data points of an ExportMetricsServiceRequest, to answer honestly that none is kept.
Result<uint64_t> CountOtlpMetricPoints(OtlpFormat format, std::string_view body);

// What the bytes of a protobuf request hold all of whose spans were refused: the three requests
// look alike from outside, and a log record or metric reads like a broken span. kTraces: broken
// spans.
enum class OtlpSignalKind : uint8_t { kTraces, kLogs, kMetrics };
OtlpSignalKind SignalOfRefused(std::string_view body);

// The spans (logs) of the batch as TracesData (LogsData). Runs of equal resource and scope indexes
// form one ResourceSpans / ScopeSpans. JSON is strict protojson of OTLP: hex ids, numbers as enums,
// 64-bit integers as strings.
void EncodeOtlpTraces(OtlpFormat format, const SpanBatch& batch, std::string* out);
void EncodeOtlpLogs(OtlpFormat format, const SpanBatch& batch, std::string* out);
// With U+FFFD for what is no UTF-8, in protobuf as in JSON: weft's own reader takes such text as it
// is, protobuf libraries refuse the whole message for it.
void EncodeSoundOtlpTraces(OtlpFormat format, const SpanBatch& batch, std::string* out);
// The spans as protobuf libraries write TracesData in JSON, which is not OTLP's own form: ids in
// base64, enums by name. `list_name` stands for "resourceSpans".
void EncodeTracesProtojson(const SpanBatch& batch, std::string_view list_name, std::string* out);

// Export{Trace,Logs,Metrics}ServiceResponse. `rejected` 0 and an empty message: the empty success.
std::string EncodeOtlpResponse(OtlpFormat format, std::string_view rejected_field_json,
                               uint64_t rejected, std::string_view message);
// google.rpc.Status for error bodies; retry_after_s > 0 adds RetryInfo.
std::string EncodeRpcStatus(OtlpFormat format, uint32_t grpc_code, std::string_view message,
                            uint32_t retry_after_s);

// One AnyValue / list of KeyValue as protobuf: what the store keeps for nested values.
void EncodeOtlpValue(const Value& value, std::string* out);
// Views in the result point into `bytes`; arrays and maps into `arena`.
Result<Value> DecodeOtlpValue(std::string_view bytes, Arena* arena);
// A value as JSON text the way people read it: 42, "text", [1, 2] without spaces, maps as objects,
// bytes in base64, null for an empty value.
void AppendValueJson(const Value& value, std::string* out);

}  // namespace weft::codec

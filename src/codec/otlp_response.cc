// SPDX-License-Identifier: Apache-2.0
//
// Answers to OTLP requests: Export*ServiceResponse (field numbers are the same for the three
// signals) and google.rpc.Status with RetryInfo.
#include "codec/otlp.h"
#include "wire_core/json_writer.h"
#include "wire_core/protobuf_writer.h"

namespace weft::codec {
namespace {

constexpr uint32_t kPartialSuccess = 1;
constexpr uint32_t kRejected = 1, kErrorMessage = 2;
constexpr uint32_t kCode = 1, kMessage = 2, kDetails = 3;
constexpr uint32_t kTypeUrl = 1, kAnyValue = 2;
constexpr uint32_t kRetryDelay = 1, kSeconds = 1;
constexpr std::string_view kRetryInfoType = "type.googleapis.com/google.rpc.RetryInfo";

std::string ResponseProto(uint64_t rejected, std::string_view message) {
  wire::ProtoWriter out;
  if (!message.empty()) out.Bytes(kErrorMessage, message);
  if (rejected > 0) out.Varint(kRejected, rejected);
  if (out.bytes() > 0) out.CloseMessage(kPartialSuccess, 0);
  std::string text;
  out.AppendTo(&text);
  return text;
}

std::string StatusProto(uint32_t grpc_code, std::string_view message, uint32_t retry_after_s) {
  wire::ProtoWriter out;
  if (retry_after_s > 0) {
    out.Varint(kSeconds, retry_after_s);
    out.CloseMessage(kRetryDelay, 0);
    out.CloseMessage(kAnyValue, 0);
    out.Bytes(kTypeUrl, kRetryInfoType);
    out.CloseMessage(kDetails, 0);
  }
  if (!message.empty()) out.Bytes(kMessage, message);
  if (grpc_code != 0) out.Int32(kCode, grpc_code);
  std::string text;
  out.AppendTo(&text);
  return text;
}

std::string StatusJson(uint32_t grpc_code, std::string_view message, uint32_t retry_after_s) {
  std::string text;
  wire::JsonWriter out(&text);
  out.BeginObject();
  out.Field("code", grpc_code);
  out.Field("message", message);
  if (retry_after_s > 0) {
    out.Key("details");
    out.BeginArray();
    out.BeginObject();
    out.Field("@type", kRetryInfoType);
    out.Field("retryDelay", std::to_string(retry_after_s) + "s");
    out.EndObject();
    out.EndArray();
  }
  out.EndObject();
  return text;
}

}  // namespace

std::string EncodeOtlpResponse(OtlpFormat format, std::string_view rejected_field_json,
                               uint64_t rejected, std::string_view message) {
  if (format == OtlpFormat::kProtobuf) return ResponseProto(rejected, message);
  std::string text;
  wire::JsonWriter out(&text);
  out.BeginObject();
  if (rejected > 0 || !message.empty()) {
    out.Key("partialSuccess");
    out.BeginObject();
    if (rejected > 0) {
      out.Key(rejected_field_json);
      out.UintText(rejected);
    }
    if (!message.empty()) out.Field("errorMessage", message);
    out.EndObject();
  }
  out.EndObject();
  return text;
}

std::string EncodeRpcStatus(OtlpFormat format, uint32_t grpc_code, std::string_view message,
                            uint32_t retry_after_s) {
  return format == OtlpFormat::kProtobuf ? StatusProto(grpc_code, message, retry_after_s)
                                         : StatusJson(grpc_code, message, retry_after_s);
}

}  // namespace weft::codec

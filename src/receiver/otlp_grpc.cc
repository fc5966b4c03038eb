// SPDX-License-Identifier: Apache-2.0
#include "receiver/otlp_grpc.h"

#include "wire/compression.h"

namespace weft::receiver {
namespace {

struct Method {
  OtlpSignal signal;
  const char* path;
};
constexpr Method kMethods[] = {
    {OtlpSignal::kTraces, "/opentelemetry.proto.collector.trace.v1.TraceService/Export"},
    {OtlpSignal::kLogs, "/opentelemetry.proto.collector.logs.v1.LogsService/Export"},
    {OtlpSignal::kMetrics, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"},
};

http::GrpcStatus ToStatus(const Error& error) {
  http::GrpcCode code = http::ToGrpcCode(error.code);
  if (error.code == ErrorCode::kNoSpace) code = http::GrpcCode::kUnavailable;
  return {.code = code, .message = error.message, .retry_after_s = error.retry_after_s};
}

Result<std::string> UnpackMessage(OtlpIntake* intake, std::string_view encoding,
                                  std::string_view bytes, uint64_t bytes_max, void* token) {
  std::optional<wire::Compression> kind = wire::CompressionByName(encoding);
  if (!kind)
    return Fail(ErrorCode::kUnimplemented,
                "unsupported grpc-encoding \"" + std::string(encoding.substr(0, 64)) + "\"");
  return intake->Unpack(static_cast<OtlpIntake::Token*>(token), *kind, bytes, bytes_max);
}

void Handle(OtlpIntake* intake, OtlpSignal signal, http::GrpcRequest request,
            http::GrpcCallPtr call) {
  OtlpIntake::Message message{.bytes = std::move(request.message),
                              .wire_bytes = request.wire_bytes};
  intake->Take(signal, request, codec::OtlpFormat::kProtobuf, std::move(message),
               [call, signal](Result<OtlpAnswer> answer) {
                 if (!answer) return call->Finish(ToStatus(answer.error()));
                 call->Send(codec::EncodeOtlpResponse(codec::OtlpFormat::kProtobuf,
                                                      OtlpIntake::RejectedField(signal),
                                                      answer->rejected, answer->message));
                 call->Finish({});
               });
}

}  // namespace

void AddOtlpGrpcRoutes(const OtlpReceiverSettings::Grpc& settings, OtlpIntake* intake,
                       std::function<bool()> serving, http::Router* router) {
  for (const Method& method : kMethods) {
    OtlpSignal signal = method.signal;
    if (!intake->Serves(signal)) continue;
    http::GrpcOptions options;
    options.message_bytes_max = settings.message_bytes_max;
    options.admit = [intake, signal](const http::RequestHead& head, uint64_t declared_bytes,
                                     std::shared_ptr<void>* token) -> http::GrpcStatus {
      Result<std::shared_ptr<OtlpIntake::Token>> admitted =
          intake->Admit(signal, head, declared_bytes);
      if (!admitted) return ToStatus(admitted.error());
      *token = std::move(*admitted);
      return {};
    };
    options.grow = [intake, signal](const http::RequestHead&, uint64_t bytes,
                                    void* token) -> http::GrpcStatus {
      Status status = intake->Grow(signal, static_cast<OtlpIntake::Token*>(token), bytes);
      return status ? http::GrpcStatus{} : ToStatus(status.error());
    };
    options.decompress = [intake](std::string_view encoding, std::string_view bytes,
                                  uint64_t bytes_max, void* token) {
      return UnpackMessage(intake, encoding, bytes, bytes_max, token);
    };
    router->AddGrpc(method.path, std::move(options),
                    [intake, signal](http::GrpcRequest request, http::GrpcCallPtr call) {
                      Handle(intake, signal, std::move(request), std::move(call));
                    });
  }
  http::AddGrpcHealth(router, std::move(serving));
}

}  // namespace weft::receiver

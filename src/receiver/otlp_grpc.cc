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

net::GrpcStatus ToStatus(const Error& error) {
  net::GrpcCode code = net::ToGrpcCode(error.code);
  if (error.code == ErrorCode::kNoSpace) code = net::GrpcCode::kUnavailable;
  return {.code = code, .message = error.message, .retry_after_s = error.retry_after_s};
}

Result<std::string> DecompressMessage(std::string_view encoding, std::string_view bytes,
                                      uint64_t bytes_max) {
  std::optional<wire::Compression> kind = wire::CompressionByName(encoding);
  if (!kind)
    return Fail(ErrorCode::kUnimplemented,
                "unsupported grpc-encoding \"" + std::string(encoding.substr(0, 64)) + "\"");
  return wire::Decompress(*kind, bytes, bytes_max);
}

void Handle(OtlpIntake* intake, OtlpSignal signal, net::GrpcRequest request,
            net::GrpcCallPtr call) {
  uint64_t wire_bytes = request.wire_bytes;
  std::string message = std::move(request.message);
  intake->Take(signal, codec::OtlpFormat::kProtobuf, request, std::move(message), wire_bytes,
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
                       std::function<bool()> serving, net::Router* router) {
  for (const Method& method : kMethods) {
    OtlpSignal signal = method.signal;
    if (!intake->Serves(signal)) continue;
    net::GrpcOptions options;
    options.message_bytes_max = settings.message_bytes_max;
    options.admit = [intake, signal](const net::RequestHead&, uint64_t declared_bytes,
                                     std::shared_ptr<void>* token) -> net::GrpcStatus {
      Result<std::shared_ptr<OtlpIntake::Token>> admitted = intake->Admit(signal, declared_bytes);
      if (!admitted) return ToStatus(admitted.error());
      *token = std::move(*admitted);
      return {};
    };
    options.decompress = DecompressMessage;
    router->AddGrpc(method.path, std::move(options),
                    [intake, signal](net::GrpcRequest request, net::GrpcCallPtr call) {
                      Handle(intake, signal, std::move(request), std::move(call));
                    });
  }
  net::AddGrpcHealth(router, std::move(serving));
}

}  // namespace weft::receiver

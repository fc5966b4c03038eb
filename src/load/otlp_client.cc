// SPDX-License-Identifier: Apache-2.0
#include "load/otlp_client.h"

#include <charconv>
#include <utility>

#include "outgoing/client.h"
#include "wire/protobuf_reader.h"

namespace weft::load {
namespace {

constexpr int64_t kTimeoutMs = 60'000;
constexpr size_t kReasonBytesMax = 300;

std::string_view PathOf(OtlpProtocol protocol, OtlpSignal signal) {
  if (protocol == OtlpProtocol::kHttp) {
    return signal == OtlpSignal::kTraces ? "/v1/traces" : "/v1/logs";
  }
  return signal == OtlpSignal::kTraces
             ? "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
             : "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
}

uint32_t ParseNumber(std::string_view text) {
  uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// google.rpc.Status: message = 2.
std::string StatusMessage(std::string_view bytes) {
  std::string message;
  wire::ProtoReader status(bytes);
  while (status.Next())
    if (status.tag() == wire::LengthTag(2)) message = status.bytes();
  return status.error() == wire::ProtoError::kNone ? message : "";
}

// What a refusing answer says for itself: a Status, or the first line of a text.
std::string ReasonOf(const outgoing::ClientResponse& response) {
  std::string_view type = http::FindHeader(response.headers, "content-type");
  std::string reason;
  if (type.starts_with("application/x-protobuf")) reason = StatusMessage(response.body);
  if (type.starts_with("text/plain")) reason = response.body.substr(0, response.body.find('\n'));
  return reason.substr(0, kReasonBytesMax);
}

// Export{Trace,Logs}ServiceResponse: partial_success = 1 { rejected = 1, error_message = 2 }.
OtlpAnswer ParseAnswer(std::string_view bytes) {
  OtlpAnswer answer;
  wire::ProtoReader response(bytes);
  bool whole = true;
  while (response.Next()) {
    if (response.tag() != wire::LengthTag(1)) continue;
    wire::ProtoReader partial(response.bytes());
    while (partial.Next()) {
      if (partial.tag() == wire::VarintTag(1)) answer.rejected = partial.value();
      if (partial.tag() == wire::LengthTag(2)) answer.message = partial.bytes();
    }
    whole = whole && partial.error() == wire::ProtoError::kNone;
  }
  if (!whole || response.error() != wire::ProtoError::kNone) {
    answer.message = "the answer is not an OTLP response";
  }
  return answer;
}

}  // namespace

struct OtlpClient::Connection {
  OtlpProtocol protocol;
  std::string url;
  outgoing::HttpClient client;

  Result<OtlpAnswer> SendHttp(const std::string& address, std::string_view body) {
    Result<outgoing::ClientResponse> response =
        client.Post(address, "application/x-protobuf", body);
    if (!response) return Unanswered(std::move(response).error());
    int status = response->status;
    if (status == 200) return ParseAnswer(response->body);
    bool passing = status == 429 || status == 502 || status == 503 || status == 504;
    std::string message = url + " answered HTTP " + std::to_string(status);
    std::string reason = ReasonOf(*response);
    if (!reason.empty()) message += ": " + reason;
    if (reason.empty() && (status == 404 || status == 405))
      message += ": no receiver of OTLP over HTTP, which is mostly at port 4318";
    return Fail({passing ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument, message,
                 ParseNumber(http::FindHeader(response->headers, "retry-after"))});
  }

  Result<OtlpAnswer> SendGrpc(const std::string& address, std::string_view body) {
    Result<outgoing::GrpcReply> reply = client.CallGrpc(address, body);
    if (!reply) return Unanswered(std::move(reply).error());
    const http::GrpcStatus& status = reply->status;
    if (status.code == http::GrpcCode::kOk) return ParseAnswer(reply->message);
    bool passing = status.code == http::GrpcCode::kUnavailable ||
                   status.code == http::GrpcCode::kResourceExhausted ||
                   status.code == http::GrpcCode::kDeadlineExceeded;
    return Fail({passing ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument,
                 url + " answered gRPC status " +
                     std::to_string(static_cast<uint32_t>(status.code)) + " " + status.message,
                 status.retry_after_s});
  }

  std::unexpected<Error> Unanswered(Error error) const {
    return Fail(ErrorCode::kIo, error.WithPrefix(url).message);
  }
};

OtlpClient::OtlpClient(OtlpProtocol protocol, std::string url, outgoing::ClientSecurity security)
    : connection_(new Connection{
          .protocol = protocol,
          .url = std::move(url),
          .client =
              outgoing::HttpClient({.timeout_ms = kTimeoutMs, .security = std::move(security)})}) {}
OtlpClient::~OtlpClient() = default;
OtlpClient::OtlpClient(OtlpClient&&) noexcept = default;

Result<OtlpAnswer> OtlpClient::Send(OtlpSignal signal, std::string_view body) {
  Connection& c = *connection_;
  std::string address = c.url + std::string(PathOf(c.protocol, signal));
  return c.protocol == OtlpProtocol::kGrpc ? c.SendGrpc(address, body) : c.SendHttp(address, body);
}

}  // namespace weft::load

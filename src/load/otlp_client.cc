// SPDX-License-Identifier: Apache-2.0
#include "load/otlp_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <exception>
#include <protozero/pbf_reader.hpp>

namespace weft::load {
namespace {

constexpr long kTimeoutMs = 60'000;

std::string_view PathOf(OtlpProtocol protocol, OtlpSignal signal) {
  if (protocol == OtlpProtocol::kHttp) {
    return signal == OtlpSignal::kTraces ? "/v1/traces" : "/v1/logs";
  }
  return signal == OtlpSignal::kTraces
             ? "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
             : "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
}

uint32_t ParseNumber(std::string_view text, uint32_t fallback) {
  uint32_t number = fallback;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Export{Trace,Logs}ServiceResponse: partial_success = 1 { rejected = 1, error_message = 2 }.
OtlpAnswer ParseAnswer(std::string_view bytes) {
  OtlpAnswer answer;
  try {
    protozero::pbf_reader response(bytes.data(), bytes.size());
    while (response.next(1)) {
      protozero::pbf_reader partial = response.get_message();
      while (partial.next()) {
        if (partial.tag() == 1) {
          answer.rejected = static_cast<uint64_t>(partial.get_int64());
        } else if (partial.tag() == 2) {
          answer.message = partial.get_string();
        } else {
          partial.skip();
        }
      }
    }
  } catch (const std::exception&) {
    answer.message = "the answer is not an OTLP response";
  }
  return answer;
}

}  // namespace

struct OtlpClient::Connection {
  OtlpProtocol protocol;
  std::string url;
  CURL* curl = curl_easy_init();
  curl_slist* headers = nullptr;
  std::string framed;  // the body with gRPC's five bytes in front
  std::string answer;
  uint32_t grpc_status = 2;  // UNKNOWN until the trailers say
  std::string grpc_message;
  uint32_t retry_after_s = 0;

  ~Connection() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
  }

  static size_t OnBody(char* bytes, size_t size, size_t count, void* self) {
    static_cast<Connection*>(self)->answer.append(bytes, size * count);
    return size * count;
  }

  // Header lines and, for gRPC, the trailers.
  static size_t OnHeader(char* bytes, size_t size, size_t count, void* self) {
    auto* connection = static_cast<Connection*>(self);
    std::string_view line(bytes, size * count);
    size_t colon = line.find(':');
    if (colon != line.npos) {
      std::string name(line.substr(0, colon));
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return std::tolower(c); });
      std::string_view value = line.substr(colon + 1);
      while (!value.empty() && std::isspace(static_cast<unsigned char>(value.front())))
        value.remove_prefix(1);
      while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())))
        value.remove_suffix(1);
      if (name == "grpc-status") connection->grpc_status = ParseNumber(value, 2);
      if (name == "grpc-message") connection->grpc_message = value;
      if (name == "retry-after") connection->retry_after_s = ParseNumber(value, 0);
    }
    return size * count;
  }

  void Configure() {
    bool grpc = protocol == OtlpProtocol::kGrpc;
    headers = curl_slist_append(headers, "Expect:");
    headers = curl_slist_append(
        headers, grpc ? "Content-Type: application/grpc" : "Content-Type: application/x-protobuf");
    if (grpc) headers = curl_slist_append(headers, "TE: trailers");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(
        curl, CURLOPT_HTTP_VERSION,
        static_cast<long>(grpc ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kTimeoutMs);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "weft");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Connection::OnBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Connection::OnHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  }

  std::string_view Frame(std::string_view body) {
    if (protocol == OtlpProtocol::kHttp) return body;
    uint32_t size = static_cast<uint32_t>(body.size());
    const char prefix[5] = {0, static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                            static_cast<char>(size >> 8), static_cast<char>(size)};
    framed.assign(prefix, sizeof prefix);
    framed.append(body);
    return framed;
  }

  Result<OtlpAnswer> JudgeHttp() {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) return ParseAnswer(answer);
    ErrorCode code = status == 429 || status == 502 || status == 503 || status == 504
                         ? ErrorCode::kUnavailable
                         : ErrorCode::kInvalidArgument;
    return Fail({code, url + " answered HTTP " + std::to_string(status), retry_after_s});
  }

  Result<OtlpAnswer> JudgeGrpc() {
    if (grpc_status == 0) {
      return ParseAnswer(std::string_view(answer).substr(std::min<size_t>(5, answer.size())));
    }
    bool retryable = grpc_status == 14 || grpc_status == 8 || grpc_status == 4;
    return Fail({retryable ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument,
                 url + " answered gRPC status " + std::to_string(grpc_status) + " " + grpc_message,
                 retry_after_s});
  }
};

OtlpClient::OtlpClient(OtlpProtocol protocol, std::string url)
    : connection_(new Connection{.protocol = protocol, .url = std::move(url)}) {
  connection_->Configure();
}
OtlpClient::~OtlpClient() = default;
OtlpClient::OtlpClient(OtlpClient&&) noexcept = default;

Result<OtlpAnswer> OtlpClient::Send(OtlpSignal signal, std::string_view body) {
  Connection& c = *connection_;
  c.answer.clear();
  c.grpc_status = 2;
  c.grpc_message.clear();
  c.retry_after_s = 0;
  std::string_view framed = c.Frame(body);
  std::string address = c.url + std::string(PathOf(c.protocol, signal));
  curl_easy_setopt(c.curl, CURLOPT_URL, address.c_str());
  curl_easy_setopt(c.curl, CURLOPT_POSTFIELDS, framed.data());
  curl_easy_setopt(c.curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(framed.size()));
  if (CURLcode failed = curl_easy_perform(c.curl); failed != CURLE_OK) {
    return Fail(ErrorCode::kIo, c.url + ": " + curl_easy_strerror(failed));
  }
  return c.protocol == OtlpProtocol::kGrpc ? c.JudgeGrpc() : c.JudgeHttp();
}

}  // namespace weft::load

// SPDX-License-Identifier: Apache-2.0
#include "outgoing/client.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "http/grpc_call.h"
#include "outgoing/curl_library.h"

namespace weft::outgoing {

using http::FindHeader;
using http::kGrpcPrefixBytes;

namespace {

// What one call collects; curl's callbacks see it.
struct Collector {
  const ClientRequest* request = nullptr;
  uint64_t bytes_max = 0;
  ClientResponse response;
  bool too_large = false;
  bool cancelled = false;
};

size_t OnBody(char* data, size_t, size_t count, void* user) {
  auto* self = static_cast<Collector*>(user);
  if (self->request->on_body) {
    self->cancelled = !self->request->on_body({data, count});
    return self->cancelled ? 0 : count;
  }
  if (count > self->bytes_max - self->response.body.size()) {
    self->too_large = true;
    return 0;
  }
  self->response.body.append(data, count);
  return count;
}

size_t OnHeader(char* data, size_t, size_t count, void* user) {
  auto* self = static_cast<Collector*>(user);
  std::string_view line(data, count);
  // A status line starts over: before it there was a 100 Continue.
  if (line.starts_with("HTTP/")) self->response.headers.clear();
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  size_t colon = line.find(':');
  if (colon == std::string_view::npos) return count;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  self->response.headers.emplace_back(std::move(name), value);
  return count;
}

std::string PercentDecode(std::string_view in) {
  // The same decoding as in a path segment, but "+" stays: ParseQuery would make it a space.
  std::string out;
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] == '%' && i + 2 < in.size() && std::isxdigit(static_cast<unsigned char>(in[i + 1])) &&
        std::isxdigit(static_cast<unsigned char>(in[i + 2]))) {
      out.push_back(
          static_cast<char>(std::strtol(std::string(in.substr(i + 1, 2)).c_str(), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(in[i]);
    }
  }
  return out;
}

Error CurlError(const CurlLibrary& curl, CURLcode code, const Collector& collector,
                const std::string& url, const char* detail) {
  if (collector.too_large) {
    return {ErrorCode::kTooLarge,
            url + ": the answer is over " + std::to_string(collector.bytes_max) + " bytes", 0};
  }
  if (collector.cancelled) return {ErrorCode::kCancelled, url + ": cancelled", 0};
  std::string message = url + ": " + (*detail != '\0' ? detail : curl.easy_strerror(code));
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return {ErrorCode::kPermissionDenied, "not a server to be believed: " + message, 0};
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return {ErrorCode::kInvalidArgument, message, 0};
    default:
      break;
  }
  if (code == CURLE_OPERATION_TIMEDOUT) return {ErrorCode::kDeadlineExceeded, message, 0};
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return {ErrorCode::kInvalidArgument, message, 0};
  }
  return {ErrorCode::kUnavailable, message, 0};
}

}  // namespace

struct HttpClient::Impl {
  ClientOptions options;
  Result<const CurlLibrary*> curl = Fail(ErrorCode::kInternal, "");
  CURL* handle = nullptr;

  ~Impl() {
    if (handle != nullptr) (*curl)->easy_cleanup(handle);
  }
  Result<ClientResponse> Perform(const ClientRequest& request, bool http2);
  void SetBody(const ClientRequest& request);
  void SetSecurity();
};

void HttpClient::Impl::SetSecurity() {
  const CurlLibrary& lib = **curl;
  const ClientSecurity& security = options.security;
  lib.easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!security.ca_file.empty()) {
    lib.easy_setopt(handle, CURLOPT_CAINFO, security.ca_file.c_str());
    lib.easy_setopt(handle, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  if (!security.cert_file.empty())
    lib.easy_setopt(handle, CURLOPT_SSLCERT, security.cert_file.c_str());
  if (!security.key_file.empty())
    lib.easy_setopt(handle, CURLOPT_SSLKEY, security.key_file.c_str());
}

void HttpClient::Impl::SetBody(const ClientRequest& request) {
  const CurlLibrary& lib = **curl;
  if (request.method == "HEAD") lib.easy_setopt(handle, CURLOPT_NOBODY, 1L);
  if (request.method != "GET" && request.method != "HEAD") {
    lib.easy_setopt(handle, CURLOPT_POST, 1L);
    lib.easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                    static_cast<curl_off_t>(request.body.size()));
    lib.easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
    lib.easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

Result<ClientResponse> HttpClient::Impl::Perform(const ClientRequest& request, bool http2) {
  if (!curl) return Fail(curl.error());
  const CurlLibrary& lib = **curl;
  if (handle == nullptr) return Fail(ErrorCode::kUnavailable, "libcurl gave no handle");
  lib.easy_reset(handle);  // options only: connections stay open
  Collector collector{&request, options.response_bytes_max, {}, false, false};
  char detail[CURL_ERROR_SIZE] = "";
  lib.easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  lib.easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  lib.easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  lib.easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
  lib.easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
  lib.easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout_ms));
  bool tls = request.url.starts_with("https:");
  auto version = !http2 ? CURL_HTTP_VERSION_1_1
                 : tls  ? CURL_HTTP_VERSION_2TLS
                        : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
  lib.easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(version));
  lib.easy_setopt(handle, CURLOPT_WRITEFUNCTION, &OnBody);
  lib.easy_setopt(handle, CURLOPT_WRITEDATA, &collector);
  lib.easy_setopt(handle, CURLOPT_HEADERFUNCTION, &OnHeader);
  lib.easy_setopt(handle, CURLOPT_HEADERDATA, &collector);
  if (http2 && !tls && lib.http2_reuse_broken) lib.easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
  SetBody(request);
  SetSecurity();
  // Without it curl would ask for 100 Continue before every larger body, and form encoding.
  curl_slist* headers = lib.slist_append(nullptr, "Expect:");
  bool typed = !FindHeader(request.headers, "content-type").empty();
  if (!typed) headers = lib.slist_append(headers, "Content-Type:");
  for (const auto& [name, value] : request.headers) {
    std::string line = name + (value.empty() ? ";" : ": " + value);
    headers = lib.slist_append(headers, line.c_str());
  }
  if (!options.security.authorization.empty()) {
    Secret line("Authorization: " + std::string(options.security.authorization.Reveal()));
    headers = lib.slist_append(headers, line.c_str());
  }
  lib.easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  CURLcode code = lib.easy_perform(handle);
  long status = 0;
  lib.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  lib.slist_free_all(headers);
  lib.easy_setopt(handle, CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  if (code != CURLE_OK) return Fail(CurlError(lib, code, collector, request.url, detail));
  collector.response.status = static_cast<int>(status);
  return std::move(collector.response);
}

HttpClient::HttpClient(ClientOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
  impl_->curl = LoadCurl();
  if (impl_->curl) impl_->handle = (*impl_->curl)->easy_init();
}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<ClientResponse> HttpClient::Send(const ClientRequest& request) {
  return impl_->Perform(request, impl_->options.http2);
}

Result<ClientResponse> HttpClient::Get(std::string url) { return Send({.url = std::move(url)}); }

Result<ClientResponse> HttpClient::Post(std::string url, std::string content_type,
                                        std::string_view body) {
  ClientRequest request{.method = "POST", .url = std::move(url), .body = body};
  request.headers.emplace_back("content-type", std::move(content_type));
  return Send(request);
}

Result<GrpcReply> HttpClient::CallGrpc(std::string url, std::string_view message,
                                       http::Headers metadata) {
  auto size = static_cast<uint32_t>(message.size());
  std::string body = {0, static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                      static_cast<char>(size >> 8), static_cast<char>(size)};
  body.append(message);
  ClientRequest request{.method = "POST", .url = std::move(url), .body = body};
  request.headers = std::move(metadata);
  request.headers.emplace_back("content-type", "application/grpc");
  request.headers.emplace_back("te", "trailers");
  WEFT_ASSIGN(ClientResponse response, impl_->Perform(request, true));
  std::string_view code = FindHeader(response.headers, "grpc-status");
  if (code.empty()) {
    return Fail(
        ErrorCode::kUnavailable,
        request.url + ": HTTP status " + std::to_string(response.status) + " and no grpc-status");
  }
  GrpcReply reply;
  reply.status.code =
      static_cast<http::GrpcCode>(std::strtoul(std::string(code).c_str(), nullptr, 10));
  reply.status.message = PercentDecode(FindHeader(response.headers, "grpc-message"));
  if (response.body.size() >= kGrpcPrefixBytes) {
    uint32_t declared = 0;
    for (int i = 1; i <= 4; ++i) {
      declared = declared << 8 | static_cast<unsigned char>(response.body[static_cast<size_t>(i)]);
    }
    if (declared > response.body.size() - kGrpcPrefixBytes) {
      return Fail(ErrorCode::kCorruption, request.url + ": the gRPC message is cut off");
    }
    reply.message = response.body.substr(kGrpcPrefixBytes, declared);
  }
  return reply;
}

}  // namespace weft::outgoing

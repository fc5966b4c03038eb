// SPDX-License-Identifier: Apache-2.0
#include "receiver/otlp_http.h"

#include <algorithm>
#include <optional>

#include "http/grpc.h"
#include "wire/compression.h"
#include "wire_core/printable.h"

namespace weft::receiver {
namespace {

using codec::OtlpFormat;
using Http = OtlpReceiverSettings::Http;

constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kJson = "application/json";

std::string_view ContentTypeOf(OtlpFormat format) {
  return format == OtlpFormat::kJson ? kJson : kProtobuf;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// By Content-Type, parameters such as charset aside.
std::optional<OtlpFormat> FormatOf(const http::Headers& headers) {
  std::string_view type = http::FindHeader(headers, "content-type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  if (EqualsIgnoringCase(type, kProtobuf) || EqualsIgnoringCase(type, "application/protobuf"))
    return OtlpFormat::kProtobuf;
  if (EqualsIgnoringCase(type, kJson)) return OtlpFormat::kJson;
  return std::nullopt;
}

http::Response ErrorResponse(OtlpFormat format, const Error& error) {
  http::Response response;
  response.status = http::ToHttpStatus(error.code);
  // A disk that is full is an overload like others to a sender: it waits and tries again.
  if (error.code == ErrorCode::kNoSpace) response.status = 503;
  response.content_type = ContentTypeOf(format);
  response.body =
      codec::EncodeRpcStatus(format, static_cast<uint32_t>(http::ToGrpcCode(error.code)),
                             error.message, error.retry_after_s);
  if (error.retry_after_s > 0)
    response.headers.emplace_back("retry-after", std::to_string(error.retry_after_s));
  return response;
}

http::GrpcCode GrpcCodeOf(int http_status) {
  switch (http_status) {
    case 401:
      return http::GrpcCode::kUnauthenticated;
    case 404:
    case 405:
      return http::GrpcCode::kUnimplemented;
    case 408:
      return http::GrpcCode::kDeadlineExceeded;
    case 413:
      return http::GrpcCode::kResourceExhausted;
    case 429:
    case 503:
      return http::GrpcCode::kUnavailable;
    default:
      return http::GrpcCode::kInvalidArgument;
  }
}

// "https://*.example.com": `*` stands for anything. Where the rest does not fit only the last star
// takes more: what lies before it fits as early as it can, so the text is never gone through anew.
bool MatchesWildcard(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && EqualsIgnoringCase(pattern.substr(p, 1), text.substr(t, 1))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::string Join(std::string_view first, const std::vector<std::string>& names) {
  std::string out(first);
  for (const std::string& name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

// What a page may send: "*" among the settings stands for whatever it asks for. Browsers take the
// answer "*" literally where credentials come along, so the names are given back.
std::string AllowedHeaders(const Http& settings, const http::RequestHead& head) {
  std::string_view wanted = http::FindHeader(head.headers, "access-control-request-headers");
  if (!wanted.empty() &&
      std::ranges::find(settings.cors_headers, "*") != settings.cors_headers.end())
    return std::string(wanted);
  return Join("content-type, content-encoding", settings.cors_headers);
}

// Headers of an answer to a page of an allowed origin; none otherwise. Credentials are allowed:
// navigator.sendBeacon() always comes with them, and there is nothing to be read here.
http::Headers CorsHeaders(const Http& settings, const http::RequestHead& head, bool preflight) {
  if (settings.cors_origins.empty()) return {};
  std::string_view origin = http::FindHeader(head.headers, "origin");
  if (origin.empty()) return {};
  bool allowed = std::ranges::any_of(settings.cors_origins, [origin](const std::string& pattern) {
    return MatchesWildcard(pattern, origin);
  });
  if (!allowed) return {};
  http::Headers headers = {{"access-control-allow-origin", std::string(origin)},
                           {"access-control-allow-credentials", "true"}};
  if (!preflight) {
    headers.emplace_back("vary", "Origin");
    if (!settings.cors_exposed_headers.empty())
      headers.emplace_back("access-control-expose-headers",
                           Join("", settings.cors_exposed_headers));
    return headers;
  }
  headers.emplace_back("vary", "Origin, Access-Control-Request-Headers");
  headers.emplace_back("access-control-allow-methods", "POST");
  headers.emplace_back("access-control-allow-headers", AllowedHeaders(settings, head));
  if (settings.cors_max_age_s > 0)
    headers.emplace_back("access-control-max-age", std::to_string(settings.cors_max_age_s));
  return headers;
}

// The nearest to a request's type that an error can be written in: "text/json" and "a/b+json" are
// read by who reads JSON. Nothing for types that are neither JSON nor protobuf.
std::optional<OtlpFormat> ReadableFormat(const http::Headers& headers) {
  if (std::optional<OtlpFormat> format = FormatOf(headers)) return format;
  std::string type;
  for (char c : http::FindHeader(headers, "content-type"))
    type += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (type.find("json") != std::string::npos) return OtlpFormat::kJson;
  if (type.find("protobuf") != std::string::npos) return OtlpFormat::kProtobuf;
  return std::nullopt;
}

// What is said before a body is read: a google.rpc.Status in the request's own encoding, plain text
// for one that is neither JSON nor protobuf.
http::Response RefusalResponse(const Http& settings, const http::RequestHead& head,
                               const http::Refusal& refusal) {
  http::Response response;
  response.status = refusal.status;
  if (std::optional<OtlpFormat> format = ReadableFormat(head.headers)) {
    response.content_type = ContentTypeOf(*format);
    response.body =
        codec::EncodeRpcStatus(*format, static_cast<uint32_t>(GrpcCodeOf(refusal.status)),
                               refusal.message, refusal.retry_after_s);
  } else {
    response.content_type = "text/plain; charset=utf-8";
    response.body =
        std::to_string(refusal.status) + " " + ReplaceUnprintable(refusal.message) + "\n";
  }
  response.headers = CorsHeaders(settings, head, false);
  return response;
}

// One path's handler and its admission.
class HttpEndpoint {
 public:
  HttpEndpoint(const Http& settings, OtlpIntake* intake, OtlpSignal signal)
      : settings_(settings), intake_(intake), signal_(signal) {}

  http::Admission Admit(const http::RequestHead& head) const {
    std::optional<OtlpFormat> format = FormatOf(head.headers);
    if (!format) {
      intake_->CountRefusal(signal_, Error{ErrorCode::kInvalidArgument, "", 0});
      http::Refusal refusal{.status = 415,
                            .message =
                                "unsupported media type, supported: [application/json, "
                                "application/x-protobuf]"};
      return {std::make_unique<http::Response>(RefusalResponse(settings_, head, refusal)), nullptr};
    }
    uint64_t bytes = head.content_length >= 0
                         ? static_cast<uint64_t>(head.content_length)
                         : std::min(MemoryAccount::kStepBytes, settings_.body_bytes_max);
    auto token = intake_->Admit(signal_, head, bytes);
    if (!token)
      return {std::make_unique<http::Response>(Finish(head, ErrorResponse(*format, token.error()))),
              nullptr};
    OtlpIntake::Token* share = token->get();
    return {
        .refusal = nullptr,
        .token = std::move(*token),
        .grow = [this, format = *format, share](const http::RequestHead& body_of,
                                                uint64_t size) -> std::unique_ptr<http::Response> {
          Status status = intake_->Grow(signal_, share, size);
          if (status) return nullptr;
          return std::make_unique<http::Response>(
              Finish(body_of, ErrorResponse(format, status.error())));
        }};
  }

  void Handle(http::Request request, http::ExchangePtr exchange) const {
    // Admit() has refused everything else.
    OtlpFormat format = FormatOf(request.headers).value_or(OtlpFormat::kProtobuf);
    Result<OtlpIntake::Message> body = Decode(&request);
    http::Headers cors = CorsHeaders(settings_, request, false);
    if (!body) {
      intake_->CountRefusal(signal_, body.error());
      return exchange->Respond(Finish(request, ErrorResponse(format, body.error())));
    }
    intake_->Take(
        signal_, request, format, std::move(*body),
        [format, exchange, signal = signal_, cors = std::move(cors)](Result<OtlpAnswer> answer) {
          http::Response response;
          if (answer) {
            response.content_type = ContentTypeOf(format);
            response.body = codec::EncodeOtlpResponse(format, OtlpIntake::RejectedField(signal),
                                                      answer->rejected, answer->message);
          } else {
            response = ErrorResponse(format, answer.error());
          }
          response.headers.insert(response.headers.end(), cors.begin(), cors.end());
          exchange->Respond(std::move(response));
        });
  }

 private:
  Result<OtlpIntake::Message> Decode(http::Request* request) const {
    std::string_view encoding = http::FindHeader(request->headers, "content-encoding");
    std::optional<wire::Compression> kind = wire::CompressionByName(encoding);
    if (!kind)
      return Fail(ErrorCode::kInvalidArgument,
                  "unsupported Content-Encoding \"" + std::string(encoding.substr(0, 64)) +
                      "\"; supported: gzip, zstd, deflate, zlib, snappy, lz4");
    return intake_->Unpack(*request, *kind, std::move(request->body), settings_.body_bytes_max);
  }

  http::Response Finish(const http::RequestHead& head, http::Response response) const {
    for (auto& header : CorsHeaders(settings_, head, false))
      response.headers.push_back(std::move(header));
    return response;
  }

  const Http settings_;
  OtlpIntake* const intake_;
  const OtlpSignal signal_;
};

}  // namespace

void AddOtlpHttpRoutes(const Http& settings, OtlpIntake* intake, http::Router* router) {
  router->AnswerRefusals("/*",
                         [settings](const http::RequestHead& head, const http::Refusal& refusal) {
                           return RefusalResponse(settings, head, refusal);
                         });
  for (auto [signal, path] : {std::pair{OtlpSignal::kTraces, &settings.traces_path},
                              {OtlpSignal::kLogs, &settings.logs_path},
                              {OtlpSignal::kMetrics, &settings.metrics_path}}) {
    if (!intake->Serves(signal)) continue;
    auto endpoint = std::make_shared<HttpEndpoint>(settings, intake, signal);
    router->Add(
        "POST", *path,
        {.body_bytes_max = settings.body_bytes_max,
         .admit = [endpoint](const http::RequestHead& head) { return endpoint->Admit(head); }},
        [endpoint](http::Request request, http::ExchangePtr exchange) {
          endpoint->Handle(std::move(request), std::move(exchange));
        });
    if (settings.cors_origins.empty()) continue;
    // Browsers send no credentials with the question whether they may.
    router->Add("OPTIONS", *path, {.open = true},
                [settings](http::Request request, http::ExchangePtr exchange) {
                  exchange->Respond({.status = 204,
                                     .content_type = "",
                                     .headers = CorsHeaders(settings, request, true),
                                     .body = ""});
                });
  }
}

}  // namespace weft::receiver

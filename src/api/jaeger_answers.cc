// SPDX-License-Identifier: Apache-2.0
#include "api/jaeger_answers.h"

#include "api/answers.h"
#include "api/parameters.h"
#include "http/grpc.h"
#include "wire/json_indent.h"

namespace weft::api {

bool WantsIndent(std::string_view query_string) {
  std::string text = Parameters(query_string).Text("prettyPrint");
  return !text.empty() && text != "false";
}

http::Response JaegerAnswer(std::string_view data, size_t total,
                            const std::vector<codec::JaegerError>& errors, bool indent) {
  std::string body = codec::JaegerEnvelope(data, total, errors);
  if (indent) {
    std::string indented;
    wire::JsonIndenter().Append(body, &indented);
    body = std::move(indented);
  }
  return JsonResponse(std::move(body));
}

http::Response JaegerFailure(int status, std::string message) {
  return JsonResponse(codec::JaegerEnvelope("null", 0, {{status, std::move(message), ""}}), status);
}

http::Response JaegerFailure(const Error& error) {
  http::Response response = JaegerFailure(http::ToHttpStatus(error.code), error.message);
  if (error.retry_after_s > 0)
    response.headers.emplace_back("retry-after", std::to_string(error.retry_after_s));
  return response;
}

void AskForJaeger(QueryRunner* runner, std::string_view kind, http::ExchangePtr exchange,
                  QueryRunner::SimpleQuestion question) {
  runner->Run(
      kind, std::move(exchange),
      [question = std::move(question)](const SnapshotPtr& snapshot, const query::Budget& budget,
                                       const http::ExchangePtr& to) {
        to->Respond(question(*snapshot, budget));
      },
      [](const Error& error) { return JaegerFailure(error); });
}

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
//
// Answers of Jaeger's v1 API: everything lies in one envelope, errors too, which also set the HTTP
// status. `prettyPrint` with any value but "false" indents the JSON.
//
// Thread rule: pure functions. Next: api/jaeger_api.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "api/query_runner.h"
#include "codec/jaeger_json_encode.h"
#include "http/http.h"

namespace weft::api {

bool WantsIndent(std::string_view query_string);
http::Response JaegerAnswer(std::string_view data, size_t total,
                            const std::vector<codec::JaegerError>& errors, bool indent);
http::Response JaegerFailure(int status, std::string message);
http::Response JaegerFailure(const Error& error);

// Runs the question, and refuses in the envelope.
void AskForJaeger(QueryRunner* runner, std::string_view kind, http::ExchangePtr exchange,
                  QueryRunner::SimpleQuestion question);

}  // namespace weft::api

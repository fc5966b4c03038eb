// SPDX-License-Identifier: Apache-2.0
//
// Answers of the native API: JSON bodies and the one error shape (docs/api.md).
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/grpc.h"
#include "http/http.h"
#include "model/span_batch.h"
#include "traceql/traceql.h"
#include "wire_core/json_writer.h"

namespace weft::api {

http::Response JsonResponse(std::string body, int status = 200);
// `weft-partial: why`, where the answer's form has no field for it. Nothing when `partial` is
// empty.
void AddPartialHeader(std::string partial, http::Response* response);
// {"error": {...}} with the status that fits.
http::Response ErrorResponse(const Error& error);
http::GrpcStatus ToGrpcStatus(const Error& error);
// For what net refuses by itself.
http::Response RefusalResponse(const http::RequestHead& head, const http::Refusal& refusal);
Error ErrorOf(const http::Refusal& refusal);
// With line, column and hint of the TraceQL text, and with all of it as a terminal shows it.
http::Response TraceQlErrorResponse(const Error& error, const traceql::Diagnostic& diagnostic);

std::string_view StatusText(StatusCode status);
std::string_view ValueTypeText(ValueType type);

// [{"key", "type", "value"}]
void WriteAttributes(std::string_view field, Attributes attributes, wire::JsonWriter* json);
// As in a KV: int as decimal string, bytes as base64, arrays and maps as JSON.
void WriteValue(const Value& value, wire::JsonWriter* json);
// A field with ns as a decimal string.
void WriteTime(std::string_view field, uint64_t ns, wire::JsonWriter* json);

}  // namespace weft::api

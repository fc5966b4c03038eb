// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"

#include "codec/otlp.h"
#include "http/grpc.h"

namespace weft::api {
namespace {

// `text`: the whole error as a terminal shows it.
http::Response ErrorBody(const Error& error, const traceql::Diagnostic* diagnostic,
                         std::string_view text) {
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("error");
  json.BeginObject();
  json.Field("code", ErrorCodeName(error.code));
  json.Field("message", error.message);
  json.Field("retryAfterS", error.retry_after_s);
  if (diagnostic != nullptr) {
    json.Field("line", diagnostic->position.line);
    json.Field("column", diagnostic->position.column);
    json.Field("hint", diagnostic->hint);
    json.Field("text", text);
  }
  json.EndObject();
  json.EndObject();
  // What is known and not yet done is, to a client of the query API, a wrong request.
  int status = error.code == ErrorCode::kUnimplemented ? 400 : http::ToHttpStatus(error.code);
  http::Response response = JsonResponse(std::move(body), status);
  if (error.retry_after_s > 0)
    response.headers.emplace_back("retry-after", std::to_string(error.retry_after_s));
  return response;
}

}  // namespace

http::Response JsonResponse(std::string body, int status) {
  return {.status = status,
          .content_type = "application/json",
          .headers = {{"cache-control", "no-store"}, {"x-content-type-options", "nosniff"}},
          .body = std::move(body)};
}

void AddPartialHeader(std::string partial, http::Response* response) {
  if (partial.empty()) return;
  for (char& c : partial)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) c = ' ';
  response->headers.emplace_back("weft-partial", std::move(partial));
}

http::Response ErrorResponse(const Error& error) { return ErrorBody(error, nullptr, ""); }

http::GrpcStatus ToGrpcStatus(const Error& error) {
  return {http::ToGrpcCode(error.code), error.message, error.retry_after_s};
}

Error ErrorOf(const http::Refusal& refusal) {
  return {http::FromHttpStatus(refusal.status, ErrorCode::kInvalidArgument), refusal.message,
          refusal.retry_after_s};
}

http::Response RefusalResponse(const http::RequestHead&, const http::Refusal& refusal) {
  return ErrorResponse(ErrorOf(refusal));
}

http::Response TraceQlErrorResponse(const Error& error, const traceql::Diagnostic& diagnostic) {
  Error shown = error;
  shown.message = diagnostic.message;
  return ErrorBody(shown, &diagnostic, error.message);
}

std::string_view StatusText(StatusCode status) {
  switch (status) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kError:
      return "error";
    default:
      return "unset";
  }
}

std::string_view ValueTypeText(ValueType type) {
  switch (type) {
    case ValueType::kEmpty:
      return "empty";
    case ValueType::kString:
      return "string";
    case ValueType::kBool:
      return "bool";
    case ValueType::kInt:
      return "int";
    case ValueType::kDouble:
      return "double";
    case ValueType::kArray:
      return "array";
    case ValueType::kMap:
      return "map";
    case ValueType::kBytes:
      return "bytes";
  }
  return "empty";
}

void WriteValue(const Value& value, wire::JsonWriter* json) {
  switch (value.type) {
    case ValueType::kEmpty:
      json->Null();
      break;
    case ValueType::kString:
      json->String(value.string());
      break;
    case ValueType::kBool:
      json->Bool(value.boolean);
      break;
    case ValueType::kInt:
      json->IntText(value.integer);
      break;
    case ValueType::kDouble:
      json->Double(value.real);
      break;
    case ValueType::kBytes:
      json->Base64(value.string());
      break;
    case ValueType::kArray:
    case ValueType::kMap: {
      std::string text;
      codec::AppendValueJson(value, &text);
      json->Raw(text);
      break;
    }
  }
}

void WriteAttributes(std::string_view field, Attributes attributes, wire::JsonWriter* json) {
  json->Key(field);
  json->BeginArray();
  for (const KeyValue& entry : attributes) {
    json->BeginObject();
    json->Field("key", entry.key);
    json->Field("type", ValueTypeText(entry.value.type));
    json->Key("value");
    WriteValue(entry.value, json);
    json->EndObject();
  }
  json->EndArray();
}

void WriteTime(std::string_view field, uint64_t ns, wire::JsonWriter* json) {
  json->Key(field);
  json->UintText(ns);
}

}  // namespace weft::api

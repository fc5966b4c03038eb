// SPDX-License-Identifier: Apache-2.0
#include "api/tags_api.h"

#include "api/answers.h"
#include "api/native_api.h"

namespace weft::api {
namespace {

query::TagRequest ReadTagRequest(Parameters* parameters, uint32_t limit) {
  query::TagRequest request;
  request.traceql = parameters->Text("q", "{}");
  if (request.traceql.empty()) request.traceql = "{}";
  ReadTimeRange(parameters, &request.start_ns, &request.end_ns);
  request.limit = static_cast<uint32_t>(parameters->Number("limit", limit, 1, query::kTagLimitMax));
  return request;
}

void WriteEnd(bool truncated, const std::string& partial, wire::JsonWriter* json) {
  json->EndArray();
  json->Field("truncated", truncated);
  json->Field("partial", partial);
  json->EndObject();
}

http::Response AnswerTags(const std::string& scope, const query::TagRequest& request,
                          const store::Snapshot& snapshot, const query::Budget& budget) {
  Result<query::TagNames> tags = query::ListTags(snapshot, scope, request, budget);
  if (!tags) return QuestionErrorResponse(tags.error(), request.traceql);
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("tags");
  json.BeginArray();
  for (const query::TagName& tag : tags->tags) {
    json.BeginObject();
    json.Field("scope", tag.scope);
    json.Field("key", tag.key);
    json.Field("field", query::TagField(tag));
    json.EndObject();
  }
  WriteEnd(tags->truncated, tags->partial, &json);
  return JsonResponse(std::move(body));
}

http::Response AnswerTagValues(const query::TagName& tag, const query::TagRequest& request,
                               const store::Snapshot& snapshot, const query::Budget& budget) {
  Result<query::TagValues> values = query::ListTagValues(snapshot, tag, request, budget);
  if (!values) return QuestionErrorResponse(values.error(), request.traceql);
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("values");
  json.BeginArray();
  for (const query::TagValue& value : values->values) {
    json.BeginObject();
    json.Field("type", value.keyword ? "keyword" : ValueTypeText(value.type));
    json.Field("value", value.text);
    json.EndObject();
  }
  WriteEnd(values->truncated, values->partial, &json);
  return JsonResponse(std::move(body));
}

// `tag` as TraceQL writes it, or `scope` and `key`.
query::TagName ReadTag(Parameters* parameters) {
  if (!parameters->Has("tag")) {
    query::TagName tag{parameters->Text("scope"), parameters->Text("key")};
    if (tag.key.empty()) parameters->Reject("parameter key is required, or tag");
    return tag;
  }
  if (auto tag = query::ParseTag(parameters->Text("tag"))) return *tag;
  parameters->Reject(
      "parameter tag must be a field of TraceQL, such as span.http.route, .region or name");
  return {};
}

}  // namespace

void ReadTimeRange(Parameters* parameters, uint64_t* start_ns, uint64_t* end_ns) {
  *start_ns = parameters->Number("start", 0, 0, UINT64_MAX);
  *end_ns = parameters->Number("end", 0, 0, UINT64_MAX);
  if (*end_ns != 0 && *end_ns <= *start_ns)
    parameters->Reject("parameter end must be later than start");
}

http::Response QuestionErrorResponse(const Error& error, std::string_view traceql) {
  traceql::Diagnostic diagnostic;
  if (auto parsed = traceql::Parse(traceql, &diagnostic); !parsed)
    return TraceQlErrorResponse(parsed.error(), diagnostic);
  return ErrorResponse(error);
}

void AddTagRoutes(QueryRunner* runner, const http::RouteOptions& options, http::Router* router) {
  std::string root(kNativeRoot);
  router->Add("GET", root + "/tags", options,
              [runner](http::Request request, http::ExchangePtr exchange) {
                Parameters parameters(request.query);
                constexpr uint32_t kNames = 10'000;
                query::TagRequest tags = ReadTagRequest(&parameters, kNames);
                std::string scope = parameters.Text("scope");
                if (!parameters.status())
                  return exchange->Respond(ErrorResponse(parameters.status().error()));
                runner->Answer("tags", exchange,
                               [=](const store::Snapshot& snapshot, const query::Budget& budget) {
                                 return AnswerTags(scope, tags, snapshot, budget);
                               });
              });
  router->Add("GET", root + "/tag-values", options,
              [runner](http::Request request, http::ExchangePtr exchange) {
                Parameters parameters(request.query);
                constexpr uint32_t kValues = 100;
                query::TagRequest values = ReadTagRequest(&parameters, kValues);
                query::TagName tag = ReadTag(&parameters);
                if (!parameters.status())
                  return exchange->Respond(ErrorResponse(parameters.status().error()));
                runner->Answer("tag_values", exchange,
                               [=](const store::Snapshot& snapshot, const query::Budget& budget) {
                                 return AnswerTagValues(tag, values, snapshot, budget);
                               });
              });
}

}  // namespace weft::api

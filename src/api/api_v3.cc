// SPDX-License-Identifier: Apache-2.0
#include "api/api_v3.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/answers.h"
#include "api/jaeger_search.h"
#include "api/paced_answer.h"
#include "api/parameters.h"
#include "api/trace_chunks.h"
#include "base/check.h"
#include "query/partial_answer.h"

namespace weft::api {
namespace {

constexpr std::string_view kRoot = "/api/v3";

// {"error": {"httpCode": 400, "message": "..."}}
http::Response Failure(const Error& error) {
  int status = http::ToHttpStatus(error.code);
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("error");
  json.BeginObject();
  json.Field("httpCode", status);
  json.Field("message", error.message);
  json.EndObject();
  json.EndObject();
  http::Response response = JsonResponse(std::move(body), status);
  if (error.retry_after_s > 0)
    response.headers.emplace_back("retry-after", std::to_string(error.retry_after_s));
  return response;
}

void Ask(QueryRunner* runner, std::string_view kind, http::ExchangePtr exchange,
         QueryRunner::Question question, QueryRunner::Need need = nullptr) {
  runner->Run(kind, std::move(exchange), std::move(question), Failure, std::move(need));
}

// Readers of JSON ignore what they do not know: an answer that is not whole says so beside its
// result.
void EndWithPartial(const std::string& partial, wire::JsonWriter* json) {
  if (!partial.empty()) json->Field("partial", partial);
  json->EndObject();
}

// {"result": {"resourceSpans": [...]}}, the spans of all traces in one list.
class TracePieces final : public Pieces {
 public:
  TracePieces(SnapshotPtr snapshot, std::vector<TraceId> ids, std::string partial, TraceHold hold)
      : chunks_(std::move(snapshot), std::move(ids), codec::OtlpFormat::kJson, std::move(hold)),
        partial_(std::move(partial)) {}

  // Reads up to the first message. False: there is none; error() may say why.
  bool Begin() {
    next_ = Read();
    return next_.has_value();
  }
  const Status& error() const { return error_; }

  std::optional<std::string> Next() override {
    if (ended_) return std::nullopt;
    if (!next_) {
      ended_ = true;
      std::string tail = "]}";
      query::NoteGaps(chunks_.partial(), &partial_);
      if (!partial_.empty()) {
        tail += ",\"partial\":";
        wire::AppendJsonString(partial_, &tail);
      }
      return tail + "}";
    }
    std::string piece = began_ ? "," : "{\"result\":{\"resourceSpans\":[";
    began_ = true;
    piece += ItemsOf(*next_);
    next_ = Read();
    return piece;
  }

 private:
  // What stands between the brackets of {"resourceSpans":[...]}.
  static std::string_view ItemsOf(std::string_view message) {
    constexpr std::string_view kHead = "{\"resourceSpans\":[", kTail = "]}";
    WEFT_CHECK(message.starts_with(kHead) && message.ends_with(kTail));
    message.remove_prefix(kHead.size());
    message.remove_suffix(kTail.size());
    return message;
  }
  std::optional<std::string> Read() {
    for (;;) {
      Result<std::optional<std::string>> message = chunks_.Next();
      if (message) return std::move(*message);
      query::NoteGaps(message.error().message, &partial_);
      if (error_) error_ = weft::Fail(std::move(message).error());
    }
  }

  TraceChunks chunks_;
  std::string partial_;
  Status error_;
  std::optional<std::string> next_;
  bool began_ = false, ended_ = false;
};

void AnswerTraces(QueryRunner* runner, const SnapshotPtr& snapshot, std::vector<TraceId> ids,
                  std::string partial, std::string_view nothing, TraceHold hold,
                  const http::ExchangePtr& to) {
  auto pieces =
      std::make_unique<TracePieces>(snapshot, std::move(ids), std::move(partial), std::move(hold));
  if (!pieces->Begin())
    return to->Respond(Failure(pieces->error() ? Error{ErrorCode::kNotFound, std::string(nothing)}
                                               : pieces->error().error()));
  http::Response head = JsonResponse("");
  to->Start(head.status, head.content_type, head.headers);
  SendPieces(std::move(pieces), runner, to);
}

void WriteSummary(const query::TraceSummary& trace, wire::JsonWriter* json) {
  std::vector<const query::ServiceShare*> services;
  for (const query::ServiceShare& share : trace.services) services.push_back(&share);
  std::ranges::sort(services, std::less(), &query::ServiceShare::service);
  json->BeginObject();
  json->Field("traceId", trace.trace_id.ToHex());
  json->Field("rootServiceName", trace.root_missing ? "" : trace.root_service);
  json->Field("rootOperationName", trace.root_missing ? "" : trace.root_name);
  WriteTime("minStartTimeUnixNano", trace.start_ns, json);
  WriteTime("maxEndTimeUnixNano", trace.start_ns + trace.duration_ns, json);
  json->Field("spanCount", trace.spans);
  json->Field("errorSpanCount", trace.errors);
  json->Field("orphanSpanCount", trace.orphans);
  json->Key("services");
  json->BeginArray();
  for (const query::ServiceShare* share : services) {
    json->BeginObject();
    json->Field("name", share->service);
    json->Field("spanCount", share->spans);
    json->Field("errorSpanCount", share->errors);
    json->EndObject();
  }
  json->EndArray();
  json->EndObject();
}

http::Response SummariesResponse(const query::SearchResult& result) {
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("summaries");
  json.BeginArray();
  for (const query::TraceSummary& trace : result.traces) WriteSummary(trace, &json);
  json.EndArray();
  EndWithPartial(result.partial, &json);
  return JsonResponse(std::move(body));
}

http::Response ServicesResponse(const store::Snapshot& snapshot, const query::Budget& budget) {
  std::string partial;
  Result<std::vector<query::ServiceCount>> services =
      query::ListServices(snapshot, budget, &partial);
  if (!services) return Failure(services.error());
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("services");
  json.BeginArray();
  for (const query::ServiceCount& service : *services) json.String(service.service);
  json.EndArray();
  EndWithPartial(partial, &json);
  return JsonResponse(std::move(body));
}

// Over HTTP Jaeger calls a kind that is not set "internal".
std::string_view ShownKind(SpanKind kind) {
  return KindText(kind == SpanKind::kUnspecified ? SpanKind::kInternal : kind);
}

http::Response OperationsResponse(const std::string& service, const std::string& kind,
                                  const store::Snapshot& snapshot, const query::Budget& budget) {
  std::string partial;
  auto operations = query::ListOperations(snapshot, service, budget, &partial);
  if (!operations) return Failure(operations.error());
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("operations");
  json.BeginArray();
  for (const query::OperationName& operation : *operations) {
    if (!kind.empty() && kind != KindText(operation.kind)) continue;
    json.BeginObject();
    json.Field("name", operation.name);
    json.Field("spanKind", ShownKind(operation.kind));
    json.EndObject();
  }
  json.EndArray();
  EndWithPartial(partial, &json);
  return JsonResponse(std::move(body));
}

void HandleSearch(QueryRunner* runner, bool summaries, const http::Request& request,
                  http::ExchangePtr exchange) {
  Result<query::SearchRequest> search = ReadApiV3Search(request.query);
  if (!search) return exchange->Respond(Failure(search.error()));
  Ask(runner, summaries ? "api_v3_summaries" : "api_v3_search", std::move(exchange),
      [=, search = std::move(*search)](const SnapshotPtr& snapshot, const query::Budget& budget,
                                       const http::ExchangePtr& to) {
        Result<query::SearchResult> result = query::Search(*snapshot, search, budget);
        if (!result) return to->Respond(Failure(result.error()));
        if (summaries) return to->Respond(SummariesResponse(*result));
        std::vector<TraceId> ids;
        for (const query::TraceSummary& trace : result->traces) ids.push_back(trace.trace_id);
        AnswerTraces(runner, snapshot, std::move(ids), result->partial, "No traces found",
                     TraceHold(runner->memory().answers), to);
      });
}

void HandleTrace(QueryRunner* runner, const http::Request& request, http::ExchangePtr exchange) {
  constexpr std::string_view kPrefix = "/api/v3/traces/";
  Result<TraceId> id = ReadJaegerTraceId(std::string_view(request.path).substr(kPrefix.size()));
  Parameters parameters(request.query);
  // Hints that this store does not need, but wrong ones are still wrong.
  parameters.TimeNs(parameters.FirstGiven({"startTime", "start_time"}), 0);
  parameters.TimeNs(parameters.FirstGiven({"endTime", "end_time"}), 0);
  parameters.Flag(parameters.FirstGiven({"rawTraces", "raw_traces"}));
  if (!id) return exchange->Respond(Failure(id.error()));
  if (!parameters.status()) return exchange->Respond(Failure(parameters.status().error()));
  Ask(
      runner, "api_v3_trace", std::move(exchange),
      [runner, id = *id](const SnapshotPtr& snapshot, const query::Budget& budget,
                         const http::ExchangePtr& to) {
        AnswerTraces(runner, snapshot, {id}, "", "trace not found", TraceHold(budget.answer), to);
      },
      [id = *id](const store::Snapshot& snapshot) { return MemoryOfTrace(snapshot, id); });
}

}  // namespace

void AddApiV3Routes(QueryRunner* runner, const http::RouteOptions& options, http::Router* router) {
  runner->Declare({"api_v3_services", "api_v3_operations", "api_v3_search", "api_v3_summaries",
                   "api_v3_trace"});
  router->AnswerRefusals(std::string(kRoot) + "/*",
                         [](const http::RequestHead&, const http::Refusal& refusal) {
                           return Failure(ErrorOf(refusal));
                         });
  auto get = [&](std::string_view path, http::HttpHandler handler) {
    router->Add("GET", std::string(kRoot) + std::string(path), options, std::move(handler));
  };
  get("/services", [runner](http::Request, http::ExchangePtr exchange) {
    Ask(runner, "api_v3_services", std::move(exchange),
        [](const SnapshotPtr& snapshot, const query::Budget& budget, const http::ExchangePtr& to) {
          to->Respond(ServicesResponse(*snapshot, budget));
        });
  });
  get("/operations", [runner](http::Request request, http::ExchangePtr exchange) {
    Parameters parameters(request.query);
    std::string service = parameters.Text("service");
    std::string kind = parameters.Text(parameters.FirstGiven({"spanKind", "span_kind"}));
    Ask(runner, "api_v3_operations", std::move(exchange),
        [=](const SnapshotPtr& snapshot, const query::Budget& budget, const http::ExchangePtr& to) {
          to->Respond(OperationsResponse(service, kind, *snapshot, budget));
        });
  });
  get("/traces", [runner](http::Request request, http::ExchangePtr exchange) {
    HandleSearch(runner, false, request, std::move(exchange));
  });
  get("/trace-summaries", [runner](http::Request request, http::ExchangePtr exchange) {
    HandleSearch(runner, true, request, std::move(exchange));
  });
  get("/traces/*", [runner](http::Request request, http::ExchangePtr exchange) {
    HandleTrace(runner, request, std::move(exchange));
  });
}

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
#include "api/jaeger_api.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <set>

#include "api/answers.h"
#include "api/parameters.h"
#include "codec/jaeger_json_encode.h"
#include "net/grpc.h"
#include "traceql/literals.h"

namespace weft::api {
namespace {

using codec::JaegerEnvelope;
using codec::JaegerError;
using codec::JaegerTraceId;
using codec::WriteJaegerTrace;

constexpr uint64_t kNsPerUs = 1000;
constexpr uint64_t kDefaultLookbackNs = 48ull * 3600 * 1'000'000'000;

net::Response JaegerFailure(int status, std::string message, std::string trace_id = {}) {
  return JsonResponse(
      JaegerEnvelope("null", 0, {{status, std::move(message), std::move(trace_id)}}), status);
}

net::Response JaegerFailure(const Error& error) {
  net::Response response = JaegerFailure(
      error.code == ErrorCode::kUnimplemented ? 501 : net::ToHttpStatus(error.code), error.message);
  if (error.retry_after_s > 0)
    response.headers.emplace_back("retry-after", std::to_string(error.retry_after_s));
  return response;
}

void Ask(QueryRunner* runner, std::string_view kind, net::ExchangePtr exchange,
         QueryRunner::SimpleQuestion question) {
  runner->Run(
      kind, std::move(exchange),
      [question = std::move(question)](const SnapshotPtr& snapshot, const query::Budget& budget,
                                       const net::ExchangePtr& to) {
        to->Respond(question(*snapshot, budget));
      },
      [](const Error& error) { return JaegerFailure(error); });
}

// ---------------------------------------------------------------- search parameters to TraceQL

bool IsNumber(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && error == std::errc() && end == text.data() + text.size() &&
         text.find_first_not_of("0123456789.-") == std::string_view::npos;
}

// A tag of Jaeger matches attributes of span and process, whatever their type.
std::string TagCondition(const std::string& key, const std::string& value) {
  if (key == "error" && value == "true") return "status = error";
  if (key == "error" && value == "false") return "status != error";
  if (key == "span.kind" && !value.empty()) {
    for (const char* kind : {"server", "client", "producer", "consumer", "internal"})
      if (value == kind) return fmt::format("kind = {}", kind);
  }
  if (key == "otel.status_code" && value == "ERROR") return "status = error";
  if (key == "otel.status_code" && value == "OK") return "status = ok";
  if (key == "otel.status_description") return "statusMessage = " + traceql::QuoteText(value);
  if (key == "otel.scope.name" || key == "otel.library.name")
    return "instrumentation:name = " + traceql::QuoteText(value);
  if (key == "otel.scope.version" || key == "otel.library.version")
    return "instrumentation:version = " + traceql::QuoteText(value);
  std::string field = "." + traceql::QuoteText(key);
  std::string condition = fmt::format("{} = {}", field, traceql::QuoteText(value));
  if (IsNumber(value)) condition += fmt::format(" || {} = {}", field, value);
  if (value == "true" || value == "false") condition += fmt::format(" || {} = {}", field, value);
  condition += fmt::format(" || event.{} = {}", traceql::QuoteText(key), traceql::QuoteText(value));
  return "(" + condition + ")";
}

// tags={"http.method":"GET","retries":3}
Status ReadTagMap(const std::string& text, std::vector<std::string>* conditions) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(text).get(object) != simdjson::SUCCESS)
    return Fail(ErrorCode::kInvalidArgument, "parameter tags must be a JSON object of strings");
  for (auto [key, value] : object) {
    std::string shown(value.is_string() ? std::string(std::string_view(value))
                                        : simdjson::minify(value));
    conditions->push_back(TagCondition(std::string(key), shown));
  }
  return {};
}

// ---------------------------------------------------------------- answers

net::Response AnswerTraceList(const std::vector<TraceId>& ids, const store::Snapshot& snapshot,
                              const query::Budget& budget, std::vector<JaegerError> errors) {
  std::string data;
  wire::JsonWriter json(&data);
  size_t total = 0;
  json.BeginArray();
  for (const TraceId& id : ids) {
    Result<SpanBatch> batch = snapshot.ReadTrace(id);
    if (!batch || batch->spans.empty()) {
      errors.push_back({404, batch ? "trace not found" : batch.error().message, JaegerTraceId(id)});
      continue;
    }
    WriteJaegerTrace(id, *batch, &json);
    ++total;
    if (data.size() > budget.memory_bytes && total < ids.size()) {
      errors.push_back({413,
                        fmt::format("the answer is over {} bytes: {} of {} traces are shown",
                                    budget.memory_bytes, total, ids.size()),
                        ""});
      break;
    }
  }
  json.EndArray();
  return JsonResponse(JaegerEnvelope(data, total, errors));
}

net::Response AnswerSearch(const query::SearchRequest& search, const store::Snapshot& snapshot,
                           const query::Budget& budget) {
  Result<query::SearchResult> result = query::Search(snapshot, search, budget);
  if (!result) return JaegerFailure(result.error());
  std::vector<TraceId> ids;
  for (const query::TraceSummary& trace : result->traces) ids.push_back(trace.trace_id);
  std::vector<JaegerError> errors;
  if (!result->partial.empty()) errors.push_back({206, "partial: " + result->partial, ""});
  return AnswerTraceList(ids, snapshot, budget, std::move(errors));
}

net::Response AnswerServices(const store::Snapshot& snapshot, const query::Budget& budget) {
  Result<std::vector<query::ServiceCount>> services = query::ListServices(snapshot, budget);
  if (!services) return JaegerFailure(services.error());
  std::string data;
  wire::JsonWriter json(&data);
  json.BeginArray();
  for (const query::ServiceCount& service : *services) json.String(service.service);
  json.EndArray();
  return JsonResponse(JaegerEnvelope(data, services->size(), {}));
}

// `with_kind`: [{"name", "spanKind"}], else distinct names.
net::Response AnswerOperations(const std::string& service, const std::string& kind, bool with_kind,
                               const store::Snapshot& snapshot, const query::Budget& budget) {
  Result<std::vector<query::OperationName>> operations =
      query::ListOperations(snapshot, service, budget);
  if (!operations) return JaegerFailure(operations.error());
  std::string data;
  wire::JsonWriter json(&data);
  std::set<std::string> seen;
  size_t total = 0;
  json.BeginArray();
  for (const query::OperationName& operation : *operations) {
    std::string_view kind_text =
        operation.kind == SpanKind::kUnspecified ? "" : KindText(operation.kind);
    if (!kind.empty() && kind != kind_text) continue;
    if (!with_kind && !seen.insert(operation.name).second) continue;
    ++total;
    if (!with_kind) {
      json.String(operation.name);
      continue;
    }
    json.BeginObject();
    json.Field("name", operation.name);
    json.Field("spanKind", kind_text);
    json.EndObject();
  }
  json.EndArray();
  return JsonResponse(JaegerEnvelope(data, total, {}));
}

void HandleSearch(QueryRunner* runner, Clock* clock, net::Request request,
                  net::ExchangePtr exchange) {
  Parameters parameters(request.query);
  if (std::vector<std::string> texts = parameters.All("traceID"); !texts.empty()) {
    std::vector<TraceId> ids;
    for (const std::string& text : texts) {
      std::optional<TraceId> id = ParseTraceId(text);
      if (!id)
        return exchange->Respond(JaegerFailure(400, "cannot parse traceID " + text.substr(0, 64)));
      ids.push_back(*id);
    }
    return Ask(runner, "jaeger_traces", std::move(exchange),
               [ids](const store::Snapshot& snapshot, const query::Budget& budget) {
                 return AnswerTraceList(ids, snapshot, budget, {});
               });
  }
  Result<query::SearchRequest> search = ReadJaegerSearch(request.query, clock->NowNs());
  if (!search) return exchange->Respond(JaegerFailure(search.error()));
  Ask(runner, "jaeger_search", std::move(exchange),
      [search = *search](const store::Snapshot& snapshot, const query::Budget& budget) {
        return AnswerSearch(search, snapshot, budget);
      });
}

void HandleTrace(QueryRunner* runner, net::Request request, net::ExchangePtr exchange) {
  constexpr std::string_view kPrefix = "/api/traces/";
  std::string text = request.path.substr(kPrefix.size());
  std::optional<TraceId> id = ParseTraceId(text);
  if (!id)
    return exchange->Respond(JaegerFailure(400, "cannot parse trace id " + text.substr(0, 64)));
  Ask(runner, "jaeger_trace", std::move(exchange),
      [id = *id](const store::Snapshot& snapshot, const query::Budget&) {
        Result<SpanBatch> batch = snapshot.ReadTrace(id);
        if (!batch && batch.error().code != ErrorCode::kNotFound)
          return JaegerFailure(batch.error());
        if (!batch || batch->spans.empty()) return JaegerFailure(404, "trace not found");
        std::string data;
        wire::JsonWriter json(&data);
        json.BeginArray();
        WriteJaegerTrace(id, *batch, &json);
        json.EndArray();
        return JsonResponse(JaegerEnvelope(data, 1, {}));
      });
}

// /api/services/{service}/operations: the service is one segment, escaped.
void HandleServiceOperations(QueryRunner* runner, net::Request request, net::ExchangePtr exchange) {
  constexpr std::string_view kPrefix = "/api/services/", kSuffix = "/operations";
  std::string_view raw = std::string_view(request.raw_path).substr(kPrefix.size());
  if (!raw.ends_with(kSuffix)) return exchange->Respond(JaegerFailure(404, "no such path"));
  raw.remove_suffix(kSuffix.size());
  // The escapes of a path are those of a form but for "+".
  std::string escaped;
  for (char c : raw) escaped += c == '+' ? std::string("%2B") : std::string(1, c);
  std::string service = Parameters("s=" + escaped).Text("s");
  Ask(runner, "jaeger_operations", std::move(exchange),
      [service](const store::Snapshot& snapshot, const query::Budget& budget) {
        return AnswerOperations(service, "", false, snapshot, budget);
      });
}

}  // namespace

Result<query::SearchRequest> ReadJaegerSearch(std::string_view query_string, uint64_t now_ns) {
  constexpr uint64_t kTimeUsMax = (1ull << 63) / kNsPerUs;
  constexpr uint64_t kLimitDefault = 100, kLimitMax = 10'000;
  Parameters parameters(query_string);
  query::SearchRequest search;
  std::string service = parameters.Text("service");
  if (service.empty()) parameters.Reject("parameter 'service' is required");
  search.end_ns = parameters.Number("end", now_ns / kNsPerUs, 0, kTimeUsMax) * kNsPerUs;
  uint64_t default_start =
      search.end_ns > kDefaultLookbackNs ? search.end_ns - kDefaultLookbackNs : 0;
  search.start_ns = parameters.Number("start", default_start / kNsPerUs, 0, kTimeUsMax) * kNsPerUs;
  search.end_ns += kNsPerUs;  // Jaeger's end is inclusive
  if (search.end_ns <= search.start_ns)
    parameters.Reject("parameter end must not be earlier than start");
  search.limit = static_cast<uint32_t>(parameters.Number("limit", kLimitDefault, 1, kLimitMax));
  search.spans_per_trace = 0;
  uint64_t shortest = parameters.DurationNs("minDuration", 0);
  uint64_t longest = parameters.DurationNs("maxDuration", 0);
  if (longest != 0 && longest < shortest)
    parameters.Reject("parameter maxDuration must not be less than minDuration");

  std::vector<std::string> conditions = {"resource.service.name = " + traceql::QuoteText(service)};
  std::string operation = parameters.Text("operation");
  if (!operation.empty() && operation != "all")
    conditions.push_back("name = " + traceql::QuoteText(operation));
  for (const std::string& tag : parameters.All("tag")) {
    size_t colon = tag.find(':');
    if (colon == std::string::npos) {
      parameters.Reject("parameter tag must be key:value");
    } else {
      conditions.push_back(TagCondition(tag.substr(0, colon), tag.substr(colon + 1)));
    }
  }
  for (const std::string& tags : parameters.All("tags"))
    if (!tags.empty()) WEFT_TRY(ReadTagMap(tags, &conditions));
  if (shortest > 0) conditions.push_back(fmt::format("duration >= {}ns", shortest));
  if (longest > 0) conditions.push_back(fmt::format("duration <= {}ns", longest));
  WEFT_TRY(parameters.status());
  search.traceql = "{ ";
  for (size_t i = 0; i < conditions.size(); ++i)
    search.traceql += (i > 0 ? " && " : "") + conditions[i];
  search.traceql += " }";
  return search;
}

void AddJaegerRoutes(QueryRunner* runner, Clock* clock, net::RouteOptions options,
                     net::Router* router) {
  runner->Declare(
      {"jaeger_services", "jaeger_operations", "jaeger_search", "jaeger_traces", "jaeger_trace"});
  router->ShapeRefusals("/api/*", [](const net::RequestHead&, const net::Refusal& refusal) {
    return JaegerFailure(refusal.status, refusal.message);
  });
  router->Add("GET", "/api/services", options, [runner](net::Request, net::ExchangePtr exchange) {
    Ask(runner, "jaeger_services", std::move(exchange), AnswerServices);
  });
  router->Add("GET", "/api/services/*", options,
              [runner](net::Request request, net::ExchangePtr exchange) {
                HandleServiceOperations(runner, std::move(request), std::move(exchange));
              });
  router->Add("GET", "/api/operations", options,
              [runner](net::Request request, net::ExchangePtr exchange) {
                Parameters parameters(request.query);
                std::string service = parameters.Text("service");
                std::string kind = parameters.Text("spanKind");
                if (service.empty())
                  return exchange->Respond(JaegerFailure(400, "parameter 'service' is required"));
                Ask(runner, "jaeger_operations", std::move(exchange),
                    [=](const store::Snapshot& snapshot, const query::Budget& budget) {
                      return AnswerOperations(service, kind, true, snapshot, budget);
                    });
              });
  router->Add("GET", "/api/traces", options,
              [runner, clock](net::Request request, net::ExchangePtr exchange) {
                HandleSearch(runner, clock, std::move(request), std::move(exchange));
              });
  router->Add("GET", "/api/traces/*", options,
              [runner](net::Request request, net::ExchangePtr exchange) {
                HandleTrace(runner, std::move(request), std::move(exchange));
              });
  router->Add("GET", "/api/dependencies", options, [](net::Request, net::ExchangePtr exchange) {
    exchange->Respond(
        JaegerFailure(501, "this version of weft does not compute service dependencies"));
  });
}

}  // namespace weft::api

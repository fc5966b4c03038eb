// SPDX-License-Identifier: Apache-2.0
#include "api/jaeger_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "api/answers.h"
#include "api/jaeger_answers.h"
#include "api/jaeger_search.h"
#include "api/otlp_transform.h"
#include "api/paced_answer.h"
#include "api/parameters.h"
#include "api/stored_trace.h"
#include "api/trace_hold.h"
#include "api/upload_route.h"
#include "query/dependencies.h"
#include "wire/json_indent.h"

namespace weft::api {
namespace {

using codec::JaegerError;
using codec::JaegerTraceId;

constexpr uint64_t kNsPerMs = 1'000'000;
constexpr size_t kTraceIdsMax = 1000;

// ---------------------------------------------------------------- traces

std::vector<JaegerError> PartialErrors(const std::string& partial) {
  if (partial.empty()) return {};
  return {{206, "partial: " + partial, ""}};
}

std::string WarningOf(const StoredTrace& trace) {
  return trace.partial.empty() ? "" : "spans may be missing: " + trace.partial;
}

// The envelope around some traces. One trace is in memory at a time.
class TracePieces final : public Pieces {
 public:
  TracePieces(SnapshotPtr snapshot, std::vector<TraceId> ids, std::vector<JaegerError> errors,
              bool indent, TraceHold hold)
      : snapshot_(std::move(snapshot)),
        ids_(std::move(ids)),
        errors_(std::move(errors)),
        indent_(indent),
        hold_(std::move(hold)) {}

  // The next trace, which has been read.
  void Begin(const TraceId& id, StoredTrace trace) {
    trace_ = std::make_unique<StoredTrace>(std::move(trace));
    writer_.emplace(id, trace_->batch, WarningOf(*trace_));
  }

  std::optional<std::string> Next() override {
    if (ended_) return std::nullopt;
    std::string piece = std::exchange(began_, true) ? "" : "{\"data\":[";
    while (!writer_ && next_ < ids_.size()) ReadNext();
    if (writer_) {
      if (!std::exchange(in_trace_, true) && total_++ > 0) piece += ',';
      if (!writer_->Write(kPieceBytes, &piece)) EndTrace();
      return Shown(std::move(piece));
    }
    ended_ = true;
    // The rest of the envelope, from the end of its data on.
    constexpr std::string_view kHead = "{\"data\":[";
    piece += codec::JaegerEnvelope("[]", total_, errors_).substr(kHead.size());
    return Shown(std::move(piece));
  }

 private:
  void ReadNext() {
    const TraceId& id = ids_[next_++];
    Status held = hold_.Cover(*snapshot_, id);
    Result<StoredTrace> trace =
        held ? ReadStoredTrace(*snapshot_, id) : Result<StoredTrace>(weft::Fail(held.error()));
    if (trace && !trace->partial.empty())
      errors_.push_back({206, "partial: " + trace->partial, JaegerTraceId(id)});
    if (trace) {
      hold_.Settle(MemoryOf(trace->batch));
      return Begin(id, std::move(*trace));
    }
    const Error& error = trace.error();
    bool missing = error.code == ErrorCode::kNotFound;
    errors_.push_back({missing ? 404 : http::ToHttpStatus(error.code),
                       missing ? "trace not found" : error.message, JaegerTraceId(id)});
  }
  void EndTrace() {
    writer_.reset();
    trace_.reset();
    in_trace_ = false;
  }
  std::string Shown(std::string piece) {
    if (!indent_) return piece;
    std::string indented;
    indenter_.Append(piece, &indented);
    return indented;
  }

  const SnapshotPtr snapshot_;
  const std::vector<TraceId> ids_;
  std::vector<JaegerError> errors_;
  const bool indent_;
  TraceHold hold_;
  std::unique_ptr<StoredTrace> trace_;  // being written; null: none
  std::optional<codec::JaegerTraceWriter> writer_;
  wire::JsonIndenter indenter_;
  size_t next_ = 0, total_ = 0;
  bool began_ = false, in_trace_ = false, ended_ = false;
};

void SendTraces(QueryRunner* runner, std::unique_ptr<TracePieces> pieces,
                const http::ExchangePtr& to) {
  http::Response head = JsonResponse("");
  to->Start(head.status, head.content_type, head.headers);
  SendPieces(std::move(pieces), runner, to);
}

void AnswerTraces(QueryRunner* runner, const SnapshotPtr& snapshot, std::vector<TraceId> ids,
                  std::vector<JaegerError> errors, bool indent, const http::ExchangePtr& to) {
  SendTraces(runner,
             std::make_unique<TracePieces>(snapshot, std::move(ids), std::move(errors), indent,
                                           TraceHold(runner->memory().answers)),
             to);
}

http::Response RefuseQuery(const Error& error) { return JaegerFailure(error); }

Result<std::vector<TraceId>> ReadTraceIds(const std::vector<std::string>& texts) {
  if (texts.size() > kTraceIdsMax)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("parameter traceID is given {} times: at most {} are allowed",
                            texts.size(), kTraceIdsMax));
  std::vector<TraceId> ids;
  for (const std::string& text : texts) {
    WEFT_ASSIGN(TraceId id, ReadJaegerTraceId(text));
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
  }
  return ids;
}

void HandleSearch(QueryRunner* runner, Clock* clock, const http::Request& request,
                  http::ExchangePtr exchange) {
  bool indent = WantsIndent(request.query);
  std::vector<std::string> texts = Parameters(request.query).All("traceID");
  if (!texts.empty()) {
    Result<std::vector<TraceId>> ids = ReadTraceIds(texts);
    if (!ids) return exchange->Respond(JaegerFailure(ids.error()));
    return runner->Run(
        "jaeger_traces", std::move(exchange),
        [=, ids = std::move(*ids)](const SnapshotPtr& snapshot, const query::Budget&,
                                   const http::ExchangePtr& to) {
          AnswerTraces(runner, snapshot, ids, {}, indent, to);
        },
        RefuseQuery);
  }
  Result<query::SearchRequest> search = ReadJaegerSearch(request.query, clock->NowNs());
  if (!search) return exchange->Respond(JaegerFailure(search.error()));
  runner->Run(
      "jaeger_search", std::move(exchange),
      [=, search = std::move(*search)](const SnapshotPtr& snapshot, const query::Budget& budget,
                                       const http::ExchangePtr& to) {
        Result<query::SearchResult> result = query::Search(*snapshot, search, budget);
        if (!result) return to->Respond(JaegerFailure(result.error()));
        std::vector<TraceId> ids;
        for (const query::TraceSummary& trace : result->traces) ids.push_back(trace.trace_id);
        std::vector<JaegerError> errors;
        if (!result->partial.empty()) errors.push_back({206, "partial: " + result->partial, ""});
        AnswerTraces(runner, snapshot, std::move(ids), std::move(errors), indent, to);
      },
      RefuseQuery);
}

void HandleTrace(QueryRunner* runner, const http::Request& request, http::ExchangePtr exchange) {
  constexpr std::string_view kPrefix = "/api/traces/";
  constexpr uint64_t kTimeUsMax = Parameters::kTimeNsMax / 1000;
  Result<TraceId> id = ReadJaegerTraceId(std::string_view(request.path).substr(kPrefix.size()));
  if (!id) return exchange->Respond(JaegerFailure(id.error()));
  Parameters parameters(request.query);
  // Hints that this store does not need, but wrong ones are still wrong.
  parameters.Number("start", 0, 0, kTimeUsMax);
  parameters.Number("end", 0, 0, kTimeUsMax);
  parameters.Flag("raw");
  if (!parameters.status()) return exchange->Respond(JaegerFailure(parameters.status().error()));
  runner->Run(
      "jaeger_trace", std::move(exchange),
      [runner, id = *id, indent = WantsIndent(request.query)](
          const SnapshotPtr& snapshot, const query::Budget& budget, const http::ExchangePtr& to) {
        Result<StoredTrace> trace = ReadStoredTrace(*snapshot, id);
        if (!trace && trace.error().code == ErrorCode::kNotFound)
          return to->Respond(JaegerFailure(404, "trace not found"));
        if (!trace) return to->Respond(JaegerFailure(trace.error()));
        TraceHold hold(budget.answer);
        hold.Settle(MemoryOf(trace->batch));
        auto pieces =
            std::make_unique<TracePieces>(snapshot, std::vector<TraceId>(),
                                          PartialErrors(trace->partial), indent, std::move(hold));
        pieces->Begin(id, std::move(*trace));
        SendTraces(runner, std::move(pieces), to);
      },
      RefuseQuery,
      [id = *id](const store::Snapshot& snapshot) { return MemoryOfTrace(snapshot, id); });
}

// POST /api/transform: uploaded OTLP as Jaeger's JSON.
void HandleTransform(QueryRunner* runner, http::Request request, http::ExchangePtr exchange) {
  auto body = std::make_shared<std::string>(std::move(request.body));
  AskForJaeger(
      runner, "jaeger_transform", std::move(exchange),
      [body, indent = WantsIndent(request.query)](const store::Snapshot&, const query::Budget&) {
        std::string data;
        std::vector<JaegerError> errors;
        Result<size_t> total = TransformOtlp(*body, &data, &errors);
        if (!total) return JaegerFailure(total.error());
        return JaegerAnswer(data, *total, errors, indent);
      });
}

// ---------------------------------------------------------------- names

http::Response AnswerServices(const store::Snapshot& snapshot, const query::Budget& budget) {
  std::string partial;
  Result<std::vector<query::ServiceCount>> services =
      query::ListServices(snapshot, budget, &partial);
  if (!services) return JaegerFailure(services.error());
  std::string data;
  wire::JsonWriter json(&data);
  json.BeginArray();
  for (const query::ServiceCount& service : *services) json.String(service.service);
  json.EndArray();
  return JaegerAnswer(data, services->size(), PartialErrors(partial), false);
}

// `with_kind`: [{"name", "spanKind"}], else distinct names.
http::Response AnswerOperations(const std::string& service, const std::string& kind, bool with_kind,
                                const store::Snapshot& snapshot, const query::Budget& budget) {
  std::string partial;
  Result<std::vector<query::OperationName>> operations =
      query::ListOperations(snapshot, service, budget, &partial);
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
  return JaegerAnswer(data, total, PartialErrors(partial), false);
}

// /api/services/{service}/operations: the service is one segment, escaped.
void HandleServiceOperations(QueryRunner* runner, const http::Request& request,
                             http::ExchangePtr exchange) {
  constexpr std::string_view kPrefix = "/api/services/", kSuffix = "/operations";
  std::string_view raw = std::string_view(request.raw_path).substr(kPrefix.size());
  if (!raw.ends_with(kSuffix)) return exchange->Respond(JaegerFailure(404, "no such path"));
  raw.remove_suffix(kSuffix.size());
  // The escapes of a path are those of a form but for "+".
  std::string escaped;
  for (char c : raw) escaped += c == '+' ? std::string("%2B") : std::string(1, c);
  std::string service = Parameters("s=" + escaped).Text("s");
  AskForJaeger(runner, "jaeger_operations", std::move(exchange),
               [service](const store::Snapshot& snapshot, const query::Budget& budget) {
                 return AnswerOperations(service, "", false, snapshot, budget);
               });
}

void HandleOperations(QueryRunner* runner, const http::Request& request,
                      http::ExchangePtr exchange) {
  Parameters parameters(request.query);
  std::string service = parameters.Text("service");
  std::string kind = parameters.Text("spanKind");
  if (service.empty())
    return exchange->Respond(JaegerFailure(400, "parameter 'service' is required"));
  AskForJaeger(runner, "jaeger_operations", std::move(exchange),
               [=](const store::Snapshot& snapshot, const query::Budget& budget) {
                 return AnswerOperations(service, kind, true, snapshot, budget);
               });
}

// ---------------------------------------------------------------- dependencies

// `endTs` and `lookback` in ms; with `service` only the links to and from it.
void HandleDependencies(QueryRunner* runner, Clock* clock, const http::Request& request,
                        http::ExchangePtr exchange) {
  constexpr uint64_t kTimeMsMax = Parameters::kTimeNsMax / kNsPerMs - 1;
  constexpr uint64_t kLookbackMs = 24ull * 3600 * 1000;
  Parameters parameters(request.query);
  std::string service = parameters.Text("service");
  uint64_t end_ms = parameters.Number("endTs", clock->NowNs() / kNsPerMs, 1, kTimeMsMax);
  uint64_t lookback_ms = parameters.Number("lookback", kLookbackMs, 1, kTimeMsMax);
  if (!parameters.status()) return exchange->Respond(JaegerFailure(parameters.status().error()));
  uint64_t start_ns = end_ms > lookback_ms ? (end_ms - lookback_ms) * kNsPerMs : 0;
  uint64_t end_ns = (end_ms + 1) * kNsPerMs;  // all of the last millisecond
  AskForJaeger(runner, "jaeger_dependencies", std::move(exchange),
               [=, indent = WantsIndent(request.query)](const store::Snapshot& snapshot,
                                                        const query::Budget& budget) {
                 auto found = query::FindDependencies(snapshot, start_ns, end_ns, budget);
                 if (!found) return JaegerFailure(found.error());
                 std::string data;
                 wire::JsonWriter json(&data);
                 size_t total = 0;
                 json.BeginArray();
                 for (const query::ServiceCalls& link : found->links) {
                   if (!service.empty() && link.parent != service && link.child != service)
                     continue;
                   ++total;
                   json.BeginObject();
                   json.Field("parent", link.parent);
                   json.Field("child", link.child);
                   json.Field("callCount", link.calls);
                   json.EndObject();
                 }
                 json.EndArray();
                 std::vector<JaegerError> errors;
                 if (!found->partial.empty())
                   errors.push_back({206, "partial: " + found->partial, ""});
                 return JaegerAnswer(data, total, errors, indent);
               });
}

// ---------------------------------------------------------------- what weft does not have

// A wrong question is wrong with or without a metrics store.
http::Response RefuseMetrics(const http::Request& request) {
  Parameters parameters(request.query);
  if (request.path.ends_with("/latencies") && parameters.Text("quantile").empty())
    parameters.Reject("parameter quantile is required");
  if (parameters.Text("service").empty()) parameters.Reject("parameter 'service' is required");
  if (!parameters.status()) return JaegerFailure(parameters.status().error());
  return JaegerFailure(501, "weft keeps no metrics of services for Jaeger's monitor page");
}

void AddRefusals(const http::RouteOptions& options, http::Router* router) {
  for (const char* path : {"/api/metrics/latencies", "/api/metrics/calls", "/api/metrics/errors"})
    router->Add("GET", path, options, [](http::Request request, http::ExchangePtr exchange) {
      exchange->Respond(RefuseMetrics(request));
    });
  // Jaeger answers these two with fixed sample data.
  for (const char* path : {"/api/deep-dependencies", "/api/quality-metrics"})
    router->Add("GET", path, options, [](http::Request, http::ExchangePtr exchange) {
      exchange->Respond(JaegerFailure(501, "weft does not compute this"));
    });
  router->Add("POST", "/api/archive/*", options, [](http::Request request, http::ExchangePtr to) {
    constexpr std::string_view kPrefix = "/api/archive/";
    auto id = ReadJaegerTraceId(std::string_view(request.path).substr(kPrefix.size()));
    if (!id) return to->Respond(JaegerFailure(id.error()));
    // Jaeger's own status where no archive is configured.
    to->Respond(JaegerFailure(500, "weft has no archive storage: retention alone removes traces"));
  });
}

}  // namespace

void AddJaegerRoutes(QueryRunner* runner, Clock* clock, const http::RouteOptions& options,
                     http::Router* router) {
  runner->Declare({"jaeger_services", "jaeger_operations", "jaeger_search", "jaeger_traces",
                   "jaeger_trace", "jaeger_transform", "jaeger_dependencies"});
  router->AnswerRefusals("/api/*", [](const http::RequestHead&, const http::Refusal& refusal) {
    return JaegerFailure(refusal.status, refusal.message);
  });
  auto get = [&](std::string_view path, auto handle) {
    router->Add("GET", std::string(path), options,
                [=](http::Request request, http::ExchangePtr exchange) {
                  handle(request, std::move(exchange));
                });
  };
  get("/api/services", [runner](const http::Request&, http::ExchangePtr exchange) {
    AskForJaeger(runner, "jaeger_services", std::move(exchange), AnswerServices);
  });
  get("/api/services/*", [runner](const http::Request& request, http::ExchangePtr exchange) {
    HandleServiceOperations(runner, request, std::move(exchange));
  });
  get("/api/operations", [runner](const http::Request& request, http::ExchangePtr exchange) {
    HandleOperations(runner, request, std::move(exchange));
  });
  get("/api/traces", [=](const http::Request& request, http::ExchangePtr exchange) {
    HandleSearch(runner, clock, request, std::move(exchange));
  });
  get("/api/traces/*", [runner](const http::Request& request, http::ExchangePtr exchange) {
    HandleTrace(runner, request, std::move(exchange));
  });
  get("/api/dependencies", [=](const http::Request& request, http::ExchangePtr exchange) {
    HandleDependencies(runner, clock, request, std::move(exchange));
  });
  router->Add("POST", "/api/transform",
              UploadRoute(options, runner->memory().uploads,
                          [](const Error& error) { return JaegerFailure(error); }),
              [runner](http::Request request, http::ExchangePtr exchange) {
                HandleTransform(runner, std::move(request), std::move(exchange));
              });
  AddRefusals(options, router);
}

}  // namespace weft::api

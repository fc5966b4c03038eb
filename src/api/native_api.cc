// SPDX-License-Identifier: Apache-2.0
#include "api/native_api.h"

#include <utility>

#include "api/answers.h"
#include "api/otlp_pieces.h"
#include "api/paced_answer.h"
#include "api/parameters.h"
#include "api/stored_trace.h"
#include "api/tags_api.h"
#include "api/trace_cache.h"
#include "api/trace_rows.h"
#include "api/trace_stream.h"
#include "api/upload_route.h"
#include "codec/otlp.h"
#include "model/pasted_id.h"
#include "query/unknown_names.h"
#include "store/import.h"

namespace weft::api {
namespace {

constexpr uint32_t kRowsMax = 1000;
constexpr uint64_t kLimitMax = 10'000;

void WriteDataRange(const store::Snapshot& snapshot, wire::JsonWriter* json) {
  json->Key("dataRange");
  if (auto range = query::DataRange(snapshot)) {
    json->BeginObject();
    WriteTime("startNs", range->first, json);
    WriteTime("endNs", range->second, json);
    json->EndObject();
  } else {
    json->Null();
  }
}

// An answer of one piece whole, a longer one as it is read.
template <class SomePieces>
void Send(http::Response head, std::unique_ptr<SomePieces> pieces, QueryRunner* runner,
          const http::ExchangePtr& to) {
  std::string first = pieces->Next().value_or("");
  if (pieces->ended()) {
    head.body = std::move(first);
    return to->Respond(std::move(head));
  }
  to->Start(head.status, head.content_type, head.headers);
  if (to->Write(std::move(first)) != http::WriteState::kClosed)
    SendPieces(std::move(pieces), runner, to);
}

// ---------------------------------------------------------------- status

void WriteDamage(const store::StoreStats& stats, wire::JsonWriter* json) {
  json->Field("damagedBlocks", stats.damaged_blocks);
  json->Key("damage");
  json->BeginArray();
  for (const std::string& what : stats.damage) json->String(what);
  json->EndArray();
  json->Key("scrub");
  json->BeginObject();
  json->Field("roundBytes", stats.scrub_round_bytes);
  json->Field("doneBytes", stats.scrub_round_done_bytes);
  WriteTime("lastEndNs", stats.scrub_last_end_ns, json);
  json->Field("lastDamagedBlocks", stats.scrub_last_damaged_blocks);
  json->EndObject();
}

void WriteMemory(const MemoryBudget& memory, wire::JsonWriter* json) {
  json->Key("memory");
  json->BeginObject();
  json->Field("limitBytes", memory.bytes_max());
  json->Field("usedBytes", memory.used());
  json->Field("peakBytes", memory.peak());
  json->Key("accounts");
  json->BeginArray();
  for (const MemoryNode& node : memory.nodes()) {
    json->BeginObject();
    json->Field("name", node.name);
    json->Field("usedBytes", node.used);
    json->Field("maxBytes", node.bytes_max);
    json->Field("reservedBytes", node.reserve);
    json->Field("peakBytes", node.peak);
    json->Field("waiting", node.waiting);
    json->Field("refused", node.refused);
    json->EndObject();
  }
  json->EndArray();
  json->EndObject();
}

void WriteReloads(const ServerFacts& facts, wire::JsonWriter* json) {
  if (facts.reloads == nullptr) return;
  const pipeline::ReloadState state = facts.reloads->state();
  json->Key("configuration");
  json->BeginObject();
  json->Field("generation", state.generation);
  WriteTime("takenNs", state.taken_ns, json);
  WriteTime("failedNs", state.failed_ns, json);
  json->Field("error", state.error);
  json->EndObject();
}

http::Response AnswerStatus(const ServerFacts& facts, store::Store* store,
                            const MemoryBudget& memory, const store::Snapshot& snapshot) {
  store::StoreStats stats = store->stats();
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Field("version", facts.version);
  WriteTime("startedNs", facts.started_ns, &json);
  json.Field("durability", facts.durability);
  json.Field("dataDir", facts.data_directory);
  json.Field("readOnly", stats.read_only);
  json.Field("readOnlyReason", stats.read_only_reason);
  json.Key("retention");
  json.BeginObject();
  const auto [age_ns, bytes] = facts.retention
                                   ? facts.retention()
                                   : std::pair(facts.retention_age_ns, facts.retention_bytes);
  json.Field("ageNs", age_ns);
  json.Field("bytes", bytes);
  json.EndObject();
  WriteReloads(facts, &json);
  json.Field("spans", stats.head_spans + stats.block_spans);
  json.Field("blocks", stats.blocks);
  json.Field("bytes", stats.block_bytes);
  json.Field("headSpans", stats.head_spans);
  WriteDamage(stats, &json);
  WriteMemory(memory, &json);
  WriteDataRange(snapshot, &json);
  json.Key("listeners");
  json.BeginArray();
  for (const ListenerAddress& listener : facts.listeners()) {
    json.BeginObject();
    json.Field("name", listener.name);
    json.Field("address", listener.address);
    json.Field("tls", listener.tls);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return JsonResponse(std::move(body));
}

// ---------------------------------------------------------------- names

http::Response AnswerServices(const store::Snapshot& snapshot, const query::Budget& budget) {
  std::string partial;
  Result<std::vector<query::ServiceCount>> services =
      query::ListServices(snapshot, budget, &partial);
  if (!services) return ErrorResponse(services.error());
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("services");
  json.BeginArray();
  for (const query::ServiceCount& service : *services) {
    json.BeginObject();
    json.Field("name", service.service);
    json.Field("spans", service.spans);
    json.EndObject();
  }
  json.EndArray();
  json.Field("partial", partial);
  json.EndObject();
  return JsonResponse(std::move(body));
}

http::Response AnswerOperations(const std::string& service, const store::Snapshot& snapshot,
                                const query::Budget& budget) {
  std::string partial;
  Result<std::vector<query::OperationName>> operations =
      query::ListOperations(snapshot, service, budget, &partial);
  if (!operations) return ErrorResponse(operations.error());
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("operations");
  json.BeginArray();
  for (const query::OperationName& operation : *operations) {
    json.BeginObject();
    json.Field("name", operation.name);
    json.Field("kind", KindText(operation.kind));
    json.EndObject();
  }
  json.EndArray();
  json.Field("partial", partial);
  json.EndObject();
  return JsonResponse(std::move(body));
}

// ---------------------------------------------------------------- search

void WriteSummary(const query::TraceSummary& trace, wire::JsonWriter* json) {
  json->BeginObject();
  json->Field("traceId", trace.trace_id.ToHex());
  json->Field("rootService", trace.root_service);
  json->Field("rootName", trace.root_name);
  json->Field("rootMissing", trace.root_missing);
  WriteTime("startNs", trace.start_ns, json);
  json->Field("durationNs", trace.duration_ns);
  json->Field("spans", trace.spans);
  json->Field("errors", trace.errors);
  json->Key("services");
  json->BeginArray();
  for (const query::ServiceShare& share : trace.services) {
    json->BeginObject();
    json->Field("name", share.service);
    json->Field("spans", share.spans);
    json->Field("errors", share.errors);
    json->EndObject();
  }
  json->EndArray();
  json->Field("matched", trace.matched);
  json->Key("matches");
  json->BeginArray();
  for (const query::MatchedSpan& match : trace.matches) {
    json->BeginObject();
    json->Field("spanId", match.span_id.ToHex());
    json->Field("service", match.service);
    json->Field("name", match.name);
    WriteTime("startNs", match.start_ns, json);
    json->Field("durationNs", match.duration_ns);
    json->Field("error", match.error);
    json->Key("attributes");
    json->BeginObject();
    for (const auto& [key, value] : match.attributes) json->Field(key, value);
    json->EndObject();
    json->EndObject();
  }
  json->EndArray();
  json->EndObject();
}

// Names in the query that no data has. A hint that could not be had in time is none.
void WriteHints(const Result<std::vector<query::UnknownName>>& unknown, wire::JsonWriter* json) {
  json->Key("hints");
  json->BeginArray();
  for (const query::UnknownName& name : unknown.value_or(std::vector<query::UnknownName>())) {
    json->BeginObject();
    json->Field("kind", query::KindWord(name.kind));
    json->Field("name", name.name);
    json->Field("nearest", name.nearest);
    json->Field("text", query::SentenceOf(name));
    json->EndObject();
  }
  json->EndArray();
}

// What follows the list of traces.
std::string SearchTail(const query::SearchRequest& request, const query::SearchResult& result,
                       const traceql::Query& parsed, const store::Snapshot& snapshot,
                       const query::Budget& budget) {
  std::string tail;
  wire::JsonWriter json(&tail);
  json.BeginObject();
  json.Field("cursor", result.cursor);
  json.Field("partial", result.partial);
  json.Key("stats");
  json.BeginObject();
  json.Field("spansTotal", result.stats.spans_total);
  json.Field("spansInspected", result.stats.spans_inspected);
  json.Field("segments", result.stats.segments);
  json.Field("segmentsSkipped", result.stats.segments_skipped);
  json.Field("elapsedNs", result.stats.elapsed_ns);
  json.EndObject();
  WriteDataRange(snapshot, &json);
  // The pages behind the first have the same query, and a search that ran out of time has none
  // left.
  bool is_first = request.cursor.empty() && result.partial.empty();
  WriteHints(is_first ? query::FindUnknownNames(snapshot, parsed, budget)
                      : std::vector<query::UnknownName>(),
             &json);
  json.EndObject();
  tail[0] = ',';  // it goes on in the object that holds the traces
  return tail;
}

class SearchPieces final : public Pieces {
 public:
  SearchPieces(std::vector<query::TraceSummary> traces, std::string tail, MemoryAccount* answers)
      : traces_(std::move(traces)), tail_(std::move(tail)) {
    uint64_t bytes = 0;
    for (const query::TraceSummary& trace : traces_) bytes += query::MemoryOf(trace);
    charge_ = answers->TakeAnyway(bytes);
  }

  std::optional<std::string> Next() override {
    if (ended_) return std::nullopt;
    std::string piece = next_ == 0 ? "{\"traces\":[" : "";
    while (next_ < traces_.size() && piece.size() < kPieceBytes) {
      if (next_ > 0) piece += ',';
      wire::JsonWriter json(&piece);
      WriteSummary(std::exchange(traces_[next_], {}), &json);
      ++next_;
    }
    ended_ = next_ == traces_.size();
    if (ended_) piece += "]" + tail_;
    return piece;
  }
  bool ended() const { return ended_; }

 private:
  std::vector<query::TraceSummary> traces_;
  const std::string tail_;
  MemoryCharge charge_;
  size_t next_ = 0;
  bool ended_ = false;
};

void AnswerSearch(QueryRunner* runner, const query::SearchRequest& request,
                  const store::Snapshot& snapshot, const query::Budget& budget,
                  const http::ExchangePtr& to) {
  traceql::Diagnostic diagnostic;
  Result<traceql::Query> parsed = traceql::Parse(request.traceql, &diagnostic);
  if (!parsed) return to->Respond(TraceQlErrorResponse(parsed.error(), diagnostic));
  Result<query::SearchResult> result = query::Search(snapshot, request, budget);
  if (!result) return to->Respond(ErrorResponse(result.error()));
  std::string tail = SearchTail(request, *result, *parsed, snapshot, budget);
  Send(JsonResponse(""),
       std::make_unique<SearchPieces>(std::move(result->traces), std::move(tail),
                                      runner->memory().answers),
       runner, to);
}

Result<query::SearchRequest> ReadSearch(std::string_view text) {
  Parameters parameters(text);
  query::SearchRequest request;
  request.traceql = parameters.Text("q", "{}");
  if (request.traceql.empty()) request.traceql = "{}";
  ReadTimeRange(&parameters, &request.start_ns, &request.end_ns);
  request.limit = static_cast<uint32_t>(parameters.Number("limit", 20, 1, kLimitMax));
  request.spans_per_trace = static_cast<uint32_t>(parameters.Number("spss", 3, 0, kLimitMax));
  request.cursor = parameters.Text("cursor");
  WEFT_TRY(parameters.status());
  return request;
}

// ---------------------------------------------------------------- one trace

void AnswerOtlp(QueryRunner* runner, bool as_protobuf, bool logs, const TraceId& id,
                const store::Snapshot& snapshot, const query::Budget& budget,
                const http::ExchangePtr& to) {
  // Log records without a span are an answer too.
  StoredTrace trace;
  auto batch = snapshot.ReadTrace(id, &trace.partial);
  if (batch && batch->spans.empty() && !trace.partial.empty())
    batch = weft::Fail(NotAmong(trace, ""));
  if (!batch) return to->Respond(ErrorResponse(batch.error()));
  SettleCharge(MemoryOf(*batch), budget.answer);
  http::Response response = JsonResponse("");
  if (as_protobuf) response.content_type = "application/x-protobuf";
  AddPartialHeader(trace.partial, &response);
  auto pieces = std::make_unique<OtlpPieces>(
      as_protobuf ? codec::OtlpFormat::kProtobuf : codec::OtlpFormat::kJson, logs,
      std::move(*batch), budget.answer);
  Send(std::move(response), std::move(pieces), runner, to);
}

// GET /trace/{id}[/spans|/find|/otlp].
void HandleTrace(QueryRunner* runner, const std::shared_ptr<TraceCache>& traces,
                 http::Request request, http::ExchangePtr exchange) {
  std::string_view path = std::string_view(request.path).substr(kNativeRoot.size() + 7);
  size_t slash = path.find('/');
  std::string what(slash == std::string_view::npos ? "" : path.substr(slash + 1));
  std::optional<PastedId> pasted = ParsePastedId(path.substr(0, slash));
  TraceId id = pasted ? pasted->trace_id : TraceId{};
  Parameters parameters(request.query);
  if (!pasted) parameters.Reject(std::string(kTraceIdForms));
  uint32_t from = 0, count = 1;
  if (what == "spans") {
    constexpr uint64_t kRowMax = 0xFFFFFFFE;
    if (parameters.Has("row")) {
      from = static_cast<uint32_t>(parameters.Number("row", 0, 0, kRowMax));
    } else {
      from = static_cast<uint32_t>(parameters.Number("from", 0, 0, kRowMax));
      count = static_cast<uint32_t>(parameters.Number("count", 100, 1, kRowsMax));
    }
  }
  std::string text = parameters.Text("text");
  if (what == "find" && (text.empty() || text.size() > 1024))
    parameters.Reject("parameter text must have 1 to 1024 bytes");
  bool logs = parameters.Flag("logs");
  if (!parameters.status()) return exchange->Respond(ErrorResponse(parameters.status().error()));
  if (what == "otlp") {
    bool as_protobuf =
        http::FindHeader(request.headers, "accept").find("protobuf") != std::string_view::npos;
    return runner->Run(
        "trace_otlp", exchange,
        [=](const SnapshotPtr& snapshot, const query::Budget& budget, const http::ExchangePtr& to) {
          AnswerOtlp(runner, as_protobuf, logs, id, *snapshot, budget, to);
        },
        ErrorResponse,
        [id](const store::Snapshot& snapshot) { return MemoryOfTrace(snapshot, id); });
  }
  if (!what.empty() && what != "spans" && what != "find")
    return exchange->Respond(
        ErrorResponse(Error{ErrorCode::kNotFound, "a trace has no " + what.substr(0, 64), 0}));
  runner->Run(
      what.empty()      ? "trace"
      : what == "spans" ? "trace_spans"
                        : "trace_find",
      exchange,
      [=](const SnapshotPtr& snapshot, const query::Budget& budget, const http::ExchangePtr& to) {
        auto document = traces->Read(*snapshot, id, budget.answer);
        if (!document) return to->Respond(ErrorResponse(document.error()));
        // Others may wait to read the same.
        constexpr uint64_t kWorthWaitingFor = 4 << 20;
        if (budget.answer && (*document)->memory_bytes() > kWorthWaitingFor) runner->Reconsider();
        if (what.empty()) return StreamTrace(*document, runner, to);
        to->Respond(JsonResponse(what == "spans" ? DescribeRows(**document, from, count)
                                                 : FindRows(**document, text)));
      },
      ErrorResponse,
      [traces, id](const store::Snapshot& snapshot) {
        return traces->Holds(snapshot, id)
                   ? 0
                   : MemoryOfTrace(snapshot, id, TraceDocument::kViewBytesPerRow);
      });
}

// ---------------------------------------------------------------- import

struct ImportRequest {
  codec::TraceFormat format = codec::TraceFormat::kOtlp;  // of the file that it was read from
  bool logs = false;
  std::string body;
};

http::Response AnswerImport(store::Importer* importer, ImportRequest request) {
  Result<SpanBatch> batch =
      request.logs ? codec::DecodeOtlpLogs(codec::OtlpFormat::kProtobuf, std::move(request.body))
                   : codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, std::move(request.body));
  if (!batch) return ErrorResponse(batch.error());
  Result<store::ImportCounts> counts = importer->Import(std::move(*batch), request.format);
  if (!counts) return ErrorResponse(counts.error());
  std::string answer;
  wire::JsonWriter json(&answer);
  json.BeginObject();
  json.Field("kept", counts->kept);
  json.Field("duplicates", counts->duplicates);
  json.Field("rejected", counts->rejected);
  json.Field("sameId", counts->same_id);
  json.Key("sameIdExamples");
  json.BeginArray();
  for (const std::string& example : counts->same_id_examples) json.String(example);
  json.EndArray();
  json.Field("finer", counts->finer);
  json.Field("keptLogs", counts->kept_logs);
  json.Field("duplicateLogs", counts->duplicate_logs);
  json.Field("rejectedLogs", counts->rejected_logs);
  json.Field("message", counts->rejected_message);
  json.EndObject();
  return JsonResponse(std::move(answer));
}

// POST /import[?logs=true][&format=jaeger]: OTLP protobuf, uncompressed.
void HandleImport(QueryRunner* runner, const std::shared_ptr<store::Importer>& importer,
                  http::Request request, http::ExchangePtr exchange) {
  auto refuse = [&](std::string why) {
    exchange->Respond(ErrorResponse(Error{ErrorCode::kInvalidArgument, std::move(why), 0}));
  };
  // This type makes browsers ask first, so no web page can send one.
  if (http::FindHeader(request.headers, "content-type") != "application/x-protobuf")
    return refuse("the content type must be application/x-protobuf");
  Parameters parameters(request.query);
  const std::string name = parameters.Text("format");
  const auto format = name.empty() ? codec::TraceFormat::kOtlp : codec::ParseTraceFormat(name);
  if (!format) return refuse("format must be otlp, jaeger or zipkin");
  auto import = std::make_shared<ImportRequest>(
      ImportRequest{*format, parameters.Flag("logs"), std::move(request.body)});
  runner->Answer("import", std::move(exchange),
                 [importer, import](const store::Snapshot&, const query::Budget&) {
                   return AnswerImport(importer.get(), std::move(*import));
                 });
}

}  // namespace

void AddNativeRoutes(const ServerFacts& facts, QueryRunner* runner, http::RouteOptions options,
                     http::Router* router) {
  router->AnswerRefusals(std::string(kNativeRoot) + "/*", RefusalResponse);
  auto get = [&](std::string_view path, http::HttpHandler handler) {
    router->Add("GET", std::string(kNativeRoot) + std::string(path), options, std::move(handler));
  };
  runner->Declare({"status", "services", "operations", "tags", "tag_values", "search", "trace",
                   "trace_spans", "trace_find", "trace_otlp", "import"});
  get("/status", [facts, runner](http::Request, http::ExchangePtr exchange) {
    runner->Answer(
        "status", exchange, [facts, runner](const store::Snapshot& snapshot, const query::Budget&) {
          return AnswerStatus(facts, runner->store(), *runner->memory().budget, snapshot);
        });
  });
  get("/services", [runner](http::Request, http::ExchangePtr exchange) {
    runner->Answer("services", exchange, AnswerServices);
  });
  get("/operations", [runner](http::Request request, http::ExchangePtr exchange) {
    std::string service = Parameters(request.query).Text("service");
    runner->Answer("operations", exchange,
                   [service](const store::Snapshot& snapshot, const query::Budget& budget) {
                     return AnswerOperations(service, snapshot, budget);
                   });
  });
  AddTagRoutes(runner, options, router);
  get("/search", [runner](http::Request request, http::ExchangePtr exchange) {
    Result<query::SearchRequest> search = ReadSearch(request.query);
    if (!search) return exchange->Respond(ErrorResponse(search.error()));
    runner->Run(
        "search", exchange,
        [runner, search = *search](const SnapshotPtr& snapshot, const query::Budget& budget,
                                   const http::ExchangePtr& to) {
          AnswerSearch(runner, search, *snapshot, budget, to);
        },
        ErrorResponse);
  });
  get("/trace/*", [runner, traces = TraceCache::Make(runner->metrics(), runner->memory())](
                      http::Request request, http::ExchangePtr exchange) {
    HandleTrace(runner, traces, std::move(request), std::move(exchange));
  });
  router->Add(
      "POST", std::string(kNativeRoot) + "/import",
      UploadRoute(options, runner->memory().uploads, ErrorResponse),
      [runner, importer = std::make_shared<store::Importer>(runner->store(), runner->clock())](
          http::Request request, http::ExchangePtr exchange) {
        HandleImport(runner, importer, std::move(request), std::move(exchange));
      });
}

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
#include "api/api_v3_grpc.h"

#include <algorithm>

#include "api/answers.h"
#include "api/api_v3_messages.h"
#include "api/paced_answer.h"
#include "api/trace_chunks.h"

namespace weft::api {
namespace {

constexpr std::string_view kService = "/jaeger.api_v3.QueryService/";
constexpr size_t kSummariesAtOnce = 500;

// The status behind an answer that may not be whole.
http::GrpcStatus WholenessStatus(bool damaged, const std::string& partial) {
  if (partial.empty()) return {};
  return {damaged ? http::GrpcCode::kDataLoss : http::GrpcCode::kDeadlineExceeded,
          "partial: " + partial, 0};
}

// Of one message before an error a client keeps nothing: names are given all the same, and what is
// missing stands in the text beside the OK.
http::GrpcStatus NamesStatus(const std::string& partial) {
  return {http::GrpcCode::kOk, partial.empty() ? "" : "partial: " + partial, 0};
}

void Reply(const http::GrpcCallPtr& call, std::string message, http::GrpcStatus status = {}) {
  call->Send(std::move(message));
  call->Finish(std::move(status));
}

// Traces, then a status: the first thing that went wrong, if anything did.
class TracePieces final : public Pieces {
 public:
  TracePieces(SnapshotPtr snapshot, std::vector<TraceId> ids, http::GrpcStatus status,
              bool must_find, TraceHold hold)
      : chunks_(std::move(snapshot), std::move(ids), codec::OtlpFormat::kProtobuf, std::move(hold)),
        status_(std::move(status)),
        must_find_(must_find) {}

  std::optional<std::string> Next() override {
    for (;;) {
      Result<std::optional<std::string>> message = chunks_.Next();
      if (!message) {
        if (status_.code == http::GrpcCode::kOk) status_ = ToGrpcStatus(message.error());
        continue;
      }
      found_ |= message->has_value();
      return std::move(*message);
    }
  }
  http::GrpcStatus status() const override {
    if (status_.code != http::GrpcCode::kOk) return status_;
    if (must_find_ && !found_) return {http::GrpcCode::kNotFound, "trace not found", 0};
    return WholenessStatus(true, chunks_.partial());
  }

 private:
  TraceChunks chunks_;
  http::GrpcStatus status_;
  const bool must_find_;
  bool found_ = false;
};

class SummaryPieces final : public Pieces {
 public:
  SummaryPieces(std::vector<query::TraceSummary> traces, http::GrpcStatus status)
      : traces_(std::move(traces)), status_(std::move(status)) {}

  std::optional<std::string> Next() override {
    if (next_ == traces_.size()) return std::nullopt;
    size_t count = std::min(kSummariesAtOnce, traces_.size() - next_);
    std::span<const query::TraceSummary> some(traces_.data() + next_, count);
    next_ += count;
    return EncodeSummaries(some);
  }
  http::GrpcStatus status() const override { return status_; }

 private:
  const std::vector<query::TraceSummary> traces_;
  const http::GrpcStatus status_;
  size_t next_ = 0;
};

void AnswerServices(const SnapshotPtr& snapshot, const query::Budget& budget,
                    const http::GrpcCallPtr& call) {
  std::string partial;
  auto services = query::ListServices(*snapshot, budget, &partial);
  if (!services) return call->Finish(ToGrpcStatus(services.error()));
  Reply(call, EncodeServices(*services), NamesStatus(partial));
}

void AnswerOperations(const OperationsRequest& request, const SnapshotPtr& snapshot,
                      const query::Budget& budget, const http::GrpcCallPtr& call) {
  std::string partial;
  auto operations = query::ListOperations(*snapshot, request.service, budget, &partial);
  if (!operations) return call->Finish(ToGrpcStatus(operations.error()));
  if (!request.span_kind.empty())
    std::erase_if(*operations, [&](const query::OperationName& operation) {
      return KindText(operation.kind) != request.span_kind;
    });
  Reply(call, EncodeOperations(*operations), NamesStatus(partial));
}

void AnswerDependencies(const DependenciesRequest& request, const SnapshotPtr& snapshot,
                        const query::Budget& budget, const http::GrpcCallPtr& call) {
  auto found = query::FindDependencies(*snapshot, request.start_ns, request.end_ns, budget);
  if (!found) return call->Finish(ToGrpcStatus(found.error()));
  Reply(call, EncodeDependencies(found->links), WholenessStatus(found->damaged, found->partial));
}

void AnswerFind(QueryRunner* runner, const query::SearchRequest& search, bool summaries,
                const SnapshotPtr& snapshot, const query::Budget& budget,
                const http::GrpcCallPtr& call) {
  Result<query::SearchResult> result = query::Search(*snapshot, search, budget);
  if (!result) return call->Finish(ToGrpcStatus(result.error()));
  http::GrpcStatus status = WholenessStatus(result->damaged, result->partial);
  if (summaries)
    return SendPieces(std::make_unique<SummaryPieces>(std::move(result->traces), std::move(status)),
                      runner, call);
  std::vector<TraceId> ids;
  for (const query::TraceSummary& trace : result->traces) ids.push_back(trace.trace_id);
  SendPieces(std::make_unique<TracePieces>(snapshot, std::move(ids), std::move(status), false,
                                           TraceHold(runner->memory().answers)),
             runner, call);
}

}  // namespace

void AddApiV3Grpc(QueryRunner* runner, const http::GrpcOptions& options, http::Router* router) {
  // The others are those of HTTP.
  runner->Declare({"api_v3_dependencies"});
  // `decode` reads the message on the net thread; `answer` runs on a worker.
  // `need` says what its answer will hold.
  auto add_with_need = [&](std::string_view method, std::string_view kind, auto decode, auto answer,
                           auto need) {
    router->AddGrpc(
        std::string(kService) + std::string(method), options,
        [=](http::GrpcRequest request, http::GrpcCallPtr call) {
          auto question = decode(request.message);
          if (!question) return call->Finish(ToGrpcStatus(question.error()));
          QueryRunner::Need needed = need(*question);
          runner->Run(
              kind, std::move(call),
              [=, question = std::move(*question)](
                  const SnapshotPtr& snapshot, const query::Budget& budget,
                  const http::GrpcCallPtr& to) { answer(question, snapshot, budget, to); },
              std::move(needed));
        });
  };
  auto add = [&](std::string_view method, std::string_view kind, auto decode, auto answer) {
    add_with_need(method, kind, decode, answer,
                  [](const auto&) -> QueryRunner::Need { return nullptr; });
  };
  struct Nothing {};
  add(
      "GetServices", "api_v3_services",
      [](std::string_view) -> Result<Nothing> { return Nothing{}; },
      [](Nothing, const SnapshotPtr& snapshot, const query::Budget& budget,
         const http::GrpcCallPtr& call) { AnswerServices(snapshot, budget, call); });
  add("GetOperations", "api_v3_operations", DecodeGetOperationsRequest, AnswerOperations);
  add("GetDependencies", "api_v3_dependencies", DecodeGetDependenciesRequest, AnswerDependencies);
  for (bool summaries : {false, true})
    add(summaries ? "FindTraceSummaries" : "FindTraces",
        summaries ? "api_v3_summaries" : "api_v3_search", DecodeFindRequest,
        [=](const query::SearchRequest& search, const SnapshotPtr& snapshot,
            const query::Budget& budget, const http::GrpcCallPtr& call) {
          AnswerFind(runner, search, summaries, snapshot, budget, call);
        });
  add_with_need(
      "GetTrace", "api_v3_trace", DecodeGetTraceRequest,
      [=](const TraceId& id, const SnapshotPtr& snapshot, const query::Budget& budget,
          const http::GrpcCallPtr& call) {
        SendPieces(std::make_unique<TracePieces>(snapshot, std::vector{id}, http::GrpcStatus{},
                                                 true, TraceHold(budget.answer)),
                   runner, call);
      },
      [](const TraceId& id) -> QueryRunner::Need {
        return [id](const store::Snapshot& snapshot) { return MemoryOfTrace(snapshot, id); };
      });
}

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
//
// What is counted of questions, by kind: how long they took and how they ended. A kind is a
// constant of the API's code ("search", "jaeger_trace"); the routes declare theirs when they are
// added, so that every series exists before the first question.
//
// Thread rule: any thread. Next: api/query_runner.h, docs/metrics.md.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "http/grpc.h"
#include "http/http.h"

namespace weft::api {

struct QueryKindMetrics {
  Histogram* seconds = nullptr;
  // Every question ends in just one of these.
  Counter* ok = nullptr;
  Counter* client_error = nullptr;
  Counter* server_error = nullptr;
  Counter* cancelled = nullptr;  // the client went away, or the server stopped
  Counter* refused = nullptr;    // too many waited
};

class QueryMetrics {
 public:
  explicit QueryMetrics(Metrics* metrics) : metrics_(metrics) {}
  // Those of this kind, made at the first call.
  const QueryKindMetrics& Of(std::string_view kind);
  Metrics* metrics() const { return metrics_; }

 private:
  Metrics* const metrics_;
  std::mutex mutex_;
  std::map<std::string, QueryKindMetrics, std::less<>> kinds_;  // guarded by mutex_
};

// How one question ended: the first word counts, and its silent end is "cancelled".
class AnswerCount {
 public:
  explicit AnswerCount(const QueryKindMetrics& metrics) : metrics_(metrics) {}
  ~AnswerCount() { Cancelled(); }
  void Answered(int http_status);
  void Answered(http::GrpcCode code);
  void Cancelled() { Count(Outcome::kCancelled); }
  void Refused() { Count(Outcome::kRefused); }
  // As the metric's label has it; "" while it is not known.
  std::string_view outcome() const;

 private:
  enum class Outcome : uint8_t { kNone, kOk, kClientError, kServerError, kCancelled, kRefused };
  void Count(Outcome outcome);

  const QueryKindMetrics metrics_;
  std::atomic<Outcome> outcome_{Outcome::kNone};
};

// The same exchange or call, and `count` learns how it was answered.
http::ExchangePtr CountAnswer(http::ExchangePtr exchange, std::shared_ptr<AnswerCount> count);
http::GrpcCallPtr CountAnswer(http::GrpcCallPtr call, std::shared_ptr<AnswerCount> count);

}  // namespace weft::api

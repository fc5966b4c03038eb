// SPDX-License-Identifier: Apache-2.0
#include "api/query_metrics.h"

#include <utility>

namespace weft::api {
namespace {

class CountedExchange final : public http::Exchange {
 public:
  CountedExchange(http::ExchangePtr exchange, std::shared_ptr<AnswerCount> count)
      : exchange_(std::move(exchange)), count_(std::move(count)) {}

  void Respond(http::Response response) override {
    Count(response.status);
    exchange_->Respond(std::move(response));
  }
  void Start(int status, std::string content_type, http::Headers headers) override {
    Count(status);
    exchange_->Start(status, std::move(content_type), std::move(headers));
  }
  http::WriteState Write(std::string bytes) override { return exchange_->Write(std::move(bytes)); }
  void Finish() override { exchange_->Finish(); }
  void OnWritable(std::function<void()> callback) override {
    exchange_->OnWritable(std::move(callback));
  }
  bool cancelled() const override { return exchange_->cancelled(); }
  std::string_view traceparent() const override { return exchange_->traceparent(); }

 private:
  // Where nobody reads it, the status only says why the question was given up.
  void Count(int status) {
    if (exchange_->cancelled()) return count_->Cancelled();
    count_->Answered(status);
  }

  const http::ExchangePtr exchange_;
  const std::shared_ptr<AnswerCount> count_;
};

class CountedCall final : public http::GrpcCall {
 public:
  CountedCall(http::GrpcCallPtr call, std::shared_ptr<AnswerCount> count)
      : call_(std::move(call)), count_(std::move(count)) {}

  http::WriteState Send(std::string message) override { return call_->Send(std::move(message)); }
  void Finish(http::GrpcStatus status) override {
    if (call_->cancelled()) {
      count_->Cancelled();
    } else {
      count_->Answered(status.code);
    }
    call_->Finish(std::move(status));
  }
  void OnWritable(std::function<void()> callback) override {
    call_->OnWritable(std::move(callback));
  }
  bool cancelled() const override { return call_->cancelled(); }
  std::string_view traceparent() const override { return call_->traceparent(); }

 private:
  const http::GrpcCallPtr call_;
  const std::shared_ptr<AnswerCount> count_;
};

}  // namespace

const QueryKindMetrics& QueryMetrics::Of(std::string_view kind) {
  std::lock_guard lock(mutex_);
  auto found = kinds_.find(kind);
  if (found != kinds_.end()) return found->second;
  auto counter = [&](std::string_view outcome) {
    return metrics_->GetCounter("weft_queries_total", "Queries by how they ended.",
                                {{"kind", kind}, {"outcome", outcome}});
  };
  QueryKindMetrics made;
  made.seconds = metrics_->GetHistogram(
      "weft_query_seconds", "Time to answer, waiting for a worker included.", {{"kind", kind}});
  made.ok = counter("ok");
  made.client_error = counter("client_error");
  made.server_error = counter("server_error");
  made.cancelled = counter("cancelled");
  made.refused = counter("refused");
  return kinds_.emplace(std::string(kind), made).first->second;
}

void AnswerCount::Count(Outcome outcome) {
  Outcome none = Outcome::kNone;
  if (!outcome_.compare_exchange_strong(none, outcome)) return;
  Counter* const counters[] = {nullptr,
                               metrics_.ok,
                               metrics_.client_error,
                               metrics_.server_error,
                               metrics_.cancelled,
                               metrics_.refused};
  counters[static_cast<int>(outcome)]->Add();
}

std::string_view AnswerCount::outcome() const {
  static constexpr std::string_view kNames[] = {
      "", "ok", "client_error", "server_error", "cancelled", "refused"};
  return kNames[static_cast<int>(outcome_.load())];
}

void AnswerCount::Answered(int http_status) {
  Count(http_status >= 500   ? Outcome::kServerError
        : http_status >= 400 ? Outcome::kClientError
                             : Outcome::kOk);
}

void AnswerCount::Answered(http::GrpcCode code) {
  switch (code) {
    case http::GrpcCode::kOk:
      return Count(Outcome::kOk);
    case http::GrpcCode::kInvalidArgument:
    case http::GrpcCode::kNotFound:
    case http::GrpcCode::kPermissionDenied:
    case http::GrpcCode::kUnauthenticated:
      return Count(Outcome::kClientError);
    case http::GrpcCode::kCancelled:
      return Cancelled();
    default:
      return Count(Outcome::kServerError);
  }
}

http::ExchangePtr CountAnswer(http::ExchangePtr exchange, std::shared_ptr<AnswerCount> count) {
  return std::make_shared<CountedExchange>(std::move(exchange), std::move(count));
}
http::GrpcCallPtr CountAnswer(http::GrpcCallPtr call, std::shared_ptr<AnswerCount> count) {
  return std::make_shared<CountedCall>(std::move(call), std::move(count));
}

}  // namespace weft::api

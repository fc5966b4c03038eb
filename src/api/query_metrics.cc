// SPDX-License-Identifier: Apache-2.0
#include "api/query_metrics.h"

#include <atomic>
#include <utility>

namespace weft::api {
namespace {

class CountedExchange : public net::Exchange {
 public:
  CountedExchange(net::ExchangePtr exchange, const QueryKindMetrics& metrics)
      : exchange_(std::move(exchange)), metrics_(metrics) {}
  ~CountedExchange() override {
    if (!counted_.exchange(true)) metrics_.cancelled->Add();
  }

  void Respond(net::Response response) override {
    Count(response.status);
    exchange_->Respond(std::move(response));
  }
  void Start(int status, std::string content_type, net::Headers headers) override {
    Count(status);
    exchange_->Start(status, std::move(content_type), std::move(headers));
  }
  net::WriteState Write(std::string bytes) override { return exchange_->Write(std::move(bytes)); }
  void Finish() override { exchange_->Finish(); }
  void OnWritable(std::function<void()> callback) override {
    exchange_->OnWritable(std::move(callback));
  }
  bool cancelled() const override { return exchange_->cancelled(); }

 private:
  void Count(int status) {
    if (counted_.exchange(true)) return;
    // Nobody reads it: the status says why the question was given up.
    Counter* counter = exchange_->cancelled() ? metrics_.cancelled
                       : status >= 500        ? metrics_.server_error
                       : status >= 400        ? metrics_.client_error
                                              : metrics_.ok;
    counter->Add();
  }

  const net::ExchangePtr exchange_;
  const QueryKindMetrics metrics_;
  std::atomic<bool> counted_{false};
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

net::ExchangePtr CountAnswer(net::ExchangePtr exchange, const QueryKindMetrics& metrics) {
  return std::make_shared<CountedExchange>(std::move(exchange), metrics);
}

}  // namespace weft::api

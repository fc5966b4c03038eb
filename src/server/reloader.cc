// SPDX-License-Identifier: Apache-2.0
#include "server/reloader.h"

#include <chrono>

#include "base/log.h"

namespace weft::server {
namespace {

// A request whose body comes slowly, a question that takes long: after that they are cut.
constexpr auto kDrain = std::chrono::seconds(10);
constexpr auto kLook = std::chrono::milliseconds(5);

Counter* Outcome(Metrics* metrics, std::string_view outcome) {
  return metrics->GetCounter("weft_reloads_total", "Reloads of the configuration.",
                             {{"outcome", outcome}});
}

pipeline::ReloadReport Refused() {
  return {.status = Fail(ErrorCode::kUnavailable, "weft is stopping: nothing is reloaded")};
}

}  // namespace

Reloader::Reloader(Steps steps, Metrics* metrics, Clock* clock)
    : steps_(std::move(steps)),
      clock_(clock),
      succeeded_(Outcome(metrics, "succeeded")),
      failed_(Outcome(metrics, "failed")) {
  state_.taken_ns = clock->NowNs();
  metrics->OnScrape([this](MetricsScrape* scrape) {
    const pipeline::ReloadState now = state();
    scrape->Gauge("weft_config_last_reload_successful",
                  "0 when the last reload failed and the configuration before it still runs.", {},
                  now.failed_ns == 0 ? 1 : 0);
    scrape->Gauge("weft_config_last_reload_success_timestamp_seconds",
                  "When the configuration that runs was taken.", {},
                  static_cast<double>(now.taken_ns) / 1e9);
    scrape->Gauge("weft_config_generation", "Of the configuration that runs; 1: the start's.", {},
                  static_cast<double>(now.generation));
  });
  thread_ = std::thread([this] { Run(); });
}

void Reloader::Ask(Done done) {
  {
    std::lock_guard lock(mutex_);
    if (!stopping_) {
      asked_.push_back(std::move(done));
      wake_.notify_all();
      return;
    }
  }
  done(Refused());
}

pipeline::ReloadState Reloader::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

void Reloader::Stop() {
  std::deque<Done> refused;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    refused.swap(asked_);
  }
  wake_.notify_all();
  for (Done& done : refused) done(Refused());
  if (thread_.joinable()) thread_.join();
}

void Reloader::Run() {
  for (;;) {
    Done done;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !asked_.empty(); });
      if (asked_.empty()) return;
      done = std::move(asked_.front());
      asked_.pop_front();
    }
    const pipeline::ReloadReport report = steps_.reload();
    Note(report);
    done(report);
    done = nullptr;
    Drain();
  }
}

void Reloader::Note(const pipeline::ReloadReport& report) {
  (report.status ? succeeded_ : failed_)->Add();
  {
    std::lock_guard lock(mutex_);
    state_.generation = report.generation;
    if (report.status) {
      state_.taken_ns = clock_->NowNs();
      state_.failed_ns = 0;
      state_.error.clear();
    } else {
      state_.failed_ns = clock_->NowNs();
      state_.error = report.status.error().message;
    }
  }
  if (!report.status)
    return Log(LogLevel::kError, "reload", "refused: all goes on as it was",
               {{"error", report.status.error().message}});
  Log(LogLevel::kInfo, "reload", "the configuration was taken",
      {{"generation", report.generation}, {"changes", report.changes.size()}});
  for (const std::string& change : report.changes) Log(LogLevel::kInfo, "reload", change);
}

void Reloader::Drain() {
  const auto deadline = std::chrono::steady_clock::now() + kDrain;
  std::unique_lock lock(mutex_);
  while (!stopping_ && std::chrono::steady_clock::now() < deadline) {
    lock.unlock();
    const bool drained = steps_.is_drained();
    lock.lock();
    if (drained) break;
    wake_.wait_for(lock, kLook, [this] { return stopping_; });
  }
  lock.unlock();
  steps_.end_drain();
}

}  // namespace weft::server

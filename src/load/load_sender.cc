// SPDX-License-Identifier: Apache-2.0
#include "load/load_sender.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

namespace weft::load {
namespace {

using SteadyClock = std::chrono::steady_clock;

// The work that the connections of one Send() share.
class SendRun {
 public:
  SendRun(std::span<const LoadRequest> requests, const SendOptions& options)
      : requests_(requests), options_(options), began_(SteadyClock::now()) {
    if (options.pace == nullptr) return;
    due_ns_.reserve(requests.size());
    for (const LoadRequest& request : requests)
      due_ns_.push_back(options.pace->NextDueNs(request.spans));
  }

  void RunConnection() {
    OtlpClient client(options_.protocol, options_.url, options_.security);
    SendReport report;
    while (!stopped()) {
      size_t index = next_.fetch_add(1);
      if (index >= requests_.size()) break;
      if (options_.pace != nullptr) options_.pace->WaitUntil(due_ns_[index]);
      if (!SendOne(&client, requests_[index], &report)) break;
    }
    std::lock_guard lock(mutex_);
    report_.Add(report);
  }

  SendReport Finish() {
    report_.elapsed_ns = static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now() - began_).count());
    std::sort(report_.latency_ns.begin(), report_.latency_ns.end());
    return std::move(report_);
  }

 private:
  bool stopped() const { return options_.stop != nullptr && options_.stop->load(); }

  bool SendOne(OtlpClient* client, const LoadRequest& request, SendReport* report) {
    while (!stopped()) {
      SteadyClock::time_point sent = SteadyClock::now();
      Result<OtlpAnswer> answer = client->Send(OtlpSignal::kTraces, request.body);
      if (answer) {
        report->latency_ns.push_back(static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now() - sent)
                .count()));
        ++report->requests;
        report->spans += request.spans - std::min<uint64_t>(answer->rejected, request.spans);
        report->rejected_spans += answer->rejected;
        if (options_.acked) {
          std::lock_guard lock(mutex_);
          options_.acked(request);
        }
        return true;
      }
      if (answer.error().code != ErrorCode::kUnavailable) {
        report->error = answer.error().message;
        return false;
      }
      ++report->retries;
      std::this_thread::sleep_for(
          std::chrono::milliseconds(std::max(100u, answer.error().retry_after_s * 1000)));
    }
    return false;
  }

  std::span<const LoadRequest> requests_;
  const SendOptions& options_;
  const SteadyClock::time_point began_;
  std::vector<uint64_t> due_ns_;  // of each request, at a set pace
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;  // report_, and calls of acked
  SendReport report_;
};

}  // namespace

void SendReport::Add(const SendReport& other) {
  requests += other.requests;
  spans += other.spans;
  rejected_spans += other.rejected_spans;
  retries += other.retries;
  elapsed_ns += other.elapsed_ns;
  latency_ns.insert(latency_ns.end(), other.latency_ns.begin(), other.latency_ns.end());
  if (error.empty()) error = other.error;
}

uint64_t SendReport::LatencyNs(double share) const {
  if (latency_ns.empty()) return 0;
  return latency_ns[std::min(latency_ns.size() - 1,
                             static_cast<size_t>(share * static_cast<double>(latency_ns.size())))];
}

SendReport Send(std::span<const LoadRequest> requests, const SendOptions& options) {
  SendRun run(requests, options);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < options.connections; ++i)
    threads.emplace_back([&run] { run.RunConnection(); });
  for (std::thread& thread : threads) thread.join();
  return run.Finish();
}

}  // namespace weft::load

// SPDX-License-Identifier: Apache-2.0
//
// For tests of what stands before a remote: one that takes, fails, hangs and is slow as a rule
// says, and knows what it got; senders' answers, counted; numbered requests.
//
// Thread rule: any thread; the rule runs under the fake's lock.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "exporter/remote_sender.h"

namespace weft::exporter {

inline pipeline::Outcome Refusal(ErrorCode code, uint32_t retry_after_s = 0) {
  return {.status = Fail(Error{code, "the remote says no", retry_after_s})};
}
inline pipeline::Outcome Busy() { return Refusal(ErrorCode::kUnavailable); }

// Whether it came true within a minute.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

// What senders were answered.
class Answers {
 public:
  pipeline::Ack New() {
    return pipeline::Ack([this](pipeline::Outcome outcome) {
      std::lock_guard lock(mutex_);
      outcomes_.push_back(std::move(outcome));
    });
  }
  std::vector<pipeline::Outcome> All() {
    std::lock_guard lock(mutex_);
    return outcomes_;
  }
  size_t Count() { return All().size(); }
  size_t CountOk() {
    size_t count = 0;
    for (const pipeline::Outcome& outcome : All()) count += outcome.status.has_value() ? 1 : 0;
    return count;
  }

 private:
  std::mutex mutex_;
  std::vector<pipeline::Outcome> outcomes_;
};

// Requests differ in their bodies.
inline SendRequest NumberedRequest(uint64_t number, uint64_t body_bytes = 0) {
  std::string body = std::to_string(number);
  if (body.size() < body_bytes) body.resize(body_bytes, '.');
  return {.signal = config::kSignals[number % 3],
          .tenant = number % 5 == 0 ? "other" : "",
          .received_ns = 1'700'000'000'000'000'000 + number,
          .items = static_cast<uint32_t>(1 + number % 7),
          .body = std::move(body)};
}

class RemoteFake : public RemoteSender {
 public:
  // Nothing: it hangs until AnswerHeld().
  using Rule = std::function<std::optional<pipeline::Outcome>(const SendRequest&)>;
  static std::optional<pipeline::Outcome> Takes(const SendRequest&) { return pipeline::Outcome(); }
  static std::optional<pipeline::Outcome> Hangs(const SendRequest&) { return std::nullopt; }

  explicit RemoteFake(Rule rule = Takes) : rule_(std::move(rule)) {}

  void Send(std::shared_ptr<const SendRequest> request, Done done) override {
    std::optional<pipeline::Outcome> outcome;
    {
      std::lock_guard lock(mutex_);
      ++tries_;
      outcome = rule_(*request);
      if (!outcome)
        held_.push_back({std::move(request), std::move(done)});
      else
        Note(*request, *outcome);
    }
    if (outcome) done(*std::move(outcome));
  }
  void SetRule(Rule rule) {
    std::lock_guard lock(mutex_);
    rule_ = std::move(rule);
  }
  // Those that hang get this answer. Returns how many.
  size_t AnswerHeld(const pipeline::Outcome& outcome = {}) {
    std::vector<Held> held;
    {
      std::lock_guard lock(mutex_);
      held.swap(held_);
      for (const Held& one : held) Note(*one.request, outcome);
    }
    for (Held& one : held) one.done(outcome);
    return held.size();
  }
  uint64_t Tries() {
    std::lock_guard lock(mutex_);
    return tries_;
  }
  size_t Hanging() {
    std::lock_guard lock(mutex_);
    return held_.size();
  }
  // Bodies that it took, and how often.
  std::map<std::string, int> Received() {
    std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  struct Held {
    std::shared_ptr<const SendRequest> request;
    Done done;
  };
  void Note(const SendRequest& request, const pipeline::Outcome& outcome) {
    if (outcome.status) ++received_[request.body];
  }

  std::mutex mutex_;
  Rule rule_;
  uint64_t tries_ = 0;
  std::vector<Held> held_;
  std::map<std::string, int> received_;
};

}  // namespace weft::exporter

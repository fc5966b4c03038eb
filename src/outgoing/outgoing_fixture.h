// SPDX-License-Identifier: Apache-2.0
//
// For tests of the outgoing client: loops that run, clients on them, and requests whose result a
// test waits for.
//
// Thread rule: the test's thread. Next: outgoing/outgoing_client.h.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "outgoing/outgoing_client.h"

namespace weft::outgoing {

class TestLoops {
 public:
  explicit TestLoops(int count = 1) {
    for (int i = 0; i < count; ++i) loops_.push_back(std::make_shared<net::Loop>());
    for (const auto& loop : loops_) loop->Start();
  }
  ~TestLoops() {
    for (const auto& loop : loops_) loop->Stop();
  }
  TestLoops(const TestLoops&) = delete;
  TestLoops& operator=(const TestLoops&) = delete;
  const std::vector<std::shared_ptr<net::Loop>>& all() const { return loops_; }

 private:
  std::vector<std::shared_ptr<net::Loop>> loops_;
};

// A result that comes once; a second one fails the test.
class PendingAnswer {
 public:
  OutgoingDone done() {
    return [state = state_](OutgoingResult result) {
      if (state->calls.fetch_add(1) != 0) {
        ADD_FAILURE() << "a second result";
        return;
      }
      state->promise.set_value(std::move(result));
    };
  }
  bool ready() const {
    return state_->future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  OutgoingResult Wait() {
    if (state_->future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      ADD_FAILURE() << "no result within 20 s";
      return std::unexpected(OutgoingError{{ErrorCode::kInternal, "no result", 0}});
    }
    return state_->future.get();
  }

 private:
  struct State {
    std::promise<OutgoingResult> promise;
    std::future<OutgoingResult> future = promise.get_future();
    std::atomic<int> calls{0};
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

inline std::unique_ptr<OutgoingClient> MakeOutgoing(OutgoingOptions options,
                                                    const TestLoops& loops) {
  auto client = OutgoingClient::Make(std::move(options), loops.all());
  if (!client) ADD_FAILURE() << client.error().message;
  return client ? std::move(*client) : nullptr;
}

inline OutgoingResult Ask(OutgoingClient& client, OutgoingRequest request) {
  PendingAnswer pending;
  auto call = client.Send(std::move(request), pending.done());
  if (!call) return std::unexpected(OutgoingError{call.error()});
  return pending.Wait();
}

// "200 body", or "reset: message": what a test compares.
inline std::string TextOf(const OutgoingResult& result) {
  if (result) return std::to_string(result->status) + " " + result->body;
  return std::string(NameOf(result.error().failure)) + ": " + result.error().message;
}

// Within ten seconds.
inline bool Eventually(const std::function<bool()>& holds) {
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace weft::outgoing

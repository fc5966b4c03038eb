// SPDX-License-Identifier: Apache-2.0
//
// Ack: the answer that the sender of a batch waits for, as a value that travels with the batch. Who
// ends a batch's way completes it; on the way it can be
//
//   split    one batch, several branches: done when those that keep the batch have it, or, where
//            none keeps, when one of them took it;
//   joined   several requests, one export: its outcome is the outcome of each;
//   early    a component that has made the batch durable itself (a queue with a log, a sampler's
//            journal) completes it and goes on with an Ack of its own.
//
// Lifetime: completed exactly once. One that is destroyed before is retryable, and counted.
// Thread rule: a value; any thread may complete it, and what it calls runs there.
// Next: pipeline/component.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace weft::pipeline {

// What became of a batch.
struct Outcome {
  // OK: it was taken, but for `rejected` items. Else none of it was, and the error says whether it
  // may be sent again (IsRetryable) and when (retry_after_s).
  Status status = {};
  uint64_t rejected = 0;     // items that will not be taken, however often they come
  std::string message = {};  // why, for the sender: of the first
};
// A retry can help: the sender should keep what it sent.
bool IsRetryable(const Error& error);

class Ack {
 public:
  using Done = std::move_only_function<void(Outcome)>;
  // Nobody waits.
  Ack() = default;
  explicit Ack(Done done) : done_(std::move(done)) {}
  Ack(Ack&&) = default;
  Ack& operator=(Ack&& other);
  ~Ack();

  void Complete(Outcome outcome = {});

  // Keeps `way` until it is completed, and what it calls then has returned: the components that the
  // batch passes must live so long.
  void Hold(std::shared_ptr<const void> way);

  // One part for each branch, in their order. `keeps[i]`: an OK of the branch means that the batch
  // is kept, and the answer waits for all of those. `on_lost` is told of each branch that failed
  // while the sender was answered OK; it lives as long as any part. REQUIRES: at least one branch.
  using OnLost = std::function<void(size_t branch, const Error& error)>;
  static std::vector<Ack> Split(Ack whole, const std::vector<bool>& keeps, OnLost on_lost);
  // Items that were rejected of the whole are named in the message of each part; of whom they were
  // is not known.
  static Ack Join(std::vector<Ack> parts);

  // How many were destroyed uncompleted in this process.
  static uint64_t lost();

 private:
  Done done_;
  std::shared_ptr<const void> held_;  // goes after what `done_` holds
};

}  // namespace weft::pipeline

// SPDX-License-Identifier: Apache-2.0
#include "pipeline/ack.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"

namespace weft::pipeline {
namespace {

std::atomic<uint64_t> g_lost{0};

// The parts of one Ack, counted down.
class Split {
 public:
  Split(Ack whole, std::vector<bool> keeps, Ack::OnLost on_lost)
      : whole_(std::move(whole)),
        keeps_(std::move(keeps)),
        keepers_(static_cast<size_t>(std::ranges::count(keeps_, true))),
        on_lost_(std::move(on_lost)),
        failed_(keeps_.size()) {}

  void OnDone(size_t branch, Outcome outcome) {
    std::vector<std::pair<size_t, Error>> lost;
    Ack whole;
    {
      std::lock_guard lock(mutex_);
      ++done_;
      if (outcome.status) {
        took_ = true;
        if (Counts(branch)) Note(std::move(outcome));
      } else {
        failed_[branch] = std::move(outcome.status).error();
      }
      if (keeps_[branch]) ++keepers_done_;
      if (!answered_ && IsDecided()) {
        answered_ = true;
        whole = std::move(whole_);
        outcome = Answer();
      }
      if (answered_ && !refused_) lost = TakeLost();
    }
    for (const auto& [index, error] : lost) on_lost_(index, error);
    whole.Complete(std::move(outcome));
  }

 private:
  // Whether the sender hears what this branch rejected.
  bool Counts(size_t branch) const { return keepers_ == 0 || keeps_[branch]; }
  bool IsDecided() const {
    if (keepers_ > 0) return keepers_done_ == keepers_;
    return took_ || done_ == keeps_.size();
  }
  void Note(Outcome outcome) {
    total_.rejected = std::max(total_.rejected, outcome.rejected);
    if (outcome.message.empty() || total_.message == outcome.message) return;
    if (!total_.message.empty()) total_.message += "; ";
    total_.message += outcome.message;
  }
  // Of those that keep; of all, where none does. A retry is asked for where one can help: what a
  // branch has already it then gets twice, and knows as a duplicate.
  Outcome Answer() {
    const Error* worst = nullptr;
    for (size_t i = 0; i < failed_.size(); ++i) {
      if (!failed_[i] || !Counts(i) || (keepers_ == 0 && took_)) continue;
      if (worst == nullptr || (!IsRetryable(*worst) && IsRetryable(*failed_[i])))
        worst = &*failed_[i];
    }
    if (worst == nullptr) return std::move(total_);
    refused_ = true;
    return {.status = Fail(*worst)};
  }
  std::vector<std::pair<size_t, Error>> TakeLost() {
    std::vector<std::pair<size_t, Error>> lost;
    for (size_t i = 0; i < failed_.size(); ++i)
      if (failed_[i]) lost.emplace_back(i, *std::exchange(failed_[i], std::nullopt));
    return lost;
  }

  std::mutex mutex_;
  Ack whole_;
  const std::vector<bool> keeps_;
  const size_t keepers_;
  const Ack::OnLost on_lost_;
  std::vector<std::optional<Error>> failed_;
  size_t done_ = 0, keepers_done_ = 0;
  bool took_ = false, answered_ = false, refused_ = false;
  Outcome total_;
};

}  // namespace

bool IsRetryable(const Error& error) {
  return error.retry_after_s > 0 || error.code == ErrorCode::kUnavailable ||
         error.code == ErrorCode::kNoSpace;
}

Ack::~Ack() {
  if (!done_) return;
  g_lost.fetch_add(1, std::memory_order_relaxed);
  Complete({.status = Fail(Error{ErrorCode::kUnavailable,
                                 "the batch was given up before it was taken: send it again", 1})});
}

Ack& Ack::operator=(Ack&& other) {
  if (this != &other) {
    Ack old(std::move(*this));
    done_ = std::exchange(other.done_, nullptr);
    held_ = std::move(other.held_);
  }
  return *this;
}

void Ack::Complete(Outcome outcome) {
  const std::shared_ptr<const void> held = std::move(held_);
  if (!done_) return;
  Done done = std::exchange(done_, nullptr);
  done(std::move(outcome));
}

void Ack::Hold(std::shared_ptr<const void> way) {
  if (way.use_count() == 0) return;
  if (held_ == nullptr) {
    held_ = std::move(way);
  } else if (held_.owner_before(way) || way.owner_before(held_)) {
    held_ = std::make_shared<std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>>(
        std::move(held_), std::move(way));
  }
}

std::vector<Ack> Ack::Split(Ack whole, const std::vector<bool>& keeps, OnLost on_lost) {
  WEFT_CHECK(!keeps.empty());
  // The whole may be answered long before its last part.
  const std::shared_ptr<const void> held = whole.held_;
  auto split = std::make_shared<pipeline::Split>(std::move(whole), keeps, std::move(on_lost));
  std::vector<Ack> parts;
  for (size_t i = 0; i < keeps.size(); ++i) {
    parts.push_back(Ack([split, i](Outcome outcome) { split->OnDone(i, std::move(outcome)); }));
    parts.back().held_ = held;
  }
  return parts;
}

Ack Ack::Join(std::vector<Ack> parts) {
  return Ack([parts = std::move(parts)](Outcome outcome) mutable {
    std::string message;
    if (outcome.rejected > 0)
      message = std::to_string(outcome.rejected) + " items of " + std::to_string(parts.size()) +
                " requests that went on together were rejected: ";
    message += outcome.message;
    for (Ack& part : parts)
      part.Complete({.status = outcome.status, .rejected = 0, .message = message});
  });
}

uint64_t Ack::lost() { return g_lost.load(std::memory_order_relaxed); }

}  // namespace weft::pipeline

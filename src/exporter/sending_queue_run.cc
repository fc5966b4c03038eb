// SPDX-License-Identifier: Apache-2.0
//
// The half of a sending queue that runs on its own thread: sending, trying again, stopping.
#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "exporter/sending_queue_core.h"

namespace weft::exporter {
namespace {

// How much of what was confirmed may be sent again after a crash.
constexpr uint64_t kTidyAfterNs = 1'000'000'000;
constexpr size_t kTidyAfterSent = 512;
constexpr uint64_t kResumeAfterNs = 5'000'000'000;
constexpr uint64_t kLookAtClockNs = 60'000'000'000;
constexpr uint64_t kNsPerSecond = 1'000'000'000;

}  // namespace

void SendingQueue::Core::Run() {
  std::unique_lock lock(mutex_);
  while (!Finished()) {
    if (tidy_by_ns_ && *tidy_by_ns_ <= clock_->MonotonicNs()) {
      tidy_by_ns_.reset();
      lock.unlock();
      Tidy();
      lock.lock();
    } else if (ItemPtr item = TakeNext()) {
      lock.unlock();
      sender_->Send(item->request, [self = shared_from_this(), item](pipeline::Outcome outcome) {
        self->OnOutcome(item, std::move(outcome));
      });
      lock.lock();
    } else {
      WaitForWork(lock);
    }
  }
}

bool SendingQueue::Core::Finished() const {
  if (!stopping_) return false;
  if (clock_->MonotonicNs() >= stop_by_ns_) return true;
  return sending_.empty() && (has_log() || (ready_.empty() && waiting_.empty()));
}

SendingQueue::Core::ItemPtr SendingQueue::Core::TakeNext() {
  if (stopping_ && has_log()) return nullptr;
  ItemPtr item;
  const auto next = waiting_.begin();
  if (next != waiting_.end() && (stopping_ || next->first <= clock_->MonotonicNs())) {
    item = std::move(next->second);
    waiting_.erase(next);
  } else if (!ready_.empty() && consumers_ < consumers_max_) {
    item = std::move(ready_.front());
    ready_.pop_front();
    ++consumers_;
  } else {
    return nullptr;
  }
  if (!item->first_try_ns) item->first_try_ns = clock_->MonotonicNs();
  sending_.insert(item);
  return item;
}

void SendingQueue::Core::WaitForWork(std::unique_lock<std::mutex>& lock) {
  const uint64_t now = clock_->MonotonicNs();
  uint64_t until = now + kLookAtClockNs;
  if (!waiting_.empty()) until = std::min(until, waiting_.begin()->first);
  if (tidy_by_ns_) until = std::min(until, *tidy_by_ns_);
  if (stopping_) until = std::min(until, stop_by_ns_);
  const auto wait = std::chrono::nanoseconds(until > now ? until - now : 0);
  work_.wait_for(lock, wait, [&] {
    return poked_ || (!stopping_ && !ready_.empty() && consumers_ < consumers_max_);
  });
  poked_ = false;
}

void SendingQueue::Core::OnOutcome(const ItemPtr& item, pipeline::Outcome outcome) {
  std::optional<GivenUp> given_up;
  {
    std::lock_guard lock(mutex_);
    // Stop() did not wait for it.
    if (sending_.erase(item) == 0) return;
    if (!outcome.status) given_up = TryAgain(item, outcome.status.error());
    if (outcome.status || given_up) Settle(item);
    poked_ = true;
  }
  work_.notify_one();
  if (given_up) return GiveUp(*item, *given_up, std::move(outcome));
  if (!outcome.status) return;
  sent_items_->Add(item->request->items -
                   std::min<uint64_t>(outcome.rejected, item->request->items));
  if (outcome.rejected > 0) {
    given_up_items_[static_cast<size_t>(GivenUp::kPermanent)]->Add(outcome.rejected);
    Log(LogLevel::kWarn, "exporter", "the remote rejected a part of a request",
        {{"exporter", options_.exporter}, {"items", outcome.rejected}, {"why", outcome.message}});
  }
  item->ack.Complete(std::move(outcome));
}

std::optional<SendingQueue::Core::GivenUp> SendingQueue::Core::TryAgain(const ItemPtr& item,
                                                                        const Error& error) {
  if (!pipeline::IsRetryable(error)) return GivenUp::kPermanent;
  const uint64_t now = clock_->MonotonicNs();
  if (stopping_) {
    if (!has_log()) return GivenUp::kStopped;
    waiting_.emplace(now, item);  // the next start finds it
    return std::nullopt;
  }
  if (!retry_.enabled) return GivenUp::kNoRetry;
  const uint64_t wait =
      std::max(item->backoff.Next(retry_, random_()), uint64_t{error.retry_after_s} * kNsPerSecond);
  if (retry_.max_elapsed_ns != 0 && now - *item->first_try_ns + wait > retry_.max_elapsed_ns)
    return GivenUp::kMaxElapsed;
  waiting_.emplace(now + wait, item);
  retries_->Add();
  return std::nullopt;
}

void SendingQueue::Core::Settle(const ItemPtr& item) {
  --consumers_;
  LetGo(*item);
  if (log_ == nullptr) return;
  logged_.erase(item->sequence);
  log_->Sent(item->sequence);
  item->sequence = 0;
  const uint64_t now = clock_->MonotonicNs();
  TidyBy(log_->unwritten_sent() >= kTidyAfterSent ? now : now + kTidyAfterNs);
}

void SendingQueue::Core::GiveUp(Item& item, GivenUp reason, pipeline::Outcome outcome) {
  given_up_items_[static_cast<size_t>(reason)]->Add(item.request->items);
  Log(LogLevel::kError, "exporter", "a request is dropped: it could not be sent",
      {{"exporter", options_.exporter},
       {"items", item.request->items},
       {"why", outcome.status.error().message}});
  item.ack.Complete(std::move(outcome));
}

void SendingQueue::Core::TidyBy(uint64_t monotonic_ns) {
  tidy_by_ns_ = std::min(tidy_by_ns_.value_or(monotonic_ns), monotonic_ns);
}

void SendingQueue::Core::Tidy() {
  if (const Status tidied = log_->Tidy(); !tidied)
    Log(LogLevel::kError, "exporter", "the log of a sending queue cannot be tidied",
        {{"exporter", options_.exporter}, {"error", tidied.error().message}});
  std::vector<ItemPtr> moved;
  {
    std::lock_guard lock(mutex_);
    if (log_->may_resume() && !log_->status()) TidyBy(clock_->MonotonicNs() + kResumeAfterNs);
    for (const uint64_t sequence : log_->InTheWay()) {
      const auto found = logged_.find(sequence);
      if (found == logged_.end() || found->second->moving) continue;
      found->second->moving = true;
      moved.push_back(found->second);
    }
  }
  for (const ItemPtr& item : moved)
    log_->Append(*item->request,
                 [self = shared_from_this(), item](const Result<uint64_t>& sequence) {
                   self->OnMoved(item, sequence);
                 });
}

void SendingQueue::Core::OnMoved(const ItemPtr& item, const Result<uint64_t>& sequence) {
  {
    std::lock_guard lock(mutex_);
    item->moving = false;
    if (!sequence) return;
    if (item->sequence == 0) {
      log_->Sent(*sequence);  // gone meanwhile
    } else {
      logged_.erase(item->sequence);
      log_->Sent(item->sequence);
      item->sequence = *sequence;
      logged_.emplace(*sequence, item);
    }
    TidyBy(clock_->MonotonicNs());
    poked_ = true;
  }
  work_.notify_one();
}

void SendingQueue::Core::Stop() {
  std::lock_guard stopping(stop_mutex_);
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    stop_by_ns_ = clock_->MonotonicNs() + options_.stop_ns;
  }
  Poke();
  thread_.join();
  if (log_ != nullptr) log_->Close();
  std::vector<ItemPtr> left;
  {
    std::lock_guard lock(mutex_);
    left.assign(ready_.begin(), ready_.end());
    for (const auto& [due, item] : waiting_) left.push_back(item);
    left.insert(left.end(), sending_.begin(), sending_.end());
    ready_.clear();
    waiting_.clear();
    sending_.clear();
    logged_.clear();
    for (const ItemPtr& item : left) LetGo(*item);
  }
  capacity_gauge_->Add(-static_cast<int64_t>(std::min<uint64_t>(size_max_, INT64_MAX)));
  if (has_log()) return;
  for (const ItemPtr& item : left)
    GiveUp(*item, GivenUp::kStopped,
           {.status = Fail(Error{ErrorCode::kUnavailable, "weft is stopping", 1})});
}

}  // namespace weft::exporter

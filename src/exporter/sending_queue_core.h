// SPDX-License-Identifier: Apache-2.0
//
// SendingQueue::Core: what a sending queue is made of. A request is in one place at a time:
//
//   Push -> (logging ->) ready_ -> sending_ <-> waiting_ -> gone
//
// and holds one of num_consumers places from the first try until it is gone, so that a remote that
// is down gets few tries, and what is behind them does not grow old. One thread starts the sends
// and looks after the log; it waits for nothing but work, time and the log's disk.
//
// Lifetime: shared with outcomes that are still to come, which find it stopped.
// Thread rule: as SendingQueue. Next: exporter/queue_log.h.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "exporter/queue_log.h"
#include "exporter/retry_backoff.h"
#include "exporter/sending_queue.h"

namespace weft::exporter {

class SendingQueue::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(SendingQueueOptions options, RemoteSender* sender, Env* env, Clock* clock, Metrics* metrics);
  ~Core();

  Status Start();
  void Stop();
  Status Admit(uint64_t bytes);
  void Push(SendRequest request, pipeline::Ack ack);
  bool Keeps() const { return waits_ || (has_log() && blocks_); }
  void Poke();

 private:
  struct Item {
    std::shared_ptr<const SendRequest> request;
    uint64_t size = 0;   // in the sizer's unit
    uint64_t bytes = 0;  // of memory
    MemoryCharge charge;
    pipeline::Ack ack;  // with wait_for_result
    uint64_t sequence = 0;
    bool moving = false;  // being appended to the log anew
    RetryBackoff backoff;
    std::optional<uint64_t> first_try_ns;
  };
  using ItemPtr = std::shared_ptr<Item>;
  // Why something was not taken or given up. The metrics' labels.
  enum class Refusal : uint8_t { kFull, kTooLarge, kLog, kStopped };
  enum class GivenUp : uint8_t { kPermanent, kMaxElapsed, kNoRetry, kStopped };

  bool has_log() const { return !options_.directory.empty(); }
  Status OpenLog();
  void DeclareMetrics(Metrics* metrics);
  uint64_t SizeOf(const SendRequest& request) const;
  ItemPtr NewItem(SendRequest request);
  // False: the process has no memory for it.
  bool Charge(Item* item) const;
  // REQUIRES: the queue is full, or the memory.
  std::pair<Refusal, Error> Full() const;
  void Refused(const Item& item, Refusal reason, Error error, pipeline::Ack ack);
  void OnLogged(const ItemPtr& item, const Result<uint64_t>& sequence, pipeline::Ack ack);
  void OnOutcome(const ItemPtr& item, pipeline::Outcome outcome);
  void OnMoved(const ItemPtr& item, const Result<uint64_t>& sequence);
  void GiveUp(Item& item, GivenUp reason, pipeline::Outcome outcome);

  // REQUIRES of all these: mutex_ held.
  std::optional<std::pair<Refusal, Error>> WhyNot(const Item& item) const;
  void Hold(const Item& item);
  void LetGo(const Item& item);
  // It is not needed any more, sent or not.
  void Settle(const ItemPtr& item);
  // Nothing: it will be tried again, and waits for that.
  std::optional<GivenUp> TryAgain(const ItemPtr& item, const Error& error);
  void TidyBy(uint64_t monotonic_ns);
  bool Finished() const;
  ItemPtr TakeNext();
  void WaitForWork(std::unique_lock<std::mutex>& lock);

  // The queue's thread.
  void Run();
  void Tidy();

  const SendingQueueOptions options_;
  const QueueSettings& queue_;
  const RetrySettings& retry_;
  RemoteSender* const sender_;
  Env* const env_;
  Clock* const clock_;
  // As it works: a queue that is not enabled has room for one request at a time that its sender
  // waits for, of any number of senders.
  const bool waits_, blocks_;
  const uint64_t consumers_max_, size_max_, bytes_max_;
  std::function<double()> random_;

  Gauge *size_gauge_, *capacity_gauge_, *bytes_gauge_;
  Counter *sent_items_, *retries_;
  Counter* refused_items_[4];   // by Refusal
  Counter* given_up_items_[4];  // by GivenUp

  mutable std::mutex mutex_;
  std::condition_variable work_;
  bool poked_ = false;
  bool stopping_ = false;
  uint64_t stop_by_ns_ = 0;
  uint64_t size_ = 0, bytes_ = 0;  // of everything held
  uint64_t consumers_ = 0;         // places taken
  std::deque<ItemPtr> ready_;
  std::multimap<uint64_t, ItemPtr> waiting_;  // by monotonic time
  std::set<ItemPtr> sending_;
  std::unordered_map<uint64_t, ItemPtr> logged_;  // by sequence
  std::optional<uint64_t> tidy_by_ns_;            // monotonic

  std::mutex stop_mutex_;
  std::thread thread_;
  std::unique_ptr<QueueLog> log_;
};

}  // namespace weft::exporter

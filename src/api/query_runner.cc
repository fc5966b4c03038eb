// SPDX-License-Identifier: Apache-2.0
#include "api/query_runner.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "api/answers.h"
#include "api/query_trace.h"
#include "base/log.h"

namespace weft::api {
namespace {

// How soon a query learns that its client has gone, or that its time is up.
constexpr std::chrono::milliseconds kWatchEvery{25};

Error WaitedTooLong(uint64_t timeout_ns) {
  return {ErrorCode::kDeadlineExceeded,
          "the query waited " + std::to_string(timeout_ns / 1'000'000) +
              " ms for others to end, which is all the time that it has",
          1};
}

Error TooManyWait() { return {ErrorCode::kUnavailable, "too many queries wait: try again", 1}; }

}  // namespace

QueryRunner::QueryRunner(store::Store* store, Limits limits, Metrics* metrics, Clock* clock,
                         selftrace::Tracer* tracer)
    : store_(store),
      limits_(limits),
      uploads_(limits.upload_bytes_max),
      clock_(clock),
      tracer_(tracer),
      metrics_(metrics),
      waiting_gauge_(metrics->GetGauge("weft_queries_waiting", "Queries that wait for a worker.")),
      running_gauge_(metrics->GetGauge("weft_queries_running", "Queries under way.")) {
  for (uint64_t i = 0; i < limits_.workers; ++i) threads_.emplace_back([this] { Work(); });
  threads_.emplace_back([this] { WatchClients(); });
}

QueryRunner::~QueryRunner() { Stop(); }

void QueryRunner::Declare(std::initializer_list<std::string_view> kinds) {
  for (std::string_view kind : kinds) metrics_.Of(kind);
}

QueryRunner::Asked QueryRunner::NewAsked(std::string_view kind, std::string_view traceparent) {
  const QueryKindMetrics& metrics = metrics_.Of(kind);
  return {kind, std::string(traceparent), metrics.seconds, std::make_shared<AnswerCount>(metrics)};
}

bool QueryRunner::Enqueue(const Asked& asked, std::function<bool()> gone,
                          std::function<void(const SnapshotPtr&, const query::Budget&)> answer,
                          std::function<void(const Error&)> expire) {
  uint64_t asked_ns = clock_->MonotonicNs();
  auto expired = [this, expire = std::move(expire), count = asked.count] {
    count->Refused();
    expire(WaitedTooLong(limits_.timeout_ns));
  };
  auto work = [this, gone, answer = std::move(answer), asked, asked_ns, expired] {
    if (gone()) return;
    const uint64_t waited_ns = clock_->MonotonicNs() - asked_ns;
    if (waited_ns >= limits_.timeout_ns) return expired();
    Running running{.gone = gone, .cancelled = false};
    std::list<Running*>::iterator place;
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      place = running_.insert(running_.end(), &running);
    }
    watch_ready_.notify_one();
    running_gauge_->Add(1);
    query::Budget budget{.deadline_ns = limits_.timeout_ns - waited_ns,
                         .memory_bytes = limits_.memory_bytes,
                         .cancelled = &running.cancelled,
                         .clock = clock_};
    QueryTrace trace(tracer_, clock_, asked.kind, asked.traceparent, asked_ns);
    trace.Measure(&budget);
    answer(trace.Measure(store_->TakeSnapshot("")), budget);
    std::string_view outcome = asked.count->outcome();
    if (outcome.empty() && running.cancelled) outcome = "cancelled";
    asked.seconds->Record(static_cast<double>(clock_->MonotonicNs() - asked_ns) / 1e9,
                          trace.End(outcome), clock_->NowNs());
    running_gauge_->Add(-1);
    std::lock_guard lock(mutex_);
    running_.erase(place);
  };
  {
    std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.size() < limits_.waiting_max) {
      waiting_.push_back(
          {std::move(work), asked_ns + limits_.timeout_ns, std::move(gone), std::move(expired)});
      waiting_gauge_->Add(1);
      work_ready_.notify_one();
      watch_ready_.notify_one();
      return true;
    }
  }
  Log(LogLevel::kWarn, "api", "refused a query: too many wait",
      {{"kind", asked.kind}, {"waiting_max", limits_.waiting_max}});
  return false;
}

void QueryRunner::Run(std::string_view kind, net::ExchangePtr exchange, Question question,
                      const Refuse& refuse) {
  Asked asked = NewAsked(kind, exchange->traceparent());
  bool taken = Enqueue(
      asked, [exchange] { return exchange->cancelled(); },
      [counted = CountAnswer(exchange, asked.count), question = std::move(question)](
          const SnapshotPtr& snapshot, const query::Budget& budget) {
        question(snapshot, budget, counted);
      },
      [exchange, refuse](const Error& error) { exchange->Respond(refuse(error)); });
  if (taken) return;
  asked.count->Refused();
  exchange->Respond(refuse(TooManyWait()));
}

void QueryRunner::Run(std::string_view kind, net::GrpcCallPtr call, GrpcQuestion question) {
  Asked asked = NewAsked(kind, call->traceparent());
  bool taken = Enqueue(
      asked, [call] { return call->cancelled(); },
      [counted = CountAnswer(call, asked.count), question = std::move(question)](
          const SnapshotPtr& snapshot, const query::Budget& budget) {
        question(snapshot, budget, counted);
      },
      [call](const Error& error) { call->Finish(ToGrpcStatus(error)); });
  if (taken) return;
  asked.count->Refused();
  call->Finish(ToGrpcStatus(TooManyWait()));
}

void QueryRunner::Answer(std::string_view kind, net::ExchangePtr exchange,
                         SimpleQuestion question) {
  Run(
      kind, std::move(exchange),
      [question = std::move(question)](const SnapshotPtr& snapshot, const query::Budget& budget,
                                       const net::ExchangePtr& to) {
        to->Respond(question(*snapshot, budget));
      },
      ErrorResponse);
}

void QueryRunner::Resume(std::function<void()> work) {
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  waiting_.push_back({.work = std::move(work)});
  waiting_gauge_->Add(1);
  work_ready_.notify_one();
}

void QueryRunner::Work() {
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      work_ready_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      work = std::move(waiting_.front().work);
      waiting_.pop_front();
      waiting_gauge_->Add(-1);
    }
    work();
  }
}

std::vector<QueryRunner::Waiting> QueryRunner::TakeExpired() {
  const uint64_t now = clock_->MonotonicNs();
  auto ended = std::stable_partition(waiting_.begin(), waiting_.end(), [now](const Waiting& entry) {
    return now < entry.deadline_ns && (!entry.gone || !entry.gone());
  });
  std::vector<Waiting> out(std::make_move_iterator(ended), std::make_move_iterator(waiting_.end()));
  waiting_.erase(ended, waiting_.end());
  waiting_gauge_->Add(-static_cast<int64_t>(out.size()));
  return out;
}

void QueryRunner::WatchClients() {
  std::unique_lock lock(mutex_);
  for (;;) {
    watch_ready_.wait(lock, [this] { return stopping_ || !running_.empty() || !waiting_.empty(); });
    if (stopping_) return;
    for (Running* running : running_)
      if (running->gone()) running->cancelled = true;
    if (std::vector<Waiting> expired = TakeExpired(); !expired.empty()) {
      lock.unlock();
      for (const Waiting& entry : expired)
        if (!entry.gone()) entry.expire();
      expired.clear();
      lock.lock();
    }
    watch_ready_.wait_for(lock, kWatchEvery, [this] { return stopping_; });
  }
}

void QueryRunner::Stop() {
  std::deque<Waiting> dropped;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Running* running : running_) running->cancelled = true;
    dropped.swap(waiting_);
    waiting_gauge_->Add(-static_cast<int64_t>(dropped.size()));
  }
  work_ready_.notify_all();
  watch_ready_.notify_all();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

}  // namespace weft::api

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

Error NoMemoryInTime(uint64_t timeout_ns) {
  return {ErrorCode::kUnavailable,
          "the query waited " + std::to_string(timeout_ns / 1'000'000) +
              " ms for memory that other answers hold: try again",
          2};
}

// No wait can help.
Error NeedsTooMuch(uint64_t bytes, uint64_t bytes_max) {
  return {ErrorCode::kTooLarge,
          "the answer needs about " + std::to_string((bytes >> 20) + 1) +
              " MiB of memory, and all answers together may hold " +
              std::to_string(bytes_max >> 20) + " MiB: --memory-limit gives them more",
          0};
}

Error TooManyWait() { return {ErrorCode::kUnavailable, "too many queries wait: try again", 1}; }

QueryMemory OwnAccounts(const QueryRunner::Limits& limits, MemoryBudget* budget) {
  return {.budget = budget,
          .working = budget->Open("queries"),
          .answers = budget->Open("answers", {.bytes_max = limits.answer_bytes_max}),
          .uploads = budget->Open("requests", {.bytes_max = limits.upload_bytes_max}),
          .traces = budget->Open("trace_cache")};
}

}  // namespace

QueryRunner::QueryRunner(store::Store* store, Limits limits, Metrics* metrics, Clock* clock,
                         selftrace::Tracer* tracer)
    : store_(store),
      limits_(limits),
      own_budget_(limits.memory.budget == nullptr ? std::make_unique<MemoryBudget>(UINT64_MAX / 2)
                                                  : nullptr),
      memory_(own_budget_ ? OwnAccounts(limits, own_budget_.get()) : limits.memory),
      clock_(clock),
      tracer_(tracer),
      metrics_(metrics),
      waiting_gauge_(metrics->GetGauge("weft_queries_waiting",
                                       "Queries that wait for a worker or for memory.")),
      running_gauge_(metrics->GetGauge("weft_queries_running", "Queries under way.")),
      door_(std::make_shared<Door>()) {
  door_->runner = this;
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

void QueryRunner::Enqueue(const TaskPtr& task) {
  task->asked_ns = clock_->MonotonicNs();
  {
    std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.size() + parked_.size() < limits_.waiting_max) {
      waiting_.push_back(ToWaiting(task, [this, task] { Begin(task); }));
      waiting_gauge_->Add(1);
      work_ready_.notify_one();
      watch_ready_.notify_one();
      return;
    }
  }
  Log(LogLevel::kWarn, "api", "refused a query: too many wait",
      {{"kind", task->asked.kind}, {"waiting_max", limits_.waiting_max}});
  GiveUp(task, TooManyWait());
}

QueryRunner::Waiting QueryRunner::ToWaiting(const TaskPtr& task, std::function<void()> work) {
  return {.work = std::move(work),
          .deadline_ns = task->asked_ns + limits_.timeout_ns,
          .gone = task->gone,
          .expire = [this, task] { GiveUp(task, WaitedTooLong(limits_.timeout_ns)); }};
}

void QueryRunner::GiveUp(const TaskPtr& task, const Error& error) {
  task->asked.count->Refused();
  task->refuse(error);
}

bool QueryRunner::IsLate(const Task& task) const {
  return clock_->MonotonicNs() - task.asked_ns >= limits_.timeout_ns;
}

void QueryRunner::Begin(const TaskPtr& task) {
  if (task->gone()) return;
  if (IsLate(*task)) return GiveUp(task, WaitedTooLong(limits_.timeout_ns));
  const uint64_t bytes = task->need ? task->need(*store_->TakeSnapshot("")) : 0;
  if (bytes > 0) return WaitForMemory(task, bytes);
  Answer(task, nullptr);
}

void QueryRunner::WaitForMemory(const TaskPtr& task, uint64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    parked_.push_back(task);
    waiting_gauge_->Add(1);
  }
  Result<uint64_t> ticket = memory_.answers->Ask(bytes, [door = door_, task](MemoryCharge charge) {
    // Given back without the lock where nobody wants it any more: that may grant others.
    auto memory = std::make_shared<MemoryCharge>(std::move(charge));
    std::lock_guard lock(door->mutex);
    if (door->runner != nullptr) door->runner->OnMemory(task, memory);
  });
  std::unique_lock lock(mutex_);
  if (ticket) {
    task->ticket = *ticket;
    watch_ready_.notify_one();
    return;
  }
  waiting_gauge_->Add(-static_cast<int64_t>(std::erase(parked_, task)));
  lock.unlock();
  GiveUp(task, NeedsTooMuch(bytes, memory_.answers->bytes_max()));
}

void QueryRunner::OnMemory(const TaskPtr& task, const AnswerMemory& memory) {
  std::lock_guard lock(mutex_);
  // What has expired meanwhile leaves it.
  if (stopping_ || std::erase(parked_, task) == 0) return;
  // First: its turn was when it came to the worker.
  waiting_.push_front(ToWaiting(task, [this, task, memory] { Answer(task, memory); }));
  work_ready_.notify_one();
}

void QueryRunner::Answer(const TaskPtr& task, AnswerMemory memory) {
  if (task->gone()) return;
  if (IsLate(*task)) return GiveUp(task, WaitedTooLong(limits_.timeout_ns));
  // A question that has its answer's memory works in that.
  Result<MemoryCharge> working;
  if (!memory) {
    const uint64_t left_ns = limits_.timeout_ns - (clock_->MonotonicNs() - task->asked_ns);
    working = memory_.working->Wait(limits_.memory_bytes, std::chrono::nanoseconds(left_ns));
    if (!working) return GiveUp(task, NoMemoryInTime(limits_.timeout_ns));
    if (IsLate(*task)) return GiveUp(task, WaitedTooLong(limits_.timeout_ns));
  }
  Running running{.gone = task->gone, .cancelled = false};
  std::list<Running*>::iterator place;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    place = running_.insert(running_.end(), &running);
  }
  watch_ready_.notify_one();
  running_gauge_->Add(1);
  const Asked& asked = task->asked;
  query::Budget budget{.deadline_ns = limits_.timeout_ns - (clock_->MonotonicNs() - task->asked_ns),
                       .memory_bytes = limits_.memory_bytes,
                       .cancelled = &running.cancelled,
                       .clock = clock_,
                       .answer = std::move(memory)};
  QueryTrace trace(tracer_, clock_, asked.kind, asked.traceparent, task->asked_ns);
  trace.Measure(&budget);
  task->answer(trace.Measure(store_->TakeSnapshot("")), budget);
  std::string_view outcome = asked.count->outcome();
  if (outcome.empty() && running.cancelled) outcome = "cancelled";
  asked.seconds->Record(static_cast<double>(clock_->MonotonicNs() - task->asked_ns) / 1e9,
                        trace.End(outcome), clock_->NowNs());
  running_gauge_->Add(-1);
  std::lock_guard lock(mutex_);
  running_.erase(place);
}

void QueryRunner::Run(std::string_view kind, http::ExchangePtr exchange, Question question,
                      const Refuse& refuse, Need need) {
  auto task = std::make_shared<Task>();
  task->asked = NewAsked(kind, exchange->traceparent());
  task->gone = [exchange] { return exchange->cancelled(); };
  task->need = std::move(need);
  task->answer = [counted = CountAnswer(exchange, task->asked.count),
                  question = std::move(question)](const SnapshotPtr& snapshot,
                                                  const query::Budget& budget) {
    question(snapshot, budget, counted);
  };
  task->refuse = [exchange, refuse](const Error& error) { exchange->Respond(refuse(error)); };
  Enqueue(task);
}

void QueryRunner::Run(std::string_view kind, http::GrpcCallPtr call, GrpcQuestion question,
                      Need need) {
  auto task = std::make_shared<Task>();
  task->asked = NewAsked(kind, call->traceparent());
  task->gone = [call] { return call->cancelled(); };
  task->need = std::move(need);
  task->answer = [counted = CountAnswer(call, task->asked.count), question = std::move(question)](
                     const SnapshotPtr& snapshot, const query::Budget& budget) {
    question(snapshot, budget, counted);
  };
  task->refuse = [call](const Error& error) { call->Finish(ToGrpcStatus(error)); };
  Enqueue(task);
}

void QueryRunner::Answer(std::string_view kind, http::ExchangePtr exchange,
                         SimpleQuestion question) {
  Run(
      kind, std::move(exchange),
      [question = std::move(question)](const SnapshotPtr& snapshot, const query::Budget& budget,
                                       const http::ExchangePtr& to) {
        to->Respond(question(*snapshot, budget));
      },
      ErrorResponse);
}

void QueryRunner::Reconsider() {
  std::list<TaskPtr> parked;
  {
    std::lock_guard lock(mutex_);
    parked.swap(parked_);
    waiting_gauge_->Add(-static_cast<int64_t>(parked.size()));
  }
  for (const TaskPtr& task : parked) memory_.answers->Withdraw(task->ticket);
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  for (const TaskPtr& task : parked)
    waiting_.push_back(ToWaiting(task, [this, task] { Begin(task); }));
  waiting_gauge_->Add(static_cast<int64_t>(parked.size()));
  work_ready_.notify_all();
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

std::vector<QueryRunner::TaskPtr> QueryRunner::TakeExpiredForMemory() {
  std::vector<TaskPtr> out;
  std::erase_if(parked_, [&](const TaskPtr& task) {
    const bool ends = IsLate(*task) || task->gone();
    if (ends) out.push_back(task);
    return ends;
  });
  waiting_gauge_->Add(-static_cast<int64_t>(out.size()));
  return out;
}

void QueryRunner::EndExpired(std::vector<Waiting> waiting, std::vector<TaskPtr> for_memory) {
  for (const Waiting& entry : waiting)
    if (!entry.gone()) entry.expire();
  for (const TaskPtr& task : for_memory) {
    memory_.answers->Withdraw(task->ticket);
    if (!task->gone()) GiveUp(task, NoMemoryInTime(limits_.timeout_ns));
  }
}

void QueryRunner::WatchClients() {
  std::unique_lock lock(mutex_);
  for (;;) {
    watch_ready_.wait(lock, [this] {
      return stopping_ || !running_.empty() || !waiting_.empty() || !parked_.empty();
    });
    if (stopping_) return;
    for (Running* running : running_)
      if (running->gone()) running->cancelled = true;
    std::vector<Waiting> waiting = TakeExpired();
    std::vector<TaskPtr> for_memory = TakeExpiredForMemory();
    if (!waiting.empty() || !for_memory.empty()) {
      lock.unlock();
      EndExpired(std::move(waiting), std::move(for_memory));
      lock.lock();
    }
    watch_ready_.wait_for(lock, kWatchEvery, [this] { return stopping_; });
  }
}

void QueryRunner::Stop() {
  {
    std::lock_guard lock(door_->mutex);
    door_->runner = nullptr;
  }
  std::deque<Waiting> dropped;
  std::list<TaskPtr> parked;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Running* running : running_) running->cancelled = true;
    dropped.swap(waiting_);
    parked.swap(parked_);
    waiting_gauge_->Add(-static_cast<int64_t>(dropped.size() + parked.size()));
  }
  for (const TaskPtr& task : parked) memory_.answers->Withdraw(task->ticket);
  work_ready_.notify_all();
  watch_ready_.notify_all();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

}  // namespace weft::api

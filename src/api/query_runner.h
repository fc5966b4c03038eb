// SPDX-License-Identifier: Apache-2.0
//
// QueryRunner: the worker threads that answer questions, so that no net thread ever waits for one.
// It hands each question a snapshot of the store and a budget, and cancels it when its client has
// gone. Questions wait in one bounded queue; what does not fit is refused with a retry hint. A
// question that says what its answer will hold waits for that memory without a worker, in turn, so
// that heavy ones come one after the other. The time that a question may take counts from when it
// was asked: one that no worker has come to by then is answered so.
//
// Thread rule: any thread. Stop() before the store closes.
// Next: api/query_server.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/query_memory.h"
#include "api/query_metrics.h"
#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/metrics.h"
#include "http/grpc.h"
#include "http/http.h"
#include "query/query.h"
#include "selftrace/tracer.h"
#include "store/store.h"

namespace weft::api {

using SnapshotPtr = std::shared_ptr<const store::Snapshot>;

class QueryRunner {
 public:
  struct Limits {
    uint64_t workers = 2;
    uint64_t timeout_ns = 30ull * 1'000'000'000;
    uint64_t memory_bytes = 256ull << 20;
    uint64_t waiting_max = 256;
    uint64_t upload_bytes_max = 128ull << 20;  // of all requests with data, waiting or running
    uint64_t answer_bytes_max = 1ull << 30;    // of all answers under way
    // Null: accounts of the runner's own, of the sizes above. Else those have the sizes.
    QueryMemory memory = {};
  };
  // What the answer to a question will hold; asked on a worker. 0: little.
  using Need = std::function<uint64_t(const store::Snapshot&)>;
  // What a question works with. It answers through the exchange, whole or streamed.
  using Question =
      std::function<void(const SnapshotPtr&, const query::Budget&, const http::ExchangePtr&)>;
  using SimpleQuestion =
      std::function<http::Response(const store::Snapshot&, const query::Budget&)>;
  using GrpcQuestion =
      std::function<void(const SnapshotPtr&, const query::Budget&, const http::GrpcCallPtr&)>;
  // Says in the API's own shape that a question cannot be taken.
  using Refuse = std::function<http::Response(const Error&)>;

  // All borrowed. `tracer`: null where weft does not trace itself.
  QueryRunner(store::Store* store, Limits limits, Metrics* metrics, Clock* clock,
              selftrace::Tracer* tracer = nullptr);
  ~QueryRunner();

  // Kinds that Run() and Answer() will be given: their metrics then exist from the start.
  void Declare(std::initializer_list<std::string_view> kinds);
  // `kind` labels the metrics: a constant, never input.
  void Run(std::string_view kind, http::ExchangePtr exchange, Question question,
           const Refuse& refuse, Need need = nullptr);
  // The same for gRPC; a refusal is a status.
  void Run(std::string_view kind, http::GrpcCallPtr call, GrpcQuestion question,
           Need need = nullptr);
  // For questions with one whole answer in the native shape.
  void Answer(std::string_view kind, http::ExchangePtr exchange, SimpleQuestion question);
  // What answers need has become less, for something that many wait for is there: those that wait
  // for memory say anew what they need.
  void Reconsider();
  // Continues a streamed answer on a worker; dropped when the runner stops.
  void Resume(std::function<void()> work);
  // Cancels what runs, drops what waits, joins the threads. Idempotent.
  void Stop();

  const QueryMemory& memory() const { return memory_; }
  store::Store* store() const { return store_; }
  Clock* clock() const { return clock_; }
  Metrics* metrics() const { return metrics_.metrics(); }

 private:
  struct Running {
    std::function<bool()> gone;  // asks the client's connection
    std::atomic<bool> cancelled{false};
  };
  // What is told of a question besides what it asks.
  struct Asked {
    std::string_view kind;
    std::string traceparent;
    Histogram* seconds;
    std::shared_ptr<AnswerCount> count;
  };
  Asked NewAsked(std::string_view kind, std::string_view traceparent);
  // A question on its way to a worker, and from there to its answer.
  struct Task {
    Asked asked;
    uint64_t asked_ns = 0;
    std::function<bool()> gone;  // asks the client's connection
    Need need;
    std::function<void(const SnapshotPtr&, const query::Budget&)> answer;
    std::function<void(const Error&)> refuse;
    std::atomic<uint64_t> ticket{0};  // while it waits for memory
  };
  using TaskPtr = std::shared_ptr<Task>;
  using AnswerMemory = std::shared_ptr<MemoryCharge>;  // null: none was needed
  // What waits for a worker.
  struct Waiting {
    std::function<void()> work;
    uint64_t deadline_ns = UINT64_MAX;       // of the clock's monotonic time
    std::function<bool()> gone = nullptr;    // null: nobody can have gone
    std::function<void()> expire = nullptr;  // answers that its time is up
  };
  // Refuses it where too many wait, or when its time is up before a worker came to it.
  void Enqueue(const TaskPtr& task);
  Waiting ToWaiting(const TaskPtr& task, std::function<void()> work);
  void GiveUp(const TaskPtr& task, const Error& error);
  bool IsLate(const Task& task) const;
  // On a worker: asks for the memory first where the answer needs some.
  void Begin(const TaskPtr& task);
  void WaitForMemory(const TaskPtr& task, uint64_t bytes);
  void OnMemory(const TaskPtr& task, const AnswerMemory& memory);
  void Answer(const TaskPtr& task, AnswerMemory memory);
  void Work();
  void WatchClients();
  // Takes what nobody waits for any more, or whose time is up, out of the queue.
  std::vector<Waiting> TakeExpired();
  std::vector<TaskPtr> TakeExpiredForMemory();
  void EndExpired(std::vector<Waiting> waiting, std::vector<TaskPtr> for_memory);

  store::Store* const store_;
  const Limits limits_;
  std::unique_ptr<MemoryBudget> own_budget_;  // null: the server's is used
  const QueryMemory memory_;
  Clock* const clock_;
  selftrace::Tracer* const tracer_;
  QueryMetrics metrics_;
  Gauge* const waiting_gauge_;
  Gauge* const running_gauge_;
  std::mutex mutex_;
  std::condition_variable work_ready_, watch_ready_;
  std::deque<Waiting> waiting_;  // guarded by mutex_
  std::list<TaskPtr> parked_;    // wait for memory; guarded by mutex_
  std::list<Running*> running_;  // guarded by mutex_
  bool stopping_ = false;        // guarded by mutex_
  // Where memory that is granted finds the runner, and whether it still is one.
  struct Door {
    std::mutex mutex;
    QueryRunner* runner;
  };
  const std::shared_ptr<Door> door_;
  std::vector<std::thread> threads_;
};

}  // namespace weft::api

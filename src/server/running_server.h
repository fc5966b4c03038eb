// SPDX-License-Identifier: Apache-2.0
//
// RunningServer: one weft process's life. Start() opens exporters, then listens for queries, then
// receivers; Stop() goes back: nothing new is taken, what is under way is finished, the store is
// closed.
//
// Thread rule: Start() and Stop() by one thread; everything inside is made for many.
// Next: server/components.h, pipeline/graph.h.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/metrics.h"
#include "config/config.h"
#include "http/server.h"
#include "pipeline/graph.h"
#include "selftrace/tracer.h"
#include "server/memory_accounts.h"
#include "server/memory_watch.h"
#include "server/reloader.h"
#include "server/server_doors.h"
#include "store/served_store.h"

namespace weft::server {

class RunningServer {
 public:
  // `config` was loaded with the types of `table`. Table and pointers are borrowed.
  RunningServer(config::Config config, const pipeline::ComponentTable& table, std::string version,
                Env* env, Clock* clock);
  ~RunningServer();

  // An error leaves nothing running.
  Status Start();
  // Idempotent.
  void Stop();

  // Where a reload has its configuration from, which was loaded with the types of the table.
  // Without one there are no reloads. Before Start().
  using Loader = std::function<Result<config::Config>()>;
  void SetLoader(Loader loader) { loader_ = std::move(loader); }
  // Null before Start().
  pipeline::Reloads* reloads() { return reloader_.get(); }

  // Every address that is listened on, with its name: "otlp/grpc", "query".
  std::vector<pipeline::Listener> listeners() const { return doors_->listeners(); }
  // The first store; null when the configuration has none.
  const store::ServedStore* store() const;
  const Metrics& metrics() const { return metrics_; }
  const config::Config& config() const { return config_; }

 private:
  Status StartAll();
  Result<MemoryPlan> PlanMemoryOf(const config::Config& config) const;
  // Weft's own spans, where the configuration wants them. Before the graph is built, whose
  // components record them.
  void MakeTracer();
  // After the graph is built: where they go.
  Status FindTracerExporter();
  // /metrics on addresses of its own.
  Status StartMetrics(const config::TelemetrySettings& telemetry);
  pipeline::Deps MakeDeps();
  // After the graph is led: whom WhyNotReady() and HeadBytes() ask.
  void FindWatched();
  uint64_t HeadBytes() const;
  // reload.cc; on the reloader's thread.
  pipeline::ReloadReport Reload();
  Result<std::unique_ptr<pipeline::Graph>> Prepare(const config::Config& next);
  pipeline::ReloadReport Commit(config::Config next, std::unique_ptr<pipeline::Graph> graph);
  bool IsDrained();
  void EndDrain();
  void EndRetired();
  // Empty when requests are taken, else why not.
  std::string WhyNotReady() const;
  void ReportSelf();

  config::Config config_;  // changes at a reload
  const pipeline::ComponentTable& table_;
  const std::string version_;
  Env* const env_;
  Clock* const clock_;
  const uint64_t started_ns_;
  Metrics metrics_;
  std::unique_ptr<MemoryAccounts> memory_;  // outlives what is charged to it
  pipeline::Services services_;
  pipeline::Entry tracer_way_;
  std::unique_ptr<selftrace::Tracer> tracer_;  // null: off. Outlives who may record
  std::unique_ptr<http::Server> net_;
  std::unique_ptr<ServerDoors> doors_;
  std::unique_ptr<pipeline::Graph> graph_;
  std::unique_ptr<MemoryWatch> memory_watch_;
  std::atomic<bool> ready_{false};
  // Of the services that run, for those who look at them while they change.
  mutable std::mutex watched_mutex_;
  std::vector<const pipeline::Readiness*> readiness_;  // guarded by watched_mutex_
  std::vector<const store::ServedStore*> stores_;      // the same
  Loader loader_;
  uint64_t generation_ = 1;
  // What reloads replaced, while something of it is under way; stopped, but for the last one.
  std::vector<std::unique_ptr<pipeline::Graph>> retired_;
  std::unique_ptr<Reloader> reloader_;
};

}  // namespace weft::server

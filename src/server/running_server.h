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
#include <memory>
#include <string>
#include <vector>

#include "base/byte_budget.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/metrics.h"
#include "config/config.h"
#include "net/server.h"
#include "pipeline/graph.h"
#include "selftrace/tracer.h"
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

  // Every address that is listened on, with its name: "otlp/grpc", "query".
  const std::vector<pipeline::Listener>& listeners() const { return doors_->listeners(); }
  // The first store; null when the configuration has none.
  const store::ServedStore* store() const;
  const Metrics& metrics() const { return metrics_; }
  const config::Config& config() const { return config_; }

 private:
  Status StartAll();
  // Weft's own spans, where the configuration wants them. Before the graph is built, whose
  // components record them.
  void MakeTracer();
  // After the graph is built: where they go.
  Status FindTracerExporter();
  Status MakeExtensions(const pipeline::Deps& deps);
  Status StartExtensions();
  // /metrics on addresses of its own.
  Status StartMetrics();
  // Empty when requests are taken, else why not.
  std::string WhyNotReady() const;
  void ReportSelf();

  const config::Config config_;
  const pipeline::ComponentTable& table_;
  const std::string version_;
  Env* const env_;
  Clock* const clock_;
  const uint64_t started_ns_;
  Metrics metrics_;
  ByteBudget budget_;
  pipeline::Services services_;
  pipeline::Exporter* tracer_exporter_ = nullptr;
  std::unique_ptr<selftrace::Tracer> tracer_;  // null: off. Outlives who may record
  std::unique_ptr<net::Server> net_;
  std::unique_ptr<ServerDoors> doors_;
  std::unique_ptr<pipeline::Graph> graph_;
  std::vector<std::pair<std::string, std::unique_ptr<pipeline::Component>>> extensions_;
  std::atomic<bool> ready_{false};
};

}  // namespace weft::server

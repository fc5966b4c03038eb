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

#include "api/query_server.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/metrics.h"
#include "config/config.h"
#include "exporter/store_exporter.h"
#include "net/server.h"
#include "pipeline/graph.h"
#include "receiver/otlp_receiver.h"
#include "selftrace/tracer.h"
#include "server/listeners.h"
#include "server/memory_accounts.h"
#include "server/memory_watch.h"

namespace weft::server {

class RunningServer {
 public:
  // The pointers are borrowed.
  RunningServer(config::Config config, std::string version, Env* env, Clock* clock);
  ~RunningServer();

  // An error leaves nothing running.
  Status Start();
  // Idempotent.
  void Stop();

  // Every address that is listened on, with its name: "otlp/grpc", "query".
  const std::vector<receiver::Listener>& listeners() const { return listeners_; }
  // The first store exporter; null when the configuration has none.
  const exporter::StoreExporter* store() const { return stores_.empty() ? nullptr : stores_[0]; }
  const Metrics& metrics() const { return metrics_; }
  const config::Config& config() const { return config_; }

 private:
  Status StartAll();
  // The budget, and what the stores are to charge to it. After the graph is built.
  Status ShareMemory();
  // Weft's own spans, where the configuration wants them. After the graph is built, before its
  // exporters start.
  Status MakeTracer();
  Status StartExtension(const config::ComponentId& id);
  Status StartQuery(const std::string& name, const config::QuerySettings& settings);
  Status StartHealthCheck(const std::string& name, const config::HealthCheckSettings& settings);
  // /metrics on addresses of its own.
  Status StartMetrics();
  Status StartReceivers();
  // Empty when requests are taken, else why not.
  std::string WhyNotReady() const;
  void ReportSelf();

  const config::Config config_;
  const std::string version_;
  Env* const env_;
  Clock* const clock_;
  const uint64_t started_ns_;
  Metrics metrics_;
  Listeners listener_options_{&config_, &metrics_};
  std::unique_ptr<MemoryAccounts> memory_;     // outlives what is charged to it
  std::unique_ptr<selftrace::Tracer> tracer_;  // null: off. Outlives who may record
  std::unique_ptr<pipeline::Graph> graph_;
  std::unique_ptr<net::Server> net_;
  std::vector<std::unique_ptr<api::QueryServer>> query_servers_;
  std::vector<std::unique_ptr<receiver::OtlpReceiver>> receivers_;
  std::vector<receiver::Listener> listeners_;
  std::vector<exporter::StoreExporter*> stores_;
  std::unique_ptr<MemoryWatch> memory_watch_;
  std::atomic<bool> ready_{false};
};

}  // namespace weft::server

// SPDX-License-Identifier: Apache-2.0
//
// exporters::store, the only door from a pipeline to the store: it opens the data directory at
// Start() and closes it at Stop(). A batch completes when the store says that it is durable.
//
// Thread rule: Admit and Consume from any thread between Start() and Stop().
// Next: store/store.h.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/env.h"
#include "base/metrics.h"
#include "exporter/store_settings.h"
#include "pipeline/component_row.h"
#include "pipeline/services.h"
#include "store/served_store.h"

namespace weft::exporter {

// The store's configuration out of the exporter's settings. REQUIRES: settings.directory is set.
store::StoreConfig ToStoreConfig(const StoreSettings& settings);

class StoreExporter : public pipeline::Exporter,
                      public pipeline::Readiness,
                      private store::StoreObserver {
 public:
  // Offers a store::ServedStore and its own Readiness under `id`, which labels the metrics.
  StoreExporter(const config::ComponentId& id, StoreSettings settings, const pipeline::Deps& deps);
  ~StoreExporter() override;

  Status Start() override;
  void Stop() override;
  // Its retention may change; what else is set holds until a restart.
  Result<Change> Reconfigure(const std::any& settings) override;
  Status Admit(uint64_t bytes) override;
  void Consume(pipeline::SharedSpans batch, pipeline::Ack ack) override;
  // Takes none of them, and says so.
  void Consume(pipeline::SharedMetrics batch, pipeline::Ack ack) override;
  bool Keeps() const override { return true; }
  std::string WhyNotReady() const override;

 private:
  // Indexed by store::StoreWork::Kind.
  struct WorkMetrics {
    Histogram* seconds = nullptr;
    Counter* failures = nullptr;
  };
  void OnDamage(const std::string& what) override;
  void OnSync(uint64_t duration_ns, const Status& status) override;
  void OnWork(const store::StoreWork& work) override;
  void Report(MetricsScrape* scrape);

  const std::string id_;
  StoreSettings settings_;  // its retention changes at a reload
  Env* const env_;
  Clock* const clock_;
  Metrics* const metrics_;
  selftrace::Tracer* const tracer_;  // null: weft does not trace itself
  Histogram* sync_seconds_;
  Counter* sync_failures_;
  WorkMetrics work_metrics_[3];
  const store::StoreMemory memory_;
  const uint64_t merge_values_max_;
  std::unique_ptr<store::Store> store_;
  store::ServedStore served_;
  uint64_t report_ = 0;
};

extern const pipeline::ComponentRow kStoreExporter;

// All of the store's statistics as metrics.
void ReportStore(const std::string& id, const store::StoreStats& stats, MetricsScrape* scrape);

}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
//
// exporters::store, the only door from a pipeline to the store: it opens the data directory at
// Start() and closes it at Stop(). A batch completes when the store says that it is durable.
//
// Thread rule: Admit and Consume from any thread between Start() and Stop().
// Next: store/store.h.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/env.h"
#include "base/metrics.h"
#include "config/settings.h"
#include "pipeline/component.h"
#include "store/store.h"

namespace weft::exporter {

// The store's configuration out of the exporter's settings. REQUIRES: settings.directory is set.
store::StoreConfig ToStoreConfig(const config::StoreSettings& settings);

class StoreExporter : public pipeline::Exporter, private store::StoreObserver {
 public:
  // `id` labels the metrics. All pointers are borrowed.
  StoreExporter(std::string id, config::StoreSettings settings, Env* env, Clock* clock,
                Metrics* metrics);
  ~StoreExporter() override;

  Status Start() override;
  void Stop() override;
  Status Admit(uint64_t bytes) override;
  void Consume(SpanBatch batch, pipeline::Completion done) override;

  // Null before Start().
  store::Store* store() const { return store_.get(); }
  const config::StoreSettings& settings() const { return settings_; }
  // What its work is charged to, and how many distinct values a merge may hold. Set before Start().
  void set_memory(const store::StoreMemory& memory, uint64_t merge_values_max) {
    memory_ = memory;
    merge_values_max_ = merge_values_max;
  }
  // Runs after every piece of the store's background work, on its thread. Its answer is the id of a
  // trace that explains the work, "" for none. Set before Start().
  void set_on_work(std::function<std::string(const store::StoreWork&)> on_work) {
    on_work_ = std::move(on_work);
  }

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
  const config::StoreSettings settings_;
  Env* const env_;
  Clock* const clock_;
  Metrics* const metrics_;
  Histogram* sync_seconds_;
  Counter* sync_failures_;
  WorkMetrics work_metrics_[3];
  std::function<std::string(const store::StoreWork&)> on_work_;
  store::StoreMemory memory_;
  uint64_t merge_values_max_ = UINT64_MAX;
  std::unique_ptr<store::Store> store_;
};

// All of the store's statistics as metrics.
void ReportStore(const std::string& id, const store::StoreStats& stats, MetricsScrape* scrape);

}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
#include "exporter/store_exporter.h"

namespace weft::exporter {

store::StoreConfig ToStoreConfig(const config::StoreSettings& settings) {
  store::StoreConfig config;
  config.directory = settings.directory;
  switch (settings.durability) {
    case config::StoreSettings::Durability::kDurable:
      config.durability = store::Durability::kDurable;
      break;
    case config::StoreSettings::Durability::kRelaxed:
      config.durability = store::Durability::kRelaxed;
      break;
    case config::StoreSettings::Durability::kMemory:
      config.durability = store::Durability::kMemory;
      break;
  }
  config.retention_age_ns = settings.retention_age_ns;
  config.retention_bytes = settings.retention_bytes;
  config.head_bytes_max = settings.head_bytes_max.value_or(config.head_bytes_max);
  config.flush_bytes = settings.flush_bytes.value_or(config.flush_bytes);
  config.flush_age_ns = settings.flush_age_ns.value_or(config.flush_age_ns);
  config.page_cache_bytes = settings.page_cache_bytes.value_or(config.page_cache_bytes);
  config.free_bytes_min = settings.free_bytes_min.value_or(config.free_bytes_min);
  return config;
}

StoreExporter::StoreExporter(std::string id, config::StoreSettings settings, Env* env, Clock* clock,
                             Metrics* metrics)
    : id_(std::move(id)),
      settings_(std::move(settings)),
      env_(env),
      clock_(clock),
      metrics_(metrics) {}

StoreExporter::~StoreExporter() { Stop(); }

Status StoreExporter::Start() {
  WEFT_ASSIGN(store_, store::Store::Open(env_, clock_, ToStoreConfig(settings_)));
  metrics_->OnScrape([this](MetricsScrape* scrape) { ReportStore(id_, store_.get(), scrape); });
  return {};
}

void StoreExporter::Stop() {
  if (store_) store_->Close();
}

Status StoreExporter::Admit(uint64_t bytes) { return store_->Admit(bytes); }

void StoreExporter::Consume(SpanBatch batch, pipeline::Completion done) {
  store_->Append(std::move(batch), std::move(done));
}

void ReportStore(const std::string& id, store::Store* store, MetricsScrape* scrape) {
  store::StoreStats stats = store->stats();
  Labels labels = {{"exporter", id}};
  struct Row {
    const char* name;
    const char* help;
    double value;
  };
  auto number = [](uint64_t n) { return static_cast<double>(n); };
  const Row kCounters[] = {
      {"weft_store_appended_spans_total", "Spans made durable.", number(stats.appended_spans)},
      {"weft_store_appended_logs_total", "Log records made durable.", number(stats.appended_logs)},
      {"weft_store_appended_bytes_total", "Bytes of batches made durable.",
       number(stats.appended_bytes)},
      {"weft_store_wal_syncs_total", "fdatasync calls of the log.", number(stats.wal_syncs)},
      {"weft_store_wal_sync_seconds_total", "Time spent in them.", number(stats.wal_sync_ns) / 1e9},
      {"weft_store_wal_bytes_total", "Bytes written to the log.", number(stats.wal_bytes)},
      {"weft_store_flushes_total", "Head flushes to a block.", number(stats.flushes)},
      {"weft_store_compactions_total", "Merges of blocks.", number(stats.compactions)},
      {"weft_store_blocks_expired_total", "Blocks deleted by retention.",
       number(stats.blocks_expired)},
      {"weft_store_duplicate_spans_removed_total", "Exact duplicates removed by compaction.",
       number(stats.duplicate_spans_removed)},
      {"weft_store_page_cache_hits_total", "Pages found in the cache.",
       number(stats.page_cache_hits)},
      {"weft_store_page_cache_misses_total", "Pages read from disk.",
       number(stats.page_cache_misses)},
  };
  for (const Row& row : kCounters) scrape->Counter(row.name, row.help, labels, row.value);
  const Row kGauges[] = {
      {"weft_store_head_bytes", "Memory of the head.", number(stats.head_bytes)},
      {"weft_store_head_spans", "Spans in the head.", number(stats.head_spans)},
      {"weft_store_blocks", "Blocks.", number(stats.blocks)},
      {"weft_store_block_bytes", "Bytes of all blocks.", number(stats.block_bytes)},
      {"weft_store_block_spans", "Spans in all blocks.", number(stats.block_spans)},
      {"weft_store_level0_blocks", "Blocks not yet merged.", number(stats.level0_blocks)},
      {"weft_store_page_cache_bytes", "Memory of the page cache.", number(stats.page_cache_bytes)},
      {"weft_store_recovered_spans", "Spans replayed from the log at start.",
       number(stats.recovered_spans)},
      {"weft_store_recovery_seconds", "What the replay took.", number(stats.recovery_ns) / 1e9},
      {"weft_store_torn_tail_bytes", "Bytes cut off the log's end at start.",
       number(stats.torn_tail_bytes)},
      {"weft_store_quarantined_files", "Files set aside because they are corrupt.",
       number(stats.quarantined_files)},
      {"weft_store_read_only", "1 when the store takes nothing: see /api/weft/v1/status.",
       stats.read_only ? 1.0 : 0.0},
  };
  for (const Row& row : kGauges) scrape->Gauge(row.name, row.help, labels, row.value);
}

}  // namespace weft::exporter

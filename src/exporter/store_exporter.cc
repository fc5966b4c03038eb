// SPDX-License-Identifier: Apache-2.0
#include "exporter/store_exporter.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/processors.h"
#include "exporter/work_trace.h"

namespace weft::exporter {
namespace {

constexpr std::string_view kNoTrace =
    "log records without a trace id: the store keeps those that belong to a trace";
constexpr std::string_view kNoMetrics =
    "weft keeps traces and logs, no metrics: send them elsewhere";

}  // namespace

store::StoreConfig ToStoreConfig(const StoreSettings& settings) {
  store::StoreConfig config;
  config.directory = settings.directory;
  switch (settings.durability) {
    case StoreSettings::Durability::kDurable:
      config.durability = store::Durability::kDurable;
      break;
    case StoreSettings::Durability::kRelaxed:
      config.durability = store::Durability::kRelaxed;
      break;
    case StoreSettings::Durability::kMemory:
      config.durability = store::Durability::kMemory;
      break;
  }
  config.retention_age_ns = settings.retention_age_ns;
  config.retention_bytes = settings.retention_bytes;
  config.clock_rule.shift_max_ns = settings.max_clock_shift_ns;
  config.head_bytes_max = settings.head_bytes_max.value_or(config.head_bytes_max);
  config.flush_bytes = settings.flush_bytes.value_or(config.flush_bytes);
  config.flush_age_ns = settings.flush_age_ns.value_or(config.flush_age_ns);
  config.page_cache_bytes = settings.page_cache_bytes.value_or(config.page_cache_bytes);
  config.free_bytes_min = settings.free_bytes_min.value_or(config.free_bytes_min);
  config.scrub_bytes_per_s = settings.scrub_bytes_per_s.value_or(config.scrub_bytes_per_s);
  config.scrub_interval_ns = settings.scrub_interval_ns.value_or(config.scrub_interval_ns);
  return config;
}

StoreExporter::StoreExporter(const config::ComponentId& id, StoreSettings settings,
                             const pipeline::Deps& deps)
    : id_(id.ToString()),
      settings_(std::move(settings)),
      env_(deps.env),
      clock_(deps.clock),
      metrics_(deps.metrics),
      tracer_(deps.tracer),
      memory_({.budget = deps.memory->budget,
               .page_cache = deps.memory->page_cache,
               .flushes = deps.memory->flushes,
               .merges = deps.memory->merges}),
      merge_values_max_(deps.memory->merge_values) {
  served_.durability = ToStoreConfig(settings_).durability;
  served_.directory = settings_.directory;
  served_.retention_age_ns = settings_.retention_age_ns;
  served_.retention_bytes = settings_.retention_bytes;
  CountDroppedLogs(metrics_, "exporter", "no_trace", 0);
  CountDroppedMetricPoints(metrics_, "exporter", "no_metrics_store", 0);
  deps.services->Offer<store::ServedStore>(id, &served_);
  deps.services->Offer<pipeline::Readiness>(id, this);
  Metrics* metrics = deps.metrics;
  Labels labels = {{"exporter", id_}};
  sync_seconds_ = metrics->GetHistogram("weft_store_wal_sync_seconds",
                                        "Time of one fdatasync of the log.", labels, SyncBounds());
  sync_failures_ =
      metrics->GetCounter("weft_store_wal_sync_failures_total",
                          "Failed syncs: the store takes nothing until it is restarted.", labels);
  struct Names {
    const char *seconds, *help, *failures, *failures_help;
  };
  static constexpr Names kNames[] = {
      {"weft_store_flush_seconds", "Time to write the head as a block.",
       "weft_store_flush_failures_total", "Flushes that failed; they are tried again."},
      {"weft_store_compaction_seconds", "Time to merge blocks.",
       "weft_store_compaction_failures_total", "Merges that failed; the blocks stay as they were."},
      {"weft_store_retention_seconds", "Time to delete expired blocks.",
       "weft_store_retention_failures_total", "Expiries that failed; they are tried again."},
  };
  for (size_t i = 0; i < std::size(kNames); ++i)
    work_metrics_[i] = {
        metrics->GetHistogram(kNames[i].seconds, kNames[i].help, labels, WorkBounds()),
        metrics->GetCounter(kNames[i].failures, kNames[i].failures_help, labels)};
}

StoreExporter::~StoreExporter() { Stop(); }

Status StoreExporter::Start() {
  store::StoreConfig config = ToStoreConfig(settings_);
  config.observer = this;
  config.memory = memory_;
  config.block_values_max = std::min(config.block_values_max, merge_values_max_);
  config.processors = AvailableProcessors();
  WEFT_ASSIGN(store_, store::Store::Open(env_, clock_, std::move(config)));
  served_.store = store_.get();
  store::StoreStats stats = store_->stats();
  Log(LogLevel::kInfo, "store", "opened",
      {{"exporter", id_},
       {"directory", settings_.directory},
       {"blocks", stats.blocks},
       {"recovered_spans", stats.recovered_spans},
       {"recovery_s", static_cast<double>(stats.recovery_ns) / 1e9},
       {"torn_tail_bytes", stats.torn_tail_bytes}});
  report_ = metrics_->OnScrape([this](MetricsScrape* scrape) { Report(scrape); });
  return {};
}

void StoreExporter::Stop() {
  metrics_->EndScrape(std::exchange(report_, 0));
  if (store_) store_->Close();
}

Result<pipeline::Component::Change> StoreExporter::Reconfigure(const std::any& settings) {
  const auto& next = *std::any_cast<StoreSettings>(&settings);
  if (std::string_view fixed = FixedSettingThatDiffers(settings_, next); !fixed.empty())
    return Fail(ErrorCode::kInvalidArgument,
                std::string(fixed) + " cannot change while weft runs: restart it");
  return Change([this, age_ns = next.retention_age_ns, bytes = next.retention_bytes] {
    settings_.retention_age_ns = age_ns;
    settings_.retention_bytes = bytes;
    served_.retention_age_ns = age_ns;
    served_.retention_bytes = bytes;
    store::ChangeRetention(store_.get(), age_ns, bytes);
  });
}

void StoreExporter::OnDamage(const std::string& what) {
  Log(LogLevel::kError, "store", "damage found", {{"exporter", id_}, {"what", what}});
}

void StoreExporter::OnSync(uint64_t duration_ns, const Status& status) {
  sync_seconds_->Record(static_cast<double>(duration_ns) / 1e9);
  if (status) return;
  sync_failures_->Add();
  Log(LogLevel::kError, "store", "a sync of the log failed: nothing is taken until a restart",
      {{"exporter", id_}, {"error", status.error().message}});
}

void StoreExporter::OnWork(const store::StoreWork& work) {
  using Kind = store::StoreWork::Kind;
  const WorkMetrics& metrics = work_metrics_[static_cast<size_t>(work.kind)];
  double seconds = static_cast<double>(work.duration_ns) / 1e9;
  metrics.seconds->Record(seconds, tracer_ != nullptr ? TraceWork(tracer_, id_, work) : "",
                          clock_->NowNs());
  static constexpr std::string_view kDone[] = {"flushed the head to a block", "merged blocks",
                                               "deleted expired blocks"};
  static constexpr std::string_view kFailed[] = {"a flush failed", "a merge failed",
                                                 "deleting expired blocks failed"};
  size_t kind = static_cast<size_t>(work.kind);
  if (work.status) {
    Log(work.kind == Kind::kRetention ? LogLevel::kInfo : LogLevel::kDebug, "store", kDone[kind],
        {{"exporter", id_},
         {"tenant", work.tenant},
         {"inputs", work.inputs},
         {"spans", work.spans},
         {"bytes", work.bytes},
         {"level", work.level},
         {"took_s", seconds}});
  } else if (work.status.error().code != ErrorCode::kCancelled) {
    metrics.failures->Add();
    Log(LogLevel::kError, "store", kFailed[kind],
        {{"exporter", id_},
         {"tenant", work.tenant},
         {"inputs", work.inputs},
         {"code", ErrorCodeName(work.status.error().code)},
         {"error", work.status.error().message}});
  }
}

void StoreExporter::Report(MetricsScrape* scrape) {
  ReportStore(id_, store_->stats(), scrape);
  Labels labels = {{"exporter", id_}};
  if (Result<uint64_t> free = env_->FreeBytes(settings_.directory))
    scrape->Gauge("weft_store_disk_free_bytes", "Free space where the data lies.", labels,
                  static_cast<double>(*free));
  scrape->Gauge("weft_store_head_max_bytes", "Over it nothing is taken until a flush.", labels,
                static_cast<double>(ToStoreConfig(settings_).head_bytes_max));
  scrape->Gauge("weft_store_disk_free_min_bytes", "Below it nothing is taken.", labels,
                static_cast<double>(ToStoreConfig(settings_).free_bytes_min));
}

Status StoreExporter::Admit(uint64_t bytes) { return store_->Admit(bytes); }

void StoreExporter::Consume(pipeline::SharedSpans batch, pipeline::Ack ack) {
  pipeline::Outcome taken;
  if (std::ranges::any_of(batch->logs, [](const LogRecord& log) { return log.trace_id.empty(); })) {
    SpanBatch& edited = batch.Edit();
    taken.rejected = RejectTracelessLogs(&edited);
    taken.message = kNoTrace;
    CountDroppedLogs(metrics_, "exporter", "no_trace", taken.rejected);
    if (edited.empty()) return ack.Complete(std::move(taken));
  }
  store_->Append(std::move(batch).Take(),
                 [ack = std::move(ack), taken = std::move(taken)](Status status) mutable {
                   taken.status = std::move(status);
                   ack.Complete(std::move(taken));
                 });
}

void StoreExporter::Consume(pipeline::SharedMetrics batch, pipeline::Ack ack) {
  const uint64_t points = batch->point_count();
  CountDroppedMetricPoints(metrics_, "exporter", "no_metrics_store", points);
  ack.Complete(
      {.status = {}, .rejected = points, .message = points == 0 ? "" : std::string(kNoMetrics)});
}

std::string StoreExporter::WhyNotReady() const {
  if (store_ == nullptr) return "";
  const store::StoreStats stats = store_->stats();
  return stats.read_only ? "the store takes nothing: " + stats.read_only_reason : "";
}

namespace {

// Levels that are shown even while they are empty: a store that is full has three.
constexpr size_t kLevelsShown = 4;

void ReportLevels(const std::string& id, const store::StoreStats& stats, MetricsScrape* scrape) {
  for (size_t i = 0; i < std::max(kLevelsShown, stats.levels.size()); ++i) {
    store::StoreLevelStats level =
        i < stats.levels.size() ? stats.levels[i] : store::StoreLevelStats();
    std::string number = std::to_string(i);
    Labels labels = {{"exporter", id}, {"level", number}};
    scrape->Gauge("weft_store_blocks", "Blocks, by how often their rows were merged.", labels,
                  static_cast<double>(level.blocks));
    scrape->Gauge("weft_store_block_bytes", "Bytes of blocks.", labels,
                  static_cast<double>(level.bytes));
    scrape->Gauge("weft_store_block_spans", "Spans in blocks.", labels,
                  static_cast<double>(level.spans));
  }
}

}  // namespace

void ReportStore(const std::string& id, const store::StoreStats& stats, MetricsScrape* scrape) {
  ReportLevels(id, stats, scrape);
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
      {"weft_store_delayed_batches_total",
       "Batches whose answer was held back, so that senders slow down before they are refused.",
       number(stats.delayed_batches)},
      {"weft_store_wal_bytes_total", "Bytes written to the log.", number(stats.wal_bytes)},
      {"weft_store_flushes_total", "Head flushes to a block.", number(stats.flushes)},
      {"weft_store_compactions_total", "Merges of blocks.", number(stats.compactions)},
      {"weft_store_blocks_expired_total", "Blocks deleted by retention.",
       number(stats.blocks_expired)},
      {"weft_store_duplicate_spans_removed_total", "Exact duplicates removed by compaction.",
       number(stats.duplicate_spans_removed)},
      {"weft_store_failed_block_reads_total",
       "Reads of blocks that failed: wrong checksums and I/O errors.",
       number(stats.failed_block_reads)},
      {"weft_store_scrubbed_bytes_total", "Bytes of blocks read to check them.",
       number(stats.scrubbed_bytes)},
      {"weft_store_page_cache_hits_total", "Pages found in the cache.",
       number(stats.page_cache_hits)},
      {"weft_store_page_cache_misses_total", "Pages read from disk.",
       number(stats.page_cache_misses)},
  };
  for (const Row& row : kCounters) scrape->Counter(row.name, row.help, labels, row.value);
  const Row kGauges[] = {
      {"weft_store_head_bytes", "Memory of the head.", number(stats.head_bytes)},
      {"weft_store_head_spans", "Spans in the head.", number(stats.head_spans)},
      {"weft_store_head_chunks", "Chunks of the head.", number(stats.head_chunks)},
      {"weft_store_unmerged_blocks", "Blocks that wait to be merged, of the tenant with most.",
       number(stats.unmerged_blocks)},
      {"weft_store_unmerged_blocks_max", "Over it nothing is taken.",
       number(stats.unmerged_blocks_max)},
      {"weft_store_wal_segments", "Files of the log.", number(stats.wal_segments)},
      {"weft_store_wal_queued_bytes", "Bytes that wait for the next sync.",
       number(stats.wal_queued_bytes)},
      {"weft_store_page_cache_bytes", "Memory of the page cache.", number(stats.page_cache_bytes)},
      {"weft_store_recovered_spans", "Spans replayed from the log at start.",
       number(stats.recovered_spans)},
      {"weft_store_recovery_seconds", "What the replay took.", number(stats.recovery_ns) / 1e9},
      {"weft_store_torn_tail_bytes", "Bytes cut off the log's end at start.",
       number(stats.torn_tail_bytes)},
      {"weft_store_quarantined_files", "Corrupt files moved to quarantine since the start.",
       number(stats.quarantined_files)},
      {"weft_store_damaged_blocks", "Blocks that cannot be read, or not all of them.",
       number(stats.damaged_blocks)},
      {"weft_store_scrub_round_bytes", "Bytes of the check of all blocks under way; 0: none.",
       number(stats.scrub_round_bytes)},
      {"weft_store_scrub_round_done_bytes", "Bytes of it that are done.",
       number(stats.scrub_round_done_bytes)},
      {"weft_store_scrub_last_end_timestamp_seconds", "When the last check of all blocks ended.",
       number(stats.scrub_last_end_ns) / 1e9},
      {"weft_store_scrub_last_damaged_blocks", "Damaged blocks that it found.",
       number(stats.scrub_last_damaged_blocks)},
      {"weft_store_read_only", "1 when the store takes nothing: see /api/weft/v1/status.",
       stats.read_only ? 1.0 : 0.0},
  };
  for (const Row& row : kGauges) scrape->Gauge(row.name, row.help, labels, row.value);
}

const pipeline::ComponentRow kStoreExporter = {
    .type = {.kind = config::ComponentKind::kExporter,
             .name = "store",
             .summary = "keeps spans and log records on disk, where queries find them",
             .stability = config::Stability::kStable,
             .signals = config::kAllSignals,
             .read = ReadStoreSettings,
             .role = config::kStoreRole,
             .directory =
                 [](std::any* settings) {
                   return &std::any_cast<StoreSettings>(settings)->directory;
                 }},
    .make_exporter = [](const config::Component& component,
                        const pipeline::Deps& deps) -> Result<std::unique_ptr<pipeline::Exporter>> {
      return std::make_unique<StoreExporter>(component.id, *component.As<StoreSettings>(), deps);
    },
    .memory = [](const config::Component& component) -> pipeline::MemoryNeed {
      const store::StoreConfig store = ToStoreConfig(*component.As<StoreSettings>());
      // The block that is written holds about what it is written from.
      return {.head = store.head_bytes_max,
              .flushes = store.flush_bytes,
              .page_cache = store.page_cache_bytes};
    }};

}  // namespace weft::exporter

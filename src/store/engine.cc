// SPDX-License-Identifier: Apache-2.0
#include "store/engine.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "store/served_store.h"
#include "store/wal_batch.h"

namespace weft::store {
namespace {

constexpr uint64_t kSpaceCheckNs = 500'000'000;
// Deleting a block, and what a merge under way may hide, is then a small part of the limit.
constexpr uint64_t kBlocksOfLimit = 20;
constexpr uint32_t kRetryHeadSeconds = 1;
constexpr uint32_t kRetrySpaceSeconds = 5;
// How often the threads look at the clock by themselves.
constexpr auto kFlusherPause = std::chrono::milliseconds(500);
constexpr auto kCompactorPause = std::chrono::seconds(10);
constexpr uint32_t kCompactorsMax = 8;

std::unexpected<Error> Refuse(ErrorCode code, std::string message, uint32_t retry_after_s) {
  return Fail(Error{code, std::move(message), retry_after_s});
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(Env* env, Clock* clock, StoreConfig config) {
  auto engine = std::make_unique<Engine>(env, clock, std::move(config));
  WEFT_TRY(engine->Recover());
  return engine;
}

Engine::Engine(Env* env, Clock* clock, StoreConfig config)
    : env_(env),
      clock_(clock),
      config_(std::move(config)),
      retention_age_ns_(config_.retention_age_ns),
      retention_bytes_(config_.retention_bytes),
      cache_(block::NewPageCache(config_.page_cache_bytes, config_.memory.budget,
                                 config_.memory.page_cache)),
      damage_(std::make_shared<DamageLog>(config_.observer)) {}

Engine::~Engine() { Close(); }

Status Engine::Writable() const {
  if (config_.read_only) return Fail(ErrorCode::kUnavailable, "the store is open read-only");
  if (manifest_failed_) {
    return Fail(ErrorCode::kUnavailable, "the manifest failed, the store is read-only");
  }
  return wal_ == nullptr ? Status() : wal_->status();
}

Status Engine::Admit(uint64_t bytes) {
  const Status space = CheckSpace();
  WEFT_TRY(Writable());
  WEFT_TRY(space);
  // A single request may be large; it must not find the door shut for ever.
  const uint64_t wanted = head_bytes_ + std::min(bytes, config_.head_bytes_max / 4);
  if (wanted > config_.head_bytes_max) {
    return Refuse(ErrorCode::kUnavailable, "the store's head is full, a flush is under way",
                  kRetryHeadSeconds);
  }
  if (unmerged_blocks_ > config_.level0_blocks_max) {
    return Refuse(ErrorCode::kUnavailable, "too many blocks wait to be merged", kRetryHeadSeconds);
  }
  return {};
}

uint64_t Engine::AnswerDelay() const {
  // Without threads of its own nothing gets better by waiting.
  if (!config_.background) return 0;
  const uint64_t flush_bytes = FlushBytes(), blocks = config_.level0_blocks_max;
  const uint64_t head_free =
      flush_bytes + (config_.head_bytes_max - std::min(flush_bytes, config_.head_bytes_max)) / 2;
  return AnswerDelayNs({head_bytes_, config_.head_bytes_max, head_free},
                       {unmerged_blocks_, blocks, UnmergedInPeace()});
}

void Engine::LookAtSpace() {
  if (config_.read_only) return;
  const uint64_t now = clock_->MonotonicNs();
  const uint64_t checked = space_checked_ns_;
  if (checked == 0 || now - checked >= kSpaceCheckNs) {
    space_checked_ns_ = std::max<uint64_t>(now, 1);
    auto free = env_->FreeBytes(config_.directory);
    if (free) {
      // Resumes only well above the mark where it stopped.
      const uint64_t needed =
          config_.free_bytes_min + (low_space_ ? config_.free_bytes_min / 2 : 0);
      low_space_ = *free < needed;
    }
  }
}

Status Engine::CheckSpace() {
  LookAtSpace();
  if (!config_.background) WEFT_TRY(ResumeIfFull());
  if (!low_space_) return {};
  return Refuse(ErrorCode::kNoSpace,
                "the disk is nearly full: nothing is taken until space is back",
                kRetrySpaceSeconds);
}

Status Engine::ResumeIfFull() {
  if (wal_ == nullptr || low_space_ || wal_->failed_for_good()) return {};
  return wal_->status() ? Status() : wal_->Resume();
}

void Engine::Append(SpanBatch batch, Completion done) {
  if (batch.empty()) return done({});
  if (Status writable = Writable(); !writable) return done(std::move(writable));
  const std::string_view name = CanonicalTenant(batch.tenant);
  if (name.size() > kTenantBytesMax) {
    return done(Fail(ErrorCode::kInvalidArgument,
                     "a tenant's name is at most " + std::to_string(kTenantBytesMax) + " bytes"));
  }
  if (batch.received_ns == 0) batch.received_ns = clock_->NowNs();
  if (const uint64_t delay = AnswerDelay(); delay > 0) {
    const auto due = std::chrono::steady_clock::now() + std::chrono::nanoseconds(delay);
    ++delayed_batches_;
    done = [this, due, answer = std::move(done)](Status status) mutable {
      status ? delayed_answers_.Add(due, std::move(answer)) : answer(std::move(status));
    };
  }
  Wal::Entry entry{batch.received_ns,
                   static_cast<uint32_t>(batch.spans.size() + batch.logs.size()),
                   std::string(name),
                   {},
                   std::move(done)};
  if (wal_ != nullptr) {
    auto payload = EncodeWalBatch(batch);
    if (!payload) return entry.done(Fail(payload.error()));
    entry.payload = std::move(*payload);
  }
  const uint64_t payload_bytes = entry.payload.size();
  Wal::Record record = Wal::MakeRecord(std::move(entry));
  auto sequence = AppendToHead(TenantOf(name), batch, &record);
  if (!sequence) return record.entry().done(Fail(sequence.error()));
  appended_spans_ += batch.spans.size();
  appended_logs_ += batch.logs.size();
  appended_bytes_ += payload_bytes;
  if (wal_ == nullptr) record.entry().done({});
  if (head_bytes_ >= FlushBytes() && !flush_wanted_.exchange(true)) {
    // Who is about to wait must not miss it.
    {
      std::lock_guard lock(wake_mutex_);
    }
    wake_flusher_.notify_one();
  }
}

Result<uint64_t> Engine::AppendToHead(Tenant& tenant, const SpanBatch& batch, Wal::Record* record) {
  const uint64_t now_ns = clock_->MonotonicNs();
  OpenChunks::Open* open = tenant.open.Take(batch.spans.size() + batch.logs.size());
  OpenChunks::ChunkOf(open).Append(batch);
  auto sequence =
      tenant.open.Place(open, {batch.received_ns, now_ns}, [this, record]() -> Result<Wal::Place> {
        if (wal_ != nullptr) return wal_->Enqueue(*record);
        const uint64_t next = memory_sequence_++;
        return Wal::Place{next, next};
      });
  if (wal_ != nullptr && sequence) wal_->Wake();
  return sequence;
}

void Engine::SealHead(Tenant& tenant) {
  std::lock_guard seal(tenant.seal_mutex);
  std::vector<TenantHead::Part> parts = tenant.open.Seal();
  std::lock_guard view(tenant.view_mutex);
  if (!parts.empty()) {
    tenant.head.Add(std::move(parts));
    ViewChanged(tenant);
  }
  tenant.open.Published();
}

uint64_t Engine::BlockBytesMax() const { return retention_bytes_ / kBlocksOfLimit; }

uint64_t Engine::FlushBytes() const {
  const uint64_t limit = BlockBytesMax();
  return limit == 0 ? config_.flush_bytes : std::min(config_.flush_bytes, limit);
}

uint64_t Engine::Acknowledged() const {
  return wal_ != nullptr ? wal_->acknowledged_sequence() : memory_sequence_ - 1;
}

void Engine::CutBack(uint64_t durable) {
  for (Tenant* tenant : AllTenants()) {
    std::lock_guard seal(tenant->seal_mutex);
    tenant->open.CutBack(durable);
    std::lock_guard view(tenant->view_mutex);
    const uint64_t before = tenant->head.bytes();
    // Reading rows back from memory cannot fail for a reason outside the program.
    WEFT_CHECK(tenant->head.CutBack(durable));
    head_bytes_ += tenant->head.bytes() - before;
    ViewChanged(*tenant);
  }
}

std::shared_ptr<const Snapshot> Engine::TakeSnapshot(std::string_view name) {
  Tenant* tenant = FindTenant(CanonicalTenant(name));
  if (tenant == nullptr) {
    return std::make_shared<StoreSnapshot>(std::vector<StoreSnapshot::HeadChunk>(), Blocks(),
                                           std::make_shared<SplitTraces>(), config_.clock_rule);
  }
  for (;;) {
    const uint64_t epoch = wal_ != nullptr ? wal_->epoch() : 0;
    std::vector<StoreSnapshot::HeadChunk> chunks;
    Blocks blocks;
    std::shared_ptr<const SplitTraces> splits;
    uint64_t last = 0, version = 0, losses = 0;
    SealHead(*tenant);
    {
      std::lock_guard lock(tenant->view_mutex);
      if (tenant->snapshot != nullptr) return tenant->snapshot;
      for (const TenantHead::Part& part : tenant->head.parts()) {
        for (const TenantHead::PartChunk& in : part.chunks)
          chunks.push_back({in.chunk, {in.first_sequence, in.last_sequence}});
        last = part.last_sequence;
      }
      blocks.assign(tenant->blocks.rbegin(), tenant->blocks.rend());
      splits = tenant->splits;
      version = tenant->view_version;
      losses = tenant->losses;
    }
    if (wal_ != nullptr && !wal_->WaitAcknowledged(last, epoch)) continue;
    if (!config_.background && flush_mutex_.try_lock()) {
      std::lock_guard lock(flush_mutex_, std::adopt_lock);
      [[maybe_unused]] const Status merged = MergeParts(*tenant);
    }
    auto snapshot = std::make_shared<const StoreSnapshot>(
        std::move(chunks), std::move(blocks), std::move(splits), config_.clock_rule, losses);
    std::lock_guard lock(tenant->view_mutex);
    if (tenant->view_version == version) tenant->snapshot = snapshot;
    return snapshot;
  }
}

void Engine::ViewChanged(Tenant& tenant) {
  ++tenant.view_version;
  tenant.snapshot.reset();
}

Tenant* Engine::FindTenant(std::string_view name) {
  std::lock_guard lock(tenants_mutex_);
  const auto it = tenants_.find(name);
  return it == tenants_.end() ? nullptr : it->second.get();
}

Tenant& Engine::TenantOf(std::string_view name) {
  std::lock_guard lock(tenants_mutex_);
  const auto it = tenants_.find(name);
  if (it != tenants_.end()) return *it->second;
  auto tenant = std::make_unique<Tenant>(std::string(name), Path(TenantDirectory(name)),
                                         FlushBytes(), &head_bytes_);
  return *tenants_.emplace(std::string(name), std::move(tenant)).first->second;
}

std::vector<Tenant*> Engine::AllTenants() {
  std::lock_guard lock(tenants_mutex_);
  std::vector<Tenant*> all;
  for (const auto& [name, tenant] : tenants_) all.push_back(tenant.get());
  return all;
}

std::vector<std::string> Engine::tenants() {
  std::lock_guard lock(tenants_mutex_);
  std::vector<std::string> names;
  for (const auto& [name, tenant] : tenants_) names.push_back(name);
  return names;
}

StoreStats Engine::stats() {
  StoreStats stats;
  {
    std::lock_guard lock(stats_mutex_);
    stats = stats_;
  }
  stats.appended_spans = appended_spans_;
  stats.appended_logs = appended_logs_;
  stats.appended_bytes = appended_bytes_;
  for (Tenant* tenant : AllTenants()) {
    std::lock_guard lock(tenant->view_mutex);
    const OpenChunks::Held open = tenant->open.held();
    stats.head_spans += tenant->head.span_count() + open.spans;
    stats.head_chunks += tenant->head.chunk_count() + open.chunks;
    for (const auto& live : tenant->blocks) {
      ++stats.blocks;
      stats.block_bytes += live->meta().bytes;
      stats.block_spans += live->meta().spans;
      stats.level0_blocks += live->meta().level == 0;
      stats.damaged_blocks += !live->whole();
      if (live->meta().level >= stats.levels.size()) stats.levels.resize(live->meta().level + 1);
      StoreLevelStats& level = stats.levels[live->meta().level];
      ++level.blocks;
      level.bytes += live->meta().bytes;
      level.spans += live->meta().spans;
    }
  }
  stats.head_bytes = head_bytes_;
  stats.unmerged_blocks = unmerged_blocks_;
  stats.unmerged_blocks_max = config_.level0_blocks_max;
  stats.delayed_batches = delayed_batches_;
  if (wal_ != nullptr) {
    const WalStats wal = wal_->stats();
    stats.wal_syncs = wal.syncs;
    stats.wal_sync_ns = wal.sync_ns;
    stats.wal_bytes = wal.bytes;
    stats.wal_segments = wal.segments;
    stats.wal_queued_bytes = wal.queued_bytes;
  }
  const block::PageCacheStats cache = block::Stats(*cache_);
  stats.page_cache_hits = cache.hits;
  stats.page_cache_misses = cache.misses;
  stats.page_cache_bytes = cache.bytes;
  stats.damage = damage_->sentences();
  stats.failed_block_reads = damage_->failed_reads();
  stats.quarantined_files = damage_->quarantined();
  // Nobody may have sent anything yet.
  LookAtSpace();
  Status usable = Writable();
  if (usable && low_space_) usable = Fail(ErrorCode::kNoSpace, "the disk is nearly full");
  stats.read_only = !usable;
  if (!usable) stats.read_only_reason = usable.error().message;
  return stats;
}

Status Engine::Observe(StoreWork::Kind kind, const Tenant& tenant, uint64_t inputs,
                       const std::function<Status(StoreWork*)>& work) {
  StoreWork done;
  done.kind = kind;
  done.tenant = tenant.name;
  done.inputs = inputs;
  done.start_ns = clock_->NowNs();
  const uint64_t began = clock_->MonotonicNs();
  done.status = work(&done);
  done.duration_ns = clock_->MonotonicNs() - began;
  if (config_.observer != nullptr) config_.observer->OnWork(done);
  return done.status;
}

void Engine::StartThreads() {
  if (!config_.background || config_.read_only) return;
  flusher_ = std::thread([this] { RunFlusher(); });
  delayed_answers_.Start();
  const uint32_t compactors = std::clamp(config_.processors / 2, 2u, kCompactorsMax);
  for (uint32_t i = 0; i < compactors; ++i) {
    compactors_.emplace_back([this, i] { RunCompactor(i); });
  }
  if (config_.scrub_bytes_per_s > 0) scrubber_ = std::thread([this] { RunScrubber(); });
}

void Engine::RunFlusher() {
  while (!stopping_) {
    {
      std::unique_lock lock(wake_mutex_);
      wake_flusher_.wait_for(lock, kFlusherPause, [&] { return flush_wanted_ || stopping_; });
      flush_wanted_ = false;
    }
    if (stopping_) return;
    // Errors here end in the store's state (read-only, full) or leave the head as it was, to be
    // flushed by the next round; Admit() tells the senders.
    [[maybe_unused]] const Status space = CheckSpace();
    [[maybe_unused]] const Status resumed = ResumeIfFull();
    std::lock_guard lock(flush_mutex_);
    // What fails for one tenant does not hold up the others.
    for (Tenant* tenant : AllTenants()) {
      [[maybe_unused]] const Status merged = MergeParts(*tenant);
    }
    for (Tenant* tenant : TenantsToFlush()) {
      if (stopping_) return;
      const Status flushed = FlushTenant(*tenant);
      if (!flushed && flushed.error().code == ErrorCode::kNoSpace) break;
    }
  }
}

void Engine::RunCompactor(uint32_t number) {
  CompactionLimits limits = LimitsOfMerges();
  if (number == 0) limits.level_max = 0;
  uint64_t wanted = 0;
  uint64_t retention_ns = clock_->MonotonicNs();
  uint64_t age_ns = retention_age_ns_, bytes = retention_bytes_;
  constexpr uint64_t kRetentionEveryNs = 60ull * 1'000'000'000;
  while (!stopping_) {
    {
      std::unique_lock lock(wake_mutex_);
      wake_compactor_.wait_for(lock, kCompactorPause,
                               [&] { return compacts_wanted_ != wanted || stopping_; });
      wanted = compacts_wanted_;
    }
    // Two merges at once take twice the memory: one thread merges level 0 while that is enough.
    if (number != 0) limits.level_min = unmerged_blocks_ > UnmergedInPeace() ? 0 : 1;
    while (!stopping_ && CompactOnce(limits)) {
      // What was merged may be what another compactor waits for.
      std::lock_guard lock(wake_mutex_);
      ++compacts_wanted_;
      wake_compactor_.notify_all();
    }
    if (stopping_) return;
    if (number != 0) continue;
    const bool changed = age_ns != retention_age_ns_ || bytes != retention_bytes_;
    if (!changed && clock_->MonotonicNs() - retention_ns < kRetentionEveryNs) continue;
    retention_ns = clock_->MonotonicNs();
    age_ns = retention_age_ns_;
    bytes = retention_bytes_;
    [[maybe_unused]] const Status enforced = EnforceRetentionNow();
  }
}

void Engine::SetRetention(uint64_t age_ns, uint64_t bytes) {
  retention_age_ns_ = age_ns;
  retention_bytes_ = bytes;
  std::lock_guard lock(wake_mutex_);
  ++compacts_wanted_;
  wake_compactor_.notify_all();
}

// There is no other kind of store.
void ChangeRetention(Store* store, uint64_t age_ns, uint64_t bytes) {
  static_cast<Engine*>(store)->SetRetention(age_ns, bytes);
}

void Engine::Close() {
  std::lock_guard closing(close_mutex_);
  if (closed_) return;
  closed_ = true;
  {
    std::lock_guard lock(wake_mutex_);
    stopping_ = true;
  }
  wake_flusher_.notify_all();
  wake_compactor_.notify_all();
  wake_scrubber_.notify_all();
  if (flusher_.joinable()) flusher_.join();
  for (std::thread& compactor : compactors_) compactor.join();
  compactors_.clear();
  if (scrubber_.joinable()) scrubber_.join();
  if (wal_ != nullptr) {
    wal_->Close();
    // A log that later ends before this was damaged. Without it, it would look like a torn tail.
    ManifestEdit edit;
    edit.logged_through = wal_->synced_sequence();
    std::lock_guard commit(commit_mutex_);
    [[maybe_unused]] const Status noted = Commit(edit);
  }
  delayed_answers_.Stop();
  lock_.reset();
  damage_->Detach();
}

}  // namespace weft::store

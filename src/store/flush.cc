// SPDX-License-Identifier: Apache-2.0
//
// Engine's way from the head to blocks, and the commit that both flushes and merges end in.
#include <algorithm>

#include "block/block_writer.h"
#include "store/engine.h"

namespace weft::store {
namespace {

// Live log segments over which the tenant that holds the oldest of them is flushed, however little
// it has: it keeps all of them from being freed.
constexpr uint64_t kLogSegmentsMax = 6;
constexpr uint32_t kTracesPerRead = 1024;

}  // namespace

std::string Engine::PathOfBlock(const std::string& tenant, const BlockName& name) const {
  return Path(TenantDirectory(tenant)) + "/" + BlockFileName(name);
}

std::vector<Tenant*> Engine::TenantsToFlush() {
  struct Candidate {
    Tenant* tenant;
    uint64_t bytes;
    uint64_t born_ns;
    uint64_t first_sequence;
  };
  std::vector<Candidate> candidates;
  for (Tenant* tenant : AllTenants()) {
    std::lock_guard lock(tenant->view_mutex);
    const OpenChunks::Held open = tenant->open.held();
    const uint64_t bytes = open.bytes + tenant->head.bytes();
    if (!tenant->head.parts().empty()) {
      const TenantHead::Part& part = tenant->head.parts().front();
      candidates.push_back({tenant, bytes, part.born_ns, part.first_sequence});
    } else if (open.chunks > 0) {
      candidates.push_back({tenant, bytes, open.born_ns, open.first_sequence});
    }
  }
  if (candidates.empty()) return {};
  const uint64_t now = clock_->MonotonicNs();
  std::vector<Tenant*> chosen;
  if (wal_ != nullptr && wal_->segment_count() > kLogSegmentsMax) {
    chosen.push_back(std::ranges::min(candidates, {}, &Candidate::first_sequence).tenant);
  }
  // The largest first, until what is left is well below the mark.
  std::ranges::sort(candidates, std::greater(), &Candidate::bytes);
  uint64_t left = head_bytes_;
  const uint64_t flush_bytes = FlushBytes();
  const bool over = left >= flush_bytes;
  for (const Candidate& candidate : candidates) {
    const bool large = over && left >= flush_bytes / 2;
    const bool old = now - candidate.born_ns >= config_.flush_age_ns;
    if (!large && !old) continue;
    left -= std::min(left, candidate.bytes);
    if (std::ranges::find(chosen, candidate.tenant) == chosen.end()) {
      chosen.push_back(candidate.tenant);
    }
  }
  return chosen;
}

Status Engine::MergeParts(Tenant& tenant) {
  for (;;) {
    const uint64_t acknowledged = Acknowledged();
    std::pair<size_t, size_t> run;
    std::vector<TenantHead::Part> parts;
    {
      std::lock_guard lock(tenant.view_mutex);
      run = tenant.head.MergeRun(acknowledged, FlushBytes());
      if (run.first == run.second) return {};
      parts.assign(tenant.head.parts().begin() + static_cast<ptrdiff_t>(run.first),
                   tenant.head.parts().begin() + static_cast<ptrdiff_t>(run.second));
    }
    WEFT_ASSIGN(TenantHead::Part merged, TenantHead::Merge(parts));
    std::lock_guard lock(tenant.view_mutex);
    for (const TenantHead::Part& part : parts) head_bytes_ -= part.bytes;
    head_bytes_ += merged.bytes;
    // Flushes, the only others that take parts away, hold flush_mutex_ as this does; a cut back
    // leaves acknowledged parts alone.
    tenant.head.ReplaceParts(run.first, run.second, std::move(merged));
    ViewChanged(tenant);
  }
}

Status Engine::FlushNow() {
  if (config_.read_only) return Writable();
  std::lock_guard lock(flush_mutex_);
  for (Tenant* tenant : AllTenants()) WEFT_TRY(FlushTenant(*tenant));
  return {};
}

Result<std::vector<TenantHead::Part>> Engine::SealAndWait(Tenant& tenant) {
  for (;;) {
    const uint64_t epoch = wal_ != nullptr ? wal_->epoch() : 0;
    std::vector<TenantHead::Part> parts;
    SealHead(tenant);
    {
      std::lock_guard lock(tenant.view_mutex);
      parts = tenant.head.parts();
    }
    if (parts.empty() || wal_ == nullptr) return parts;
    WEFT_ASSIGN(const bool synced, wal_->WaitSynced(parts.back().last_sequence, epoch));
    if (synced) return parts;
  }
}

Status Engine::FlushTenant(Tenant& tenant) {
  if (manifest_failed_) return Writable();
  WEFT_ASSIGN(const std::vector<TenantHead::Part> parts, SealAndWait(tenant));
  const uint64_t limit = BlockBytesMax();
  for (size_t first = 0, end; first < parts.size(); first = end) {
    uint64_t bytes = parts[first].bytes;
    for (end = first + 1; end < parts.size(); ++end) {
      bytes += parts[end].bytes;
      if (limit != 0 && bytes > limit) break;
    }
    const auto some = std::span(parts).subspan(first, end - first);
    WEFT_TRY(Observe(StoreWork::Kind::kFlush, tenant, some.size(),
                     [&](StoreWork* work) { return FlushParts(tenant, some, work); }));
    // What fails is tried again at the next flush, and by the clock.
    [[maybe_unused]] const Status expired = ExpireBlocks({0, retention_bytes_});
  }
  return {};
}

Status Engine::FlushParts(Tenant& tenant, std::span<const TenantHead::Part> parts,
                          StoreWork* work) {
  if (!tenant.directory_made) {
    WEFT_TRY(env_->MakeDirs(tenant.directory));
    WEFT_TRY(env_->SyncDir(config_.directory));
    tenant.directory_made = true;
  }
  std::vector<std::shared_ptr<const segment::Segment>> sources;
  MemoryCharge memory;  // what is written from the head is about as large as that
  if (config_.memory.flushes != nullptr) memory = config_.memory.flushes->TakeAnyway(0);
  for (const TenantHead::Part& part : parts) {
    for (const TenantHead::PartChunk& in : part.chunks) sources.push_back(in.chunk);
    memory.Add(part.bytes);
  }
  BlockMeta meta;
  meta.tenant = tenant.name;
  meta.name = {next_block_++, parts.front().first_sequence, parts.back().last_sequence};
  WEFT_ASSIGN(
      const std::shared_ptr<LiveBlock> live,
      WriteLiveBlock(tenant, sources, std::move(meta), [this] { return stopping_.load(); }));
  work->spans = live->meta().spans;
  work->logs = live->meta().logs;
  work->bytes = live->meta().bytes;
  Blocks others;
  {
    std::lock_guard lock(tenant.view_mutex);
    others = tenant.blocks;
  }
  // Those that are known to be split are looked for too: a merge that commits before this flush may
  // bring their other parts together, and would then take them for whole.
  auto splits = FindSplits(others, SplitTraces(), *live->segment());
  if (!splits) {
    live->RemoveWhenUnused();
    return Fail(splits.error());
  }
  WEFT_TRY(CommitFlush(tenant, live, parts.size(), *splits));
  std::lock_guard lock(wake_mutex_);
  ++compacts_wanted_;
  wake_compactor_.notify_all();
  return {};
}

Result<std::shared_ptr<LiveBlock>> Engine::WriteLiveBlock(
    Tenant& tenant, std::span<const std::shared_ptr<const segment::Segment>> sources,
    BlockMeta meta, std::function<bool()> cancelled) {
  const std::string path = PathOfBlock(tenant.name, meta.name);
  const std::string temporary = TemporaryName(path);
  block::WriteBlockOptions options;
  options.group_rows = config_.block_group_rows;
  options.clock_rule = config_.clock_rule;
  options.cancelled = std::move(cancelled);
  if (meta.level > 0) options.hold = HoldLargeTraces();
  auto summary = block::WriteBlock(env_, temporary, sources, options);
  if (!summary) {
    // It may be gone already; if it stays, the next open removes it.
    [[maybe_unused]] const Status removed = env_->Remove(temporary);
    return Fail(summary.error());
  }
  WEFT_TRY(env_->Rename(temporary, path));
  WEFT_TRY(env_->SyncDir(tenant.directory));
  meta.bytes = summary->bytes;
  meta.spans = summary->spans;
  meta.logs = summary->logs;
  meta.traces = summary->traces;
  meta.start_min_ns = summary->start_min_ns;
  meta.start_max_ns = summary->start_max_ns;
  meta.received_min_ns = summary->received_min_ns;
  meta.received_max_ns = summary->received_max_ns;
  meta.file_checksum = summary->file_checksum;
  meta.summary_checksum = summary->summary_checksum;
  auto live = LiveBlock::Open(env_, path, std::move(meta), cache_, damage_, config_.clock_rule);
  if (!live->readable()) {
    live->RemoveWhenUnused();
    return Fail(ErrorCode::kCorruption, live->problem());
  }
  std::lock_guard lock(stats_mutex_);
  stats_.duplicate_spans_removed += summary->duplicate_spans;
  return live;
}

Result<std::vector<TraceId>> Engine::FindSplits(const Blocks& others, const SplitTraces& known,
                                                const segment::Segment& fresh) const {
  std::vector<TraceId> splits;
  std::vector<segment::TraceEntry> entries;
  for (uint32_t first = 0; first < fresh.trace_count(); first += kTracesPerRead) {
    entries.resize(std::min(kTracesPerRead, fresh.trace_count() - first));
    WEFT_TRY(fresh.ReadTraces(first, entries));
    for (const segment::TraceEntry& entry : entries) {
      if (known.Contains(entry.id)) continue;
      const bool elsewhere = std::ranges::any_of(others, [&](const auto& live) {
        return live->segment().get() != &fresh && live->MayHold(entry.id);
      });
      if (elsewhere) splits.push_back(entry.id);
    }
  }
  return splits;
}

uint64_t Engine::FirstSequenceNeeded(const Tenant& flushed, uint64_t flushed_through) {
  // Taken first: whatever is appended while the tenants are looked at comes after it.
  uint64_t needed = Acknowledged() + 1;
  for (Tenant* tenant : AllTenants()) {
    std::lock_guard lock(tenant->view_mutex);
    for (const TenantHead::Part& part : tenant->head.parts()) {
      if (tenant == &flushed && part.last_sequence <= flushed_through) continue;
      needed = std::min(needed, part.first_sequence);
    }
    const OpenChunks::Held open = tenant->open.held();
    if (open.chunks > 0) needed = std::min(needed, open.first_sequence);
  }
  return needed;
}

Status Engine::Commit(const ManifestEdit& edit) {
  if (manifest_ == nullptr) WEFT_TRY(StartManifest());
  Status status = manifest_->Commit(edit);
  if (!status && status.error().code != ErrorCode::kNoSpace) manifest_failed_ = true;
  return status;
}

Status Engine::CommitFlush(Tenant& tenant, const std::shared_ptr<LiveBlock>& live,
                           size_t part_count, const std::vector<TraceId>& splits) {
  const uint64_t through = live->meta().name.last_sequence;
  uint64_t freed = 0;
  {
    std::lock_guard commit(commit_mutex_);
    ManifestEdit edit;
    edit.added.push_back(live->meta());
    edit.flushed_through.emplace_back(tenant.name, through);
    for (const TraceId& id : splits) edit.split.push_back({tenant.name, id});
    edit.next_block = next_block_;
    if (wal_ != nullptr) {
      edit.blocks_hold_below = FirstSequenceNeeded(tenant, through);
      freed = wal_->FreeableThrough(edit.blocks_hold_below);
      edit.wal_freed_through = freed;
      edit.logged_through = wal_->synced_sequence();
    }
    if (Status status = Commit(edit); !status) {
      // Not committed and not to be found: the next flush covers its rows. If the manifest may hold
      // it after all, it stays.
      if (status.error().code == ErrorCode::kNoSpace) live->RemoveWhenUnused();
      return status;
    }
    SplitTraces::Set ids = tenant.splits->ids();
    ids.insert(splits.begin(), splits.end());
    std::lock_guard view(tenant.view_mutex);
    for (size_t i = 0; i < part_count; ++i) head_bytes_ -= tenant.head.parts()[i].bytes;
    tenant.head.RemoveFirst(part_count);
    tenant.blocks.push_back(live);
    ++tenant.blocks_version;
    tenant.splits = std::make_shared<SplitTraces>(std::move(ids));
    ViewChanged(tenant);
  }
  CountBlocks();
  {
    std::lock_guard lock(stats_mutex_);
    ++stats_.flushes;
  }
  return freed == 0 ? Status() : wal_->Free(freed, Path("quarantine"));
}

void Engine::CountBlocks() {
  uint64_t most = 0;
  for (Tenant* tenant : AllTenants()) {
    std::vector<CompactionCandidate> candidates;
    std::lock_guard lock(tenant->view_mutex);
    for (const auto& live : tenant->blocks) candidates.push_back(CandidateOf(*live));
    most = std::max<uint64_t>(most, UnmergedBlocks(candidates, LimitsOfMerges()));
  }
  unmerged_blocks_ = most;
}

}  // namespace weft::store

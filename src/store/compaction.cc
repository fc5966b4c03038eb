// SPDX-License-Identifier: Apache-2.0
//
// Engine's merges and retention: which is decided by store/compaction_plan.h and store/retention.h.
#include <algorithm>

#include "store/engine.h"

namespace weft::store {

CompactionLimits Engine::LimitsOfMerges() const {
  return {config_.block_spans_max, config_.block_values_max, config_.level0_blocks_max};
}

CompactionCandidate Engine::CandidateOf(const LiveBlock& live) {
  return {live.meta().level, live.meta().spans + uint64_t{live.meta().logs}, live.values(),
          live.readable()};
}

Status Engine::CompactNow(bool full) {
  if (config_.read_only) return Writable();
  std::lock_guard lock(compact_mutex_);
  // What fails for one tenant does not hold up the others.
  Status first_failure;
  for (Tenant* tenant : AllTenants()) {
    bool worked = true;
    while (worked && !stopping_) {
      Status status = CompactTenant(*tenant, full, &worked);
      if (!status && first_failure) first_failure = std::move(status);
    }
  }
  return first_failure;
}

Status Engine::CompactTenant(Tenant& tenant, bool full, bool* worked) {
  *worked = false;
  Blocks blocks;
  uint64_t version = 0;
  {
    std::lock_guard lock(tenant.view_mutex);
    blocks = tenant.blocks;
    version = tenant.blocks_version;
  }
  if (version == tenant.merge_failed_at_version) return {};
  std::vector<CompactionCandidate> candidates;
  for (const auto& live : blocks) candidates.push_back(CandidateOf(*live));
  const auto [first, last] = PickCompaction(candidates, LimitsOfMerges(), full);
  if (first == last) return {};
  const Blocks inputs(blocks.begin() + static_cast<ptrdiff_t>(first),
                      blocks.begin() + static_cast<ptrdiff_t>(last));
  if (!HasSpaceFor(inputs)) return {};
  const Status merged = Merge(tenant, inputs);
  *worked = merged.has_value();
  if (merged) return {};
  tenant.merge_failed_at_version = version;
  const ErrorCode code = merged.error().code;
  if (code == ErrorCode::kCorruption || code == ErrorCode::kIo) FindDamage(tenant, inputs);
  return merged;
}

bool Engine::HasSpaceFor(const Blocks& inputs) const {
  uint64_t bytes = config_.free_bytes_min;
  for (const auto& live : inputs) bytes += live->meta().bytes;
  const auto free = env_->FreeBytes(config_.directory);
  return free && *free >= bytes;
}

Status Engine::Merge(Tenant& tenant, const Blocks& inputs) {
  if (manifest_failed_) return Writable();
  return Observe(StoreWork::Kind::kCompaction, tenant, inputs.size(),
                 [&](StoreWork* work) { return MergeBlocks(tenant, inputs, work); });
}

Status Engine::MergeBlocks(Tenant& tenant, const Blocks& inputs, StoreWork* work) {
  BlockMeta meta;
  meta.tenant = tenant.name;
  meta.name = {next_block_++, inputs.front()->meta().name.first_sequence,
               inputs.back()->meta().name.last_sequence};
  std::vector<std::shared_ptr<const block::Segment>> sources;
  for (const auto& live : inputs) {
    sources.push_back(live->segment());
    meta.level = std::max(meta.level, live->meta().level + 1);
  }
  // Their names are away for good once the output's directory is synced. Only merges note them: a
  // tenant without merges has few.
  const std::vector<uint64_t> gone = tenant.removed->numbers();
  WEFT_ASSIGN(const std::shared_ptr<LiveBlock> output,
              WriteLiveBlock(tenant, sources, std::move(meta)));
  work->spans = output->meta().spans;
  work->logs = output->meta().logs;
  work->bytes = output->meta().bytes;
  work->level = output->meta().level;
  WEFT_TRY(CommitMerge(tenant, inputs, output, gone));
  tenant.removed->Forget(gone.size());
  CountBlocks();
  std::lock_guard lock(stats_mutex_);
  ++stats_.compactions;
  return {};
}

Status Engine::CommitMerge(Tenant& tenant, const Blocks& inputs,
                           const std::shared_ptr<LiveBlock>& output,
                           const std::vector<uint64_t>& gone) {
  std::lock_guard commit(commit_mutex_);
  // Only this and flushes change the blocks, all under the commit lock.
  Blocks blocks;
  for (const auto& live : tenant.blocks) {
    if (std::ranges::find(inputs, live) == inputs.end()) blocks.push_back(live);
  }
  blocks.push_back(output);
  std::ranges::sort(blocks, {}, [](const auto& live) { return live->meta().name.last_sequence; });
  ManifestEdit edit;
  edit.added.push_back(output->meta());
  for (const auto& live : inputs) edit.removed.push_back(live->meta().name.number);
  edit.gone = gone;
  edit.next_block = next_block_;
  SplitTraces::Set still = StillSplit(tenant, {output}, blocks, &edit);
  if (Status status = Commit(edit); !status) {
    if (status.error().code == ErrorCode::kNoSpace) output->RemoveWhenUnused();
    return status;
  }
  for (const auto& live : inputs) {
    if (config_.delete_source_after_merge) live->RemoveWhenUnused(tenant.removed);
  }
  std::lock_guard view(tenant.view_mutex);
  tenant.blocks = std::move(blocks);
  tenant.splits = std::make_shared<SplitTraces>(std::move(still));
  ++tenant.blocks_version;
  ViewChanged(tenant);
  return {};
}

// A merge or an expiry brings parts together or away, never apart: only traces in the blocks that
// changed can have become whole. Of many split traces these are few, and this runs under the commit
// lock.
SplitTraces::Set Engine::StillSplit(const Tenant& tenant, const Blocks& changed, const Blocks& left,
                                    ManifestEdit* edit) {
  SplitTraces::Set still;
  for (const TraceId& id : tenant.splits->ids()) {
    const auto holds = [&](const auto& live) { return live->MayHold(id); };
    if (std::ranges::none_of(changed, holds) || std::ranges::count_if(left, holds) > 1) {
      still.insert(id);
    } else {
      edit->whole.push_back({tenant.name, id});
    }
  }
  return still;
}

// Corrupt, or the disk does not give it back: merges must go on without it, or the blocks that wait
// for them pile up until the store takes nothing more.
void Engine::FindDamage(Tenant& tenant, const Blocks& inputs) {
  for (const auto& live : inputs) {
    const Status verified = block::VerifyBlock(env_, live->path());
    if (verified) continue;
    // That it does not even open says more about this process than about the file.
    const bool unread =
        verified.error().code == ErrorCode::kIo && env_->OpenRead(live->path()).has_value();
    if (verified.error().code != ErrorCode::kCorruption && !unread) continue;
    live->MarkDamaged();
    ReportDamage(verified.error().message);
    std::lock_guard lock(tenant.view_mutex);
    ++tenant.blocks_version;
    ViewChanged(tenant);
  }
  CountBlocks();
}

Status Engine::EnforceRetentionNow() {
  if (config_.read_only) return Writable();
  std::lock_guard lock(compact_mutex_);
  struct Owned {
    Tenant* tenant;
    std::shared_ptr<LiveBlock> live;
  };
  std::vector<Owned> all;
  std::vector<RetentionCandidate> candidates;
  for (Tenant* tenant : AllTenants()) {
    std::lock_guard view(tenant->view_mutex);
    for (const auto& live : tenant->blocks) {
      all.push_back({tenant, live});
      candidates.push_back({live->meta().received_max_ns, live->meta().bytes});
    }
  }
  const RetentionLimits limits{config_.retention_age_ns, config_.retention_bytes};
  std::map<Tenant*, Blocks> expired;
  for (const size_t i : PickExpired(candidates, limits, trusted_clock_->NowNs())) {
    expired[all[i].tenant].push_back(all[i].live);
  }
  for (const auto& [owner, blocks] : expired) {
    Tenant& tenant = *owner;
    WEFT_TRY(Observe(StoreWork::Kind::kRetention, tenant, blocks.size(),
                     [&](StoreWork*) { return RemoveBlocks(tenant, blocks); }));
  }
  if (!expired.empty()) CountBlocks();
  return {};
}

Status Engine::RemoveBlocks(Tenant& tenant, const Blocks& expired) {
  std::lock_guard commit(commit_mutex_);
  ManifestEdit edit;
  for (const auto& live : expired) edit.removed.push_back(live->meta().name.number);
  Blocks left;
  for (const auto& live : tenant.blocks) {
    if (std::ranges::find(expired, live) == expired.end()) left.push_back(live);
  }
  SplitTraces::Set still = StillSplit(tenant, expired, left, &edit);
  WEFT_TRY(Commit(edit));
  {
    std::lock_guard view(tenant.view_mutex);
    for (const auto& live : expired) live->RemoveWhenUnused(tenant.removed);
    tenant.blocks = std::move(left);
    tenant.splits = std::make_shared<SplitTraces>(std::move(still));
    ++tenant.blocks_version;
    ViewChanged(tenant);
  }
  std::lock_guard lock(stats_mutex_);
  stats_.blocks_expired += expired.size();
  return {};
}

}  // namespace weft::store

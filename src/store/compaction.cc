// SPDX-License-Identifier: Apache-2.0
//
// Engine's merges and retention: which is decided by store/compaction_plan.h and store/retention.h.
#include <algorithm>

#include "store/engine.h"

namespace weft::store {

CompactionLimits Engine::LimitsOfMerges() const {
  return {config_.block_spans_max, config_.level0_blocks_max};
}

Status Engine::CompactNow(bool full) {
  if (config_.read_only) return Writable();
  std::lock_guard lock(compact_mutex_);
  for (Tenant* tenant : AllTenants()) {
    bool worked = true;
    while (worked && !stopping_) WEFT_TRY(CompactTenant(*tenant, full, &worked));
  }
  return {};
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
  for (const auto& live : blocks) {
    candidates.push_back(
        {live->meta().level, live->meta().spans + uint64_t{live->meta().logs}, live->readable()});
  }
  const auto [first, last] = PickCompaction(candidates, LimitsOfMerges(), full);
  if (first == last) return {};
  const Blocks inputs(blocks.begin() + static_cast<ptrdiff_t>(first),
                      blocks.begin() + static_cast<ptrdiff_t>(last));
  if (!HasSpaceFor(inputs)) return {};
  const Status merged = Merge(tenant, inputs);
  *worked = merged.has_value();
  if (merged) return {};
  tenant.merge_failed_at_version = version;
  if (merged.error().code == ErrorCode::kCorruption) FindDamage(tenant, inputs);
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
  BlockMeta meta;
  meta.tenant = tenant.name;
  meta.name = {next_block_++, inputs.front()->meta().name.first_sequence,
               inputs.back()->meta().name.last_sequence};
  std::vector<std::shared_ptr<const block::Segment>> sources;
  for (const auto& live : inputs) {
    sources.push_back(live->segment());
    meta.level = std::max(meta.level, live->meta().level + 1);
  }
  WEFT_ASSIGN(const std::shared_ptr<LiveBlock> output,
              WriteLiveBlock(tenant, sources, std::move(meta)));
  WEFT_TRY(CommitMerge(tenant, inputs, output));
  CountBlocks();
  std::lock_guard lock(stats_mutex_);
  ++stats_.compactions;
  return {};
}

Status Engine::CommitMerge(Tenant& tenant, const Blocks& inputs,
                           const std::shared_ptr<LiveBlock>& output) {
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
  edit.next_block = next_block_;
  // A merge brings parts together and never apart: the traces that are split can only become fewer.
  SplitTraces::Set still;
  for (const TraceId& id : tenant.splits->ids()) {
    size_t parts = 0;
    for (const auto& live : blocks) {
      if (live->segment() == nullptr) continue;
      const auto rows = live->segment()->FindTrace(id);
      parts += !rows || !rows->spans.empty() || !rows->logs.empty();
    }
    if (parts > 1) {
      still.insert(id);
    } else {
      edit.whole.push_back({tenant.name, id});
    }
  }
  if (Status status = Commit(edit); !status) {
    if (status.error().code == ErrorCode::kNoSpace) output->RemoveWhenUnused();
    return status;
  }
  for (const auto& live : inputs) {
    if (config_.delete_source_after_merge) live->RemoveWhenUnused();
  }
  std::lock_guard view(tenant.view_mutex);
  tenant.blocks = std::move(blocks);
  tenant.splits = std::make_shared<SplitTraces>(std::move(still));
  ++tenant.blocks_version;
  ViewChanged(tenant);
  return {};
}

void Engine::FindDamage(Tenant& tenant, const Blocks& inputs) {
  for (const auto& live : inputs) {
    const Status verified = block::VerifyBlock(env_, live->path());
    if (verified || verified.error().code != ErrorCode::kCorruption) continue;
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
  for (const auto& [tenant, blocks] : expired) WEFT_TRY(RemoveBlocks(*tenant, blocks));
  if (!expired.empty()) CountBlocks();
  return {};
}

Status Engine::RemoveBlocks(Tenant& tenant, const Blocks& expired) {
  std::lock_guard commit(commit_mutex_);
  ManifestEdit edit;
  for (const auto& live : expired) edit.removed.push_back(live->meta().name.number);
  WEFT_TRY(Commit(edit));
  {
    std::lock_guard view(tenant.view_mutex);
    for (const auto& live : expired) {
      live->RemoveWhenUnused();
      std::erase(tenant.blocks, live);
    }
    ++tenant.blocks_version;
    ViewChanged(tenant);
  }
  std::lock_guard lock(stats_mutex_);
  stats_.blocks_expired += expired.size();
  return {};
}

}  // namespace weft::store

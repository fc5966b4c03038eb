// SPDX-License-Identifier: Apache-2.0
//
// Engine's ways to let blocks go: retention (store/retention.h decides which) and forgetting.
#include <algorithm>

#include "store/engine.h"

namespace weft::store {

std::vector<Engine::Owned> Engine::AllBlocks() {
  std::vector<Owned> all;
  for (Tenant* tenant : AllTenants()) {
    std::lock_guard view(tenant->view_mutex);
    for (const auto& live : tenant->blocks) all.push_back({tenant, live});
  }
  return all;
}

Status Engine::EnforceRetentionNow() {
  if (config_.read_only) return Writable();
  return ExpireBlocks({retention_age_ns_, retention_bytes_});
}

// Inputs of a merge under way neither count nor go: their rows are being written anew, and what is
// written counts when the merge is over. They are a block's worth at most.
Status Engine::ExpireBlocks(const RetentionLimits& limits) {
  std::lock_guard lock(retention_mutex_);
  std::vector<Owned> all;
  std::vector<RetentionCandidate> candidates;
  for (Owned& owned : AllBlocks()) {
    if (std::ranges::find(merging_, owned.live) != merging_.end()) continue;
    candidates.push_back({owned.live->meta().received_max_ns, owned.live->meta().bytes});
    all.push_back(std::move(owned));
  }
  std::map<Tenant*, Blocks> expired;
  for (const size_t i : PickExpired(candidates, limits, trusted_clock_->NowNs())) {
    expired[all[i].tenant].push_back(all[i].live);
  }
  for (const auto& [owner, blocks] : expired) {
    Tenant& tenant = *owner;
    WEFT_TRY(Observe(StoreWork::Kind::kRetention, tenant, blocks.size(),
                     [&](StoreWork*) { return RemoveBlocks(tenant, blocks); }));
    std::lock_guard stats(stats_mutex_);
    stats_.blocks_expired += blocks.size();
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
  std::lock_guard view(tenant.view_mutex);
  for (const auto& live : expired) {
    live->RemoveWhenUnused(tenant.removed);
    damage_->Forget(live->meta().name.number);
  }
  tenant.losses += expired.size();
  tenant.blocks = std::move(left);
  tenant.splits = std::make_shared<SplitTraces>(std::move(still));
  ++tenant.blocks_version;
  ViewChanged(tenant);
  return {};
}

std::vector<StoredBlock> Engine::blocks() {
  std::vector<StoredBlock> out;
  for (const Owned& owned : AllBlocks()) {
    const BlockMeta& meta = owned.live->meta();
    out.push_back({meta.tenant, owned.live->path(), meta.name.number, meta.spans, meta.logs,
                   meta.traces, meta.bytes, meta.start_min_ns, meta.start_max_ns,
                   owned.live->problem()});
  }
  return out;
}

Status Engine::ForgetBlock(uint64_t number) {
  if (config_.read_only) return Writable();
  const std::vector<Owned> all = AllBlocks();
  const auto owned =
      std::ranges::find(all, number, [](const Owned& one) { return one.live->meta().name.number; });
  if (owned == all.end()) {
    return Fail(ErrorCode::kInvalidArgument, "there is no block " + std::to_string(number));
  }
  const std::shared_ptr<LiveBlock> live = owned->live;
  Tenant& tenant = *owned->tenant;
  WEFT_TRY(ScrubBlock(tenant, live, [this](uint64_t) { return !stopping_; }));
  if (live->whole()) {
    return Fail(ErrorCode::kInvalidArgument,
                live->path() +
                    ": all of it can be read, there is nothing to forget; old blocks go "
                    "by retention");
  }
  const std::unique_lock merges = StopMerges();
  std::lock_guard expiries(retention_mutex_);
  // First the file: a death in between leaves a block that is missing, to be forgotten again.
  if (env_->Exists(live->path())) WEFT_TRY(QuarantineBlock(tenant.name, live->meta().name));
  WEFT_TRY(RemoveBlocks(tenant, {live}));
  CountBlocks();
  return {};
}

}  // namespace weft::store

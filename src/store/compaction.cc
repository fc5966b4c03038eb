// SPDX-License-Identifier: Apache-2.0
//
// Engine's merges: which is decided by store/compaction_plan.h.
#include <algorithm>
#include <chrono>
#include <limits>

#include "store/engine.h"

namespace weft::store {
namespace {
// How long a merge waits for memory that others hold.
constexpr std::chrono::seconds kMemoryWaitMax{2};
}  // namespace

std::unique_lock<std::mutex> Engine::StopMerges() {
  ++stops_wanted_;
  std::unique_lock lock(compact_mutex_);
  merge_ended_.wait(lock, [&] { return merges_under_way_ == 0; });
  --stops_wanted_;
  return lock;
}

CompactionLimits Engine::LimitsOfMerges() const {
  const uint64_t bytes_max = BlockBytesMax();
  return {config_.block_spans_max, config_.block_values_max, config_.level0_blocks_max,
          bytes_max == 0 ? std::numeric_limits<uint64_t>::max() : bytes_max};
}

CompactionCandidate Engine::CandidateOf(const LiveBlock& live) {
  return {live.meta().level, live.meta().spans + uint64_t{live.meta().logs}, live.values(),
          live.whole(), live.meta().bytes};
}

Status Engine::CompactNow(bool full) {
  if (config_.read_only) return Writable();
  const std::unique_lock lock = StopMerges();
  const CompactionLimits limits = LimitsOfMerges();
  // What fails for one tenant does not hold up the others.
  Status first_failure;
  for (Tenant* tenant : AllTenants()) {
    for (;;) {
      PlannedMerge plan = PlanMerge(*tenant, limits, full);
      if (plan.inputs.empty()) break;
      Status status = RunMerge(*tenant, plan, false);
      if (status) continue;
      if (first_failure) first_failure = std::move(status);
      break;
    }
  }
  return first_failure;
}

bool Engine::CompactOnce(const CompactionLimits& limits) {
  bool any = false;
  for (Tenant* tenant : AllTenants()) {
    PlannedMerge plan;
    {
      std::lock_guard lock(compact_mutex_);
      plan = PlanMerge(*tenant, limits, false);
      if (plan.inputs.empty()) continue;
      ++merges_under_way_;
    }
    // A failed merge leaves its inputs, and is tried again after a change.
    const Status merged = RunMerge(*tenant, plan, true);
    std::lock_guard lock(compact_mutex_);
    --merges_under_way_;
    merge_ended_.notify_all();
    // Memory that others hold is there later, and not at once.
    any = any || merged || merged.error().code != ErrorCode::kUnavailable;
  }
  return any;
}

Engine::PlannedMerge Engine::PlanMerge(Tenant& tenant, const CompactionLimits& limits, bool full) {
  if (stopping_) return {};
  std::lock_guard lock(retention_mutex_);
  std::lock_guard view(tenant.view_mutex);
  PlannedMerge plan;
  plan.version = tenant.blocks_version;
  if (plan.version == tenant.merge_failed_at_version) return {};
  std::vector<CompactionCandidate> candidates;
  for (const auto& live : tenant.blocks) {
    candidates.push_back(CandidateOf(*live));
    candidates.back().readable &= std::ranges::find(merging_, live) == merging_.end();
  }
  const auto [first, last] = PickCompaction(candidates, limits, full);
  const auto begin = tenant.blocks.begin();
  const Blocks inputs(begin + static_cast<ptrdiff_t>(first), begin + static_cast<ptrdiff_t>(last));
  if (inputs.empty() || !HasSpaceFor(inputs)) return {};
  plan.inputs = inputs;
  merging_.insert(merging_.end(), inputs.begin(), inputs.end());
  return plan;
}

Status Engine::RunMerge(Tenant& tenant, const PlannedMerge& plan, bool paced) {
  // Without it the inputs stay for the next round.
  const Result<MemoryCharge> memory = MemoryFor(plan.inputs);
  Status merged = memory ? Merge(tenant, plan.inputs, paced) : Fail(memory.error());
  {
    std::lock_guard lock(retention_mutex_);
    std::erase_if(merging_, [&](const auto& live) {
      return std::ranges::find(plan.inputs, live) != plan.inputs.end();
    });
    if (memory && !merged) tenant.merge_failed_at_version = plan.version;
  }
  // Its output counts where its inputs did not.
  [[maybe_unused]] const Status expired = ExpireBlocks({0, retention_bytes_});
  if (merged) return {};
  const ErrorCode code = merged.error().code;
  if (code == ErrorCode::kCorruption || code == ErrorCode::kIo) FindDamage(tenant, plan.inputs);
  return merged;
}

bool Engine::HasSpaceFor(const Blocks& inputs) const {
  uint64_t bytes = config_.free_bytes_min;
  for (const auto& live : inputs) bytes += live->meta().bytes;
  for (const auto& live : merging_) bytes += live->meta().bytes;
  const auto free = env_->FreeBytes(config_.directory);
  return free && *free >= bytes;
}

Result<MemoryCharge> Engine::MemoryFor(const Blocks& inputs) const {
  // Dictionaries of all inputs, the group at hand of each, and what is being written.
  constexpr uint64_t kBytesPerValue = 16, kBytesPerInput = 1 << 20, kBytesOfOutput = 8 << 20;
  if (config_.memory.merges == nullptr) return MemoryCharge();
  uint64_t bytes = kBytesOfOutput;
  for (const auto& live : inputs) bytes += kBytesPerInput + live->values() * kBytesPerValue;
  Result<MemoryCharge> memory = config_.memory.merges->Wait(
      std::min(bytes, config_.memory.merges->bytes_max()), kMemoryWaitMax);
  // Soon nothing would be taken for want of merges: the others make room.
  if (!memory && unmerged_blocks_ > UnmergedInPeace())
    return config_.memory.merges->TakeAnyway(bytes);
  return memory;
}

// What the largest trace of a merge holds, beside MemoryFor(). Counted in the end whether it fits
// or not, so that others make room: blocks that are never merged would pile up.
std::function<void(uint64_t bytes)> Engine::HoldLargeTraces() const {
  MemoryAccount* const merges = config_.memory.merges;
  if (merges == nullptr) return nullptr;
  auto held = std::make_shared<MemoryCharge>(merges->TakeAnyway(0));
  return [merges, held](uint64_t bytes) {
    const uint64_t more = bytes - std::min(bytes, held->bytes());
    Result<MemoryCharge> room = merges->Wait(more, kMemoryWaitMax);
    if (!room) room = merges->TakeBeyond(more);
    if (room) room->Release();
    held->Settle(bytes);
  };
}

Status Engine::Merge(Tenant& tenant, const Blocks& inputs, bool paced) {
  if (manifest_failed_) return Writable();
  return Observe(StoreWork::Kind::kCompaction, tenant, inputs.size(),
                 [&](StoreWork* work) { return MergeBlocks(tenant, inputs, paced, work); });
}

std::function<bool()> Engine::PacedMerge() {
  auto pace = std::make_shared<MergePace>(appended_items(), clock_->MonotonicNs());
  return [this, pace, merged = uint64_t{0}]() mutable {
    merged += config_.block_group_rows;
    const uint64_t pause = pace->PauseNs(merged, appended_items(), clock_->MonotonicNs());
    if (pause > 0 && stops_wanted_ == 0 && unmerged_blocks_ <= UnmergedInPeace()) {
      std::unique_lock lock(wake_mutex_);
      wake_compactor_.wait_for(lock, std::chrono::nanoseconds(pause),
                               [&] { return stopping_ || stops_wanted_ > 0; });
    }
    pace->Resumed(clock_->MonotonicNs());
    return stopping_.load();
  };
}

Status Engine::MergeBlocks(Tenant& tenant, const Blocks& inputs, bool paced, StoreWork* work) {
  BlockMeta meta;
  meta.tenant = tenant.name;
  meta.name = {next_block_++, inputs.front()->meta().name.first_sequence,
               inputs.back()->meta().name.last_sequence};
  std::vector<std::shared_ptr<const segment::Segment>> sources;
  for (const auto& live : inputs) {
    sources.push_back(live->segment());
    meta.level = std::max(meta.level, live->meta().level + 1);
  }
  // Their names are away for good once the output's directory is synced. Only merges note them: a
  // tenant without merges has few.
  const std::vector<uint64_t> gone = tenant.removed->numbers();
  WEFT_ASSIGN(const std::shared_ptr<LiveBlock> output,
              WriteLiveBlock(
                  tenant, sources, std::move(meta),
                  paced ? PacedMerge() : [this] { return stopping_.load(); }));
  work->spans = output->meta().spans;
  work->logs = output->meta().logs;
  work->bytes = output->meta().bytes;
  work->level = output->meta().level;
  WEFT_TRY(CommitMerge(tenant, inputs, output, gone));
  tenant.removed->Forget(gone);
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
  for (const auto& live : inputs) live->RemoveWhenUnused(tenant.removed);
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
    [[maybe_unused]] const Status checked =
        ScrubBlock(tenant, live, [this](uint64_t) { return !stopping_; });
  }
  CountBlocks();
}

}  // namespace weft::store

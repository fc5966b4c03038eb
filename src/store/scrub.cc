// SPDX-License-Identifier: Apache-2.0
//
// Engine's scrub: every block is read whole, paced, so that damage is found before somebody needs
// what it hides, and what was damaged and has been put right is taken back.
#include <algorithm>
#include <chrono>

#include "store/engine.h"

namespace weft::store {
namespace {

constexpr auto kScrubberPause = std::chrono::seconds(10);

}  // namespace

void Engine::BlockChanged(Tenant& tenant) {
  std::lock_guard lock(tenant.view_mutex);
  ++tenant.blocks_version;
  ViewChanged(tenant);
}

Status Engine::ScrubBlock(Tenant& tenant, const std::shared_ptr<LiveBlock>& live,
                          const std::function<bool(uint64_t bytes)>& may_read) {
  block::VerifyOptions options;
  if (live->identity().summary_checksum != 0) options.expected = live->identity();
  options.may_read = [&](uint64_t bytes) { return !live->removed() && may_read(bytes); };
  const block::BlockVerdict verdict = block::VerifyBlock(env_, live->path(), options);
  if (!verdict.status && verdict.status.error().code == ErrorCode::kCancelled) {
    return live->removed() ? Status() : verdict.status;
  }
  // Beside a server: it has merged the block away.
  const bool merged_away =
      config_.read_only && live->segment() != nullptr && !env_->Exists(live->path());
  if (live->removed() || merged_away) return {};
  const bool was_whole = live->whole(), was_readable = live->readable();
  if (verdict.status) {
    // One without segment is opened anew by ReopenUnreadable().
    if (live->segment() != nullptr) live->health().Heal();
  } else {
    const Error& error = verdict.status.error();
    // That it does not even open says more about this process than about the file that it has open.
    const bool unopened = error.code != ErrorCode::kCorruption && live->segment() != nullptr &&
                          env_->Exists(live->path()) && !env_->OpenRead(live->path());
    if (unopened) return verdict.status;
    if (verdict.is_whole_file) live->health().Distrust();
    live->health().NoteDamage(error);
  }
  if (was_whole != live->whole() || was_readable != live->readable()) BlockChanged(tenant);
  return {};
}

Status Engine::ReopenUnreadable() {
  Status first_failure;
  for (const Owned& owned : AllBlocks()) {
    if (owned.live->segment() != nullptr || stopping_) continue;
    Status reopened = Reopen(*owned.tenant, owned.live);
    if (!reopened && first_failure) first_failure = std::move(reopened);
  }
  return first_failure;
}

// Its traces may have parts elsewhere that nobody could know of.
Status Engine::Reopen(Tenant& tenant, const std::shared_ptr<LiveBlock>& unreadable) {
  const auto quiet = std::make_shared<DamageLog>(nullptr);
  if (!LiveBlock::Open(env_, unreadable->path(), unreadable->meta(), cache_, quiet,
                       config_.clock_rule)
           ->readable()) {
    return {};
  }
  const std::unique_lock merges = StopMerges();
  std::lock_guard expiries(retention_mutex_);
  std::lock_guard commit(commit_mutex_);
  const auto live = LiveBlock::Open(env_, unreadable->path(), unreadable->meta(), cache_, damage_,
                                    config_.clock_rule);
  const auto at = std::ranges::find(tenant.blocks, unreadable);
  if (!live->readable() || at == tenant.blocks.end()) return {};
  ManifestEdit edit;
  edit.added.push_back(live->meta());
  SplitTraces::Set ids = tenant.splits->ids();
  WEFT_ASSIGN(const std::vector<TraceId> splits,
              FindSplits(tenant.blocks, *tenant.splits, *live->segment()));
  for (const TraceId& id : splits) {
    edit.split.push_back({tenant.name, id});
    ids.insert(id);
  }
  WEFT_TRY(Commit(edit));
  {
    std::lock_guard view(tenant.view_mutex);
    *at = live;
    tenant.splits = std::make_shared<SplitTraces>(std::move(ids));
    ++tenant.blocks_version;
    ViewChanged(tenant);
  }
  live->health().Heal();
  return {};
}

Status Engine::ScrubRound(const std::function<bool(uint64_t bytes)>& may_read) {
  std::lock_guard scrub(scrub_mutex_);
  if (!config_.read_only) WEFT_TRY(ReopenUnreadable());
  const std::vector<Owned> all = AllBlocks();
  {
    std::lock_guard lock(stats_mutex_);
    stats_.scrub_round_done_bytes = stats_.scrub_round_bytes = 0;
    for (const Owned& owned : all) stats_.scrub_round_bytes += owned.live->meta().bytes;
  }
  const auto count = [&](uint64_t bytes) {
    if (stopping_ || !may_read(bytes)) return false;
    std::lock_guard lock(stats_mutex_);
    stats_.scrubbed_bytes += bytes;
    return true;
  };
  Status first_failure;
  uint64_t damaged = 0;
  for (const Owned& owned : all) {
    Status checked = ScrubBlock(*owned.tenant, owned.live, count);
    if (!checked && checked.error().code == ErrorCode::kCancelled) return checked;
    if (!checked && first_failure) first_failure = std::move(checked);
    damaged += !owned.live->whole() && !owned.live->removed();
    std::lock_guard lock(stats_mutex_);
    stats_.scrub_round_done_bytes += owned.live->meta().bytes;
  }
  std::lock_guard lock(stats_mutex_);
  stats_.scrub_round_done_bytes = stats_.scrub_round_bytes = 0;
  stats_.scrub_last_end_ns = clock_->NowNs();
  stats_.scrub_last_damaged_blocks = damaged;
  return first_failure;
}

Status Engine::ScrubNow() {
  return ScrubRound([](uint64_t) { return true; });
}

void Engine::RunScrubber() {
  const auto pause = [this](std::chrono::nanoseconds time) {
    std::unique_lock lock(wake_mutex_);
    wake_scrubber_.wait_for(lock, time, [&] { return stopping_.load(); });
    return !stopping_;
  };
  const auto paced = [&](uint64_t bytes) {
    const double seconds =
        static_cast<double>(bytes) / static_cast<double>(config_.scrub_bytes_per_s);
    return pause(std::chrono::nanoseconds(static_cast<int64_t>(seconds * 1e9)));
  };
  uint64_t began_ns = 0;
  bool first = true;
  while (pause(kScrubberPause)) {
    const uint64_t now = clock_->MonotonicNs();
    if (!first && now - began_ns < config_.scrub_interval_ns) {
      // What a full table of files or a disk that was away hid comes back by itself.
      [[maybe_unused]] const Status reopened = ReopenUnreadable();
      continue;
    }
    first = false;
    began_ns = now;
    // A check that could not be made is made in the next round.
    [[maybe_unused]] const Status checked = ScrubRound(paced);
  }
}

}  // namespace weft::store

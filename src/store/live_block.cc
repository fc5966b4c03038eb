// SPDX-License-Identifier: Apache-2.0
#include "store/live_block.h"

#include <algorithm>
#include <tuple>

namespace weft::store {

void RemovedBlocks::Add(uint64_t number) {
  std::lock_guard lock(mutex_);
  numbers_.push_back(number);
}

std::vector<uint64_t> RemovedBlocks::numbers() const {
  std::lock_guard lock(mutex_);
  return numbers_;
}

void RemovedBlocks::Forget(const std::vector<uint64_t>& numbers) {
  std::lock_guard lock(mutex_);
  std::erase_if(numbers_, [&](uint64_t number) {
    return std::ranges::find(numbers, number) != numbers.end();
  });
}

void BlockHealth::NoteDamage(const Error& error) {
  const std::string what =
      error.message.starts_with(path_) ? error.message : path_ + ": " + error.message;
  {
    std::lock_guard lock(mutex_);
    if (problem_.empty()) problem_ = what;
  }
  damaged_ = true;
  log_->NoteBlock(number_, what + "; the file is left in place");
}

void BlockHealth::Heal() {
  {
    std::lock_guard lock(mutex_);
    problem_.clear();
  }
  damaged_ = distrusted_ = false;
  log_->Forget(number_);
}

std::string BlockHealth::problem() const {
  std::lock_guard lock(mutex_);
  return problem_;
}

BlockMeta DescribeBlock(const std::string& tenant, const BlockName& name,
                        const block::OpenedBlock& opened) {
  const segment::Segment& segment = *opened.segment;
  BlockMeta meta;
  meta.tenant = tenant;
  meta.name = name;
  meta.bytes = opened.identity.bytes;
  meta.summary_checksum = opened.identity.summary_checksum;
  meta.spans = segment.spans().row_count();
  meta.logs = segment.table(segment::TableId::kLogs).row_count();
  meta.traces = segment.trace_count();
  std::tie(meta.start_min_ns, meta.start_max_ns) = segment.time_range();
  std::tie(meta.received_min_ns, meta.received_max_ns) = segment.received_range();
  return meta;
}

LiveBlock::LiveBlock(Env* env, std::string path, BlockMeta meta, std::shared_ptr<DamageLog> log)
    : env_(env),
      path_(std::move(path)),
      meta_(std::move(meta)),
      health_(std::make_shared<BlockHealth>(meta_.name.number, path_, std::move(log))) {}

std::shared_ptr<LiveBlock> LiveBlock::Open(Env* env, const std::string& path, BlockMeta meta,
                                           std::shared_ptr<block::PageCache> cache,
                                           std::shared_ptr<DamageLog> log,
                                           const trace::ClockRule& rule) {
  std::shared_ptr<LiveBlock> live(new LiveBlock(env, path, std::move(meta), std::move(log)));
  auto opened = live->OpenFile(std::move(cache), rule);
  if (opened) {
    live->segment_ = std::move(opened->segment);
    live->values_ = live->segment_->distinct_values();
    return live;
  }
  live->health_->NoteDamage(opened.error());
  if (live->meta_.summary_checksum == 0) return live;
  // Damage elsewhere leaves what the filter refutes refuted.
  if (auto filter = block::ReadTraceFilter(env, path, live->identity())) {
    live->filter_ = std::move(*filter);
  }
  return live;
}

Result<block::OpenedBlock> LiveBlock::OpenFile(std::shared_ptr<block::PageCache> cache,
                                               const trace::ClockRule& rule) {
  WEFT_ASSIGN(block::OpenedBlock opened,
              block::OpenBlockWithIdentity(
                  env_, path_, std::move(cache),
                  [health = health_](const Error& error) { health->NoteDamage(error); }, rule));
  WEFT_TRY(CheckIdentity(opened));
  return opened;
}

Status LiveBlock::CheckIdentity(const block::OpenedBlock& opened) {
  BlockMeta found = DescribeBlock(meta_.tenant, meta_.name, opened);
  found.level = meta_.level;
  found.file_checksum = meta_.file_checksum;
  // A manifest of an earlier version knows all but the checksum.
  if (meta_.summary_checksum == 0) meta_.summary_checksum = found.summary_checksum;
  if (found == meta_) return {};
  return Fail(ErrorCode::kCorruption, path_ + ": this is not the block that was written here");
}

bool LiveBlock::MayHold(const TraceId& id) const {
  if (segment_ == nullptr) return false;
  const auto rows = segment_->FindTrace(id);
  return !rows || !rows->spans.empty() || !rows->logs.empty();
}

bool LiveBlock::Refutes(const TraceId& id) const {
  if (segment_ != nullptr) return !segment_->MayHold(id);
  return !filter_.empty() && !block::FilterMayHold(filter_, id);
}

void LiveBlock::RemoveWhenUnused(std::shared_ptr<RemovedBlocks> removed) {
  removed_ = std::move(removed);
  remove_ = true;
}

LiveBlock::~LiveBlock() {
  if (!remove_) return;
  segment_.reset();
  // A file that cannot be removed now is obsolete in the manifest: the next open removes it.
  const Status removed = env_->Remove(path_);
  if (removed && removed_ != nullptr) removed_->Add(meta_.name.number);
}

}  // namespace weft::store

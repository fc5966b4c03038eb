// SPDX-License-Identifier: Apache-2.0
#include "store/live_block.h"

namespace weft::store {

void RemovedBlocks::Add(uint64_t number) {
  std::lock_guard lock(mutex_);
  numbers_.push_back(number);
}

std::vector<uint64_t> RemovedBlocks::numbers() const {
  std::lock_guard lock(mutex_);
  return numbers_;
}

void RemovedBlocks::Forget(size_t count) {
  std::lock_guard lock(mutex_);
  numbers_.erase(numbers_.begin(), numbers_.begin() + static_cast<ptrdiff_t>(count));
}

std::shared_ptr<LiveBlock> LiveBlock::Open(Env* env, const std::string& path, BlockMeta meta,
                                           std::shared_ptr<block::PageCache> cache,
                                           const trace::ClockRule& rule) {
  std::shared_ptr<LiveBlock> live(new LiveBlock(env, path, std::move(meta)));
  auto segment = block::OpenBlock(env, path, std::move(cache), rule);
  if (segment) {
    live->segment_ = std::move(*segment);
    live->values_ = live->segment_->distinct_values();
  } else {
    live->problem_ = segment.error().message;
  }
  return live;
}

bool LiveBlock::MayHold(const TraceId& id) const {
  if (segment_ == nullptr) return false;
  const auto rows = segment_->FindTrace(id);
  return !rows || !rows->spans.empty() || !rows->logs.empty();
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

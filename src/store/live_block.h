// SPDX-License-Identifier: Apache-2.0
//
// LiveBlock: one block file of the store, opened, with what the manifest says of it. Snapshots
// share it; a block that was merged into another or has expired takes its file with it when the
// last snapshot that reads it lets go.
//
// Thread rule: immutable but for its health and one flag; any thread.
// Next: store/store_snapshot.h.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/env.h"
#include "block/block_reader.h"
#include "store/damage_log.h"
#include "store/manifest.h"

namespace weft::store {

// Blocks of one tenant whose files were removed, until the manifest has forgotten them too. Any
// thread.
class RemovedBlocks {
 public:
  void Add(uint64_t number);
  std::vector<uint64_t> numbers() const;
  void Forget(const std::vector<uint64_t>& numbers);

 private:
  mutable std::mutex mutex_;
  std::vector<uint64_t> numbers_;
};

// Whether a block can be trusted. Shared with its open file, whose reads may outlive the block.
class BlockHealth {
 public:
  BlockHealth(uint64_t number, std::string path, std::shared_ptr<DamageLog> log)
      : number_(number), path_(std::move(path)), log_(std::move(log)) {}

  void NoteDamage(const Error& error);
  // Nothing of its file is what was written: not to be read at all.
  void Distrust() { distrusted_ = true; }
  void Heal();
  bool damaged() const { return damaged_; }
  bool distrusted() const { return distrusted_; }
  // Why, in a sentence that begins with the path; empty while nothing is known.
  std::string problem() const;

 private:
  const uint64_t number_;
  const std::string path_;
  const std::shared_ptr<DamageLog> log_;
  std::atomic<bool> damaged_ = false;
  std::atomic<bool> distrusted_ = false;
  mutable std::mutex mutex_;
  std::string problem_;  // the first
};

class LiveBlock {
 public:
  // Never fails: a file that does not open, or is another than the manifest says, is a block
  // without segment, and says why. What the manifest does not know yet of the file is filled in.
  static std::shared_ptr<LiveBlock> Open(Env* env, const std::string& path, BlockMeta meta,
                                         std::shared_ptr<block::PageCache> cache,
                                         std::shared_ptr<DamageLog> log,
                                         const trace::ClockRule& rule);
  ~LiveBlock();

  const BlockMeta& meta() const { return meta_; }
  const std::string& path() const { return path_; }
  // Null when the file could not be opened.
  const std::shared_ptr<const segment::Segment>& segment() const { return segment_; }
  // Distinct values of its columns; 0 when it could not be opened.
  uint64_t values() const { return values_; }
  // Why it cannot be read, or what of it could not be; empty when nothing is known.
  std::string problem() const { return health_->problem(); }
  BlockHealth& health() const { return *health_; }
  block::BlockIdentity identity() const { return {meta_.bytes, meta_.summary_checksum}; }

  // The file goes when the last owner does. `removed`, if there is one, hears of it.
  void RemoveWhenUnused(std::shared_ptr<RemovedBlocks> removed = nullptr);
  bool removed() const { return remove_; }
  // Snapshots read what is readable; where a page of it is damaged, the others still answer.
  bool readable() const { return segment_ != nullptr && !health_->distrusted(); }
  // Merges take what is whole: a damaged block stays as it is.
  bool whole() const { return readable() && !health_->damaged(); }
  // False only where it holds nothing of the trace, or cannot be read.
  bool MayHold(const TraceId& id) const;
  // True: its filter, which is intact, says that it holds nothing of the trace.
  bool Refutes(const TraceId& id) const;

 private:
  LiveBlock(Env* env, std::string path, BlockMeta meta, std::shared_ptr<DamageLog> log);
  Result<block::OpenedBlock> OpenFile(std::shared_ptr<block::PageCache> cache,
                                      const trace::ClockRule& rule);
  Status CheckIdentity(const block::OpenedBlock& opened);

  Env* const env_;
  const std::string path_;
  BlockMeta meta_;  // immutable once opened
  const std::shared_ptr<BlockHealth> health_;
  std::shared_ptr<const segment::Segment> segment_;
  std::string filter_;  // of a file that does not open otherwise; empty: none
  uint64_t values_ = 0;
  std::atomic<bool> remove_ = false;
  std::shared_ptr<RemovedBlocks> removed_;  // written once, by an owner
};

// What a block's file says of itself.
BlockMeta DescribeBlock(const std::string& tenant, const BlockName& name,
                        const block::OpenedBlock& opened);

}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
//
// Engine: the Store. A batch goes encode -> a chunk that no other appender has -> log queue (one
// short lock per tenant, store/open_chunks.h) -> completion after the sync; a flush turns a
// tenant's sealed chunks into a block; a merge turns neighbouring blocks into one; retention drops
// blocks. Each of these ends in one manifest edit; the tenant's view changes in the same critical
// section. Locks, in the order they are taken (an append takes the last line's alone, and waits for
// nobody):
//   flush_mutex_, scrub_mutex_  one at a time of each
//   compact_mutex_        what to merge is chosen by one at a time; merges run side by side
//   retention_mutex_      one expiry at a time; which blocks merges under way read
//   commit_mutex_         the manifest and every change of a tenant's blocks
//   Tenant::seal_mutex    one at a time makes parts of the tenant's open chunks
//   Tenant::view_mutex    parts, blocks, split traces: what a snapshot copies
//   Tenant::open's own (the tenant's sequences grow under it), the log's own
// tenants_mutex_ guards the map alone and is held for nothing else.
// Next: engine.cc (append), recovery.cc, flush.cc, compaction.cc, expiry.cc, scrub.cc.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "store/compaction_plan.h"
#include "store/delayed_answers.h"
#include "store/live_block.h"
#include "store/manifest.h"
#include "store/merge_pace.h"
#include "store/open_chunks.h"
#include "store/retention.h"
#include "store/store.h"
#include "store/store_snapshot.h"
#include "store/tenant_head.h"
#include "store/wal.h"
#include "store/wal_replay.h"

namespace weft::store {

using Blocks = std::vector<std::shared_ptr<LiveBlock>>;

struct Tenant {
  Tenant(std::string tenant, std::string path, uint64_t part_bytes,
         std::atomic<uint64_t>* head_bytes)
      : name(std::move(tenant)), directory(std::move(path)), open(part_bytes, head_bytes) {}

  const std::string name;
  const std::string directory;
  OpenChunks open;
  std::mutex seal_mutex;
  std::mutex view_mutex;
  TenantHead head;
  Blocks blocks;  // oldest first, by sequence
  std::shared_ptr<const SplitTraces> splits = std::make_shared<SplitTraces>();
  std::shared_ptr<const StoreSnapshot> snapshot;  // of this very view; null when it changed since
  uint64_t view_version = 0;
  bool directory_made = false;           // under flush_mutex_
  uint64_t blocks_version = 1;           // of `blocks` alone, readability included
  uint64_t losses = 0;                   // blocks that left other than by a merge; under view_mutex
  uint64_t merge_failed_at_version = 0;  // under retention_mutex_: nothing to try until it changes
  const std::shared_ptr<RemovedBlocks> removed = std::make_shared<RemovedBlocks>();
};

class Engine final : public Store {
 public:
  Engine(Env* env, Clock* clock, StoreConfig config);
  ~Engine() override;
  // recovery.cc
  Status Recover();

  Status Admit(uint64_t bytes) override;
  void Append(SpanBatch batch, Completion done) override;
  std::shared_ptr<const Snapshot> TakeSnapshot(std::string_view tenant) override;
  std::vector<std::string> tenants() override;
  StoreStats stats() override;
  Status FlushNow() override;
  Status CompactNow(bool full) override;
  Status EnforceRetentionNow() override;
  Status ScrubNow() override;
  std::vector<StoredBlock> blocks() override;
  Status ForgetBlock(uint64_t number) override;
  void Close() override;
  void SetRetention(uint64_t age_ns, uint64_t bytes);

 private:
  // engine.cc
  Status Writable() const;
  // Asks the disk, now and then, how much it still takes.
  void LookAtSpace();
  Status CheckSpace();
  Status ResumeIfFull();
  Result<uint64_t> AppendToHead(Tenant& tenant, const SpanBatch& batch, Wal::Record* record);
  void CutBack(uint64_t durable);
  // Afterwards all that had its sequence before lies in parts.
  void SealHead(Tenant& tenant);
  Tenant* FindTenant(std::string_view name);
  Tenant& TenantOf(std::string_view name);
  std::vector<Tenant*> AllTenants();
  void ViewChanged(Tenant& tenant);  // REQUIRES: its view lock
  void CountBlocks();
  uint64_t Acknowledged() const;
  // No block is to be larger than this; 0: no limit.
  uint64_t BlockBytesMax() const;
  // Of the head, that become one block.
  uint64_t FlushBytes() const;
  // Runs `work`, which fills the rest in, and tells the observer.
  Status Observe(StoreWork::Kind kind, const Tenant& tenant, uint64_t inputs,
                 const std::function<Status(StoreWork*)>& work);
  void RunFlusher();
  // Number 0 merges level 0 alone, so that it never waits for a large merge; the others help it
  // when it falls behind.
  void RunCompactor(uint32_t number);
  uint64_t appended_items() const { return appended_spans_ + appended_logs_; }
  // Those of a merge under way, and as many that came since: up to here nobody has to hurry.
  uint64_t UnmergedInPeace() const {
    return std::max<uint64_t>(config_.level0_blocks_max / 2, 2 * kCompactionFanIn);
  }
  // How late the answer to what is taken now comes.
  uint64_t AnswerDelay() const;
  void StartThreads();

  // recovery.cc
  Status MakeDirectory();
  Status LoadManifest();
  Status LoadBlocks();
  Status LoadTenantBlocks(const std::string& name);
  Status AdoptOrphans(const std::string& tenant, std::vector<BlockName> orphans);
  Status OpenLog();
  Status ReplayLog(WalReplayReport* report);
  Status ReplayRecord(const WalRecord& record);
  Status SyncRecovered(const WalReplayReport& report);
  Status StartManifest();
  bool RecomputeSplits();  // false: a block could not be looked into
  bool OpensAsItself(const BlockMeta& meta) const;
  Status QuarantineBlock(const std::string& tenant, const BlockName& name);

  // flush.cc
  std::vector<Tenant*> TenantsToFlush();
  Status FlushTenant(Tenant& tenant);
  Status FlushParts(Tenant& tenant, std::span<const TenantHead::Part> parts, StoreWork* work);
  Result<std::vector<TenantHead::Part>> SealAndWait(Tenant& tenant);
  Status MergeParts(Tenant& tenant);
  Result<std::shared_ptr<LiveBlock>> WriteLiveBlock(
      Tenant& tenant, std::span<const std::shared_ptr<const segment::Segment>> sources,
      BlockMeta meta, std::function<bool()> cancelled);
  Status Commit(const ManifestEdit& edit);  // REQUIRES: commit_mutex_
  Status CommitFlush(Tenant& tenant, const std::shared_ptr<LiveBlock>& block, size_t part_count,
                     const std::vector<TraceId>& splits);
  uint64_t FirstSequenceNeeded(const Tenant& flushed, uint64_t flushed_through);
  Result<std::vector<TraceId>> FindSplits(const Blocks& others, const SplitTraces& known,
                                          const segment::Segment& fresh) const;

  // compaction.cc
  struct PlannedMerge {
    Blocks inputs;  // empty: there is nothing to merge
    uint64_t version = 0;
  };
  // Waits for the merges under way, and lets none begin while the lock is held.
  std::unique_lock<std::mutex> StopMerges();
  // REQUIRES: compact_mutex_. What is planned must be run.
  PlannedMerge PlanMerge(Tenant& tenant, const CompactionLimits& limits, bool full);
  Status RunMerge(Tenant& tenant, const PlannedMerge& plan, bool paced);
  // A merge of each tenant of which one is due. False: there was none.
  bool CompactOnce(const CompactionLimits& limits);
  Status Merge(Tenant& tenant, const Blocks& inputs, bool paced);
  Status MergeBlocks(Tenant& tenant, const Blocks& inputs, bool paced, StoreWork* work);
  // For WriteBlock(): takes its time.
  std::function<bool()> PacedMerge();
  Status CommitMerge(Tenant& tenant, const Blocks& inputs, const std::shared_ptr<LiveBlock>& output,
                     const std::vector<uint64_t>& gone);
  static SplitTraces::Set StillSplit(const Tenant& tenant, const Blocks& changed,
                                     const Blocks& left, ManifestEdit* edit);
  void FindDamage(Tenant& tenant, const Blocks& inputs);
  bool HasSpaceFor(const Blocks& inputs) const;  // REQUIRES: retention_mutex_
  // What merging them takes, about: waits a little for it.
  Result<MemoryCharge> MemoryFor(const Blocks& inputs) const;
  std::function<void(uint64_t bytes)> HoldLargeTraces() const;

  // expiry.cc
  struct Owned {
    Tenant* tenant = nullptr;
    std::shared_ptr<LiveBlock> live;
  };
  std::vector<Owned> AllBlocks();
  Status ExpireBlocks(const RetentionLimits& limits);
  Status RemoveBlocks(Tenant& tenant, const Blocks& expired);

  // scrub.cc
  void RunScrubber();
  Status ScrubRound(const std::function<bool(uint64_t bytes)>& may_read);
  // One block; `may_read` is asked before each read, and may wait.
  Status ScrubBlock(Tenant& tenant, const std::shared_ptr<LiveBlock>& live,
                    const std::function<bool(uint64_t bytes)>& may_read);
  // What could not be opened is looked at again.
  Status ReopenUnreadable();
  Status Reopen(Tenant& tenant, const std::shared_ptr<LiveBlock>& unreadable);
  void BlockChanged(Tenant& tenant);
  CompactionLimits LimitsOfMerges() const;
  static CompactionCandidate CandidateOf(const LiveBlock& live);

  std::string Path(std::string_view name) const {
    return config_.directory + "/" + std::string(name);
  }
  std::string PathOfBlock(const std::string& tenant, const BlockName& name) const;

  Env* const env_;
  Clock* const clock_;
  const StoreConfig config_;
  std::atomic<uint64_t> retention_age_ns_, retention_bytes_;  // begin as config_ has them
  std::shared_ptr<block::PageCache> cache_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<Wal> wal_;  // null: kMemory or read-only
  std::atomic<uint64_t> memory_sequence_ = 1;

  std::mutex flush_mutex_;
  std::mutex compact_mutex_;
  std::condition_variable merge_ended_;
  uint64_t merges_under_way_ = 0;  // of the background, under compact_mutex_
  std::atomic<uint32_t> stops_wanted_ = 0;
  std::mutex commit_mutex_;
  std::unique_ptr<Manifest> manifest_;  // null until the disk had room for it
  ManifestState recovered_;             // what it will begin with
  uint64_t manifest_number_ = 1;        // and its number
  bool manifest_damaged_ = false;
  std::atomic<uint64_t> next_block_ = 1;

  std::mutex scrub_mutex_;
  std::mutex retention_mutex_;
  std::unique_ptr<TrustedClock> trusted_clock_;  // under retention_mutex_
  Blocks merging_;                               // under retention_mutex_
  const std::shared_ptr<DamageLog> damage_;
  bool last_attempt_ = true;  // to open: what is missing is missing

  std::mutex tenants_mutex_;
  std::map<std::string, std::unique_ptr<Tenant>, std::less<>> tenants_;

  std::atomic<uint64_t> head_bytes_ = 0;
  std::atomic<uint64_t> delayed_batches_ = 0;
  std::atomic<uint64_t> unmerged_blocks_ = 0;  // of the tenant that has most
  std::atomic<bool> low_space_ = false;
  std::atomic<uint64_t> space_checked_ns_ = 0;
  std::atomic<bool> manifest_failed_ = false;

  mutable std::mutex stats_mutex_;
  StoreStats stats_;  // counters only; gauges are read when asked
  // Apart: every append counts.
  std::atomic<uint64_t> appended_spans_ = 0, appended_logs_ = 0, appended_bytes_ = 0;

  std::mutex wake_mutex_;
  std::condition_variable wake_flusher_, wake_compactor_, wake_scrubber_;
  std::atomic<bool> flush_wanted_ = false;
  uint64_t compacts_wanted_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex close_mutex_;
  bool closed_ = false;
  DelayedAnswers delayed_answers_;
  std::thread flusher_, scrubber_;
  std::vector<std::thread> compactors_;
};

}  // namespace weft::store

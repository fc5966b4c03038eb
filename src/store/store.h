// SPDX-License-Identifier: Apache-2.0
//
// Store: the live engine of one data directory. Append() makes a batch durable in the write-ahead
// log, puts it in the head, and completes; background threads flush the head to blocks, merge
// blocks and enforce retention; TakeSnapshot() gives queries a consistent view.
//
// Promises (README.md, "What it promises"; power_loss_test, bit_rot_test, damage_test, test/crash):
//   - a Completion called with success means: the batch is on disk (mode kDurable), is visible to
//     every later snapshot, and survives kill -9 and power loss;
//   - a snapshot never shows what is not durable, and never changes;
//   - nothing is deleted but by retention. A damaged block is left in place, named, and left out of
//     merges; what of it can be read is read. A damaged log file or manifest, and a block file that
//     no manifest knows and that does not open, go to quarantine;
//   - "not found" is said only where every block could be read or its intact filter refutes the id.
// Directory: LOCK, wal/NNNN.wal, <tenant>/NNNN-FIRST-LAST.block (log sequences; "default" is the
// default tenant's), MANIFEST-NNNN, CURRENT, quarantine/.
// Thread rule: every method may be called from any thread.
// Next: store/engine.h, store/wal.h, store/manifest.h, docs/format_wal.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/memory_budget.h"
#include "model/span_batch.h"
#include "segment/segment.h"
#include "trace/correction.h"

namespace weft::store {

enum class Durability : uint8_t {
  kDurable,  // success after fdatasync
  kRelaxed,  // success after write(2): survives kill -9, may lose the last second on power loss
  kMemory,   // no log at all: for tests and throw-away runs
};

// One piece of background work, when it is over.
struct StoreWork {
  enum class Kind : uint8_t { kFlush, kCompaction, kRetention };
  Kind kind = Kind::kFlush;
  std::string tenant;
  uint64_t start_ns = 0;  // Unix epoch
  uint64_t duration_ns = 0;
  uint64_t inputs = 0;                      // chunks of the head, or blocks
  uint64_t spans = 0, logs = 0, bytes = 0;  // of the block that was written
  uint32_t level = 0;                       // of that block
  Status status;
};

// Hears what the store's threads do. Called on them, some with the lock of their kind of work held:
// it must be quick, and call no method of the store but stats().
class StoreObserver {
 public:
  virtual ~StoreObserver() = default;
  // Damage was met, for the first time: a sentence that names the file. Takes no lock of the store.
  virtual void OnDamage(const std::string& what) = 0;
  // A sync of the log has ended.
  virtual void OnSync(uint64_t duration_ns, const Status& status) = 0;
  virtual void OnWork(const StoreWork& work) = 0;
};

// What the store's work is charged to. Null: to nobody. All borrowed.
struct StoreMemory {
  MemoryBudget* budget = nullptr;  // asks the page cache to shrink
  MemoryAccount* page_cache = nullptr;
  MemoryAccount* flushes = nullptr;  // charged whatever it makes the sum
  MemoryAccount* merges = nullptr;   // merges wait for it
};

struct StoreConfig {
  std::string directory;
  Durability durability = Durability::kDurable;
  bool read_only = false;                 // no log, no threads, no lock: for the CLI
  uint64_t head_bytes_max = 64ull << 20;  // over it Admit() refuses
  uint64_t flush_bytes = 24ull << 20;     // head bytes that start a flush
  uint64_t flush_age_ns = 300ull * 1'000'000'000;
  uint32_t level0_blocks_max = 24;       // unmerged blocks over which Admit() refuses
  uint64_t block_spans_max = 4'000'000;  // compaction makes none larger
  // A merge takes no more distinct values than this, over all columns: it holds some 12 bytes each.
  uint64_t block_values_max = 12'000'000;
  uint64_t retention_age_ns = 14ull * 24 * 3600 * 1'000'000'000;  // from received time; 0: no limit
  uint64_t retention_bytes = 20ull << 30;  // all blocks of all tenants; 0: no limit
  uint64_t wal_segment_bytes = 64ull << 20;
  uint64_t page_cache_bytes = 32ull << 20;
  uint64_t free_bytes_min = 64ull << 20;  // below it ingest is refused until space is back
  uint32_t block_group_rows = segment::RowGroups::kRowsMax;  // block/block_writer.h
  trace::ClockRule clock_rule;  // of self time, critical path and views
  // Blocks are read whole in the background, so that damage is found before it is needed.
  uint64_t scrub_bytes_per_s = 8ull << 20;                    // 0: never
  uint64_t scrub_interval_ns = 24ull * 3600 * 1'000'000'000;  // between the starts of two rounds
  bool background = true;             // false: tests call FlushNow(), CompactNow(), ScrubNow()
  uint32_t processors = 2;            // of this process: how many merges may run side by side
  StoreObserver* observer = nullptr;  // borrowed, may be null
  StoreMemory memory = {};
};

using Completion = std::move_only_function<void(Status)>;

// Trace ids of which parts lie in more than one segment of a snapshot.
class SplitTraces;

// Log sequences, both included.
struct SequenceRange {
  uint64_t first = 0, last = 0;
};

class Snapshot {
 public:
  virtual ~Snapshot() = default;
  // Head chunks first, then blocks, newest first.
  virtual const std::vector<std::shared_ptr<const segment::Segment>>& segments() const = 0;
  // True if the trace may have rows in more than one segment, or has rows in the head: derived
  // columns and single-segment judgements about the whole trace are then not to be trusted.
  // May say true for a trace that is whole; never false for one that is split.
  virtual bool MayBeSplit(const TraceId& id) const = 0;
  // The whole trace from all segments: spans then logs, exact duplicates removed, ordered by start,
  // ids and content, whatever the order in which they were appended. Equal resources and scopes are
  // there once.
  // `partial`: why rows of it may be missing, naming the blocks; empty: it is whole.
  // kNotFound when no segment has it and none could hide it; where nothing of it could be read and
  // a damaged block may hold it, kCorruption or kIo, naming the block.
  virtual Result<SpanBatch> ReadTrace(const TraceId& id, std::string* partial) const = 0;
  // Blocks that cannot be read at all, each in a sentence that begins with its path: a search of
  // this snapshot is partial.
  virtual const std::vector<std::string>& unreadable() const = 0;
  // By which clocks are corrected when a trace is shown: the same as in blocks.
  virtual trace::ClockRule clock_rule() const { return {}; }
  // By index of segments(): every row of the segment was appended under one of these sequences, and
  // no sequence up to the largest one here is missing. Whoever has read all up to a sequence needs
  // no segment that ends with it. Empty: not known.
  virtual const std::vector<SequenceRange>& sequences() const {
    static const std::vector<SequenceRange> kUnknown;
    return kUnknown;
  }
  // Another number when blocks have left the store since other than by a merge: what was read of
  // them is not there any more.
  virtual uint64_t losses() const { return 0; }
};

struct StoreLevelStats {
  uint64_t blocks = 0, bytes = 0, spans = 0;
};

struct StoreStats {
  uint64_t appended_spans = 0, appended_logs = 0, appended_bytes = 0;
  uint64_t wal_syncs = 0, wal_sync_ns = 0, wal_bytes = 0;
  uint64_t wal_segments = 0, wal_queued_bytes = 0;
  uint64_t head_bytes = 0, head_spans = 0, head_chunks = 0;
  uint64_t blocks = 0, block_bytes = 0, block_spans = 0, level0_blocks = 0;
  std::vector<StoreLevelStats> levels;  // by level, from 0
  // Of the tenant that has most; over the limit nothing is taken.
  uint64_t unmerged_blocks = 0, unmerged_blocks_max = 0;
  // Whose answers were held back as the head or the unmerged blocks came near a limit.
  uint64_t delayed_batches = 0;
  uint64_t duplicate_spans_removed = 0;
  uint64_t flushes = 0, compactions = 0, blocks_expired = 0;
  uint64_t recovered_spans = 0, recovery_ns = 0, torn_tail_bytes = 0, quarantined_files = 0;
  uint64_t page_cache_hits = 0, page_cache_misses = 0, page_cache_bytes = 0;
  uint64_t damaged_blocks = 0;      // left in place: not to be read, or in part
  uint64_t failed_block_reads = 0;  // wrong checksums and I/O errors
  uint64_t scrubbed_bytes = 0;
  uint64_t scrub_round_bytes = 0, scrub_round_done_bytes = 0;  // of the round under way; 0: none
  uint64_t scrub_last_end_ns = 0;                              // Unix epoch; 0: none has ended
  uint64_t scrub_last_damaged_blocks = 0;                      // that it found
  bool read_only = false;
  std::string read_only_reason;
  // One sentence for each piece of damage met since the store was opened, naming the file.
  std::vector<std::string> damage;
};

// A block as people see it.
struct StoredBlock {
  std::string tenant, path;
  uint64_t number = 0;
  uint64_t spans = 0, logs = 0, traces = 0, bytes = 0;
  uint64_t start_min_ns = 0, start_max_ns = 0;
  std::string problem;  // empty: none is known
};

class Store {
 public:
  // Replays the log; returns when the store can take appends. kUnavailable when another process
  // holds the directory.
  static Result<std::unique_ptr<Store>> Open(Env* env, Clock* clock, StoreConfig config);
  virtual ~Store() = default;  // Close()

  // Cheap check before a request is decoded: may the store take about `bytes` more?
  // kUnavailable / kNoSpace with retry_after_s when not.
  virtual Status Admit(uint64_t bytes) = 0;
  // Takes the batch for its tenant. `done` runs exactly once, on a store thread or on this one.
  // REQUIRES: every span and log has a non-zero trace id, every span a non-zero span id.
  virtual void Append(SpanBatch batch, Completion done) = 0;

  virtual std::shared_ptr<const Snapshot> TakeSnapshot(std::string_view tenant) = 0;
  virtual std::vector<std::string> tenants() = 0;
  virtual StoreStats stats() = 0;

  // Everything in the head becomes a block. Returns when it is committed.
  virtual Status FlushNow() = 0;
  // Merges until nothing is left to merge; `full` merges everything into as few blocks as allowed.
  virtual Status CompactNow(bool full) = 0;
  virtual Status EnforceRetentionNow() = 0;
  // Reads every block whole, unpaced, and looks again at those that could not be read. The status
  // is about the check itself: what it found is in blocks() and stats().
  virtual Status ScrubNow() = 0;
  // Oldest first.
  virtual std::vector<StoredBlock> blocks() = 0;
  // Gives a damaged block up: its file goes to quarantine, and what it held is "not found" from now
  // on. kInvalidArgument when there is no such block, or when all of it can be read.
  virtual Status ForgetBlock(uint64_t number) = 0;
  // Waits for appends under way, stops the threads. The head stays in the log. Idempotent.
  virtual void Close() = 0;
};

}  // namespace weft::store

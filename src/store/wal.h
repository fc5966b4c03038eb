// SPDX-License-Identifier: Apache-2.0
//
// Wal: the writing half of the write-ahead log, one for all tenants (docs/format_wal.md). Callers
// queue records; one thread writes whatever queued during the last sync, syncs once, and runs the
// completions. There is no timer: a lone writer never waits, a crowd shares a sync.
//
// Failure: a record that could not be written or synced completes with the error, and so does every
// record queued after it. A full disk can be resumed from, in a new segment, when there is space
// again. Anything else is final: a failed sync is never tried again, the log takes nothing more
// until the store is opened anew and re-reads what is there.
//
// Sequences are dense. After a failure they go on from the last durable one, so a number that
// failed is used again; `epoch` tells the two apart. Thread rule: every method may be called from
// any thread. Completions and `cut_back` run on the log's own thread, or in Close(). Next:
// store/wal_replay.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "store/store.h"
#include "store/wal_format.h"

namespace weft::store {

struct WalOptions {
  std::string directory;
  StoreUuid uuid{};
  Durability durability = Durability::kDurable;
  uint64_t segment_bytes = 64ull << 20;
  StoreObserver* observer = nullptr;  // borrowed, may be null
  uint32_t spare_segments_max = 2;  // freed files kept to be written over: their syncs are cheaper
};

struct WalSegment {
  uint64_t number = 0;
  uint64_t last_sequence = 0;
  bool damaged = false;  // freeing it moves the file to quarantine instead of away
};

// Where replay ended.
struct WalStart {
  uint64_t next_sequence = 1;
  uint64_t next_segment = 1;
  std::vector<WalSegment> live;     // in order, all before next_segment
  std::vector<uint64_t> leftovers;  // files that hold nothing needed: written over or removed
};

struct WalStats {
  uint64_t syncs = 0;
  uint64_t sync_ns = 0;
  uint64_t bytes = 0;
  uint64_t segments = 0;
  uint64_t queued_bytes = 0;
};

class Wal {
 public:
  // After a failure, before any completion hears of it: the head must drop what lies beyond
  // `durable_sequence`.
  using CutBack = std::function<void(uint64_t durable_sequence)>;

  static Result<std::unique_ptr<Wal>> Open(Env* env, Clock* clock, WalOptions options,
                                           WalStart start, CutBack cut_back);
  ~Wal();  // Close()

  struct Entry {
    uint64_t received_ns = 0;
    uint32_t items = 0;
    std::string tenant;
    std::string payload;
    Completion done;
  };
  struct Place {
    uint64_t sequence = 0;
    uint64_t acknowledged = 0;  // sequence, at this moment
  };
  // A record to be queued, and what its queueing needs, so that the locks it is done under are held
  // for no allocation.
  class Record;
  static Record MakeRecord(Entry entry);
  // Queues the record. On error it is untouched. The log's thread hears of it by Wake(), which is
  // apart so that no lock of the caller's need be held while a thread is woken.
  Result<Place> Enqueue(Record& record);
  void Wake();

  // All up to here may be shown: synced (kDurable) or written (kRelaxed).
  uint64_t acknowledged_sequence() const;
  uint64_t synced_sequence() const;
  // Changes once the head has dropped what failed: who asks for it first and looks at the head then
  // may see such a record, but never under the new epoch.
  uint64_t epoch() const;
  // Blocks until `sequence` may be shown (true), or the log failed since `epoch` (false).
  bool WaitAcknowledged(uint64_t sequence, uint64_t epoch);
  // The same for synced, which kRelaxed does for this call. An error when the log stopped before:
  // what it wrote and never synced stays so.
  Result<bool> WaitSynced(uint64_t sequence, uint64_t epoch);

  // Success, or why nothing is taken.
  Status status() const;
  bool failed_for_good() const;
  // Goes on after a full disk. Success when the log takes records (again).
  Status Resume();

  // Number of the last segment that, with all before it, holds only records below `sequence`.
  uint64_t FreeableThrough(uint64_t sequence) const;
  // Gives these segments up. The caller has made sure that no replay will look for them.
  // `quarantine`: the directory where damaged ones go.
  Status Free(uint64_t through, const std::string& quarantine);
  uint64_t segment_count() const;

  WalStats stats() const;
  // Writes what is queued and a mark that calls it durable, stops the thread. Idempotent.
  void Close();

 private:
  enum class State : uint8_t { kOpen, kFull, kFailed };
  struct Pending {
    uint64_t sequence = 0;
    WalRecordType type = WalRecordType::kBatch;
    Entry entry;
  };

  Wal(Env* env, Clock* clock, WalOptions options, CutBack cut_back);
  Status Closed() const;  // REQUIRES: mutex_ held

  // The log's thread.
  void Run();
  bool TakeGroup(std::vector<Pending>* group);
  void ServeResume(std::unique_lock<std::mutex>& lock);
  void WriteGroup(std::vector<Pending>& group);
  void WriteMark();
  void AppendToBuffer(const Pending& pending);
  Status WriteBuffer(bool sync);
  bool SyncDue() const;
  Status SyncFile();
  // DataSync(), and the observer hears of it.
  Status Sync(WritableFile& file);
  bool Settle(std::vector<Pending>& group, size_t first, size_t last, const Status& status);
  void FailFrom(std::vector<Pending>& group, size_t first, const Error& error);
  Status StartSegment(uint64_t record_bytes, uint64_t first_sequence);
  Result<std::unique_ptr<WritableFile>> NewFile(uint64_t number, uint64_t bytes);
  std::string PathOf(uint64_t number) const;

  Env* const env_;
  Clock* const clock_;
  const WalOptions options_;
  const CutBack cut_back_;

  // Only the log's thread touches these once it runs.
  std::unique_ptr<WritableFile> file_;
  uint32_t seed_ = 0;
  uint64_t file_bytes_ = 0;    // space in the segment
  uint64_t written_ = 0;       // where the next write goes
  std::string buffer_;         // records to be written there
  std::list<Pending> taken_;   // from `queue_`, and not in a group yet
  uint64_t last_in_file_ = 0;  // sequence
  uint64_t last_sync_ns_ = 0;
  bool sync_failed_ = false;

  mutable std::mutex mutex_;
  std::condition_variable work_;     // the log's thread waits here
  std::condition_variable settled_;  // everyone else
  std::list<Pending> queue_;
  uint64_t queued_bytes_ = 0;  // of `taken_` too
  uint64_t next_sequence_ = 1;
  uint64_t acknowledged_ = 0;
  uint64_t synced_ = 0;  // changed by the log's thread alone
  uint64_t sync_wanted_ = 0;
  uint64_t epoch_ = 0;
  State state_ = State::kOpen;
  std::atomic<bool> takes_ = true;  // open and not closing: asked without the lock
  bool cutting_back_ = false;       // a failure is being told to the head; the epoch ends with that
  bool resume_wanted_ = false;
  bool closing_ = false;
  Error error_;
  uint64_t next_segment_ = 1;
  std::vector<WalSegment> segments_;  // in order; the last one is being written
  std::vector<uint64_t> spares_;
  WalStats stats_;

  std::mutex close_mutex_;
  std::thread thread_;
};

class Wal::Record {
 public:
  // What it was made of. REQUIRES: not queued.
  Entry& entry() { return node_.front().entry; }

 private:
  friend class Wal;
  std::list<Pending> node_;
};

}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
//
// QueueLog: the requests of one sending queue on disk, in a log of the store's kind (store/wal.h).
// A request is a record; that requests are sent is a later record of the same log, written for many
// at once by Tidy(); a segment of which nothing is needed any more is freed. A request is needed
// from Append() until Sent().
//
//   directory/LOCK  MARK  wal/NNNN.wal  quarantine/
//
// Promise: what Append() called logged, and Sent() was not called for, is found by every later
// Open(), whatever the writer died of; what was sent shortly before such a death may be found too.
// Damage is named, what is readable of it kept, and its file moved to quarantine/ once no request
// needs it. A failed sync is final, as the store's: nothing is taken until a restart.
//
// Thread rule: any thread; Tidy(), Close() by one at a time, and never by one that must not wait
// for a disk. Next: exporter/queue_record.h, docs/format_queue.md.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "exporter/queue_record.h"
#include "exporter/remote_sender.h"
#include "store/wal.h"
#include "store/wal_replay.h"

namespace weft::exporter {

struct QueueLogOptions {
  std::string directory;
  uint64_t segment_bytes = 16ull << 20;
  uint64_t segments_max = 64;  // over it InTheWay() names who holds the oldest
};

// What an earlier process left.
struct QueueLogFound {
  struct Request {
    uint64_t sequence = 0;
    SendRequest request;
  };
  std::vector<Request> requests;    // in order of sequence
  std::vector<std::string> damage;  // a sentence each, naming the file
};

class QueueLog {
 public:
  static Result<std::unique_ptr<QueueLog>> Open(Env* env, Clock* clock, QueueLogOptions options,
                                                QueueLogFound* found);
  ~QueueLog();  // Close()

  // The sequence when it is durable, on the log's thread; or why not, there or on this one.
  using Logged = std::move_only_function<void(Result<uint64_t>)>;
  void Append(const SendRequest& request, Logged logged);
  // REQUIRES: Append() called it logged, or Open() found it.
  void Sent(uint64_t sequence);
  // How many Sent() that no record tells of.
  size_t unwritten_sent() const;

  // Writes what was sent, frees segments, goes on after a full disk.
  Status Tidy();
  // Old requests, a few at a time, for whose sake more than segments_max segments or a damaged one
  // are kept: append them anew and call Sent() for these.
  std::vector<uint64_t> InTheWay() const;
  // Success, or why nothing is taken.
  Status status() const;
  // Whether Tidy() can end that.
  bool may_resume() const;
  // Idempotent.
  void Close();

 private:
  QueueLog(Env* env, Clock* clock, QueueLogOptions options);
  std::string Path(std::string_view name) const;
  Status MakeDirectories();
  Status ReadMark(QueueLogFound* found);
  Status NewMark();
  Status WriteMark(uint64_t freed_through);
  Result<store::WalStart> Recover(QueueLogFound* found);
  Result<store::WalReplayReport> Replay(
      const std::function<Status(const store::WalRecord&, const QueueRecord&)>& visit);
  void OnLogged(const uint64_t& sequence, const Status& status, Logged& logged);
  void WriteSent();
  uint64_t NeededFrom() const;

  Env* const env_;
  Clock* const clock_;
  const QueueLogOptions options_;
  std::unique_ptr<FileLock> lock_;
  QueueMark mark_;  // as on disk; Tidy() and Close() alone
  std::unique_ptr<WritableFile> mark_file_;
  uint64_t damaged_through_ = 0;  // the last sequence that a damaged segment holds; 0: none

  mutable std::mutex mutex_;
  std::set<uint64_t> needed_;
  std::vector<uint64_t> sent_;  // not yet told of by a record
  Status mark_status_;          // a mark whose sync failed
  bool closed_ = false;
  std::unique_ptr<store::Wal> wal_;  // last: its thread uses what is above
};

}  // namespace weft::exporter

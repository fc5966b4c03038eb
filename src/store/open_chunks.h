// SPDX-License-Identifier: Apache-2.0
//
// OpenChunks: the chunks of one tenant that appends go to, and which log sequences their rows have.
// An appender takes a chunk that nobody else has, writes its rows without a lock, and then, under
// one short lock, the log gives the sequence and the chunk notes it (a mark). So what has a
// sequence has its rows, and no appender waits for another one's rows.
//
//   chunk A  |1 1|4 4 4|6|         marks: after which rows which sequence ended
//   chunk B  |2 2 2|3|5 5|. . .    a batch under way, without a sequence yet
//
// To close is to say: all up to the last sequence belongs together, later batches go to other
// chunks. Seal() makes parts of the head of what is closed. It waits for the batches under way in
// those chunks; their sequences are larger, and their rows move to a chunk of later ones. A part
// therefore holds all of its range of sequences and nothing else, in however many chunks.
//
// Memory: `bytes` is kept at what all chunks here hold; what is sealed stays counted. Thread rule:
// every method may be called from any thread; Seal() to Published(), and CutBack(), by one at a
// time. Next: store/tenant_head.h (the parts), store/engine.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "chunk/chunk.h"
#include "store/tenant_head.h"
#include "store/wal.h"

namespace weft::store {

class OpenChunks {
 public:
  // A chunk, in the hands of one appender from Take() to Place().
  class Open;
  struct Batch {
    uint64_t received_ns = 0;
    uint64_t now_ns = 0;  // monotonic
  };
  struct Held {
    uint64_t spans = 0, chunks = 0, bytes = 0;
    uint64_t first_sequence = 0, born_ns = 0;  // the smallest
  };

  // Chunks are closed when all together hold `close_bytes`, so that no part is much larger.
  OpenChunks(uint64_t close_bytes, std::atomic<uint64_t>* bytes);
  ~OpenChunks();

  // `items`: spans and log records to come. Many get a chunk without other rows, so that a snapshot
  // neither waits for them nor copies them.
  Open* Take(uint64_t items);
  static chunk::Chunk& ChunkOf(Open* open);
  // Gives the chunk back, and the rows that were appended since Take() their sequence, which `take`
  // gets from the log; on its error the rows are dropped. `take` runs under the lock that every
  // appender wants.
  Result<uint64_t> Place(Open* open, const Batch& batch,
                         const std::function<Result<Wal::Place>()>& take);

  // Of what has its sequence and was not published.
  Held held() const;
  // Parts of all that has its sequence now, oldest first.
  std::vector<TenantHead::Part> Seal();
  // What Seal() gave is in the head.
  void Published();
  // Drops all rows above `durable`. REQUIRES: the log gives out no sequence meanwhile.
  void CutBack(uint64_t durable);

 private:
  struct OpenMark;
  // With all groups before it, it has all sequences up to `last`.
  struct Group {
    uint64_t last = 0;
    std::vector<std::unique_ptr<Open>> chunks;
  };
  // These three: REQUIRES mutex_.
  void Note(Open* open, const Wal::Place& place, std::list<OpenMark>* mark,
            std::list<OpenMark>* gone);
  void Release(Open* open);
  void Close();
  void WaitForAppenders(const Group& group, std::unique_lock<std::mutex>* lock);
  void MoveLaterRows(Group* group);
  std::unique_ptr<Open> TakeLaterRows(Open* open);
  TenantHead::Part SealGroup(Group* group);
  void Count(Open* open, uint64_t bytes);  // REQUIRES mutex_

  const uint64_t close_bytes_;
  std::atomic<uint64_t>* const bytes_;
  mutable std::mutex mutex_;
  std::condition_variable released_;  // a chunk that is closed
  std::vector<std::unique_ptr<Open>> open_;
  uint64_t open_bytes_ = 0;
  std::vector<std::unique_ptr<Group>> closed_;  // oldest first
  size_t sealed_ = 0;                           // of them, until they are published
  uint64_t last_ = 0;                           // sequence given
  uint64_t closed_through_ = 0;
};

}  // namespace weft::store

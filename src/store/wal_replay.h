// SPDX-License-Identifier: Apache-2.0
//
// ReplayWal: reads a log directory after any death of its writer and says what was in it, without
// changing a byte. A record that fails its checksum is one of two things:
//   - a torn tail, if it is in the last segment and nothing calls it durable: everything from there
//     on was never acknowledged; it is cut off and counted;
//   - corruption, if a later record, the next segment's header or the caller (`durable_sequence`)
//     calls it durable: every record that verifies is kept, the loss is named, the segment goes to
//     quarantine.
// The bytes are untrusted: lengths are checked against the file before anything is read.
//
// Damage names the sequences that it lost, and no others: what blocks hold is not lost.
//
// Thread rule: a pure function of the directory.
// Next: store/wal_batch.h.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/env.h"
#include "store/wal.h"
#include "store/wal_format.h"

namespace weft::store {

struct WalReplayOptions {
  std::string directory;
  StoreUuid uuid{};
  uint64_t freed_through = 0;      // segments up to this number hold nothing needed
  uint64_t durable_sequence = 0;   // known from elsewhere to have been durable, in blocks or here
  uint64_t logged_through = 0;     // known from elsewhere to have been durable here
  uint64_t blocks_hold_below = 0;  // sequences below are in blocks: damage to them loses nothing
};

struct WalReplayReport {
  WalStart start;
  uint64_t records = 0;
  uint64_t bytes = 0;               // of records kept
  uint64_t torn_tail_bytes = 0;     // not zero and not kept, at the end
  uint64_t lost_records = 0;        // durable once, unreadable now
  std::vector<std::string> damage;  // one sentence for each piece of corruption, naming the file
};

// Calls `visit` for every record of type kBatch, in order of sequence. A kCorruption from `visit`
// marks the segment damaged and goes on; any other error ends the replay.
Result<WalReplayReport> ReplayWal(Env* env, const WalReplayOptions& options,
                                  const std::function<Status(const WalRecord&)>& visit);

}  // namespace weft::store

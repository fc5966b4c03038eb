// SPDX-License-Identifier: Apache-2.0
//
// Manifest: which blocks the store consists of, up to which log sequence each tenant is in blocks,
// which log segments are free, and which traces are split: an append-only file of checksummed edits
// (docs/format_manifest.md), named by the file CURRENT. Every open starts a new file that begins
// with the whole state, so nothing is ever appended to a file that a crash may have torn.
//
// A damaged manifest never loses a block: store/file_names.h, store/recovery.cc.
// Thread rule: one thread at a time (the engine's commit lock).
// Next: store/recovery.cc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/env.h"
#include "model/ids.h"
#include "store/file_names.h"
#include "store/wal_format.h"

namespace weft::store {

struct BlockMeta {
  std::string tenant;
  BlockName name;
  uint32_t level = 0;  // 0: written by a flush; n + 1: merged from level n
  uint64_t bytes = 0;
  uint32_t spans = 0;
  uint32_t logs = 0;
  uint32_t traces = 0;
  uint64_t start_min_ns = 0, start_max_ns = 0;
  uint64_t received_min_ns = 0, received_max_ns = 0;
  uint64_t file_checksum = 0;
  // What tells the file from every other, with `bytes` (block/block_reader.h). 0: not known, in a
  // manifest of an earlier version; the next open fills it in.
  uint64_t summary_checksum = 0;

  bool operator==(const BlockMeta&) const = default;
};

struct TenantTrace {
  std::string tenant;
  TraceId id;
};

// Applied whole or not at all.
struct ManifestEdit {
  std::vector<BlockMeta> added;
  std::vector<uint64_t> removed;  // block numbers
  std::vector<uint64_t> gone;     // removed blocks of which the file is known to be away
  std::vector<std::pair<std::string, uint64_t>> flushed_through;  // tenant, sequence
  std::vector<TenantTrace> split;  // traces of which parts lie in more than one block from now on
  std::vector<TenantTrace> whole;  // and those of which that is over
  // A block could not be opened, so `split` and `whole` are made without a look into it.
  bool splits_unsure = false;
  uint64_t wal_freed_through = 0;  // segment number; 0: no change
  uint64_t logged_through = 0;     // sequence: the log holds all up to here, synced; 0: no change
  uint64_t next_block = 0;         // 0: no change
  uint64_t blocks_hold_below = 0;  // every sequence below is in a block, or expired; 0: no change
};

struct ManifestState {
  StoreUuid uuid{};
  std::map<uint64_t, BlockMeta> blocks;  // by number
  std::set<uint64_t> obsolete;           // removed; the file may still be there
  std::map<std::string, uint64_t> flushed_through;
  std::map<std::string, std::set<TraceId>> split;
  bool splits_unsure = false;  // until an open that can look into every block
  uint64_t wal_freed_through = 0;
  uint64_t logged_through = 0;
  uint64_t next_block = 1;
  uint64_t blocks_hold_below = 0;

  void Apply(const ManifestEdit& edit);
  // An edit that makes this state out of an empty one.
  ManifestEdit AsEdit() const;
};

struct ManifestFile {
  ManifestState state;
  uint64_t number = 0;  // 0: there is none
  bool torn = false;    // the last edit was cut off: it was never acted on
  std::string damage;   // not empty: edits in the middle, or the whole file, could not be read
};

class Manifest {
 public:
  // What `directory` says; an empty state where there is no manifest. Changes nothing.
  static Result<ManifestFile> Load(Env* env, const std::string& directory);
  // Parses one file's bytes. Untrusted.
  static ManifestFile Parse(std::string_view bytes);

  // Writes `state` to a new file with this number and makes it CURRENT. Older files stay.
  static Result<std::unique_ptr<Manifest>> Create(Env* env, std::string directory,
                                                  ManifestState state, uint64_t number);

  // Durable and applied when this returns success. After kNoSpace nothing changed and it may be
  // tried again; after any other error nothing more is taken.
  Status Commit(const ManifestEdit& edit);
  const ManifestState& state() const { return state_; }
  uint64_t number() const { return number_; }
  // Clears away files before this one: into the directory `quarantine`, or for good when empty.
  Status RetireOlder(const std::string& quarantine);

 private:
  Manifest(Env* env, std::string directory, ManifestState state, uint64_t number)
      : env_(env), directory_(std::move(directory)), state_(std::move(state)), number_(number) {}
  Status Start(uint64_t number);
  Status SwitchCurrent(uint64_t number);
  Status RewriteIfLarge();

  Env* const env_;
  const std::string directory_;
  ManifestState state_;
  uint64_t number_;
  std::unique_ptr<WritableFile> file_;
  uint64_t written_ = 0;
  uint64_t base_bytes_ = 0;  // of the state that the file began with
  uint64_t next_ordinal_ = 0;
  std::optional<Error> failed_;
};

}  // namespace weft::store

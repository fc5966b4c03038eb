// SPDX-License-Identifier: Apache-2.0
//
// SimEnv: a disk in memory that knows which bytes and which names were synced, and can therefore
// show what a power loss would have left. It is stricter than any real file system: nothing that
// base/env.h does not promise survives Crash() for certain.
//
//   - bytes written since a file's last DataSync() may be kept, lost, torn or reordered;
//   - names created, renamed or removed since a directory's last SyncDir() may be kept or lost,
//     each for itself; a file whose name is lost is gone, synced or not.
// Calls can be made to fail, and syncs to lie (the negative control). Everything follows from
// seeds.
//
// Thread rule: every method may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/env.h"

namespace weft::testing {

// What a power loss does with what was never synced.
enum class CrashKind : uint8_t {
  kDropUnsynced,  // bytes and names: all lost
  kKeepAll,       // all kept: what kill -9 leaves
  kSubset,        // every write and every name kept or lost by chance
  kTorn512,       // every 512-byte sector of every write kept or lost by chance
  kTorn4096,      // the same with 4 KiB
  kReordered,     // a random early part is lost, what came later is kept
  kNamesOnly,     // names kept, bytes lost: a rename that overtook its data
  kBytesOnly,     // bytes kept, names lost: directories never synced
};
inline constexpr int kCrashKinds = 8;

// The calls that can be counted and made to fail.
enum class DiskOp : uint8_t {
  kRead,
  kReadAhead,  // only counted
  kWrite,
  kDataSync,
  kSyncDir,
  kCreate,
  kRename,
  kRemove,
  kMakeDir,
  kRemoveDir
};
inline constexpr int kDiskOps = 10;

class SimEnv : public Env {
 public:
  SimEnv();
  ~SimEnv() override;

  // The disk after a power loss at this moment, as a new SimEnv without faults.
  std::unique_ptr<SimEnv> Crash(CrashKind kind, uint64_t seed) const;

  // The nth call from now on (1 is the next) of this kind fails, and `count - 1` calls after it.
  void FailCalls(DiskOp op, uint64_t nth, ErrorCode code, uint64_t count = 1);
  void ClearFaults();
  uint64_t calls(DiskOp op) const;
  uint64_t bytes_read() const;
  // Syncs that return success and do nothing.
  void set_data_sync_lies(bool lies);
  void set_sync_dir_lies(bool lies);
  // Sum of file sizes that the disk holds; 0: no limit. Writes beyond it are kNoSpace.
  void set_capacity_bytes(uint64_t bytes);
  uint64_t used_bytes() const;
  // Called without any lock after every call that changes or syncs the disk.
  void set_after_change(std::function<void()> hook);

  // For tests that damage files or look at them. Empty when there is no such file.
  std::string Contents(const std::string& path) const;
  // Replaces the content, synced.
  void SetContents(const std::string& path, std::string bytes);
  std::vector<std::string> Files() const;  // paths, sorted

  Result<std::unique_ptr<ReadableFile>> OpenRead(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> OpenWrite(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status MakeDirs(const std::string& path) override;
  Status RemoveDir(const std::string& path) override;
  Status SyncDir(const std::string& path) override;
  Result<std::vector<DirEntry>> List(const std::string& path) override;
  bool Exists(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;

 private:
  struct Node;
  class Readable;
  class Writable;
  class Held;
  struct Fault {
    uint64_t first = 0, last = 0;  // call numbers
    ErrorCode code = ErrorCode::kIo;
  };
  // A change of the name space that its directories have not been synced after. `node` null: the
  // name goes away. A rename is one change with two names.
  struct NameChange {
    std::string path;
    std::shared_ptr<Node> node;
    std::string removed_path;  // of a rename
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;

  Status Count(DiskOp op, const std::string& path);  // REQUIRES: mutex_ held
  Status CheckSpace(const Node& node, uint64_t bytes) const;
  bool ParentExists(const std::string& path) const;
  Result<bool> MakeDir(const std::string& path);  // false: it was there
  void Changed();
  static void Apply(const NameChange& change, Names* names);

  mutable std::mutex mutex_;
  Names names_;    // now
  Names durable_;  // after the last SyncDir of each directory
  std::vector<NameChange> unsynced_names_;
  std::set<std::string> locked_;
  uint64_t calls_[kDiskOps] = {};
  uint64_t bytes_read_ = 0;
  std::vector<Fault> faults_[kDiskOps];
  bool data_sync_lies_ = false;
  bool sync_dir_lies_ = false;
  uint64_t capacity_bytes_ = 0;
  std::function<void()> after_change_;
};

}  // namespace weft::testing

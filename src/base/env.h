// SPDX-License-Identifier: Apache-2.0
//
// The operating system's files behind one interface, so that tests can drop, tear and reorder
// writes that were never synced (testing/sim_env.h). Everything that touches a file in weft does it
// through an Env; production passes PosixEnv().
//
// Durability contract, the one that the store builds on:
//   - bytes written are durable after a successful DataSync() of that file, not before;
//   - a created, renamed or removed name is durable after a successful SyncDir() of its directory;
//   - a failed DataSync() leaves the file's unsynced bytes in an unknown state: never retry it.
//
// Thread rule: an Env and a ReadableFile may be used from any thread; a WritableFile by one at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft {

class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  // Reads exactly out.size() bytes at `offset`; fewer is kCorruption ("file ends at ...").
  virtual Status ReadAt(uint64_t offset, std::span<char> out) const = 0;
  // A hint: these bytes will be read soon. The system may begin to fetch them; nothing waits.
  virtual void WillNeed(uint64_t /*offset*/, uint64_t /*bytes*/) const {}
  virtual uint64_t bytes() const = 0;
};

class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Status WriteAt(uint64_t offset, std::string_view bytes) = 0;
  // Reserves disk space for [0, bytes) and makes the file that long, so that later writes inside it
  // need no metadata sync. kNoSpace when the disk cannot hold it.
  virtual Status Preallocate(uint64_t bytes) = 0;
  virtual Status Truncate(uint64_t bytes) = 0;
  // fdatasync(2).
  virtual Status DataSync() = 0;
};

// Holds an exclusive lock until destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct DirEntry {
  std::string name;
  bool is_directory = false;
};

class Env {
 public:
  virtual ~Env() = default;
  virtual Result<std::unique_ptr<ReadableFile>> OpenRead(const std::string& path) = 0;
  // Creates an empty file, or truncates an existing one.
  virtual Result<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  // Opens an existing file to overwrite parts of it or to sync it; its bytes stay.
  virtual Result<std::unique_ptr<WritableFile>> OpenWrite(const std::string& path) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;
  // Creates missing parents too; an existing directory is success.
  virtual Status MakeDirs(const std::string& path) = 0;
  virtual Status RemoveDir(const std::string& path) = 0;
  virtual Status SyncDir(const std::string& path) = 0;
  virtual Result<std::vector<DirEntry>> List(const std::string& path) = 0;
  virtual bool Exists(const std::string& path) = 0;
  // kUnavailable with the holder's process id in the message when another process holds it.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
  // Bytes an unprivileged process may still write on the file system of `path`.
  virtual Result<uint64_t> FreeBytes(const std::string& path) = 0;
};

// The process-wide real file system. Never null, never freed.
Env* PosixEnv();

}  // namespace weft

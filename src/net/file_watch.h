// SPDX-License-Identifier: Apache-2.0
//
// Notices that files have changed, by looking at them no more often than an interval allows: there
// is no thread and no descriptor, the next user of what was read from them looks. A replaced file,
// a symlink turned to another one and a rewritten file all count.
//
// Thread rule: any thread. Next: net/tls_context.h.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"

namespace weft::net {

class FileWatch {
 public:
  // Empty paths are left out. Takes note of how the files are now: make it before reading them.
  FileWatch(std::vector<std::string> paths, uint64_t interval_ms);

  // True once for each change; then the caller reads.
  bool Changed();
  // What was read did not do: after a while Changed() is true without a change, because what was in
  // the way may be gone.
  void TryAgain();

 private:
  std::vector<std::string> Look() const;

  const std::vector<std::string> paths_;
  const uint64_t interval_ms_;
  std::mutex mutex_;
  int64_t next_ms_;                // guarded by mutex_
  int64_t again_ms_ = INT64_MAX;   // guarded by mutex_
  std::vector<std::string> seen_;  // guarded by mutex_
};

// A small text file: certificates, tokens, passwords. Over 1 MiB: kTooLarge.
Result<std::string> ReadSmallFile(const std::string& path);

}  // namespace weft::net

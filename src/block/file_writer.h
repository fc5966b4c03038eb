// SPDX-License-Identifier: Apache-2.0
//
// FileWriter: a block file being written from front to back: buffers, counts, checksums.
//
// Thread rule: one thread at a time. Next: block/block_writer.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/env.h"

namespace weft::block {

class FileWriter {
 public:
  explicit FileWriter(std::unique_ptr<WritableFile> file);
  ~FileWriter();

  // Where the next byte goes.
  uint64_t offset() const { return written_ + buffer_.size(); }
  // Errors are kept and returned by Finish(): what is written after one is void.
  void Append(std::string_view bytes);
  Status status() const { return status_; }
  // XXH3-64 of everything appended so far.
  uint64_t checksum() const;
  // Writes what is buffered and syncs.
  Status Finish();

 private:
  void Flush();

  struct Hash;
  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<Hash> hash_;
  std::string buffer_;
  uint64_t written_ = 0;
  Status status_;
};

}  // namespace weft::block

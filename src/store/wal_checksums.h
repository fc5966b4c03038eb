// SPDX-License-Identifier: Apache-2.0
//
// RangeChecksums: the CRC-32C of any range of a file, at a price that does not depend on the
// range's length. A search for records behind a damaged one looks at every header that might be
// true; senders choose the bytes it runs over, and headers that claim half of the file each would
// otherwise make it read the file thousands of times over. A CRC is linear: the checksum of
// [a, b) follows from those of [0, a) and [0, b), and of these one in kMarkBytes is kept.
//
// The file is read once, when the first range is asked for. Thread rule: one thread.
// Next: store/wal_replay.cc.
#pragma once

#include <cstdint>
#include <vector>

#include "base/env.h"

namespace weft::store {

class RangeChecksums {
 public:
  explicit RangeChecksums(const ReadableFile* file) : file_(file) {}

  // Crc32c(seed, the file's bytes from `begin` to `end`).
  // REQUIRES: begin <= end <= the file's length, end - begin < 4 GiB.
  Result<uint32_t> Of(uint32_t seed, uint64_t begin, uint64_t end);

 private:
  // Memory is a 32nd of the file; a range costs at most two reads of this many bytes.
  static constexpr uint64_t kMarkBytes = 128;

  Status MakeMarks();
  // The register after [0, end), begun from zero, neither end inverted.
  Result<uint32_t> RegisterAt(uint64_t end) const;

  const ReadableFile* const file_;
  std::vector<uint32_t> marks_;  // registers at the multiples of kMarkBytes
};

}  // namespace weft::store

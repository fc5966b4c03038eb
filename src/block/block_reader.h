// SPDX-License-Identifier: Apache-2.0
//
// Block: the immutable file of docs/format_block.md, opened. Opening reads and checks the footer;
// pages are read with pread on demand, their checksum is verified on every read from disk, and the
// decompressed page is kept in a shared, bounded cache. The file is untrusted input: every length,
// offset and id is checked, and a bad page is kCorruption naming file, section and offset.
//
// Thread rule: as Segment. The cache is shared by all blocks and thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>

#include "base/env.h"
#include "block/segment.h"
#include "trace/correction.h"

namespace weft::block {

class PageCache;
// `bytes_max` bounds the decompressed pages held.
std::shared_ptr<PageCache> NewPageCache(uint64_t bytes_max);
struct PageCacheStats {
  uint64_t hits = 0, misses = 0, bytes = 0;
};
PageCacheStats Stats(const PageCache& cache);

// `name` is used in errors and as the cache key's prefix: unique per file. Self and critical times
// and error origins that were written by another rule about time than `rule` are computed anew.
Result<std::shared_ptr<const Segment>> OpenBlock(Env* env, const std::string& path,
                                                 std::shared_ptr<PageCache> cache,
                                                 const trace::ClockRule& rule = {});
// Reads the whole file and checks every page and the file checksum.
Status VerifyBlock(Env* env, const std::string& path);

}  // namespace weft::block

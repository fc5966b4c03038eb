// SPDX-License-Identifier: Apache-2.0
//
// PageCache: decompressed pages of all open blocks, least recently used out first, bounded by
// bytes and by what the memory budget has to spare. In shards, so that readers seldom wait for each
// other.
//
// Thread rule: every method from any thread. Made by: NewPageCache() (block/block_reader.h).
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/memory_budget.h"
#include "block/block_reader.h"

namespace weft::block {

class PageCache {
 public:
  using Page = std::shared_ptr<const std::string>;

  // `memory` is borrowed; null: charged to nobody.
  explicit PageCache(uint64_t bytes_max, MemoryAccount* memory = nullptr);
  // Null when it is not there.
  Page Find(uint64_t file, uint64_t offset);
  void Add(uint64_t file, uint64_t offset, Page page);
  // Add() of a page before Find() asks for it; counts the miss.
  void AddAhead(uint64_t file, uint64_t offset, Page page);
  // Counts nothing, refreshes nothing.
  bool Contains(uint64_t file, uint64_t offset);
  // Forgets all pages of a file that is closed.
  void Drop(uint64_t file);
  // Forgets what was used longest ago, about so many bytes.
  void Shrink(uint64_t bytes);
  PageCacheStats stats() const;

 private:
  struct Key {
    uint64_t file = 0, offset = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const {
      uint64_t hash = (key.offset ^ key.file << 40) * 0x9E3779B97F4A7C15u;
      return hash ^ hash >> 32;
    }
  };
  struct Entry {
    Key key;
    Page page;
    MemoryCharge charge;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Entry> entries;  // most recently used first
    std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> index;
    uint64_t bytes = 0, hits = 0, misses = 0;
  };
  // The least recently used entry of a shard. REQUIRES: its lock, and that there is one.
  static void DropLast(Shard* shard);
  Shard& ShardOf(const Key& key) { return shards_[KeyHash()(key) % shards_.size()]; }

  uint64_t shard_bytes_max_;
  MemoryAccount* const memory_;
  std::vector<Shard> shards_;
};

}  // namespace weft::block

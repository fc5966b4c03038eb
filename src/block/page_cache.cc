// SPDX-License-Identifier: Apache-2.0
#include "block/page_cache.h"

#include <algorithm>

namespace weft::block {
namespace {

// What an entry costs beyond its bytes: nodes of list and map, the string, the reference count.
constexpr uint64_t kEntryBytes = 256;
constexpr uint64_t kShardBytesMin = 1 << 20;

size_t ShardCount(uint64_t bytes_max) {
  return static_cast<size_t>(std::clamp<uint64_t>(bytes_max / kShardBytesMin, 1, 16));
}

}  // namespace

PageCache::PageCache(uint64_t bytes_max, MemoryAccount* memory)
    : shard_bytes_max_(bytes_max / ShardCount(bytes_max)),
      memory_(memory),
      shards_(ShardCount(bytes_max)) {}

PageCache::Page PageCache::Find(uint64_t file, uint64_t offset) {
  const Key key{file, offset};
  Shard& shard = ShardOf(key);
  std::lock_guard lock(shard.mutex);
  auto at = shard.index.find(key);
  if (at == shard.index.end()) {
    ++shard.misses;
    return nullptr;
  }
  ++shard.hits;
  shard.entries.splice(shard.entries.begin(), shard.entries, at->second);
  return at->second->page;
}

bool PageCache::Contains(uint64_t file, uint64_t offset) {
  const Key key{file, offset};
  Shard& shard = ShardOf(key);
  std::lock_guard lock(shard.mutex);
  return shard.index.contains(key);
}

void PageCache::AddAhead(uint64_t file, uint64_t offset, Page page) {
  const Key key{file, offset};
  {
    Shard& shard = ShardOf(key);
    std::lock_guard lock(shard.mutex);
    ++shard.misses;
  }
  Add(file, offset, std::move(page));
}

void PageCache::Add(uint64_t file, uint64_t offset, Page page) {
  const Key key{file, offset};
  const uint64_t bytes = page->size() + kEntryBytes;
  if (bytes > shard_bytes_max_) return;
  Shard& shard = ShardOf(key);
  std::lock_guard lock(shard.mutex);
  if (shard.index.contains(key)) return;
  while (shard.bytes + bytes > shard_bytes_max_) DropLast(&shard);
  MemoryCharge charge;
  if (memory_ != nullptr) {
    Result<MemoryCharge> spare = memory_->TakeSpare(bytes);
    if (!spare) return;
    charge = std::move(*spare);
  }
  shard.entries.push_front({key, std::move(page), std::move(charge)});
  shard.index.emplace(key, shard.entries.begin());
  shard.bytes += bytes;
}

void PageCache::DropLast(Shard* shard) {
  const Entry& last = shard->entries.back();
  shard->bytes -= last.page->size() + kEntryBytes;
  shard->index.erase(last.key);
  shard->entries.pop_back();
}

void PageCache::Shrink(uint64_t bytes) {
  const uint64_t share = bytes / shards_.size() + 1;
  for (Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    const uint64_t target = shard.bytes > share ? shard.bytes - share : 0;
    while (shard.bytes > target) DropLast(&shard);
  }
}

void PageCache::Drop(uint64_t file) {
  for (Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    for (auto at = shard.entries.begin(); at != shard.entries.end();) {
      if (at->key.file != file) {
        ++at;
        continue;
      }
      shard.bytes -= at->page->size() + kEntryBytes;
      shard.index.erase(at->key);
      at = shard.entries.erase(at);
    }
  }
}

PageCacheStats PageCache::stats() const {
  PageCacheStats stats;
  for (const Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    stats.hits += shard.hits;
    stats.misses += shard.misses;
    stats.bytes += shard.bytes;
  }
  return stats;
}

std::shared_ptr<PageCache> NewPageCache(uint64_t bytes_max, MemoryBudget* budget,
                                        MemoryAccount* memory) {
  auto cache = std::make_shared<PageCache>(bytes_max, memory);
  if (budget != nullptr)
    budget->OnShortage([weak = std::weak_ptr(cache)](uint64_t wanted) {
      if (auto alive = weak.lock()) alive->Shrink(wanted);
    });
  return cache;
}
PageCacheStats Stats(const PageCache& cache) { return cache.stats(); }

}  // namespace weft::block

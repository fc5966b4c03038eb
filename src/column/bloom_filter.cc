// SPDX-License-Identifier: Apache-2.0
#include "column/bloom_filter.h"

namespace weft::column {
namespace {

constexpr size_t kBlockBytes = 64;
constexpr size_t kKeysPerBlock = 46;
constexpr uint32_t kProbes = 6;

// The high half of the hash chooses the block, nine bits at a time of the mixed low half the bits.
size_t BlockOf(uint64_t hash, size_t blocks) {
  return static_cast<size_t>(((hash >> 32) * blocks) >> 32);
}
template <class Visit>
void ForEachProbe(uint64_t hash, Visit visit) {
  uint64_t bits = (hash & 0xFFFFFFFF) * 0x9E3779B97F4A7C15u;
  for (uint32_t i = 0; i < kProbes; ++i, bits >>= 9) visit(bits & 511);
}

}  // namespace

std::string BuildBloomFilter(std::span<const uint64_t> hashes) {
  const size_t blocks = hashes.size() / kKeysPerBlock + 1;
  std::string filter(blocks * kBlockBytes, '\0');
  for (uint64_t hash : hashes) {
    char* block = filter.data() + BlockOf(hash, blocks) * kBlockBytes;
    ForEachProbe(hash, [&](uint64_t bit) {
      block[bit / 8] = static_cast<char>(block[bit / 8] | 1 << (bit % 8));
    });
  }
  return filter;
}

bool BloomFilterMayContain(std::string_view filter, uint64_t hash) {
  if (filter.empty() || filter.size() % kBlockBytes != 0) return true;
  const char* block = filter.data() + BlockOf(hash, filter.size() / kBlockBytes) * kBlockBytes;
  bool all = true;
  ForEachProbe(hash, [&](uint64_t bit) { all = all && (block[bit / 8] >> (bit % 8) & 1); });
  return all;
}

}  // namespace weft::column

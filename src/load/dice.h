// SPDX-License-Identifier: Apache-2.0
//
// Dice: the random numbers of generated traffic. The same seed gives the same traffic on every
// machine and with every standard library, so a bench or a failing test can be repeated exactly.
//
// Thread rule: one thread at a time.
// Source: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>

#include "model/ids.h"

namespace weft::load {

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // Evenly in [0, count). REQUIRES: count > 0.
  uint64_t Below(uint64_t count) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * count) >> 64);
  }
  // Evenly in [low, high].
  uint64_t Between(uint64_t low, uint64_t high) { return low + Below(high - low + 1); }
  // True `percent` times in a hundred.
  bool Chance(double percent) { return Unit() * 100 < percent; }
  // Evenly in [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  // A latency around `median_ns`: log-normal, as latencies are, with a tail of about 4 x.
  uint64_t Latency(uint64_t median_ns) {
    double sum = -6;  // twelve uniform numbers: a normal one, near enough and the same everywhere
    for (int i = 0; i < 12; ++i) sum += Unit();
    return static_cast<uint64_t>(static_cast<double>(median_ns) * std::exp2(sum * 0.5));
  }
  template <class T>
  const T& Pick(std::span<const T> items) {
    return items[Below(items.size())];
  }
  template <class T, size_t kCount>
  const T& Pick(const T (&items)[kCount]) {
    return items[Below(kCount)];
  }
  template <class IdType>
  IdType NewId() {
    IdType id;
    for (size_t i = 0; i < IdType::kSize; i += 8) {
      uint64_t word = Next();
      if (word == 0) word = 1;  // an id of all zero is none
      std::memcpy(id.bytes.data() + i, &word, 8);
    }
    return id;
  }

 private:
  uint64_t state_;
};

}  // namespace weft::load

// SPDX-License-Identifier: Apache-2.0
//
// One way to say that a parser's answer does not depend on how its bytes were cut on their way:
//
//   EXPECT_EQ(CutDifference(bytes, [&](const Pieces& pieces) { feed each; return the answer; }),
//   "");
//
// The parser is fed the whole, every cut in two, single bytes, and pieces of random sizes; the
// answer is text that says all that a peer or user could tell apart. Fuzz targets cut by their
// input: CutByPlan().
//
// Thread rule: pure functions. Next: testing/piece_source.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::testing {

// In order; together they are the bytes that were cut. They point into those.
using Pieces = std::vector<std::string_view>;

struct CutOptions {
  // Beyond so many cuts in two, they are spread evenly over the bytes. Single bytes are tried
  // whatever the size.
  size_t cuts_max = 4096;
  size_t random_runs = 16;
  uint64_t seed = 1;
  // Also hands out pieces without bytes: a source may do so, a socket never does.
  bool empty_pieces = false;
};

inline Pieces CutAt(std::string_view bytes, size_t at) {
  return {bytes.substr(0, at), bytes.substr(at)};
}

inline Pieces CutEvery(std::string_view bytes, size_t step) {
  Pieces out;
  for (; !bytes.empty(); bytes.remove_prefix(out.back().size()))
    out.push_back(bytes.substr(0, step));
  return out;
}

// Small pieces and large ones mixed, as a slow network makes them.
template <class Random>
Pieces CutRandomly(std::string_view bytes, Random& random, bool empty_pieces) {
  Pieces out;
  const uint64_t size_bits = 1 + random() % 12;
  while (!bytes.empty()) {
    size_t size = random() % (uint64_t{1} << (1 + random() % size_bits));
    if (size == 0 && !empty_pieces) size = 1;
    out.push_back(bytes.substr(0, size));
    bytes.remove_prefix(out.back().size());
  }
  return out;
}

// Each byte of `plan` is the size of a piece, from the front again when all are used: below 128 as
// it is (0 is 1), else 64 times what it is above 127. An empty plan leaves the bytes whole.
inline Pieces CutByPlan(std::string_view bytes, std::string_view plan) {
  if (plan.empty()) return {bytes};
  Pieces out;
  for (size_t i = 0; !bytes.empty(); i = (i + 1) % plan.size()) {
    auto size = static_cast<size_t>(static_cast<unsigned char>(plan[i]));
    if (size >= 128) size = (size - 127) * 64;
    out.push_back(bytes.substr(0, std::max<size_t>(size, 1)));
    bytes.remove_prefix(out.back().size());
  }
  return out;
}

// A fuzz target's input: its first byte says how many bytes of plan follow it.
inline std::pair<std::string_view, std::string_view> PlanAndBytes(std::string_view input) {
  if (input.empty()) return {};
  size_t size = static_cast<unsigned char>(input[0]) % 16;
  input.remove_prefix(1);
  return {input.substr(0, size), input.substr(std::min(size, input.size()))};
}

// "" when `read` answers each cut as it does the whole; else the first cut that it does not, with
// both answers. `read` takes const Pieces& and returns a std::string.
template <class Read>
std::string CutDifference(std::string_view bytes, Read read, const CutOptions& options = {}) {
  const std::string whole = read(Pieces{bytes});
  auto differs = [&](const Pieces& pieces, const std::string& how) -> std::string {
    std::string answer = read(pieces);
    if (answer == whole) return "";
    return how + " of " + std::to_string(bytes.size()) + " bytes\n--- whole\n" +
           whole.substr(0, 2000) + "\n--- cut\n" + answer.substr(0, 2000);
  };
  const size_t step = std::max<size_t>(1, bytes.size() / std::max<size_t>(1, options.cuts_max));
  for (size_t at = 1; at < bytes.size(); at += step) {
    std::string difference = differs(CutAt(bytes, at), "cut at byte " + std::to_string(at));
    if (!difference.empty()) return difference;
  }
  if (std::string difference = differs(CutEvery(bytes, 1), "single bytes"); !difference.empty())
    return difference;
  for (size_t run = 0; run < options.random_runs; ++run) {
    const uint64_t seed = options.seed + run;
    std::mt19937_64 random(seed);
    std::string difference = differs(CutRandomly(bytes, random, options.empty_pieces),
                                     "random pieces, seed " + std::to_string(seed));
    if (!difference.empty()) return difference;
  }
  return "";
}

}  // namespace weft::testing

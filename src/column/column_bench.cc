// SPDX-License-Identifier: Apache-2.0
//
// The kernels under every page: packing, unpacking, choosing an encoding, reading it back. Per
// number.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>
#include <vector>

#include "column/bit_pack.h"
#include "column/byte_cursor.h"
#include "column/numbers.h"
#include "column/page.h"

namespace weft::column {
namespace {

constexpr size_t kCount = 8192;

std::vector<uint64_t> MakeNumbers(uint32_t width) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> numbers(kCount);
  for (uint64_t& n : numbers) n = random() >> (64 - width);
  return numbers;
}

void BM_UnpackBits(benchmark::State& state) {
  const uint32_t width = static_cast<uint32_t>(state.range(0));
  std::string packed;
  PackBits(MakeNumbers(width), width, &packed);
  std::vector<uint64_t> out(kCount);
  for (auto _ : state) {
    UnpackBits(packed.data(), width, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * kCount);
}
BENCHMARK(BM_UnpackBits)->Arg(3)->Arg(10)->Arg(20)->Arg(60);

void BM_EncodeNumbers(benchmark::State& state) {
  const std::vector<uint64_t> numbers = MakeNumbers(static_cast<uint32_t>(state.range(0)));
  std::string stream;
  for (auto _ : state) {
    stream.clear();
    EncodeNumbers(numbers, &stream);
  }
  state.SetItemsProcessed(state.iterations() * kCount);
}
BENCHMARK(BM_EncodeNumbers)->Arg(3)->Arg(10)->Arg(20);

void BM_DecodeNumbers(benchmark::State& state) {
  std::string stream;
  EncodeNumbers(MakeNumbers(static_cast<uint32_t>(state.range(0))), &stream);
  std::vector<uint32_t> out(kCount);
  for (auto _ : state) {
    ByteReader reader(stream);
    if (!DecodeNumbers(&reader, std::span(out))) std::abort();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * kCount);
}
BENCHMARK(BM_DecodeNumbers)->Arg(3)->Arg(10)->Arg(20);

void BM_SealNumbers(benchmark::State& state) {
  PageSealer sealer(1);
  const std::vector<uint64_t> numbers = MakeNumbers(static_cast<uint32_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(sealer.SealNumbers({}, numbers));
  state.SetItemsProcessed(state.iterations() * kCount);
}
BENCHMARK(BM_SealNumbers)->Arg(10);

}  // namespace
}  // namespace weft::column

// SPDX-License-Identifier: Apache-2.0
//
// Strategy: the input is a list of changes (offset, byte) to a small real block, because random
// bytes never get past the footer; the block is opened without its checksums and read in every way.
// Invariant: every answer is a value or an error; nothing outside the file is read.
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "block/block_writer.h"
#include "block/chunk.h"
#include "block/read_everything.h"
#include "testing/sim_env.h"
#include "testing/wild_batch.h"

namespace weft::block {
namespace {

std::string RealBlock() {
  testing::SimEnv env;
  std::mt19937_64 random(1);
  auto chunk = std::make_shared<Chunk>();
  chunk->Append(testing::WildBatch(random, {.spans = 60, .logs = 10}));
  chunk->Seal();
  std::vector<std::shared_ptr<const Segment>> sources = {chunk};
  if (!WriteBlock(&env, "/block", sources, {.columns_max = 24})) return {};
  auto file = *env.OpenRead("/block");
  std::string bytes(file->bytes(), '\0');
  if (!file->ReadAt(0, bytes)) return {};
  return bytes;
}

}  // namespace
}  // namespace weft::block

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string real = weft::block::RealBlock();
  std::string bytes = real;
  for (size_t i = 0; i + 3 <= size; i += 3)
    bytes[(data[i] | data[i + 1] << 8) % bytes.size()] = static_cast<char>(data[i + 2]);
  weft::testing::SimEnv env;
  auto file = env.Create("/block");
  if (!file || !(*file)->WriteAt(0, bytes)) return 0;
  if (auto block = weft::block::OpenBlockUnverified(&env, "/block"))
    (void)weft::block::ReadEverything(**block);
  return 0;
}

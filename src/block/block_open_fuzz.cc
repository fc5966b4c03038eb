// SPDX-License-Identifier: Apache-2.0
//
// Strategy: the input is a list of changes (offset, byte) to a small real block, because random
// bytes never get past the footer; the block is opened without its checksums and read in every way.
// Invariant: every answer is a value or an error; nothing outside the file is read.
#include <cstddef>
#include <cstdint>
#include <string>

#include "block/read_everything.h"
#include "testing/sim_env.h"
#include "testing/wild_block.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string real = [] {
    weft::testing::SimEnv env;
    return weft::testing::WriteWildBlock(&env, "/block");
  }();
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

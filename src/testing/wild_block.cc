// SPDX-License-Identifier: Apache-2.0
#include "testing/wild_block.h"

#include <memory>
#include <random>
#include <vector>

#include "base/check.h"
#include "block/block_writer.h"
#include "chunk/chunk.h"
#include "testing/wild_batch.h"

namespace weft::testing {

std::string WriteWildBlock(Env* env, const std::string& path) {
  std::mt19937_64 random(1);
  auto chunk = std::make_shared<chunk::Chunk>();
  chunk->Append(WildBatch(random, {.spans = 200, .logs = 40, .traces = 6, .span_ids = 40}));
  chunk->Seal();
  const std::vector<std::shared_ptr<const segment::Segment>> sources = {chunk};
  auto written = block::WriteBlock(env, path, sources,
                                   {.columns_max = 24, .group_rows = segment::RowGroups::kRowsMin});
  WEFT_CHECK_MSG(written.has_value(), written ? "" : written.error().message.c_str());
  auto file = env->OpenRead(path);
  WEFT_CHECK(file.has_value());
  std::string bytes((*file)->bytes(), '\0');
  WEFT_CHECK((*file)->ReadAt(0, bytes).has_value());
  return bytes;
}

}  // namespace weft::testing

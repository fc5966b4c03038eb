// SPDX-License-Identifier: Apache-2.0
#include "testing/segment_placements.h"

#include "base/check.h"
#include "block/block_reader.h"
#include "block/block_writer.h"
#include "testing/sim_env.h"

namespace weft::testing {
namespace {

using SegmentPtr = std::shared_ptr<const segment::Segment>;
using Segments = std::vector<SegmentPtr>;

class BlockFactory {
 public:
  SegmentPtr Merge(const Segments& sources, block::WriteBlockOptions options = {}) {
    std::string path = "/blocks/" + std::to_string(++count_) + ".block";
    auto written = block::WriteBlock(env_.get(), path, sources, options);
    WEFT_CHECK_MSG(written.has_value(), written ? "" : written.error().message.c_str());
    auto opened = block::OpenBlock(env_.get(), path, cache_);
    WEFT_CHECK_MSG(opened.has_value(), opened ? "" : opened.error().message.c_str());
    // The block reads its file for as long as it lives.
    std::shared_ptr<const segment::Segment> segment = std::move(*opened);
    return SegmentPtr(segment.get(), [segment, env = env_](const segment::Segment*) {});
  }

 private:
  static std::shared_ptr<SimEnv> NewEnv() {
    auto env = std::make_shared<SimEnv>();
    WEFT_CHECK(env->MakeDirs("/blocks").has_value());
    return env;
  }

  std::shared_ptr<SimEnv> env_ = NewEnv();
  std::shared_ptr<block::PageCache> cache_ = block::NewPageCache(4 << 20);
  int count_ = 0;
};

}  // namespace

std::vector<Placement> MakePlacements(const std::vector<const SpanBatch*>& batches) {
  std::vector<Placement> placements;
  auto add = [&](std::string name, Segments segments) {
    placements.push_back({std::move(name), std::make_shared<SegmentSnapshot>(std::move(segments))});
  };
  add("one chunk", {MakeChunk(batches)});
  Segments chunks;
  for (const SpanBatch* batch : batches) chunks.push_back(MakeChunk(std::span(&batch, 1)));
  add("a chunk for each batch", chunks);

  BlockFactory factory;
  SegmentPtr all = factory.Merge({MakeChunk(batches)});
  add("one block", {all});
  Segments blocks;
  for (const SegmentPtr& chunk : chunks) blocks.push_back(factory.Merge({chunk}));
  add("a block for each batch", blocks);
  add("one block merged from blocks", {factory.Merge(blocks)});
  // Few spans fill many groups: value index, zone maps, traces that lie in several groups.
  const block::WriteBlockOptions small{.group_rows = segment::RowGroups::kRowsMin};
  SegmentPtr small_groups = factory.Merge({MakeChunk(batches)}, small);
  add("one block of small groups", {small_groups});
  add("small groups merged into large ones", {factory.Merge({small_groups})});
  Segments small_blocks;
  for (const SegmentPtr& block : blocks) small_blocks.push_back(factory.Merge({block}, small));
  add("a block of small groups for each batch", small_blocks);
  Segments mixed;
  for (size_t i = 0; i < chunks.size(); ++i) mixed.push_back(i % 2 == 0 ? chunks[i] : blocks[i]);
  add("chunks and blocks", mixed);
  return placements;
}

}  // namespace weft::testing

// SPDX-License-Identifier: Apache-2.0
#include "testing/segment_layouts.h"

namespace weft::testing {
namespace {

using Segments = std::vector<std::shared_ptr<const block::Segment>>;

}  // namespace

std::vector<Layout> MakeLayouts(const std::vector<const SpanBatch*>& batches) {
  std::vector<Layout> layouts;
  auto add = [&](std::string name, Segments segments) {
    layouts.push_back({std::move(name), std::make_shared<SegmentSnapshot>(std::move(segments))});
  };
  add("one chunk", {MakeChunk(batches)});
  Segments chunks;
  for (const SpanBatch* batch : batches) chunks.push_back(MakeChunk(std::span(&batch, 1)));
  add("a chunk for each batch", chunks);
  return layouts;
}

}  // namespace weft::testing

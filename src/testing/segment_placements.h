// SPDX-License-Identifier: Apache-2.0
//
// Placements: the same batches as segments in different places. Whatever a query asks, every
// placement must give the same answer.
//
// Thread rule: pure functions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/span_batch.h"
#include "testing/segment_snapshot.h"

namespace weft::testing {

struct Placement {
  std::string name;
  std::shared_ptr<const store::Snapshot> snapshot;
};

std::vector<Placement> MakePlacements(const std::vector<const SpanBatch*>& batches);

}  // namespace weft::testing

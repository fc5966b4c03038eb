// SPDX-License-Identifier: Apache-2.0
//
// For tests and fuzzing: opens a block without looking at checksums, so that the checks behind them
// are reached, and reads all of a segment in every way there is.
//
// Thread rule: as OpenBlock().
#pragma once

#include <memory>
#include <string>

#include "base/env.h"
#include "segment/segment.h"

namespace weft::block {

Result<std::shared_ptr<const segment::Segment>> OpenBlockUnverified(Env* env,
                                                                    const std::string& path);

// The first error met; goes on reading after one.
Status ReadEverything(const segment::Segment& segment);

}  // namespace weft::block

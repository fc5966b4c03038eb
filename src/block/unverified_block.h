// SPDX-License-Identifier: Apache-2.0
//
// Opens a block without looking at checksums, so that fuzzing and tests reach the checks behind
// them.
//
// Thread rule: as OpenBlock().
#pragma once

#include <memory>
#include <string>

#include "base/env.h"
#include "block/segment.h"

namespace weft::block {

Result<std::shared_ptr<const Segment>> OpenBlockUnverified(Env* env, const std::string& path);

}  // namespace weft::block

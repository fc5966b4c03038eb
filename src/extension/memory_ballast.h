// SPDX-License-Identifier: Apache-2.0
//
// extensions::memory_ballast, which stands in many old configurations: accepted, and does nothing.
//
// Thread rule: a constant.
#pragma once

#include "pipeline/component_row.h"

namespace weft::extension {

extern const pipeline::ComponentRow kMemoryBallast;

}  // namespace weft::extension

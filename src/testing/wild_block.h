// SPDX-License-Identifier: Apache-2.0
//
// A block file with little in it and every part of the format: many row groups, a value index,
// edges, an overflow column, traces that lie in several groups. What fuzzing and damage begin with.
//
// Thread rule: pure.
#pragma once

#include <string>

#include "base/env.h"

namespace weft::testing {

// Writes it to `path`, and returns its bytes. The same every time.
std::string WriteWildBlock(Env* env, const std::string& path);

}  // namespace weft::testing

// SPDX-License-Identifier: Apache-2.0
//
// How far a word is from another one, for "did you mean": the Levenshtein distance, letters of
// ASCII without their case. It takes time in proportion to the product of the lengths: bound them.
//
// Thread rule: pure function. Used by config/node.h and traceql/name_hints.h.
#pragma once

#include <cstddef>
#include <string_view>

namespace weft {

size_t EditDistance(std::string_view a, std::string_view b);

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
//
// Which spansets of a query are looked for in the rows to find its traces. Of `{a} && {b}` the
// rarer side is enough: a trace without it cannot match, and one with it is judged as a whole. Of
// `{a} || {b}` it is both.
//
// Thread rule: pure function. Next: query/search.cc.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "query/spanset_node.h"

namespace weft::query {

// `groups[filter]`: how many row groups of the snapshot may hold a span of it. The result is sorted
// and empty where no trace can match. `everywhere`: every row of the snapshot is looked at; if not,
// the rarer side may lie outside of the time range, and every spanset that can be part of an answer
// is looked for.
std::vector<uint32_t> ChooseTriggers(const SpansetNode& root, std::span<const uint64_t> groups,
                                     bool everywhere);

}  // namespace weft::query

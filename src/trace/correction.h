// SPDX-License-Identifier: Apache-2.0
//
// Clock correction: by how much the spans of each clock of a trace are moved, and on what evidence.
// One function for blocks and for views. What is stored, ordered and searched stays as received;
// self time, critical path and what a view shows follow the corrected times.
//
// Evidence is a call whose halves lie on two clocks (trace/trace_clock.h):
//   proof   a child that is no CONSUMER starts before its parent;
//   weaker  only where both name different hosts: a SERVER no longer than its CLIENT parent, which
//           did not fail, overlaps it and ends over 1 ms and the resolution of its times after it.
// Nothing else moves anything. The root's clock stands; the others follow in the order of their
// first use, each by the one shift nearest to none that all its calls with clocks already fixed
// allow.
//
// Thread rule: pure functions. docs/clock_skew.md has it with pictures.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trace/trace.h"
#include "trace/trace_clock.h"

namespace weft::trace {

// Of the rule in this file and of what follows from it: self time, critical path and error origins.
// A block keeps it beside these values; those of another version are computed anew.
inline constexpr uint32_t kRuleVersion = 2;

inline constexpr uint64_t kShiftMaxNs = 3'600'000'000'000;

struct ClockRule {
  uint64_t shift_max_ns = kShiftMaxNs;  // a clock that is off by more is left alone; 0: all are
};

// A clock about which there is evidence.
struct ClockFinding {
  uint32_t row = 0;    // pre-order position of the first span on it
  uint32_t spans = 0;  // on it that have a time
  // Calls that tell: those that start before their caller, and those that end after it.
  uint32_t early = 0, late = 0;
  int64_t shift_ns = 0;   // what is added to its times
  int64_t wanted_ns = 0;  // what would be, if there were no limit
  bool beyond_limit = false;
  bool inconsistent = false;  // no shift satisfies all its calls: this is the least bad one
};

struct Correction {
  std::vector<int64_t> shift_ns;  // pre-order; empty where nothing moves
  std::vector<ClockFinding> findings;
};

// Whether any call could be evidence, whatever its clocks are: most traces need to know no more.
bool MayNeedCorrection(const Tree& tree, std::span<const Node> nodes);
// REQUIRES: `names` has what Node::resource counts.
Correction CorrectClocks(const Tree& tree, std::span<const Node> nodes,
                         std::span<const ClockName> names, const ClockRule& rule);
// The nodes at their corrected times. REQUIRES: something moves.
std::vector<Node> Corrected(const Tree& tree, std::span<const Node> nodes,
                            const Correction& correction);

// The set of values at which the sum of all distances to bounds that do not hold is smallest:
// [lower, upper], each end possibly without limit.
struct ShiftRange {
  int64_t lower = INT64_MIN, upper = INT64_MAX;
};
ShiftRange LeastViolated(std::vector<int64_t> at_least, std::vector<int64_t> at_most);

}  // namespace weft::trace

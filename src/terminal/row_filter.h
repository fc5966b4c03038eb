// SPDX-License-Identifier: Apache-2.0
//
// Which spans of a trace are shown: those that satisfy every condition, and those above them, so
// that one sees where they hang.
//
// Thread rule: pure functions. Next: cli/trace_command.cc, query/assembled_trace.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "trace/trace_view.h"

namespace weft::terminal {

struct RowFilter {
  std::vector<std::string> services;  // one of them
  uint64_t min_duration_ns = 0;
  bool errors = false;
  std::string traceql;  // empty: any span
  uint32_t depth = 0;   // levels, the root's being the first; 0: all

  bool Asks() const {
    return !services.empty() || min_duration_ns > 0 || errors || !traceql.empty() || depth > 0;
  }
};

enum class RowState : uint8_t { kHidden, kAbove, kMatch };

// By pre-order position. kInvalidArgument for TraceQL that is wrong.
Result<std::vector<RowState>> FilterRows(const trace::TraceView& view, const RowFilter& filter);

}  // namespace weft::terminal

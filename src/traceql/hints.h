// SPDX-License-Identifier: Apache-2.0
//
// The hints that may stand behind a query, `with(most_recent=true)`: which ones Tempo documents,
// and what their values are.
//
// Thread rule: pure function over constants. Next: traceql/parser.cc, docs/traceql.md.
#pragma once

#include <string>
#include <string_view>

#include "traceql/tree.h"

namespace weft::traceql {

struct HintVerdict {
  std::string error;  // empty: a hint that Tempo has, with a value that fits
  std::string hint;
  bool of_value = false;  // the error is about the value, not about the name
};
HintVerdict CheckHint(std::string_view name, const Expression& value);

}  // namespace weft::traceql

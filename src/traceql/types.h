// SPDX-License-Identifier: Apache-2.0
//
// The type rules of operators, asked by the parser as it builds each node. An attribute has any
// type; what it really holds is judged on the data, where a mismatch is no match.
//
// Thread rule: pure functions. Next: traceql/parser.cc, docs/traceql.md.
#pragma once

#include <string>

#include "traceql/tree.h"

namespace weft::traceql {

struct TypeVerdict {
  Type type = Type::kAny;  // of the result
  std::string error;       // empty: fine
  std::string hint;
};
TypeVerdict CheckUnary(Operator op, const Expression& operand);
TypeVerdict CheckBinary(Operator op, const Expression& left, const Expression& right);
// What stands between the braces must be true or false.
TypeVerdict CheckFilter(const Expression& filter);

}  // namespace weft::traceql

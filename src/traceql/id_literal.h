// SPDX-License-Identifier: Apache-2.0
//
// The text beside an id field (`trace:id`, `span:id`, `span:parentID`, `link:traceID`,
// `link:spanID`): hex digits of either case, with zeros in front where there are fewer than the id
// has. It becomes the form that ids have in the data, so that every spelling finds the same spans.
//
// Thread rule: pure function. Next: traceql/parser.cc, docs/traceql.md.
#pragma once

#include <string>
#include <string_view>

#include "traceql/tree.h"

namespace weft::traceql {

struct IdVerdict {
  std::string text;   // all digits, in lower case; "" for the parent of a root
  std::string error;  // empty: fine
  std::string hint;
};
// REQUIRES: the field is an id's.
IdVerdict ReadIdLiteral(const Field& field, std::string_view text);

}  // namespace weft::traceql

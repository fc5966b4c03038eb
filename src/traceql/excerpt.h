// SPDX-License-Identifier: Apache-2.0
//
// An error as a person reads it in a terminal: position and message, the line of text that is
// meant, a caret below the place, a hint.
//
// Thread rule: pure function. Next: traceql/parser.cc.
#pragma once

#include <string_view>

#include "base/result.h"
#include "traceql/traceql.h"

namespace weft::traceql {

Error ToError(ErrorCode code, std::string_view text, const Diagnostic& diagnostic);

}  // namespace weft::traceql

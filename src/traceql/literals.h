// SPDX-License-Identifier: Apache-2.0
//
// Literals as TraceQL writes them: strings ("escaped" or `raw`), integers, floats and durations,
// read by the lexer and written by the printer.
//
// Durations come in two forms: whole numbers with units in falling order, years to milliseconds
// (`1d12h`; a year is 365 days), or decimal numbers with units h m s ms us ns (`1.5s`, `2m0.5s`).
// Thread rule: pure functions. Next: traceql/lexer.h.
#pragma once

#include <string>
#include <string_view>

#include "traceql/tree.h"

namespace weft::traceql {

struct StringScan {
  size_t bytes = 0;    // read; on an error: up to where it is
  bool whole = false;  // the error is about the whole literal, not about one place in it
  std::string value;
  std::string_view error, hint;
};
// REQUIRES: text starts with " or `.
StringScan ScanString(std::string_view text);

struct NumberScan {
  size_t bytes = 0;
  Literal value;
  std::string_view error, hint;
};
// REQUIRES: text starts with a digit, or with a dot and a digit.
NumberScan ScanNumber(std::string_view text);

// A literal that reads back as the same value.
std::string LiteralText(const Literal& literal);
std::string QuoteText(std::string_view text);
std::string DurationText(int64_t ns);

}  // namespace weft::traceql

// SPDX-License-Identifier: Apache-2.0
//
// Strategy: any bytes as query text. Invariants: Parse() ends; an error has a message and a
// position inside the text; what parses prints to text that parses to the same print.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "traceql/traceql.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  weft::traceql::Diagnostic diagnostic;
  auto query = weft::traceql::Parse(text, &diagnostic);
  if (!query) {
    WEFT_CHECK(!query.error().message.empty());
    WEFT_CHECK(diagnostic.position.offset <= size);
    return 0;
  }
  std::string printed = weft::traceql::ToString(*query);
  auto again = weft::traceql::Parse(printed);
  // Escapes can make the print longer than a query may be.
  if (!again && printed.size() > weft::traceql::kTextBytesMax) return 0;
  WEFT_CHECK_MSG(again.has_value(), printed.c_str());
  WEFT_CHECK_MSG(weft::traceql::ToString(*again) == printed, printed.c_str());
  return 0;
}

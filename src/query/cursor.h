// SPDX-License-Identifier: Apache-2.0
//
// The order of results and the cursor that continues it. Results come by falling (trace start,
// trace id); a cursor names the last one given, so that traces that arrive meanwhile neither repeat
// nor skip what follows. To callers it is opaque text, and belongs to one query.
//
// Thread rule: pure functions. Next: query/search.cc.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/ids.h"

namespace weft::query {

struct ResultKey {
  uint64_t start_ns = UINT64_MAX;
  TraceId trace_id;
  auto operator<=>(const ResultKey&) const = default;
};

// `question` is what the cursor belongs to.
std::string EncodeCursor(const ResultKey& last, std::string_view question);
Result<ResultKey> DecodeCursor(std::string_view cursor, std::string_view question);

}  // namespace weft::query

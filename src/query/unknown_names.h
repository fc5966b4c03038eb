// SPDX-License-Identifier: Apache-2.0
//
// Names in a question that no data has: a service, an operation or an attribute that was never
// received, and the received one that is nearest to it. Beside an empty answer they tell a slip
// from an absence.
//
// Dictionaries and column lists tell; all of them are read only where something is unknown. Where
// the same value is asked for under several names (`.k = 1 || .other = 1`, which is what tags
// become), only a value for which no name is known is reported, and once.
// Thread rule: as query/query.h. Next: query/query.h, base/edit_distance.h.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/query.h"
#include "traceql/tree.h"

namespace weft::query {

struct UnknownName {
  enum class Kind : uint8_t { kService, kOperation, kAttribute };
  Kind kind = Kind::kService;
  std::string name;     // as asked for; an attribute as TraceQL writes it, or its key alone
  std::string nearest;  // in the same form; "": none is near
  bool operator==(const UnknownName&) const = default;
};
std::string_view KindWord(UnknownName::Kind kind);  // "service"
std::optional<UnknownName::Kind> KindOfWord(std::string_view word);
// no data has the service "chekout": did you mean "checkout"?
std::string SentenceOf(const UnknownName& unknown);

// In the order of the query, each once. Empty where the snapshot is. What cannot be read counts as
// unknown to nobody: then nothing is reported.
Result<std::vector<UnknownName>> FindUnknownNames(const store::Snapshot& snapshot,
                                                  const traceql::Query& query,
                                                  const Budget& budget);

// The candidate that `name` is a slip of, or "".
std::string NearestName(std::string_view name, std::span<const std::string> candidates);

}  // namespace weft::query

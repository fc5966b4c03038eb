// SPDX-License-Identifier: Apache-2.0
//
// Tags for completion: which attribute keys occur and which values they have, optionally only on
// spans that match a TraceQL filter or start in a time range. Names come from column lists and
// values from dictionaries wherever a whole segment counts; rows are read only where a filter or
// the edge of the time range cuts through one. So answers are exact, except where they say why not.
//
// Thread rule: as query/query.h. Next: query/tag_collect.h, query/tag_rows.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/query.h"
#include "traceql/tree.h"

namespace weft::query {

// "span", "resource", "instrumentation", "event", "link", "log" and "intrinsic".
std::span<const std::string_view> TagScopes();

// In a question about values: wherever TraceQL may find the key.
inline constexpr std::string_view kAnyPlace = "*";

struct TagName {
  std::string scope;  // one of TagScopes(); in a question also "": `.key`, of the span or its
                      // resource, and kAnyPlace
  std::string key;    // of an attribute; of an intrinsic its word, "name" or "span:name"
  bool operator==(const TagName&) const = default;
};
// `span.http.route`, `.x`, `span."a b".c`, `name`, `span:name`, as TraceQL writes a field, and
// `log.x`, which TraceQL lacks; nothing where the text is none.
std::optional<TagName> ParseTag(std::string_view text);
// The text that ParseTag() reads back as the same tag.
std::string TagText(const TagName& tag);
// What to write into a query for it; "" for attributes of log records, which TraceQL lacks.
std::string TagField(const TagName& tag);

struct TagRequest {
  // Only on spans that match this filter, one spanset.
  std::string traceql = "{}";
  // Only on spans that start in [start, end); an end of 0: no end.
  uint64_t start_ns = 0, end_ns = 0;
  uint32_t limit = 1000;  // values, or keys of one scope; 1 to kTagLimitMax
};
inline constexpr uint32_t kTagLimitMax = 100'000;
// Bytes of names or values in one answer.
inline constexpr uint64_t kTagBytesMax = 8ull << 20;

struct TagNames {
  std::vector<TagName> tags;  // by scope, then key
  bool truncated = false;     // there are more: these are the first in order
  std::string partial;        // empty: exact; otherwise the reason
  SearchStats stats;
};
// `scope` "": of every scope. Intrinsics are always the same: those that TraceQL has.
Result<TagNames> ListTags(const store::Snapshot& snapshot, std::string_view scope,
                          const TagRequest& request, const Budget& budget);

struct TagValue {
  ValueType type = ValueType::kString;
  bool keyword = false;  // a status or a kind, by its word
  std::string text;
  double number = 0;  // of numbers, for their order
};
// Numbers by size, then text.
bool operator<(const TagValue& a, const TagValue& b);

struct TagValues {
  std::vector<TagValue> values;
  bool truncated = false;
  std::string partial;
  SearchStats stats;
};
// Distinct values. Of arrays the items, since a condition asks for one of them. Intrinsics that are
// numbers, times or ids have too many values to list: none.
Result<TagValues> ListTagValues(const store::Snapshot& snapshot, const TagName& tag,
                                const TagRequest& request, const Budget& budget);

}  // namespace weft::query

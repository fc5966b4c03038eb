// SPDX-License-Identifier: Apache-2.0
//
// A tag, as Jaeger's clients, Tempo's `tags`, forms, links and `weft query --tag` name it, to the
// TraceQL condition that it means. One function, so that one tag asks one question everywhere:
// what any view shows as `key=value` is found by that tag.
//
// An attribute is looked for in the span, its resource, scope, events and links, and its value is
// compared as text whatever its type; an array of JSON asks for all of its items. Keys that
// Jaeger's JSON shows for what is no attribute here
// (`error`, `span.kind`, `otel.status_code`, `event`, ...) mean the span's own fields, and the
// attribute of that name too. `span.K`, `resource.K`, `event.K`, `link.K` and `instrumentation.K`
// ask for K in that place, and for an attribute of the whole name.
//
// `error=true`: the status is error, or an attribute `error` is true or "true"; `error=false` is
// the opposite. Examples that are tests: test/tags/conditions.test. The UI writes the same text.
// Thread rule: pure functions. Next: api/jaeger_search.h, api/tempo_parameters.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::traceql {

enum class TagMatch : uint8_t {
  kEqual,     // the value is this text, number or boolean
  kContains,  // Tempo's: texts that contain it, in any case; numbers and booleans that are equal.
              // Intrinsics by their words ("name", "root.name", "span:status") are known as well
};

// A condition that may stand in `{ }` and beside && without parentheses of its own. A key that is
// empty is one of TraceQL too.
std::string TagCondition(std::string_view key, std::string_view value,
                         TagMatch match = TagMatch::kEqual);
// Every one of the alternatives would do.
std::string AnyOf(const std::vector<std::string>& conditions);

}  // namespace weft::traceql

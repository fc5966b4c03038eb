// SPDX-License-Identifier: Apache-2.0
//
// `weft query --tag KEY=VALUE`: the tags of one span, as Jaeger's search and the UI's form take
// them, put together with the TraceQL beside them. What a tag means: traceql/tag_condition.h.
//
// Thread rule: pure functions. Next: cli/query_command.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::cli {

// The query for spans of `traceql` ("": all) that have every tag. kInvalidArgument for a tag
// without a key or an =, for wrong TraceQL, and for a query of several spansets, of which a tag
// could belong to any.
Result<std::string> WithTags(std::string_view traceql, const std::vector<std::string>& tags);

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/tag_filter.h"

#include <fmt/format.h>

#include "terminal/terminal.h"
#include "traceql/tag_condition.h"
#include "traceql/traceql.h"

namespace weft::cli {

Result<std::string> WithTags(std::string_view traceql, const std::vector<std::string>& tags) {
  if (tags.empty()) return std::string(traceql);
  std::string conditions;
  if (!traceql.empty()) {
    WEFT_ASSIGN(traceql::Query query, traceql::Parse(traceql));
    if (query.spanset->kind != traceql::Spanset::Kind::kFilter)
      return Fail(
          ErrorCode::kInvalidArgument,
          "--tag goes with one spanset { ... }, not with several: write the tag into one of "
          "them");
    if (query.spanset->filter != nullptr)
      conditions = "(" + traceql::ToString(*query.spanset->filter) + ")";
  }
  for (const std::string& tag : tags) {
    size_t equal = tag.find('=');
    if (equal == tag.npos || equal == 0)
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("--tag {}: expected KEY=VALUE, such as http.status_code=500",
                              terminal::CleanText(tag)));
    if (!conditions.empty()) conditions += " && ";
    conditions += traceql::TagCondition(tag.substr(0, equal), tag.substr(equal + 1));
  }
  return "{ " + conditions + " }";
}

}  // namespace weft::cli

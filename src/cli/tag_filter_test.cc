// SPDX-License-Identifier: Apache-2.0
#include "cli/tag_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traceql/tag_condition.h"
#include "traceql/traceql.h"

namespace weft::cli {
namespace {

using ::testing::HasSubstr;
using traceql::TagCondition;

std::string Of(std::string_view traceql, const std::vector<std::string>& tags) {
  Result<std::string> query = WithTags(traceql, tags);
  if (!query) return "ERROR " + query.error().message;
  EXPECT_TRUE(traceql::Parse(*query)) << *query;
  return *query;
}

TEST(TagFilter, TagsAreConditionsOnTheSameSpan) {
  EXPECT_EQ(WithTags("{ .a = }", {}).value(), "{ .a = }");
  EXPECT_EQ(Of("", {"error=true"}), "{ " + TagCondition("error", "true") + " }");
  EXPECT_EQ(Of("{}", {"a=b=c", "empty="}),
            "{ " + TagCondition("a", "b=c") + " && " + TagCondition("empty", "") + " }");
  EXPECT_EQ(Of("{ kind = server || .x }", {"a=1"}),
            "{ (span:kind = server || .x) && " + TagCondition("a", "1") + " }");
}

TEST(TagFilter, SaysWhatIsWrong) {
  EXPECT_THAT(Of("{}", {"novalue"}), HasSubstr("expected KEY=VALUE"));
  EXPECT_THAT(Of("{}", {"=x"}), HasSubstr("expected KEY=VALUE"));
  EXPECT_THAT(Of("{} && {}", {"a=b"}), HasSubstr("one spanset"));
  EXPECT_THAT(Of("{ .a = }", {"a=b"}), HasSubstr("line 1, column 8"));
}

}  // namespace
}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
//
// What tags become, from the table that the UI's tests read too. What they find is tested over the
// APIs, by api/tag_search_test.cc.
#include "traceql/tag_condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "traceql/literals.h"
#include "traceql/traceql.h"

namespace weft::traceql {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// One quoted string at the front of `text`, which is taken from it. Strings of JSON without \u are
// strings of TraceQL too.
std::string TakeString(std::string_view* text) {
  StringScan scan = ScanString(*text);
  EXPECT_TRUE(scan.error.empty()) << *text << ": " << scan.error;
  text->remove_prefix(std::min(scan.bytes + 1, text->size()));
  return scan.value;
}

TEST(TagConditions, AreWrittenAsTheTableSays) {
  std::ifstream file(WEFT_SOURCE_DIR "/test/tags/conditions.test");
  ASSERT_TRUE(file.good());
  int cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::string_view rest = line;
    std::string key = TakeString(&rest), value = TakeString(&rest);
    ASSERT_THAT(rest, StartsWith("=> ")) << line;
    std::string condition = TagCondition(key, value);
    EXPECT_EQ(condition, rest.substr(3)) << line;
    EXPECT_TRUE(Parse("{ " + condition + " }")) << condition;
    ++cases;
  }
  EXPECT_GT(cases, 20);
}

TEST(TagConditions, EveryTextIsTraceQl) {
  for (const char* text : {"a\"b", "\\", "\n", "\x01\x7F", "`", "", "{", "a = b", "} || {", "nil",
                           "-", "1.", "-5", "0.1e-7", "caf\xC3\xA9"})
    for (TagMatch match : {TagMatch::kEqual, TagMatch::kContains})
      for (const char* key : {text, "k", "error", "span.kind", "status", "duration", "span:id"}) {
        std::string condition = TagCondition(key, text, match);
        EXPECT_TRUE(Parse("{ .x && " + condition + " }")) << condition;
      }
}

TEST(TagConditions, OfTempoContain) {
  auto tempo = [](std::string_view key, std::string_view value) {
    return TagCondition(key, value, TagMatch::kContains);
  };
  EXPECT_THAT(tempo("k", "a.b"), StartsWith(R"((span.k =~ "(?i).*a\\.b.*" || resource.k =~ )"));
  EXPECT_THAT(tempo("k", "200"), HasSubstr("span.k = 200"));
  EXPECT_THAT(tempo("k", "true"), HasSubstr("span.k = true"));
  EXPECT_EQ(tempo("error", "true"), TagCondition("error", "true"));
  EXPECT_EQ(tempo("error", "false"), TagCondition("error", "false"));
  EXPECT_THAT(tempo("name", "GET"), StartsWith(R"((name =~ "(?i).*GET.*" || span.name =~)"));
  EXPECT_THAT(tempo("root.service.name", "shop"), StartsWith(R"((rootServiceName =~ )"));
  EXPECT_THAT(tempo("status.code", "error"), StartsWith("(status = error || span.status.code"));
  EXPECT_THAT(tempo("status", "error"), StartsWith("(status = error || span.status =~"));
  EXPECT_THAT(tempo("span:kind", "server"), StartsWith("(span:kind = server || span.span:kind"));
  EXPECT_THAT(tempo("duration", "5ms"), StartsWith("(duration = 5ms || "));
  EXPECT_THAT(tempo("trace:id", "AB"), StartsWith("(trace:id = \"AB\" || "));
  // No value of the field, and not another field.
  for (const char* value : {"fast", "duration", "nil", "true"})
    EXPECT_THAT(tempo("duration", value), StartsWith("(span.duration =~ ")) << value;
  EXPECT_THAT(tempo("trace:id", "xyz"), Not(HasSubstr("trace:id = ")));
}

}  // namespace
}  // namespace weft::traceql

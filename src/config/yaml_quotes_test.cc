// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_quotes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config/yaml.h"

namespace weft::config {
namespace {

TEST(YamlQuotesTest, TheLineOfAQuoteThatIsNeverClosed) {
  struct Case {
    std::string text;
    uint32_t line;
  };
  const Case kCases[] = {
      {"a: 1\nb: \"/tmp/x\n", 2},
      {"a: 1\nb: '/tmp/x", 2},
      {"\"a: 1\n", 1},
      {"a:\n  b: \"x\n  c: 1\nd: 2\n", 2},
      // A quote further below would close it.
      {"a:\n  b: \"x\n  c: \"y\"\n", 2},
      {"a:\n  - 'x\n  - 'y'\n", 2},
      {"a:\n- \"x\n- 'y'\nb: \"z\"\n", 2},
      {"a:\n  - b: 'x\n    c: 'y'\n", 2},
      {"a: 'x\n\"b\": 'y'\n", 1},
      {"a: \"x\r\nb: \"y\"\r\n", 1},
      {"a: 'x\n---\nb: 'y'\n", 1},
      {"a: {b: \"x, c: [1]}\nd: \"y\"\n", 1},
      {"a: \"C:\\\"\n", 1},
      {"a: 'it''s\n", 1},
      {"a: don't\nb: # \"\n  \"x\n", 3},
      {"a: |\n  \"\nb: \"x\n", 3},
      {"\xEF\xBB\xBF"
       "a: \"x\n",
       1},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.text);
    EXPECT_EQ(FindUnclosedQuote(test.text), test.line);
    Result<Node> node = ParseYaml(test.text, "f.yaml");
    ASSERT_FALSE(node);
    EXPECT_EQ(node.error().message,
              "f.yaml:" + std::to_string(test.line) + ": this quote is never closed");
  }
}

TEST(YamlQuotesTest, QuotesInGoodYamlAreNotMistaken) {
  for (const std::string text : {
           "a: don't\nb: 5\" disk\nc: x \"y\n",
           "a: don't\n  \"go on\n  'here\nb: 1\n",
           "a:\n  plain\n  \"still\nb: 1\n",
           "a: [don't, it's]\nb: {c: o'clock, d: x}\n",
           "a: [x\n  \"y, z]\n",
           "a: 1 # don't\n# \"never\nb: 2 #'\n",
           "a: \"x # y\"\nb: 'x # y' # \"\n",
           "a: \"x\n  y\n\n  z\"\nb: 'x\n  y'\n",
           "a:\n  - \"x\n    - y\"\n  - 'b: x\n    c: y'\n",
           // Not indented, as YAML wants it to be, but no entry either.
           "a: \"x\ny\"\n",
           "a: |\n  don't \"\n\n  '\nb: >-\n  \"x\n",
           "a: |2-\n    \"\n  '\nb: 1\n",
           "- |\n '\n- >+\n  \"\n\n",
           "a:\n- b: |\n    \"\n  c: '1'\n",
           "a: |\n  \"\n\n  x\n# '\nb: 1\n",
           "a: \"\\\"\"\nb: \"\\\\\"\nc: 'it''s'\nd: ''\ne: \"\"\nf: \"x\\\n  y\"\n",
           "\"a\": \"b\"\n'c' : 'd'\n",
           "{\"a\":\"b}\",\"c\":{\"d\":\"'\"},'e':[\"f]\"]}",
           "{\n\"a\": \"b\",\n\"c\": \"'\"\n}\n",
           "a: !!str \"x'\"\nb: &b 'y\"'\nc: *b\nd: !x '\"'\n",
           "? 'a\"'\n: \"b'\"\n",
           "--- # \"\na: 'x'\n...\n",
           "--- \"x\ny\"\n",
           "\"\"",
           "a: ${env:X:-\"}\n",
           "a: 'x'\r\nb: \"y\r\n  z\"\r\n",
           "a: http://x/'y\nb: x#'\n",
           "tokens: [\"a: b\", 'c: d',\n  \"e: f\"]\n",
       }) {
    SCOPED_TRACE(text);
    EXPECT_EQ(FindUnclosedQuote(text), std::nullopt);
    Result<Node> node = ParseYaml(text, "f.yaml");
    EXPECT_TRUE(node) << node.error().message;
  }
}

}  // namespace
}  // namespace weft::config

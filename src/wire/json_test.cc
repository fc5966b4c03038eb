// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "wire/json_indent.h"
#include "wire/json_scan.h"

namespace weft::wire {
namespace {

using namespace std::string_literals;

TEST(JsonScan, FindsTheEndOfADocument) {
  EXPECT_EQ(JsonDocumentBytes("{}"), 2u);
  EXPECT_EQ(JsonDocumentBytes("[{}]{}"), 4u);
  EXPECT_EQ(JsonDocumentBytes(R"({"a}":"\"}\\"} x)"), 14u);
  EXPECT_EQ(JsonDocumentBytes("{"), std::string_view::npos);
  EXPECT_EQ(JsonDocumentBytes(R"({"a)"), std::string_view::npos);
  EXPECT_EQ(JsonDocumentBytes(R"({"\)"), std::string_view::npos);
}

TEST(JsonScan, GivesTheKeysOfTheFirstLevelOnly) {
  std::vector<std::string> keys;
  ForEachTopLevelKey(R"( {"a" : {"b":1}, "c":["d", {"e":2}], "f\"": "g"} {"h":1})",
                     [&](std::string_view key) { keys.emplace_back(key); });
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "c", "f\\\""}));
}

TEST(JsonIndenter, WritesTheSameWhereverThePiecesAreCut) {
  constexpr std::string_view kJson = R"({"a":[1,{"b":"},[\"\\"}],"c":{},"d":[],"e":null})";
  constexpr std::string_view kWanted = R"({
    "a": [
        1,
        {
            "b": "},[\"\\"
        }
    ],
    "c": {},
    "d": [],
    "e": null
})";
  for (size_t cut = 0; cut <= kJson.size(); ++cut) {
    JsonIndenter indenter;
    std::string out;
    indenter.Append(kJson.substr(0, cut), &out);
    indenter.Append(kJson.substr(cut), &out);
    EXPECT_EQ(out, kWanted) << cut;
  }
}

TEST(JsonScan, FindsWhatIsNoText) {
  EXPECT_EQ(FindJsonTextProblem(R"({"a":"\"é"})").what, "");
  EXPECT_EQ(FindJsonTextProblem("{\"a\xC3\"}").offset, 3u);
  EXPECT_EQ(FindJsonTextProblem("{\n\"a\n\"}").offset, 4u);
  EXPECT_EQ(FindJsonTextProblem(R"({"a":"b\")").offset, 5u);
}

TEST(JsonScan, AMaskedTextHasTheSameStructure) {
  const std::pair<std::string, std::string> kCases[] = {{"{\"a\":\"\xff\"}", "{\"a\":\"x\"}"},
                                                        {"{\"a\":\"\n\"}\n", "{\"a\":\"x\"}\n"},
                                                        {"[\"\\\"\t\",\t1]", "[\"\\\"x\",\t1]"},
                                                        {"\"\\\n\"", "\"\\x\""},
                                                        {"[\xC3\xA9]", "[xx]"},
                                                        {"", ""},
                                                        {"\"\\", "\"\\"}};
  for (const auto& [text, masked] : kCases) EXPECT_EQ(MaskJsonText(text), masked);
}

}  // namespace
}  // namespace weft::wire

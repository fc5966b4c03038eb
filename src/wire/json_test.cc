// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "wire/json_indent.h"
#include "wire/json_scan.h"
#include "wire/json_writer.h"
#include "wire/utf8.h"

namespace weft::wire {
namespace {

using namespace std::string_literals;

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}
std::string Number(double value) {
  std::string out;
  AppendJsonDouble(value, &out);
  return out;
}

TEST(JsonWriter, EscapesWhatWouldDriveATerminal) {
  EXPECT_EQ(Quoted("\x7f"), R"("\u007f")");
  EXPECT_EQ(Quoted("\u0080\u009b2J\u009f"), R"("\u0080\u009b2J\u009f")");
  EXPECT_EQ(Quoted("a\u202eb\u2066c\u200fd\u061ce"), R"("a\u202eb\u2066c\u200fd\u061ce")");
  EXPECT_EQ(Quoted("\u00a0\u00e9\u0620\u2010\u2030\u20ac\U0001f600"),
            "\"\u00a0\u00e9\u0620\u2010\u2030\u20ac\U0001f600\"");
  EXPECT_EQ(Quoted("x\x9bz\xC2"), "\"x\xEF\xBF\xBDz\xEF\xBF\xBD\"");
  // Wherever it stands in a word of eight bytes.
  for (size_t at = 0; at < 24; ++at) {
    std::string before(at, 'a'), after(24 - at, 'b');
    EXPECT_EQ(Quoted(before + "\x7f" + after), "\"" + before + "\\u007f" + after + "\"");
    EXPECT_EQ(Quoted(before + "\u202e" + after), "\"" + before + "\\u202e" + after + "\"");
    EXPECT_EQ(Quoted(before + "~" + after), "\"" + before + "~" + after + "\"");
  }
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Field("text", "a");
  json.Field("owned", "b"s);
  json.Field("view", std::string_view("c"));
  json.Field("yes", true);
  json.Field("int", -5);
  json.Field("uint", uint64_t{18446744073709551615u});
  json.Field("real", 0.1);
  json.Key("list");
  json.BeginArray();
  json.Int(1);
  json.BeginObject();
  json.EndObject();
  json.BeginArray();
  json.EndArray();
  json.Null();
  json.Raw("{\"x\":1}");
  json.EndArray();
  json.Key("id");
  json.Hex("\x01\xab");
  json.Key("bytes");
  json.Base64("\xff\xee");
  json.Key("long");
  json.IntText(std::numeric_limits<int64_t>::min());
  json.Key("ulong");
  json.UintText(7);
  json.EndObject();
  EXPECT_EQ(out,
            R"({"text":"a","owned":"b","view":"c","yes":true,"int":-5,"uint":18446744073709551615,)"
            R"("real":0.1,"list":[1,{},[],null,{"x":1}],"id":"01ab","bytes":"/+4=",)"
            R"("long":"-9223372036854775808","ulong":"7"})");
}

TEST(JsonWriter, EscapesAndReplaces) {
  EXPECT_EQ(Quoted(""), "\"\"");
  EXPECT_EQ(Quoted("a\"b\\c/\n\r\t\b\x01\x1f\x7f"), R"("a\"b\\c/\n\r\t\u0008\u0001\u001f\u007f")");
  EXPECT_EQ(Quoted("\0"s), R"("\u0000")");
  EXPECT_EQ(Quoted("žluťoučký 日本 \xF0\x9F\x98\x80"), "\"žluťoučký 日本 \xF0\x9F\x98\x80\"");
  EXPECT_EQ(Quoted("a long text without anything to escape"),
            "\"a long text without anything to escape\"");
}

// The cases of Unicode 15 table 3-8 and around: one U+FFFD for each maximal subpart.
TEST(JsonWriter, BrokenUtf8BecomesTheReplacementCharacter) {
  const std::string r(kReplacementCharacter);
  EXPECT_EQ(Quoted("\x80"), "\"" + r + "\"");
  EXPECT_EQ(Quoted("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
                   "A"),
            "\"" + r + r + r + r + r + r + r + r + "A\"");
  EXPECT_EQ(Quoted("\xED\xA0\x80"), "\"" + r + r + r + "\"");
  EXPECT_EQ(Quoted("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
                   "A"),
            "\"" + r + r + r + r + "A\"");
  EXPECT_EQ(Quoted("\xF4\x90\x80\x80"), "\"" + r + r + r + r + "\"");
  EXPECT_EQ(Quoted("ok\xE2\x82"), "\"ok" + r + "\"");
}

TEST(JsonWriter, DoublesAreShortAndExact) {
  EXPECT_EQ(Number(0.1), "0.1");
  EXPECT_EQ(Number(-0.0), "-0");
  EXPECT_EQ(Number(5e-324), "5e-324");
  EXPECT_EQ(Number(1e300), "1e+300");
  EXPECT_EQ(Number(std::nan("")), "\"NaN\"");
  EXPECT_EQ(Number(HUGE_VAL), "\"Infinity\"");
  EXPECT_EQ(Number(-HUGE_VAL), "\"-Infinity\"");
  std::mt19937_64 random(5);
  for (int i = 0; i < 10000; ++i) {
    double value = std::bit_cast<double>(random()), back = 0;
    if (!std::isfinite(value)) continue;
    std::string text = Number(value);
    std::from_chars(text.data(), text.data() + text.size(), back);
    EXPECT_EQ(back, value);
  }
}

TEST(Utf8, KnowsTheEdges) {
  for (std::string_view good :
       {"", "a", "\x7f", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "12345678\xC3\xA9"}) {
    EXPECT_TRUE(IsUtf8(good));
  }
  for (std::string_view bad :
       {"\x80", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE1\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "1234567\xC3", "12345678\xFF"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

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

// SPDX-License-Identifier: Apache-2.0
#include "wire_core/json_writer.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "wire_core/base64.h"
#include "wire_core/utf8.h"

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

TEST(JsonWriter, TextOfEveryLengthComesOutWhole) {
  for (size_t bytes = 0; bytes < 600; ++bytes) {
    std::string text(bytes, 'a'), out = "[";
    JsonWriter json(&out);
    json.Field(text, text);
    json.Field(text, 1);
    EXPECT_EQ(out, "[\"" + text + "\":\"" + text + "\",\"" + text + "\":1");
    std::string hex;
    AppendHex(text, &hex);
    ASSERT_EQ(hex.size(), 2 * bytes);
    for (size_t i = 0; i < bytes; ++i) ASSERT_EQ(hex.compare(2 * i, 2, "61"), 0) << i;
  }
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
    uint64_t bits = random();
    double value, back = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    std::string text = Number(value);
    std::from_chars(text.data(), text.data() + text.size(), back);
    EXPECT_EQ(back, value);
  }
}

}  // namespace
}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
//
// The accepted forms of a pasted trace id, from the table that the UI's tests read too.
#include "model/pasted_id.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace weft {
namespace {

TEST(PastedIds, AreReadAsTheTableSays) {
  std::ifstream file(WEFT_SOURCE_DIR "/test/ids/pasted_ids.test");
  ASSERT_TRUE(file.good());
  int cases = 0, number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    constexpr std::string_view kArrow = " => ";
    size_t arrow = line.rfind(kArrow);
    ASSERT_NE(arrow, line.npos) << "line " << number;
    std::string text = line.substr(0, arrow), expected = line.substr(arrow + kArrow.size());
    std::optional<PastedId> id = ParsePastedId(text);
    std::string found = id ? id->trace_id.ToHex() : "none";
    if (id && !id->span_id.empty()) found += " " + id->span_id.ToHex();
    EXPECT_EQ(found, expected) << "line " << number << ": " << text;
    ++cases;
  }
  EXPECT_GT(cases, 50);
}

TEST(PastedIds, WhiteSpaceOfAllKindsIsAround) {
  EXPECT_EQ(ParsePastedId("\r\n\t abc \n")->trace_id, *ParseTraceId("abc"));
  EXPECT_FALSE(ParsePastedId(" \n"));
  EXPECT_FALSE(ParsePastedId(std::string_view("abc\0", 4)));
}

// Cuts and single changed bytes of every form: whatever comes out is an id, and nothing reads
// beyond its text.
TEST(PastedIds, DamagedFormsEndWell) {
  std::ifstream file(WEFT_SOURCE_DIR "/test/ids/pasted_ids.test");
  for (std::string line; std::getline(file, line);)
    for (size_t cut = 0; cut <= line.size(); ++cut)
      for (const std::string& text : {line.substr(cut), line.substr(0, cut),
                                      line.substr(0, cut) + "\xFF%-" + line.substr(cut)})
        EXPECT_FALSE(ParsePastedId(text).value_or(PastedId{{{1}}, {}}).trace_id.empty()) << text;
}

}  // namespace
}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "terminal/service_colours.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <set>

namespace weft::terminal {
namespace {

std::vector<std::string> LinesOf(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// What stands in `...` before numbers, "`gateway` 3, `checkout` 7", or behind them, "| 3 |
// `#3a9bfd` |".
std::vector<std::pair<std::string, uint32_t>> Quoted(const std::string& line, bool number_first) {
  std::vector<std::pair<std::string, uint32_t>> found;
  for (size_t open = line.find('`'); open != std::string::npos;) {
    const size_t close = line.find('`', open + 1);
    if (close == std::string::npos) break;
    const size_t at = number_first ? line.rfind("| ", open - 3) + 2 : close + 2;
    if (at < line.size() && std::isdigit(static_cast<unsigned char>(line[at])) != 0)
      found.emplace_back(line.substr(open + 1, close - open - 1),
                         static_cast<uint32_t>(std::strtoul(line.c_str() + at, nullptr, 10)));
    open = line.find('`', close + 1);
  }
  return found;
}

std::vector<std::string> Names(uint32_t count) {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < count; ++i) names.push_back(fmt::format("service-{}", i));
  return names;
}

TEST(ServiceColoursTest, AgreeWithTheDocument) {
  uint32_t own = 0, pages = 0, colours = 0;
  for (const std::string& line : LinesOf(WEFT_SOURCE_DIR "/docs/palette.md")) {
    if (line.starts_with("| ")) {
      for (const auto& [hex, index] : Quoted(line, true)) {
        EXPECT_EQ(ColourAt(index), std::stoul(hex.substr(1), nullptr, 16)) << line;
        ++colours;
      }
      continue;
    }
    auto vectors = Quoted(line, false);
    if (line.starts_with("Own colours")) {
      for (const auto& [name, index] : vectors) EXPECT_EQ(OwnColourIndex(name), index) << name;
      own += static_cast<uint32_t>(vectors.size());
    }
    if (!line.starts_with("- `")) continue;
    ++pages;
    ServiceColours page;
    std::vector<std::string> names;
    for (const auto& [name, index] : vectors) names.push_back(name);
    std::ranges::reverse(names);
    page.Add(names);
    for (const auto& [name, index] : vectors) EXPECT_EQ(page.IndexOf(name), index) << line;
  }
  EXPECT_GT(own, 6u);
  EXPECT_GT(pages, 2u);
  EXPECT_GT(colours, 25u);
  EXPECT_EQ(OwnColourIndex(""), 16u);
}

TEST(ServiceColoursTest, NoTwoShareOne) {
  for (uint32_t count : {2u, 20u, 21u, 57u, 220u}) {
    ServiceColours colours;
    colours.Add(Names(count));
    std::set<uint32_t> seen;
    for (const std::string& name : Names(count)) seen.insert(ColourAt(colours.IndexOf(name)));
    EXPECT_EQ(seen.size(), count);
  }
}

TEST(ServiceColoursTest, WhoComesLaterTakesWhatIsFree) {
  ServiceColours colours;
  // checkout and frontend have colour 7 of their own.
  EXPECT_EQ(colours.IndexOf("frontend"), 7u);
  EXPECT_EQ(colours.IndexOf("checkout"), 8u);
  EXPECT_EQ(colours.IndexOf("frontend"), 7u);
  ServiceColours together;
  together.Add({"frontend", "checkout", "frontend"});
  EXPECT_EQ(together.IndexOf("checkout"), 7u);
  EXPECT_EQ(together.IndexOf("frontend"), 8u);
}

TEST(ServiceColoursTest, MoreServicesThanColours) {
  ServiceColours colours;
  colours.Add(Names(300));
  for (const std::string& name : Names(300)) EXPECT_LT(colours.IndexOf(name), 220u);
}

TEST(ServiceColoursTest, NothingWithoutColour) {
  ServiceColours colours;
  EXPECT_EQ(colours.Escape("gateway", {.colour = false}), "");
  EXPECT_EQ(colours.Escape("gateway", {.colour = true}), "\x1b[38;2;58;155;253m");
}

}  // namespace
}  // namespace weft::terminal

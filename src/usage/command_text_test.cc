// SPDX-License-Identifier: Apache-2.0
#include "usage/command_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "terminal/terminal.h"
#include "usage/completion_script.h"
#include "usage/help_text.h"
#include "usage/man_page.h"
#include "usage/usage_error.h"

namespace weft::usage {

using terminal::WrapLines;

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// The whole command line, without `serve`, which lies in another room.
class CommandLineTest : public testing::Test {
 protected:
  CommandLineTest() {
    app_.footer("Examples:\n  weft");
    cli::AddCommands(types_, &app_, &exit_code_);
  }

  static void ForEach(const CommandText& command,
                      const std::function<void(const CommandText&)>& visit) {
    visit(command);
    for (const CommandText& sub : command.commands) ForEach(sub, visit);
  }

  std::string Refused(std::vector<std::string> arguments) {
    try {
      app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ParseError& error) {
      return ExplainUsage(app_, arguments, error);
    }
    return "it was taken";
  }

  const config::ComponentTypes types_;
  CLI::App app_{"Tracing", "weft"};
  int exit_code_ = 0;
};

TEST_F(CommandLineTest, EveryCommandHasExamplesOfItsOwn) {
  std::string own = RenderHelp(DescribeCommand(app_), 100);
  ForEach(DescribeCommand(app_), [&](const CommandText& command) {
    std::string examples;
    for (const TextSection& section : command.sections)
      if (section.title == "Examples")
        for (const TextBlock& block : section.blocks) examples += block.text;
    std::string name = command.path.size() > 1 ? command.Name() : "weft";
    if (name == "weft help check") return;
    EXPECT_THAT(examples, HasSubstr(name)) << name;
    EXPECT_FALSE(command.summary.empty()) << name;
    for (const OptionText& option : command.options)
      EXPECT_FALSE(option.description.empty()) << name << " " << option.long_name;
  });
}

TEST_F(CommandLineTest, HelpFitsTheTerminal) {
  ForEach(DescribeCommand(app_), [&](const CommandText& command) {
    for (size_t width : {40u, 80u, 160u}) {
      std::istringstream lines(RenderHelp(command, width));
      bool examples = false;
      for (std::string line; std::getline(lines, line);) {
        // Examples stand as they are, to be copied.
        examples = line == "Examples:" || (examples && line.starts_with("  "));
        if (examples) continue;
        EXPECT_LE(terminal::TextWidth(line), width) << command.Name() << ": " << line;
      }
    }
  });
}

TEST_F(CommandLineTest, ManualPagesHoldEveryOptionAndNoStrayRequest) {
  ForEach(DescribeCommand(app_), [&](const CommandText& command) {
    std::string page = RenderManPage(command, "1.2.3");
    EXPECT_TRUE(page.starts_with(".TH ")) << command.Name();
    for (const OptionText& option : command.options) {
      std::string name = option.long_name;
      for (size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2)
        name.insert(at, "\\");
      EXPECT_THAT(page, HasSubstr("\\fB" + name + "\\fR")) << command.Name();
    }
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with('.')) {
        EXPECT_THAT(line.substr(0, 3),
                    testing::AnyOf(".TH", ".SH", ".TP", ".PP", ".EX", ".EE", ".B ", ".BR", ".I ",
                                   ".IR", ".RI", ".nh", ".ad"))
            << line;
      }
      EXPECT_FALSE(line.starts_with('\'')) << line;
    }
  });
  EXPECT_EQ(ManPageName({.path = {"weft", "check", "config"}}), "weft-check-config");
}

TEST_F(CommandLineTest, CompletionsNameEveryCommandAndFlag) {
  CommandText root = DescribeCommand(app_);
  std::string bash = BashCompletion(root), zsh = ZshCompletion(root), fish = FishCompletion(root);
  ForEach(root, [&](const CommandText& command) {
    for (const OptionText& option : command.options) {
      EXPECT_THAT(bash, HasSubstr(option.long_name));
      EXPECT_THAT(zsh, HasSubstr(option.long_name));
      EXPECT_THAT(fish, HasSubstr(" -l " + option.long_name.substr(2)));
    }
    EXPECT_THAT(bash, HasSubstr("'" + command.Name() + "'"));
  });
  EXPECT_THAT(bash, HasSubstr("'weft loadgen --protocol') _weft_words 'http grpc'"));
  EXPECT_THAT(bash, HasSubstr("'weft trace --service') _weft_names services"));
  EXPECT_THAT(bash, HasSubstr("'weft query --data') _weft_files -d"));
}

TEST_F(CommandLineTest, WrongWordsAreNamedWithTheNearOne) {
  EXPECT_THAT(Refused({"qurey"}), HasSubstr("no command `weft qurey`; did you mean query?"));
  EXPECT_THAT(Refused({"check", "confg"}),
              HasSubstr("no command `weft check confg`; did you mean config?"));
  EXPECT_THAT(Refused({"query", "--jsn", "{}"}),
              HasSubstr("`weft query` has no flag --jsn; did you mean --json?"));
  EXPECT_THAT(Refused({"query", "--xyzzyx=3", "{}"}), HasSubstr("has no flag --xyzzyx\n"));
  EXPECT_THAT(Refused({"query", "{", "status=error", "}"}), HasSubstr("in '...'"));
  EXPECT_THAT(Refused({"query", "--limit", "0", "{}"}), HasSubstr("--limit"));
  EXPECT_THAT(Refused({"check"}), HasSubstr("`weft check` needs a command"));
  EXPECT_THAT(Refused({"query", "--json", "--ndjson", "{}"}), HasSubstr("--json"));
  EXPECT_THAT(Refused({"trace"}), HasSubstr("`weft trace --help`"));
}

TEST(OptionGroupsTest, StandBelowTheirTitle) {
  CLI::App app{"Tracing", "weft"};
  bool a = false, b = false, c = false;
  app.add_flag("--aa", a, "first")->group("Access");
  app.add_flag("--bb", b, "second");
  app.add_flag("--cc", c, "third")->group("Access");
  app.add_flag("--dd", c, "hidden")->group("");
  CommandText text = DescribeCommand(app);
  std::string help = RenderHelp(text, 80);
  EXPECT_THAT(help, HasSubstr("\nAccess:\n  --aa  first\n  --cc  third\n"));
  EXPECT_LT(help.find("--bb"), help.find("\nAccess:"));
  EXPECT_GT(help.find("--bb"), help.find("\nOptions:"));
  EXPECT_THAT(help, Not(HasSubstr("--dd")));
  EXPECT_THAT(RenderManPage(text, "1"), HasSubstr(".SH ACCESS\n"));
}

TEST(SectionsTest, AreReadFromTheFooter) {
  auto sections = ReadSections(
      "It does\nthis.\n\nAnd that.\nExamples:\n  weft a\n  weft b\nAfterwards.\n"
      "Exit codes: 0 good,\n1 bad.");
  ASSERT_EQ(sections.size(), 4u);
  ASSERT_EQ(sections[0].blocks.size(), 2u);
  EXPECT_EQ(sections[0].blocks[0].text, "It does this.");
  EXPECT_EQ(sections[0].blocks[1].text, "And that.");
  EXPECT_EQ(sections[1].title, "Examples");
  ASSERT_EQ(sections[1].blocks.size(), 1u);
  EXPECT_EQ(sections[1].blocks[0].text, "  weft a\n  weft b\n");
  EXPECT_EQ(sections[2].blocks[0].text, "Afterwards.");
  EXPECT_EQ(sections[3].title, "Exit codes");
  EXPECT_EQ(sections[3].blocks[0].text, "0 good, 1 bad.");
}

TEST(WrapTest, WordsStayWholeWhereTheyFit) {
  EXPECT_THAT(WrapLines("aa bb  cc", 5), ElementsAre("aa bb", "cc"));
  EXPECT_THAT(WrapLines("abcdefg h", 3), ElementsAre("abc", "def", "g h"));
  EXPECT_THAT(WrapLines("aa bb  cc", 9), ElementsAre("aa bb  cc"));
  EXPECT_THAT(WrapLines("  at f (x)  ", 7), ElementsAre("  at f", "(x)"));
  EXPECT_THAT(WrapLines("   abc", 2), ElementsAre(" a", "bc"));
  EXPECT_THAT(WrapLines("", 5), ElementsAre(""));
  EXPECT_THAT(WrapLines("caf\xC3\xA9 x", 4), ElementsAre("caf\xC3\xA9", "x"));
  EXPECT_EQ(terminal::Count(1, "span"), "1 span");
  EXPECT_EQ(terminal::Count(0, "span"), "0 spans");
}

}  // namespace
}  // namespace weft::usage

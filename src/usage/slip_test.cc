// SPDX-License-Identifier: Apache-2.0
#include "usage/slip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/config_commands.h"
#include "usage/argument_order.h"
#include "wire_core/printable.h"

namespace weft::usage {

using cli::kExitOk;

namespace {

using testing::HasSubstr;

// As server/serve_command.cc has it, as far as its flags go.
void AddServe(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand("serve", "Run");
  static config::LoadOptions load;
  static std::string data;
  static int offset = 0;
  cli::AddConfigOptions(command, &load);
  command->add_option("--data", data, "Folder");
  command->add_option("--port-offset", offset, "Ports");
  command->callback([exit_code] { *exit_code = kExitOk; });
}

struct Outcome {
  int exit_code;
  std::string err;
};
Outcome Weft(std::vector<std::string> arguments) {
  std::vector<char*> argv = {const_cast<char*>("weft")};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  static constexpr cli::AddCommand kFirst[] = {AddServe};
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  int exit_code = cli::RunCli(static_cast<int>(argv.size()), argv.data(), config::ComponentTypes(),
                              kFirst, "serve");
  testing::internal::GetCapturedStdout();
  return {exit_code, testing::internal::GetCapturedStderr()};
}

TEST(SlipTest, WordsOfOtherToolsNameTheCommandMeant) {
  const std::pair<std::vector<std::string>, const char*> kSlips[] = {
      {{"search", "{}"}, "`weft query '"},
      {{"find"}, "`weft query '"},
      {{"Search"}, "`weft query '"},
      {{"traces"}, "`weft query '{}'`"},
      {{"ls"}, "`weft query '{}'`"},
      {{"trace-id", "1"}, "`weft trace ID`"},
      {{"status"}, "`weft services`"},
      {{"start"}, "`weft serve`"},
      {{"run"}, "`weft serve`"},
      {{"server"}, "`weft serve`"},
      {{"validate", "a.yaml"}, "`weft check config FILE`"},
      {{"config"}, "`weft print-config`"},
      {{"logs"}, "`weft trace --logs ID`"},
      {{"check", "a.yaml"}, "`weft check config a.yaml`"},
      {{"check"}, "`weft check config`"},
      {{"check", "confg"}, "did you mean config?"},
      {{"serve", "a.yaml"}, "`weft serve --config a.yaml`"},
      {{"serve", "/tmp"}, "`weft serve --data /tmp`"},
      {{"a.yaml"}, "`weft serve --config a.yaml`"},
      {{"spans.json.gz"}, "`weft import spans.json.gz`"},
      {{"print-config", "a.yaml"}, "`weft print-config --config a.yaml`"},
      {{"4bf92f3577b34da6a3ce929d0e0e4736"}, "`weft trace 4bf92f3577b34da6a3ce929d0e0e4736`"},
      {{"{ status = error }"}, "`weft query '{ status = error }'`"},
      {{"-V"}, "`weft version`"},
      {{"query", "-V"}, "`weft version`"},
      {{"ver"}, "`weft version`"},
      {{"--port", "8080"}, "`weft serve --port-offset N`"},
      {{"serve", "--port=8080"}, "`weft serve --port-offset N`"},
      {{"serve", "-c", "a.yaml"}, "`--config FILE`"},
      {{"query", "{}", "--port", "1"}, "`--url http://HOST:PORT`"},
      {{"demo", "--port", "1"}, "`--url http://HOST:PORT` names the OTLP receiver"},
      {{"query", "{}", "--service", "cart"}, "resource.service.name"},
      {{"qurey"}, "did you mean query?"},
      {{"query", "{}", "--limt", "3"}, "did you mean --limit?"},
      {{"query"}, "query needs TRACEQL"},
      {{"query", "4bf92f3577b34da6a3ce929d0e0e4736"},
       "`weft trace 4bf92f3577b34da6a3ce929d0e0e4736`"},
  };
  for (const auto& [arguments, meant] : kSlips) {
    Outcome outcome = Weft(arguments);
    EXPECT_EQ(outcome.exit_code, cli::kExitUsage) << testing::PrintToString(arguments);
    EXPECT_THAT(outcome.err, HasSubstr(meant)) << testing::PrintToString(arguments);
  }
}

// Every command that a slip names is there, with the flags that it names.
TEST(SlipTest, WhatIsMeantExists) {
  for (const char* word :
       {"search", "traces", "show", "logs", "tail", "status", "start", "validate", "config",
        "service", "ops", "keys", "bench", "dump", "ingest", "ver"}) {
    std::string meant = MeantCommand(word);
    ASSERT_THAT(meant, testing::StartsWith("`weft ")) << word;
    std::string command = meant.substr(6, meant.find_first_of(" `", 6) - 6);
    EXPECT_EQ(Weft({"help", command}).exit_code, kExitOk) << meant;
  }
}

TEST(SlipTest, NothingThatIsEchoedReachesTheTerminalRaw) {
  for (std::string bad : {"\x1b[2J", "\x7f", "\u009b2J", "\x9b", "\u202e", "\u2066", "\u200f"})
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{bad},
          {"check", bad},
          {"serve", bad},
          {"--" + bad},
          {"query", bad},
          {"query", "{}", "--limit", bad},
          {"query", "{}", "--from", bad},
          {"trace", bad},
          {"export", bad},
          {"help", bad},
          {"man", bad},
          {"check", "config", bad},
          {"check", "config", "yaml:" + bad + ": 1"},
          {"check", "config", "--set", bad},
          {"query", "{}", "--data", "/tmp/no" + bad},
          {"query", "{}", "--url", "http://127.0.0.1:1/" + bad},
          {"import", "--data", "/dev/null/" + bad, "x"},
          {"demo", "--fault", bad},
          {"demo", "--history", bad},
          {"completion", bad},
          {"query", "{ name = \"" + bad}}) {
      Outcome outcome = Weft(arguments);
      EXPECT_NE(outcome.exit_code, kExitOk) << testing::PrintToString(arguments);
      EXPECT_EQ(ReplaceUnprintableInLines(outcome.err), outcome.err)
          << testing::PrintToString(arguments);
    }
}

class ArgumentOrderTest : public testing::Test {
 protected:
  ArgumentOrderTest() {
    app_.name("weft");
    AddServe(&app_, &exit_code_);
    cli::AddCommands(types_, &app_, &exit_code_);
  }
  std::vector<std::string> Order(std::vector<std::string> arguments) {
    return OrderArguments(app_, std::move(arguments), "serve");
  }
  using Words = std::vector<std::string>;

  const config::ComponentTypes types_;
  CLI::App app_;
  int exit_code_ = 0;
};

TEST_F(ArgumentOrderTest, FlagsBeforeTheCommandGoBehindIt) {
  EXPECT_EQ(Order({"--url", "X", "query", "{}"}), (Words{"query", "--url", "X", "{}"}));
  EXPECT_EQ(Order({"--url=X", "--json", "query", "{}"}),
            (Words{"query", "--url=X", "--json", "{}"}));
  EXPECT_EQ(Order({"--config", "f", "serve"}), (Words{"serve", "--config", "f"}));
  EXPECT_EQ(Order({"--config", "f", "check", "config"}),
            (Words{"check", "config", "--config", "f"}));
  EXPECT_EQ(Order({"-h", "query"}), (Words{"query", "-h"}));
  EXPECT_EQ(Order({"--port-offset", "3", "query", "{}"}),
            (Words{"query", "--port-offset", "3", "{}"}))
      << "so that the error speaks of query";
}

TEST_F(ArgumentOrderTest, AValueThatLooksLikeACommandStaysAValue) {
  EXPECT_EQ(Order({"--data", "query"}), (Words{"serve", "--data", "query"}));
  EXPECT_EQ(Order({"--data", "query", "trace", "1"}), (Words{"trace", "--data", "query", "1"}));
  EXPECT_EQ(Order({"--set", "a=b"}), (Words{"serve", "--set", "a=b"}));
}

TEST_F(ArgumentOrderTest, WhatIsInOrderStays) {
  EXPECT_EQ(Order({}), (Words{"serve"}));
  EXPECT_EQ(Order({"--help"}), (Words{"--help"}));
  EXPECT_EQ(Order({"--version"}), (Words{"version"}));
  EXPECT_EQ(Order({"query", "--url", "X", "{}"}), (Words{"query", "--url", "X", "{}"}));
  EXPECT_EQ(Order({"--insecure"}), (Words{"serve", "--insecure"}));
}

}  // namespace
}  // namespace weft::usage

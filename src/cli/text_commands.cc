// SPDX-License-Identifier: Apache-2.0
#include "cli/text_commands.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "cli/cli.h"
#include "config/node.h"
#include "terminal/terminal.h"
#include "usage/completion_script.h"
#include "usage/help_text.h"
#include "usage/man_page.h"

namespace weft::cli {

using terminal::PrintError;
using usage::CommandText;
using usage::DescribeCommand;

namespace {

// The command below `root` with these words; null, with a message, when there is none.
const CommandText* Find(const CommandText& root, const std::vector<std::string>& words) {
  const CommandText* command = &root;
  for (const std::string& word : words) {
    if (command == &root && word == root.path.back()) continue;  // `weft man weft`
    const CommandText* next = nullptr;
    std::vector<std::string> known;
    for (const CommandText& sub : command->commands) {
      known.push_back(sub.path.back());
      if (sub.path.back() == word) next = &sub;
    }
    if (next == nullptr) {
      std::string nearest = config::NearestWord(word, known);
      PrintError(fmt::format("there is no command `{} {}`{}", command->Name(),
                             terminal::CleanText(word),
                             nearest.empty() ? "" : "; did you mean " + nearest + "?"));
      return nullptr;
    }
    command = next;
  }
  return command;
}

bool WriteFile(const std::filesystem::path& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  bool good = file != nullptr && std::fputs(text.c_str(), file) >= 0;
  if (file != nullptr) good = std::fclose(file) == 0 && good;
  if (!good) PrintError(path.string() + ": " + std::strerror(errno));
  return good;
}

bool WritePages(const CommandText& command, const std::string& directory) {
  std::filesystem::path path =
      std::filesystem::path(directory) / (usage::ManPageName(command) + ".1");
  if (!WriteFile(path, usage::RenderManPage(command, Version()))) return false;
  for (const CommandText& sub : command.commands)
    if (!WritePages(sub, directory)) return false;
  return true;
}

int WriteAllPages(const CommandText& root, const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    PrintError(directory + ": " + error.message());
    return kExitFailed;
  }
  return WritePages(root, directory) ? kExitOk : kExitFailed;
}

}  // namespace

void AddHelpCommand(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand("help", "Say how a command is used");
  command->footer("Examples:\n  weft help query\n  weft help check config");
  auto words = std::make_shared<std::vector<std::string>>();
  command->add_option("COMMAND", *words, "The command; without one, an overview");
  command->callback([app, words, exit_code] {
    CommandText root = DescribeCommand(*app);
    const CommandText* found = Find(root, *words);
    *exit_code = found == nullptr ? kExitUsage : kExitOk;
    if (found != nullptr)
      fmt::print("{}", usage::RenderHelp(*found, terminal::StandardOutput().width));
  });
}

void AddManCommand(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand("man", "Print a manual page, or write all of them");
  command->footer(
      "The page is roff, for man(1).\n"
      "Examples:\n"
      "  weft man query | man -l -\n"
      "  weft man --write ~/.local/share/man/man1\n"
      "Exit codes: 0 printed or written, 1 a file could not be written, 2 no such command.");
  struct Options {
    std::vector<std::string> words;
    std::string directory;
  };
  auto options = std::make_shared<Options>();
  auto* words =
      command->add_option("COMMAND", options->words, "The command; without one, the page of weft");
  command->add_option("--write", options->directory, "Write every page into this folder")
      ->type_name("DIR")
      ->excludes(words);
  command->callback([app, options, exit_code] {
    CommandText root = DescribeCommand(*app);
    if (!options->directory.empty()) {
      *exit_code = WriteAllPages(root, options->directory);
      return;
    }
    const CommandText* found = Find(root, options->words);
    *exit_code = found == nullptr ? kExitUsage : kExitOk;
    if (found != nullptr) fmt::print("{}", usage::RenderManPage(*found, Version()));
  });
}

void AddCompletionCommand(CLI::App* app, int* exit_code) {
  CLI::App* command =
      app->add_subcommand("completion", "Print the completions for a shell, to be sourced");
  command->footer(
      "Examples:\n"
      "  source <(weft completion bash)        # or in ~/.bashrc\n"
      "  weft completion zsh > ~/.zfunc/_weft  # a folder of $fpath\n"
      "  weft completion fish > ~/.config/fish/completions/weft.fish\n"
      "Names of services, operations and tags are asked of the running server.");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([app, shell, exit_code] {
    CommandText root = DescribeCommand(*app);
    *exit_code = kExitOk;
    fmt::print("{}", *shell == "bash"  ? usage::BashCompletion(root)
                     : *shell == "zsh" ? usage::ZshCompletion(root)
                                       : usage::FishCompletion(root));
  });
}

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/store_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "cli/cli.h"
#include "cli/trace_source.h"
#include "config/config.h"
#include "store/file_names.h"
#include "store/store.h"
#include "terminal/terminal.h"

namespace weft::cli {

using terminal::CleanText;
using terminal::Count;
using terminal::PrintError;

namespace {

struct Options {
  std::string data;
  std::string block;
  bool yes = false;
};

std::string DirectoryOf(const Options& options) {
  return options.data.empty() ? config::DefaultDataDirectory(config::RealSurroundings())
                              : options.data;
}

Result<std::unique_ptr<store::Store>> Open(const Options& options, bool read_only) {
  const std::string directory = DirectoryOf(options);
  if (!PosixEnv()->Exists(directory))
    return Fail(ErrorCode::kUnavailable, "there is no directory " + CleanText(directory));
  store::StoreConfig config;
  config.directory = directory;
  config.read_only = read_only;
  config.background = false;
  // Retention belongs to the server, whose limits are not known here.
  config.retention_age_ns = config.retention_bytes = 0;
  return store::Store::Open(PosixEnv(), SystemClock(), std::move(config));
}

int Complain(const Error& error) {
  PrintError(error.message);
  return ExitCodeOf(error);
}

std::string Describe(const store::StoredBlock& block) {
  return fmt::format("{}, {}, {}", Count(block.traces, "trace"), Count(block.spans, "span"),
                     Count(block.logs, "log record"));
}

int Verify(const Options& options) {
  auto store = Open(options, true);
  if (!store) return Complain(store.error());
  const Status checked = (*store)->ScrubNow();
  size_t damaged = 0;
  const std::vector<store::StoredBlock> blocks = (*store)->blocks();
  for (const store::StoredBlock& block : blocks) {
    if (block.problem.empty()) continue;
    ++damaged;
    fmt::print("{}\n  {}\n", CleanText(block.problem), Describe(block));
  }
  // Damage to the log and the manifest has no block.
  for (const std::string& what : (*store)->stats().damage) {
    const bool of_block = std::ranges::any_of(
        blocks, [&](const store::StoredBlock& block) { return what.starts_with(block.path); });
    if (!of_block) fmt::print("{}\n", CleanText(what));
  }
  const size_t others = (*store)->stats().damage.size();
  fmt::print("{}, {} damaged\n", Count(blocks.size(), "block"), damaged);
  if (!checked) return Complain(checked.error());
  return damaged == 0 && others == 0 ? kExitOk : kExitFailed;
}

// By its path, its file's name or its number.
const store::StoredBlock* Find(const std::vector<store::StoredBlock>& blocks,
                               const std::string& text) {
  const std::string name = text.substr(text.rfind('/') + 1);
  const auto parsed = store::ParseBlockFileName(name);
  const bool is_number = !name.empty() && name.size() < 19 &&
                         name.find_first_not_of("0123456789") == std::string::npos;
  if (!parsed && !is_number) return nullptr;
  const uint64_t number = parsed ? parsed->number : std::stoull(name);
  const auto found = std::ranges::find(blocks, number, &store::StoredBlock::number);
  if (found == blocks.end() || (parsed && !found->path.ends_with("/" + name))) return nullptr;
  return &*found;
}

int Forget(const Options& options) {
  // The lock of the directory keeps a server out while this runs, and this out while one does.
  auto store = Open(options, false);
  if (!store) return Complain(store.error());
  const std::vector<store::StoredBlock> blocks = (*store)->blocks();
  const store::StoredBlock* block = Find(blocks, options.block);
  if (block == nullptr) {
    PrintError(fmt::format("there is no block {} in {}; `weft store verify` names the damaged ones",
                           CleanText(options.block), CleanText(DirectoryOf(options))));
    return kExitUsage;
  }
  if (!options.yes) {
    PrintError(
        fmt::format("{}\nholds {}. Forgotten, they are gone: who asks for them hears \"not "
                    "found\", and its file "
                    "lies in quarantine/. Say --yes to do that.",
                    CleanText(block->path), Describe(*block)));
    return kExitUsage;
  }
  const Status forgotten = (*store)->ForgetBlock(block->number);
  if (!forgotten) return Complain(forgotten.error());
  fmt::print("forgotten: {} ({})\n", CleanText(block->path), Describe(*block));
  return kExitOk;
}

}  // namespace

void AddStoreCommand(CLI::App* app, int* exit_code) {
  CLI::App* command =
      app->add_subcommand("store", "Check the blocks of a data directory, give up a damaged one");
  command->require_subcommand(1);
  command->footer("Examples:\n  weft store verify --data /var/lib/weft");
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* about, const char* footer) {
    CLI::App* sub = command->add_subcommand(name, about);
    sub->footer(footer);
    sub->add_option("--data", options->data,
                    "The data directory, which `weft serve` prints as \"data\"; without it, the "
                    "default one")
        ->type_name("DIR");
    return sub;
  };
  CLI::App* verify = add("verify", "Read every block whole and name what is damaged",
                         "Changes nothing, and may run beside a server.\n"
                         "Examples:\n"
                         "  weft store verify --data /var/lib/weft\n"
                         "Exit codes: 0 all is well, 1 something is damaged, 4 nothing to check.");
  verify->callback([options, exit_code] { *exit_code = Verify(*options); });
  CLI::App* forget = add(
      "forget", "Give up a damaged block: what it held is not found from then on",
      "Only a block that cannot be read whole, and only while no server runs on the directory.\n"
      "Restore its file from a backup instead, if there is one.\n"
      "Examples:\n"
      "  weft store forget 0000000012-0000000001-0000000090.block --yes\n"
      "Exit codes: 0 forgotten, 1 failed, 2 no such block, no damage or no --yes, 4 nothing to "
      "open, or a server has it open.");
  forget->add_option("BLOCK", options->block, "Its path, its file's name or its number")
      ->required();
  forget->add_flag("--yes", options->yes, "Do it; without, only say what would be lost");
  forget->callback([options, exit_code] { *exit_code = Forget(*options); });
}

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
#include "usage/completion_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace weft::usage {
namespace {

// How the value of an option is completed.
enum class Values { kFree, kFiles, kFolders, kChoices, kNames };

// Values that a server knows, by the name of the value.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kNameCommands = {
    {{"SERVICE", "services"}, {"OPERATION", "operations"}, {"TAG", "tags"}}};

std::string_view NameCommand(const OptionText& option) {
  for (auto [value, command] : kNameCommands)
    if (option.value == value) return command;
  return "";
}

Values ValuesOf(const OptionText& option) {
  if (!option.choices.empty()) return Values::kChoices;
  if (option.value == "FILE") return Values::kFiles;
  if (option.value == "DIR") return Values::kFolders;
  return NameCommand(option).empty() ? Values::kFree : Values::kNames;
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string Quoted(const std::string& text) { return "'" + Replaced(text, "'", "'\\''") + "'"; }

std::string CommandNames(const CommandText& command) {
  std::vector<std::string> names;
  for (const CommandText& sub : command.commands) names.push_back(sub.path.back());
  return fmt::format("{}", fmt::join(names, " "));
}

// The command and all below it.
void Flatten(const CommandText& command, std::vector<const CommandText*>* out) {
  out->push_back(&command);
  for (const CommandText& sub : command.commands) Flatten(sub, out);
}

// --- bash
// -----------------------------------------------------------------------------------------

std::string BashValue(const OptionText& option) {
  switch (ValuesOf(option)) {
    case Values::kFiles:
      return "_weft_files -f";
    case Values::kFolders:
      return "_weft_files -d";
    case Values::kChoices:
      return "_weft_words " + Quoted(fmt::format("{}", fmt::join(option.choices, " ")));
    case Values::kNames:
      return fmt::format("_weft_names {}", NameCommand(option));
    case Values::kFree:
      break;
  }
  return ":";
}

constexpr char kBashHead[] = R"sh(# bash completion of weft; made by `weft completion bash`.

_weft_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }

_weft_files() {
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

# What `weft COMMAND --names` of the server or folder on this line says.
_weft_names() {
  local name from=()
  [[ $COMP_LINE =~ (--url|--data)[=\ ]+([^\ ]+) ]] && from=("${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}")
  while IFS= read -r name; do
    [[ $name == "$cur"* ]] && COMPREPLY+=("$(printf %q "$name")")
  done < <(weft "$1" --names "${from[@]}" 2>/dev/null)
}

_weft() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local path=weft word flags= words= argument=:
  COMPREPLY=()
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
)sh";

constexpr char kBashTail[] = R"sh(  if [[ $cur == -* ]]; then
    _weft_words "$flags"
  elif [[ -n $words ]]; then
    _weft_words "$words"
  else
    $argument
  fi
}

complete -F _weft weft
)sh";

// --- zsh
// ------------------------------------------------------------------------------------------

std::string ZshText(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return Replaced(out, "'", "'\\''");
}

std::string ZshValue(const OptionText& option) {
  switch (ValuesOf(option)) {
    case Values::kFiles:
      return "_files";
    case Values::kFolders:
      return "_files -/";
    case Values::kChoices:
      return fmt::format("({})", fmt::join(option.choices, " "));
    case Values::kNames:
      return fmt::format("{{_weft_names {}}}", NameCommand(option));
    case Values::kFree:
      break;
  }
  return " ";
}

std::string ZshFunction(const CommandText& command) {
  return "_" + fmt::format("{}", fmt::join(command.path, "_"));
}

std::string ZshOptions(const CommandText& command) {
  std::string out;
  for (const OptionText& option : command.options)
    for (const std::string& name : {option.short_name, option.long_name}) {
      if (name.empty()) continue;
      bool long_value = !option.IsFlag() && name.starts_with("--");
      out +=
          fmt::format(" \\\n    '{}{}{}[{}]{}'", option.repeats ? "*" : "", name,
                      long_value ? "=" : "", ZshText(option.description),
                      option.IsFlag() ? "" : fmt::format(":{}:{}", option.value, ZshValue(option)));
    }
  return out;
}

std::string ZshCommand(const CommandText& command) {
  std::string out = fmt::format("{}() {{\n", ZshFunction(command));
  if (command.commands.empty()) {
    out += "  _arguments" + ZshOptions(command);
    for (const OptionText& argument : command.arguments)
      out += fmt::format(" \\\n    '{}:{}:{}'", argument.repeats ? "*" : "", argument.value,
                         ZshValue(argument));
    return out + "\n}\n\n";
  }
  out += "  local state line curcontext=$curcontext\n  local -a commands\n  typeset -A opt_args\n";
  out += "  _arguments -C" + ZshOptions(command) + " \\\n    '1: :->command' '*:: :->rest'\n";
  out += "  case $state in\n    command)\n      commands=(\n";
  for (const CommandText& sub : command.commands)
    out += fmt::format("        '{}:{}'\n", sub.path.back(), ZshText(sub.summary));
  out +=
      "      )\n      _describe command commands\n      ;;\n    rest)\n      case $words[1] in\n";
  for (const CommandText& sub : command.commands)
    out += fmt::format("        {}) {} ;;\n", sub.path.back(), ZshFunction(sub));
  return out + "      esac\n      ;;\n  esac\n}\n\n";
}

constexpr char kZshHead[] = R"sh(#compdef weft
# zsh completion of weft; made by `weft completion zsh`.

_weft_names() {
  local -a names
  names=(${(f)"$(weft $1 --names 2>/dev/null)"})
  compadd -a names
}

)sh";
constexpr char kZshTail[] = R"sh(if [[ $funcstack[1] == _weft ]]; then
  _weft "$@"
else
  compdef _weft weft
fi
)sh";

// --- fish
// -----------------------------------------------------------------------------------------

std::string FishText(const std::string& text) {
  return "'" + Replaced(Replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string FishValue(const OptionText& option) {
  switch (ValuesOf(option)) {
    case Values::kFiles:
      return " -r -F";
    case Values::kFolders:
      return " -x -a '(__fish_complete_directories)'";
    case Values::kChoices:
      return fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
    case Values::kNames:
      return fmt::format(" -x -a '(weft {} --names 2>/dev/null)'", NameCommand(option));
    case Values::kFree:
      break;
  }
  return " -x";
}

std::string FishCommand(const CommandText& command) {
  std::string place =
      fmt::format("{}", fmt::join(command.path.begin() + 1, command.path.end(), " "));
  if (!place.empty()) place.insert(0, " ");
  std::string out;
  for (const CommandText& sub : command.commands)
    out += fmt::format("complete -c weft -n '__weft_exactly{}' -a {} -d {}\n", place,
                       sub.path.back(), FishText(sub.summary));
  for (const OptionText& option : command.options) {
    std::string names;
    if (!option.short_name.empty()) names += " -s " + option.short_name.substr(1);
    if (!option.long_name.empty()) names += " -l " + option.long_name.substr(2);
    out += fmt::format("complete -c weft -n '{}{}'{}{} -d {}\n",
                       place.empty() ? "__weft_exactly" : "__weft_at", place, names,
                       option.IsFlag() ? "" : FishValue(option), FishText(option.description));
  }
  for (const OptionText& argument : command.arguments)
    if (ValuesOf(argument) != Values::kFree)
      out += fmt::format("complete -c weft -n '__weft_at{}'{}\n", place,
                         Replaced(Replaced(FishValue(argument), " -r", ""), " -x", ""));
  return out;
}

constexpr char kFishHead[] = R"sh(# fish completion of weft; made by `weft completion fish`.

# The words before the cursor that are no flags begin with these.
function __weft_at
    set -l words (commandline -opc | string match -v -- '-*')
    set -l last (math (count $argv) + 1)
    test (count $words) -ge $last; or return 1
    test $last -eq 1; or test "$words[2..$last]" = "$argv"
end

# They are these and no more.
function __weft_exactly
    __weft_at $argv; or return 1
    set -l words (commandline -opc | string match -v -- '-*')
    test (count $words) -eq (math (count $argv) + 1)
end

complete -c weft -f
)sh";

}  // namespace

std::string BashCompletion(const CommandText& root) {
  std::vector<const CommandText*> commands;
  Flatten(root, &commands);
  std::string paths, values, places;
  for (const CommandText* command : commands) {
    std::string name = command->Name();
    if (command->path.size() > 1) paths += (paths.empty() ? "" : " | ") + Quoted(name);
    std::string flags, argument = ":";
    for (const OptionText& option : command->options) {
      flags += (flags.empty() ? "" : " ") + option.long_name;
      if (option.IsFlag()) continue;
      values += fmt::format("    {}) {}; return ;;\n", Quoted(name + " " + option.long_name),
                            BashValue(option));
    }
    if (!command->arguments.empty()) argument = BashValue(command->arguments[0]);
    places += fmt::format(
        "    {})\n      flags={} words={} argument={}\n      ;;\n", Quoted(name), Quoted(flags),
        Quoted(command->arguments.empty() || command->arguments[0].choices.empty()
                   ? CommandNames(*command)
                   : fmt::format("{}", fmt::join(command->arguments[0].choices, " "))),
        Quoted(command->arguments.empty() ? ":" : argument));
  }
  return fmt::format(
      "{}  for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n    case \"$path $word\" in\n"
      "      {}) path+=\" $word\" ;;\n    esac\n  done\n  case \"$path $prev\" in\n{}  esac\n"
      "  case $path in\n{}  esac\n{}",
      kBashHead, paths, values, places, kBashTail);
}

std::string ZshCompletion(const CommandText& root) {
  std::vector<const CommandText*> commands;
  Flatten(root, &commands);
  std::string out = kZshHead;
  for (const CommandText* command : commands) out += ZshCommand(*command);
  return out + kZshTail;
}

std::string FishCompletion(const CommandText& root) {
  std::vector<const CommandText*> commands;
  Flatten(root, &commands);
  std::string out = kFishHead;
  for (const CommandText* command : commands) out += FishCommand(*command);
  return out;
}

}  // namespace weft::usage

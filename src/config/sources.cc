// SPDX-License-Identifier: Apache-2.0
#include "config/sources.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "config/yaml.h"

namespace weft::config {
namespace {

constexpr int kExpansionsMax = 1000;
constexpr std::streamoff kFileBytesMax = 16 << 20;

Result<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return Fail(ErrorCode::kNotFound,
                fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  std::string text;
  char piece[4096];
  while (file.read(piece, sizeof piece), file.gcount() > 0) {
    text.append(piece, static_cast<size_t>(file.gcount()));
    if (text.size() > kFileBytesMax)
      return Fail(ErrorCode::kTooLarge, fmt::format("{} is larger than 16 MiB", path));
  }
  if (file.bad())
    return Fail(ErrorCode::kIo, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  return text;
}

struct Uri {
  std::string scheme;
  std::string rest;
};
// A scheme has two letters or more, so that "C:" stays a path. "X:-d" is a name with a default.
std::optional<Uri> SplitUri(const std::string& text) {
  static const RE2 kScheme("(?s)([A-Za-z][A-Za-z0-9+.-]+):(.*)");
  Uri uri;
  if (!RE2::FullMatch(text, kScheme, &uri.scheme, &uri.rest) || uri.rest.starts_with("-"))
    return std::nullopt;
  return uri;
}

// Finds the "}" that closes the "${" at `open`, over nested ones; npos when there is none.
size_t FindClose(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text.substr(i, 2) == "${") {
      ++depth;
      ++i;
    } else if (text[i] == '}' && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

class Expander {
 public:
  Expander(const Surroundings& surroundings, Problems* problems)
      : surroundings_(surroundings), problems_(problems) {}

  void Expand(Node* node, const std::string& path) {
    switch (node->kind) {
      case Node::Kind::kNull:
        break;
      case Node::Kind::kScalar:
        ExpandScalar(node, path);
        break;
      case Node::Kind::kList:
        for (Node& item : node->items) Expand(&item, path);
        break;
      case Node::Kind::kMap:
        for (Node::Entry& entry : node->entries) Expand(&entry.value, JoinPath(path, entry.key));
        break;
    }
  }

 private:
  bool CountExpansion(const Node& at, const std::string& path) {
    if (++expansions_ <= kExpansionsMax) return true;
    if (expansions_ == kExpansionsMax + 1)
      problems_->Error(
          at, path,
          fmt::format("more than {} expansions: does a value name itself?", kExpansionsMax));
    return false;
  }

  void ExpandScalar(Node* node, const std::string& path) {
    const std::string& text = node->text;
    if (text.find('$') == std::string::npos) return;
    if (text.starts_with("${") && FindClose(text, 0) == text.size() - 1) {
      const size_t errors_before = problems_->errors.size();
      if (!CountExpansion(*node, path)) {
        node->is_unknown = true;
        return;
      }
      std::optional<std::string> value = Resolve(text.substr(2, text.size() - 3), *node, path);
      Node replacement;
      replacement.is_unknown = !value && problems_->errors.size() > errors_before;
      std::string unset = std::exchange(unset_, "");
      if (value) {
        Result<Node> parsed = ParseYaml(*value, node->file);
        if (parsed) {
          replacement = std::move(*parsed);
        } else {
          replacement.kind = Node::Kind::kScalar;
          replacement.is_string = true;
        }
        // A quoted text was unquoted by the YAML; anything else goes to string fields as it came.
        if (!(replacement.kind == Node::Kind::kScalar && replacement.is_string && parsed)) {
          replacement.text = *value;
          replacement.has_text = true;
        }
      }
      replacement.unset = std::move(unset);
      SetPlace(&replacement, node->file, node->line);
      *node = std::move(replacement);
      Expand(node, path);
      return;
    }
    const size_t errors_before = problems_->errors.size();
    node->text = ExpandText(text, *node, path);
    node->is_string = true;
    node->is_unknown = problems_->errors.size() > errors_before;
    node->unset = std::exchange(unset_, "");
  }

  static void SetPlace(Node* node, const std::string& file, uint32_t line) {
    node->file = file;
    node->line = line;
    for (Node& item : node->items) SetPlace(&item, file, line);
    for (Node::Entry& entry : node->entries) {
      entry.line = line;
      SetPlace(&entry.value, file, line);
    }
  }

  std::string ExpandText(std::string_view text, const Node& at, const std::string& path) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '$' || i + 1 == text.size()) {
        out += text[i];
      } else if (text[i + 1] == '$') {
        out += '$';
        ++i;
      } else if (text[i + 1] == '{') {
        size_t close = FindClose(text, i);
        if (close == std::string_view::npos) {
          out += text[i];
          continue;
        }
        if (!CountExpansion(at, path)) return out;
        std::optional<std::string> value =
            Resolve(std::string(text.substr(i + 2, close - i - 2)), at, path);
        if (value) out += ExpandText(*value, at, path);
        i = close;
      } else {
        static const RE2 kName("^([A-Za-z_][A-Za-z0-9_]*)");
        std::string name;
        if (RE2::PartialMatch(re2::StringPiece(text.data() + i + 1, text.size() - i - 1), kName,
                              &name))
          problems_->Warn(at, path,
                          fmt::format("${} is plain text; write ${{env:{}}} for the variable, or "
                                      "$${} to say that you mean it",
                                      name, name, name));
        out += '$';
      }
    }
    return out;
  }

  // The text that `inside` of ${inside} stands for; nothing when it is unset or wrong.
  std::optional<std::string> Resolve(std::string inside, const Node& at, const std::string& path) {
    if (inside.find("${") != std::string::npos) inside = ExpandText(inside, at, path);
    if (inside.find('$') != std::string::npos) {
      problems_->Error(at, path, fmt::format("\"$\" inside ${{{}}}", inside));
      return std::nullopt;
    }
    std::optional<Uri> uri = SplitUri(inside);
    if (!uri || uri->scheme == "env") return ResolveEnv(uri ? uri->rest : inside, at, path);
    if (uri->scheme == "yaml") return uri->rest;
    if (uri->scheme == "file") {
      Result<std::string> text = surroundings_.read_file(uri->rest);
      if (text) return *text;
      problems_->Error(at, path, text.error().message);
      return std::nullopt;
    }
    problems_->Error(at, path,
                     fmt::format("scheme \"{}\" of ${{{}}} is not supported; known are: env, file, "
                                 "yaml",
                                 uri->scheme, inside));
    return std::nullopt;
  }

  std::optional<std::string> ResolveEnv(const std::string& text, const Node& at,
                                        const std::string& path) {
    size_t split = text.find(":-");
    std::string name = text.substr(0, split);
    static const RE2 kName("[a-zA-Z_][a-zA-Z0-9_]*");
    if (!RE2::FullMatch(name, kName)) {
      problems_->Error(at, path,
                       fmt::format("environment variable \"{}\" has an invalid name: it must match "
                                   "{}",
                                   name, kName.pattern()));
      return std::nullopt;
    }
    if (std::optional<std::string> value = surroundings_.env(name)) return value;
    if (split != std::string::npos) return text.substr(split + 2);
    problems_->Warn(at, path, fmt::format("environment variable {} is not set: empty", name));
    unset_ += (unset_.empty() ? "" : ", ") + name;
    return std::nullopt;
  }

  const Surroundings& surroundings_;
  Problems* problems_;
  int expansions_ = 0;
  std::string unset_;  // of the value at hand: "HOST, PORT"
};

}  // namespace

Surroundings RealSurroundings() {
  return {.env = [](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>(value);
          },
          .read_file = ReadSmallFile};
}

void MergeNode(Node* base, Node later) {
  if (base->kind != Node::Kind::kMap || later.kind != Node::Kind::kMap) {
    *base = std::move(later);
    return;
  }
  for (Node::Entry& entry : later.entries) {
    if (Node* known = base->Find(entry.key)) {
      MergeNode(known, std::move(entry.value));
    } else {
      base->entries.push_back(std::move(entry));
    }
  }
}

Result<Node> ParseSetting(std::string_view setting) {
  size_t equals = setting.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("--set {}: expected KEY=VALUE, such as exporters.store.durability=relaxed",
                    setting));
  WEFT_ASSIGN(Node node, ParseYaml(setting.substr(equals + 1), "--set"));
  std::string_view key = setting.substr(0, equals);
  // The Collector writes a path as a::b in its errors and as a.b in --set: both are understood.
  std::string_view separator = key.find("::") != std::string_view::npos ? "::" : ".";
  node.line = 0;
  for (;;) {
    size_t dot = key.rfind(separator);
    std::string_view last =
        dot == std::string_view::npos ? key : key.substr(dot + separator.size());
    if (last.empty())
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("--set {}: empty part in the key", setting));
    Node outer;
    outer.kind = Node::Kind::kMap;
    outer.file = "--set";
    outer.entries.push_back({std::string(last), std::move(node), 0});
    node = std::move(outer);
    if (dot == std::string_view::npos) return node;
    key = key.substr(0, dot);
  }
}

void ExpandNode(Node* node, const Surroundings& surroundings, Problems* problems) {
  Expander(surroundings, problems).Expand(node, "");
}

Result<Node> LoadUri(const std::string& uri, const Surroundings& surroundings) {
  std::optional<Uri> split = SplitUri(uri);
  if (!split || split->scheme == "file") {
    const std::string& path = split ? split->rest : uri;
    WEFT_ASSIGN(std::string text, surroundings.read_file(path));
    return ParseYaml(text, path);
  }
  if (split->scheme == "env") {
    std::optional<std::string> text = surroundings.env(split->rest);
    if (!text)
      return Fail(ErrorCode::kNotFound,
                  fmt::format("--config {}: environment variable {} is not set", uri, split->rest));
    return ParseYaml(*text, uri);
  }
  if (split->scheme == "yaml") {
    // "yaml:a::b: v" is {a: {b: v}}, the Collector's short form.
    WEFT_ASSIGN(Node node, ParseYaml(split->rest, "yaml:"));
    Node out;
    out.kind = node.kind == Node::Kind::kMap ? Node::Kind::kMap : node.kind;
    out.file = node.file;
    for (Node::Entry& entry : node.entries) {
      std::string key = entry.key;
      Node value = std::move(entry.value);
      for (size_t at; (at = key.rfind("::")) != std::string::npos; key = key.substr(0, at)) {
        Node outer;
        outer.kind = Node::Kind::kMap;
        outer.file = node.file;
        outer.entries.push_back({key.substr(at + 2), std::move(value), entry.line});
        value = std::move(outer);
      }
      Node single;
      single.kind = Node::Kind::kMap;
      single.file = node.file;
      single.entries.push_back({key, std::move(value), entry.line});
      MergeNode(&out, std::move(single));
    }
    return out;
  }
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("--config {}: scheme \"{}\" is not supported; known are: file, env, yaml",
                          uri, split->scheme));
}

}  // namespace weft::config

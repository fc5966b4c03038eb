// SPDX-License-Identifier: Apache-2.0
#include "config/yaml.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include <optional>

#include "config/yaml_quotes.h"
#include "wire_core/printable.h"

namespace weft::config {
namespace {

constexpr int kDepthMax = 100;
constexpr size_t kNodesMax = 100'000;

class TreeBuilder {
 public:
  explicit TreeBuilder(const std::string& file) : file_(file) {}

  Result<Node> Build(const YAML::Node& yaml, int depth) {
    Node node;
    node.file = file_;
    node.line = static_cast<uint32_t>(yaml.Mark().line + 1);
    if (depth > kDepthMax || ++nodes_ > kNodesMax)
      return Fail(ErrorCode::kInvalidArgument, fmt::format("{}more than {} nodes or {} levels",
                                                           node.Where(), kNodesMax, kDepthMax));
    switch (yaml.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        break;
      case YAML::NodeType::Scalar:
        node.kind = Node::Kind::kScalar;
        node.text = yaml.Scalar();
        node.has_text = true;
        // "?" is the tag of a plain scalar, "!" of a quoted one.
        node.is_string = yaml.Tag() == "!" || yaml.Tag() == "tag:yaml.org,2002:str";
        if (!node.is_string && TypeOfScalar(node) == ScalarType::kNull)
          node.kind = Node::Kind::kNull;
        break;
      case YAML::NodeType::Sequence:
        node.kind = Node::Kind::kList;
        for (const YAML::Node& item : yaml) {
          WEFT_ASSIGN(Node child, Build(item, depth + 1));
          node.items.push_back(std::move(child));
        }
        break;
      case YAML::NodeType::Map:
        WEFT_TRY(BuildMap(yaml, depth, &node));
        break;
    }
    return node;
  }

 private:
  Status BuildMap(const YAML::Node& yaml, int depth, Node* node) {
    node->kind = Node::Kind::kMap;
    std::vector<Node> merged;
    for (const auto& pair : yaml) {
      uint32_t line = static_cast<uint32_t>(pair.first.Mark().line + 1);
      if (!pair.first.IsScalar())
        return Fail(ErrorCode::kInvalidArgument,
                    fmt::format("{}:{}: a key must be a plain word", file_, line));
      WEFT_ASSIGN(Node value, Build(pair.second, depth + 1));
      // yaml-cpp places what is not written at the next token.
      if (value.kind == Node::Kind::kNull) value.line = line;
      const std::string& key = pair.first.Scalar();
      if (key == "<<" && pair.first.Tag() == "?") {
        if (value.kind == Node::Kind::kList) {
          for (Node& item : value.items) merged.push_back(std::move(item));
        } else {
          merged.push_back(std::move(value));
        }
        continue;
      }
      for (const Node::Entry& entry : node->entries)
        if (entry.key == key)
          return Fail(ErrorCode::kInvalidArgument,
                      fmt::format("{}:{}: key \"{}\" already stands in line {}", file_, line, key,
                                  entry.line));
      node->entries.push_back({key, std::move(value), line});
    }
    for (Node& source : merged) {
      if (source.kind != Node::Kind::kMap)
        return Fail(ErrorCode::kInvalidArgument, source.Where() + "<< takes a map");
      for (Node::Entry& entry : source.entries)
        if (node->Find(entry.key) == nullptr) node->entries.push_back(std::move(entry));
    }
    return {};
  }

  const std::string& file_;
  size_t nodes_ = 0;
};

void Emit(const Node& node, YAML::Emitter* out) {
  switch (node.kind) {
    case Node::Kind::kNull:
      *out << YAML::Null;
      break;
    case Node::Kind::kScalar: {
      Node plain = node;
      plain.is_string = false;
      bool looks_typed = TypeOfScalar(plain) != ScalarType::kString;
      if ((node.is_string && looks_typed) || ReplaceUnprintable(node.text) != node.text)
        *out << YAML::DoubleQuoted;
      *out << node.text;
      break;
    }
    case Node::Kind::kList:
      *out << YAML::BeginSeq;
      for (const Node& item : node.items) Emit(item, out);
      *out << YAML::EndSeq;
      break;
    case Node::Kind::kMap:
      *out << YAML::BeginMap;
      for (const Node::Entry& entry : node.entries) {
        *out << YAML::Key;
        if (ReplaceUnprintable(entry.key) != entry.key) *out << YAML::DoubleQuoted;
        *out << entry.key << YAML::Value;
        Emit(entry.value, out);
      }
      *out << YAML::EndMap;
      break;
  }
}

// What is not printable stands between double quotes; the library escapes some of it. The text may
// be shown on a terminal.
std::string EscapeQuoted(std::string_view yaml) {
  std::string out;
  while (!yaml.empty()) {
    Character character = FirstCharacter(yaml);
    bool raw = !character.printable && character.is_utf8 && character.code != '\n';
    out += raw ? fmt::format("\\u{:04x}", static_cast<uint32_t>(character.code))
               : std::string(yaml.substr(0, character.bytes));
    yaml.remove_prefix(character.bytes);
  }
  return out;
}

constexpr std::string_view kBlank = " \t";

// Line `number`, from 0, without its end.
std::string_view LineOf(std::string_view text, int number) {
  for (; number > 0; --number) {
    size_t end = text.find('\n');
    if (end == text.npos) return "";
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find_first_of("\r\n"));
}

std::string_view IndentOf(std::string_view line) {
  return line.substr(0, std::min(line.find_first_not_of(kBlank), line.size()));
}

// With spaces for the tabs that indent lines, as wide as editors show them.
std::string WithoutTabs(std::string_view text) {
  constexpr size_t kTabWidth = 8;
  std::string out;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    std::string_view indent = IndentOf(line);
    size_t width = 0;
    for (char c : indent) width += c == '\t' ? kTabWidth - width % kTabWidth : 1;
    out.append(width, ' ').append(line.substr(indent.size()));
    text.remove_prefix(line.size());
    if (text.starts_with('\n')) {
      out += '\n';
      text.remove_prefix(1);
    }
  }
  return out;
}

// Where a tab indents the line of the error, and the error is gone or another one with spaces in
// its place: the tab's column, from 1. The library speaks of whatever it stumbles over behind it.
std::optional<size_t> FindTabBehind(const YAML::Exception& error, std::string_view text) {
  std::string_view line = LineOf(text, error.mark.line);
  std::string_view indent = IndentOf(line);
  size_t tab = indent.find('\t');
  if (tab == indent.npos) return std::nullopt;
  try {
    YAML::Load(WithoutTabs(text));
  } catch (const YAML::Exception& still) {
    if (still.mark.line == error.mark.line && still.msg == error.msg) return std::nullopt;
  }
  return tab + 1;
}

}  // namespace

Result<Node> ParseYaml(std::string_view text, const std::string& file) {
  if (std::optional<uint32_t> line = FindUnclosedQuote(text))
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{}:{}: this quote is never closed", file, *line));
  try {
    return TreeBuilder(file).Build(YAML::Load(std::string(text)), 0);
  } catch (const YAML::Exception& error) {
    if (error.mark.is_null())
      return Fail(ErrorCode::kInvalidArgument, fmt::format("{}: {}", file, error.msg));
    if (std::optional<size_t> column = FindTabBehind(error, text))
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}:{}:{}: a tab indents this line; YAML is indented with spaces",
                              file, error.mark.line + 1, *column));
    return Fail(ErrorCode::kInvalidArgument, fmt::format("{}:{}:{}: {}", file, error.mark.line + 1,
                                                         error.mark.column + 1, error.msg));
  }
}

std::string WriteYaml(const Node& node) {
  YAML::Emitter out;
  Emit(node, &out);
  return EscapeQuoted({out.c_str(), out.size()}) + "\n";
}

ScalarType TypeOfScalar(const Node& scalar) {
  if (scalar.is_string) return ScalarType::kString;
  const std::string& text = scalar.text;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return ScalarType::kNull;
  for (const char* word : {"true", "True", "TRUE", "false", "False", "FALSE"})
    if (text == word) return ScalarType::kBool;
  static const RE2 kInt("[-+]?(0x[0-9a-fA-F]+|0o?[0-7]+|0b[01]+|[1-9][0-9_]*|0)");
  static const RE2 kFloat(
      "[-+]?(([0-9][0-9_]*)?\\.[0-9_]+|[0-9][0-9_]*\\.?)([eE][-+]?[0-9]+)?|[-+]?\\.(inf|Inf|INF)|"
      "\\.(nan|NaN|NAN)");
  if (RE2::FullMatch(text, kInt)) return ScalarType::kInt;
  if (RE2::FullMatch(text, kFloat)) return ScalarType::kFloat;
  return ScalarType::kString;
}

}  // namespace weft::config

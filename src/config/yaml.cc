// SPDX-License-Identifier: Apache-2.0
#include "config/yaml.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include "config/yaml_quotes.h"

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
      if (node.is_string && looks_typed) *out << YAML::DoubleQuoted;
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
        *out << YAML::Key << entry.key << YAML::Value;
        Emit(entry.value, out);
      }
      *out << YAML::EndMap;
      break;
  }
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
    return Fail(ErrorCode::kInvalidArgument, fmt::format("{}:{}:{}: {}", file, error.mark.line + 1,
                                                         error.mark.column + 1, error.msg));
  }
}

std::string WriteYaml(const Node& node) {
  YAML::Emitter out;
  Emit(node, &out);
  return std::string(out.c_str(), out.size()) + "\n";
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

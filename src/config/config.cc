// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/config_check.h"
#include "config/yaml.h"

namespace weft::config {
const Component* Config::Find(ComponentKind kind, const ComponentId& id) const {
  for (const Component& component : components)
    if (component.kind() == kind && component.id == id) return &component;
  return nullptr;
}

namespace {

// `secrets` point into the tree.
void RedactSecrets(const std::vector<const Node*>& secrets, Node* node) {
  if (std::ranges::find(secrets, node) != secrets.end() && !node->text.empty()) {
    Node shown;
    shown.kind = Node::Kind::kScalar;
    shown.text = kRedacted;
    shown.has_text = shown.is_string = true;
    shown.file = node->file;
    shown.line = node->line;
    Secret::Wipe(&node->text);
    *node = std::move(shown);
    return;
  }
  for (Node& item : node->items) RedactSecrets(secrets, &item);
  for (Node::Entry& entry : node->entries) RedactSecrets(secrets, &entry.value);
}

}  // namespace

namespace {

Result<Node> MergeSettings(const std::vector<std::string>& settings, Node tree) {
  for (const std::string& setting : settings) {
    WEFT_ASSIGN(Node node, ParseSetting(setting));
    MergeNode(&tree, std::move(node));
  }
  return tree;
}

// Files, then settings, merged; `files` gets the names under which they stand in problems.
Result<Node> ReadTree(const LoadOptions& options, const Surroundings& surroundings,
                      std::vector<std::string>* files) {
  if (options.uris.empty()) {
    WEFT_ASSIGN(Node built_in, ParseYaml(BuiltInYaml(), "built-in configuration"));
    files->push_back(built_in.file);
    return MergeSettings(options.settings, std::move(built_in));
  }
  Node tree;
  std::vector<Error> unread;
  for (const std::string& uri : options.uris) {
    Result<Node> node = LoadUri(uri, surroundings);
    if (!node) {
      unread.push_back(node.error());
    } else if (files->empty()) {
      files->push_back(node->file);
      tree = std::move(*node);
    } else {
      files->push_back(node->file);
      if (node->kind != Node::Kind::kNull) MergeNode(&tree, std::move(*node));
    }
  }
  if (unread.empty()) return MergeSettings(options.settings, std::move(tree));
  std::string message;
  for (const Error& error : unread) message += (message.empty() ? "" : "\n") + error.message;
  return Fail(unread.front().code, std::move(message));
}

}  // namespace

Result<Loaded> Load(const LoadOptions& options, const Surroundings& surroundings,
                    const ComponentTypes& types) {
  Loaded loaded;
  Problems problems;
  std::vector<std::string> files;
  WEFT_ASSIGN(loaded.tree, ReadTree(options, surroundings, &files));
  ExpandNode(&loaded.tree, surroundings, &problems);
  loaded.config = CheckConfig(loaded.tree, types, surroundings, &problems);
  loaded.warnings = InLineOrder(std::move(problems.warnings), files);
  RedactSecrets(problems.secrets, &loaded.tree);
  if (problems.errors.empty()) return loaded;
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("{}", fmt::join(InLineOrder(std::move(problems.errors), files), "\n")));
}

std::string_view BuiltInYaml() {
  return R"(# What `weft` does when it is given no configuration: OpenTelemetry Collector YAML.
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: localhost:4317
      http:
        endpoint: localhost:4318
exporters:
  store:
    # Empty: $XDG_DATA_HOME/weft, or ~/.local/share/weft.
    directory: ""
    # durable: OK means on disk. relaxed: may lose the last second on power loss. memory: no log.
    durability: durable
    # Whichever comes first. 0: no limit.
    retention:
      age: 14d
      bytes: 20GiB
extensions:
  # UI, APIs and /metrics; beside 16686, Jaeger's gRPC API alone on 16685, Tempo's on 3200.
  query:
    endpoint: localhost:16686
    store: store
service:
  extensions: [query]
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [store]
    logs:
      receivers: [otlp]
      exporters: [store]
)";
}

std::string DefaultDataDirectory(const Surroundings& surroundings) {
  std::optional<std::string> xdg = surroundings.env("XDG_DATA_HOME");
  // The XDG specification: a relative path is invalid and must be ignored.
  if (xdg && xdg->starts_with('/')) return *xdg + "/weft";
  std::optional<std::string> home = surroundings.env("HOME");
  return (home && !home->empty() ? *home : std::string(".")) + "/.local/share/weft";
}

}  // namespace weft::config

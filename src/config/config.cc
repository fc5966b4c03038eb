// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>

#include "config/yaml.h"

namespace weft::config {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

struct KindSection {
  ComponentKind kind;
  std::string_view key;
};
constexpr KindSection kSections[] = {
    {ComponentKind::kReceiver, "receivers"},   {ComponentKind::kProcessor, "processors"},
    {ComponentKind::kExporter, "exporters"},   {ComponentKind::kConnector, "connectors"},
    {ComponentKind::kExtension, "extensions"},
};

// Turns the merged tree into a Config; problems go to `problems`.
class Checker {
 public:
  Checker(const Node& tree, Problems* problems) : tree_(tree), problems_(problems) {}

  Config Check() {
    if (tree_.kind == Node::Kind::kNull) {
      problems_->Error(tree_, "", "empty configuration file");
      return std::move(config_);
    }
    Section top(tree_, "", problems_);
    for (const KindSection& section : kSections) ReadComponents(section, top.Sub(section.key));
    if (!HasKind(ComponentKind::kReceiver) && !HasKind(ComponentKind::kConnector))
      problems_->Error(tree_, "", "no receiver configuration specified in config");
    if (!HasKind(ComponentKind::kExporter) && !HasKind(ComponentKind::kConnector))
      problems_->Error(tree_, "", "no exporter configuration specified in config");
    CheckAmbiguousConnectors();
    if (std::optional<Section> service = top.Sub("service")) {
      ReadService(&*service);
      CheckAuthenticators();
    } else {
      problems_->Error(tree_, "service", "missing: it says which pipelines run");
    }
    top.Finish();
    return std::move(config_);
  }

 private:
  // A component as named, also where its settings are wrong.
  struct Named {
    ComponentKind kind;
    ComponentId id;
    const Node* at;
  };

  bool HasKind(ComponentKind kind) const {
    return std::ranges::find(named_, kind, &Named::kind) != named_.end();
  }
  const Named* FindNamed(ComponentKind kind, const ComponentId& id) const {
    for (const Named& named : named_)
      if (named.kind == kind && named.id == id) return &named;
    return nullptr;
  }

  void ReadComponents(const KindSection& at, std::optional<Section> section) {
    if (!section) return;
    for (const Node::Entry& entry : section->node().entries) {
      section->Ignore({entry.key});
      std::string path = JoinPath(section->path(), entry.key);
      Node place = entry.value;
      place.line = entry.line;
      Result<ComponentId> id = ParseComponentId(entry.key);
      if (!id) {
        problems_->Error(place, path, id.error().message);
        continue;
      }
      named_.push_back({at.kind, *id, &entry.value});
      size_t errors_before = problems_->errors.size();
      std::optional<Settings> settings =
          ReadSettings(at.kind, id->type, Section(entry.value, path, problems_), place);
      if (settings && problems_->errors.size() == errors_before)
        config_.components.push_back({at.kind, *id, std::move(*settings)});
    }
  }

  void CheckAmbiguousConnectors() {
    for (const Named& named : named_) {
      if (named.kind != ComponentKind::kConnector) continue;
      for (ComponentKind other : {ComponentKind::kReceiver, ComponentKind::kExporter})
        if (FindNamed(other, named.id) != nullptr)
          problems_->Error(*named.at, JoinPath("connectors", named.id.ToString()),
                           fmt::format("ambiguous ID: Found both \"{}\" {} and \"{}\" connector. "
                                       "Change one of the components' IDs to eliminate ambiguity",
                                       named.id.ToString(), KindName(other), named.id.ToString()));
    }
  }

  void CheckAuthenticators() {
    for (const Problems::Reference& reference : problems_->authenticators) {
      const std::string& text = reference.at->text;
      auto refuse = [&](std::string_view why) {
        problems_->Error(*reference.at, reference.path,
                         fmt::format("references authenticator \"{}\" {}", text, why));
      };
      Result<ComponentId> id = ParseComponentId(text);
      if (!id || FindNamed(ComponentKind::kExtension, *id) == nullptr) {
        refuse("which is not configured under extensions");
      } else if (id->type != "bearertokenauth" && id->type != "basicauth") {
        refuse("which is no authenticator; those are bearertokenauth and basicauth");
      } else if (std::ranges::find(config_.extensions, *id) == config_.extensions.end()) {
        refuse("which service::extensions does not list");
      }
    }
  }

  void ReadService(Section* service) {
    config_.extensions =
        ReadReferences(service, "extensions", {ComponentKind::kExtension}, "extension");
    if (std::optional<Section> pipelines = service->Sub("pipelines")) {
      for (const Node::Entry& entry : pipelines->node().entries) {
        pipelines->Ignore({entry.key});
        ReadPipeline(entry,
                     Section(entry.value, JoinPath(pipelines->path(), entry.key), problems_));
      }
      pipelines->Finish();
      if (pipelines->node().entries.empty())
        service->Error(pipelines->node(), "pipelines", "service must have at least one pipeline");
    } else {
      service->Error(service->node(), "pipelines", "service must have at least one pipeline");
    }
    if (std::optional<Section> telemetry = service->Sub("telemetry")) {
      config_.telemetry = ReadTelemetry(*telemetry);
      CheckTracesExporter(&*telemetry);
    }
    if (std::optional<Section> limits = service->Sub("limits")) {
      limits->ReadBytes("in_flight_bytes", &config_.in_flight_bytes_max);
      limits->Finish();
    }
    service->Finish();
  }

  // Weft's own spans need an exporter that runs.
  void CheckTracesExporter(Section* telemetry) {
    const std::string& name = config_.telemetry.traces_exporter;
    if (name.empty()) return;
    std::vector<std::string> running;
    for (const Pipeline& pipeline : config_.pipelines)
      for (const ComponentId& id : pipeline.exporters)
        if (pipeline.signal == Signal::kTraces) running.push_back(id.ToString());
    if (std::ranges::find(running, name) != running.end()) return;
    problems_->Error(*telemetry->Get("traces"), JoinPath(telemetry->path(), "traces::exporter"),
                     fmt::format("no traces pipeline has an exporter \"{}\"; {}", name,
                                 Suggestion(name, running)));
  }

  void ReadPipeline(const Node::Entry& entry, Section section) {
    Node place = entry.value;
    place.line = entry.line;
    Pipeline pipeline;
    pipeline.name = entry.key;
    Result<ComponentId> id = ParseComponentId(entry.key);
    if (!id) {
      problems_->Error(place, section.path(), id.error().message);
      return;
    }
    if (id->type == "traces") {
      pipeline.signal = Signal::kTraces;
    } else if (id->type == "logs") {
      pipeline.signal = Signal::kLogs;
    } else if (id->type == "metrics") {
      pipeline.signal = Signal::kMetrics;
      problems_->Warn(place, section.path(),
                      "weft keeps no metrics: what comes is answered with a partial success");
    } else {
      problems_->Error(place, section.path(),
                       fmt::format("unknown signal \"{}\"; {}", id->type,
                                   Suggestion(id->type, {"traces", "logs", "metrics"})));
      return;
    }
    pipeline.receivers = ReadReferences(
        &section, "receivers", {ComponentKind::kReceiver, ComponentKind::kConnector}, "receiver");
    pipeline.processors =
        ReadReferences(&section, "processors", {ComponentKind::kProcessor}, "processor");
    pipeline.exporters = ReadReferences(
        &section, "exporters", {ComponentKind::kExporter, ComponentKind::kConnector}, "exporter");
    section.Finish();
    for (auto [key, count] : {std::pair{"receiver", pipeline.receivers.size()},
                              {"exporter", pipeline.exporters.size()}})
      if (count == 0)
        problems_->Error(place, section.path(), fmt::format("must have at least one {}", key));
    std::vector<ComponentId> sorted = pipeline.processors;
    std::ranges::sort(sorted);
    auto twice = std::ranges::adjacent_find(sorted);
    if (twice != sorted.end())
      problems_->Error(
          place, section.path(),
          fmt::format("references processor \"{}\" multiple times", twice->ToString()));
    config_.pipelines.push_back(std::move(pipeline));
  }

  // Ids in the list under `key`; each must name a configured component of one of `kinds`.
  std::vector<ComponentId> ReadReferences(Section* section, std::string_view key,
                                          std::initializer_list<ComponentKind> kinds,
                                          std::string_view noun) {
    std::vector<std::string> texts;
    section->Read(key, &texts);
    std::vector<ComponentId> ids;
    for (const std::string& text : texts) {
      const Node& at = *section->Get(key);
      Result<ComponentId> id = ParseComponentId(text);
      if (!id) {
        section->Error(at, key, id.error().message);
        continue;
      }
      bool configured = std::ranges::any_of(
          kinds, [&](ComponentKind kind) { return FindNamed(kind, *id) != nullptr; });
      if (!configured) {
        std::vector<std::string> exist;
        for (const Named& named : named_)
          if (std::ranges::find(kinds, named.kind) != kinds.end())
            exist.push_back(named.id.ToString());
        std::string nearest = NearestWord(text, exist);
        section->problems()->Error(
            at, section->path(),
            fmt::format("references {} \"{}\" which is not configured{}", noun, id->ToString(),
                        nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
        continue;
      }
      if (std::ranges::find(ids, *id) == ids.end() || key == "processors")
        ids.push_back(std::move(*id));
    }
    return ids;
  }

  const Node& tree_;
  Problems* problems_;
  Config config_;
  std::vector<Named> named_;
};

}  // namespace

Result<ComponentId> ParseComponentId(std::string_view text) {
  static const RE2 kType("[a-zA-Z][0-9a-zA-Z_]{0,62}");
  static const RE2 kName("[^\\pS\\pZ\\pC]+");
  ComponentId id;
  size_t slash = text.find('/');
  id.type = std::string(Trim(text.substr(0, slash)));
  if (id.type.empty())
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("\"{}\": the part before / must not be empty", text));
  if (!RE2::FullMatch(id.type, kType))
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("invalid component type \"{}\": it must match {}", id.type, kType.pattern()));
  if (slash == std::string_view::npos) return id;
  id.name = std::string(Trim(text.substr(slash + 1)));
  if (id.name.empty())
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("\"{}\": the part after / must not be empty", text));
  constexpr size_t kNameMax = 1024;
  if (id.name.size() > kNameMax || !RE2::FullMatch(id.name, kName))
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("invalid component name \"{}\": 1 to 1024 characters without spaces, "
                            "control characters and symbols",
                            id.name));
  return id;
}

std::string_view SignalName(Signal signal) {
  static constexpr std::string_view kNames[] = {"traces", "logs", "metrics"};
  return kNames[static_cast<int>(signal)];
}

const Component* Config::Find(ComponentKind kind, const ComponentId& id) const {
  for (const Component& component : components)
    if (component.kind == kind && component.id == id) return &component;
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

Result<Loaded> Load(const LoadOptions& options, const Surroundings& surroundings) {
  Loaded loaded;
  Problems problems;
  if (options.uris.empty()) {
    WEFT_ASSIGN(loaded.tree, ParseYaml(BuiltInYaml(), "built-in configuration"));
  }
  bool first = true;
  for (const std::string& uri : options.uris) {
    WEFT_ASSIGN(Node node, LoadUri(uri, surroundings));
    if (first) {
      loaded.tree = std::move(node);
    } else if (node.kind != Node::Kind::kNull) {
      MergeNode(&loaded.tree, std::move(node));
    }
    first = false;
  }
  for (const std::string& setting : options.settings) {
    WEFT_ASSIGN(Node node, ParseSetting(setting));
    MergeNode(&loaded.tree, std::move(node));
  }
  ExpandNode(&loaded.tree, surroundings, &problems);
  loaded.config = Checker(loaded.tree, &problems).Check();
  loaded.warnings = std::move(problems.warnings);
  RedactSecrets(problems.secrets, &loaded.tree);
  if (!problems.errors.empty())
    return Fail(ErrorCode::kInvalidArgument, fmt::format("{}", fmt::join(problems.errors, "\n")));
  return loaded;
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

// SPDX-License-Identifier: Apache-2.0
#include "config/config_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/missing_component.h"
#include "config/section_print.h"

namespace weft::config {
namespace {

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
  Checker(const Node& tree, const ComponentTypes& types, const Surroundings& surroundings,
          Problems* problems)
      : tree_(tree), types_(types), surroundings_(surroundings), problems_(problems) {}

  Config Check() {
    if (tree_.kind == Node::Kind::kNull) {
      problems_->Error(tree_, "", "empty configuration file");
      return std::move(config_);
    }
    Section top(tree_, "", problems_);
    for (const KindSection& section : kSections) ReadComponents(section, top.Sub(section.key));
    std::optional<Section> service = top.Sub("service");
    for (const KindSection& section : kSections)
      if (top.IsMisspelt(section.key)) unread_.push_back(section.kind);
    for (auto [kind, noun] :
         {std::pair{ComponentKind::kReceiver, "receiver"}, {ComponentKind::kExporter, "exporter"}})
      if (!HasKind(kind) && !HasKind(ComponentKind::kConnector))
        problems_->Error(tree_, "", fmt::format("no {} configuration specified in config", noun));
    CheckAmbiguousConnectors();
    if (service) {
      ReadService(&*service);
      CheckAuthenticators();
    } else if (!top.IsMisspelt("service")) {
      problems_->Error(tree_, "service", "missing: it says which pipelines run");
    }
    top.Finish();
    CheckStores();
    if (problems_->errors.empty()) WarnOfWhatIsLost();
    return std::move(config_);
  }

 private:
  // A component as named, also where its settings are wrong.
  struct Named {
    ComponentKind kind;
    ComponentId id;
    const Node* at;
  };

  // One that was read; null is an empty map.
  static bool IsMap(const Node& node) {
    return !node.is_unknown && (node.kind == Node::Kind::kMap || node.kind == Node::Kind::kNull);
  }
  // True also where nobody knows, for what would say it could not be read.
  bool HasKind(ComponentKind kind) const {
    return IsUnread(kind) || std::ranges::find(named_, kind, &Named::kind) != named_.end();
  }
  bool IsUnread(ComponentKind kind) const {
    return std::ranges::find(unread_, kind) != unread_.end();
  }
  const Named* FindNamed(ComponentKind kind, const ComponentId& id) const {
    for (const Named& named : named_)
      if (named.kind == kind && named.id == id) return &named;
    return nullptr;
  }

  void ReadComponents(const KindSection& at, std::optional<Section> section) {
    if (!section) return;
    if (!IsMap(section->node())) unread_.push_back(at.kind);
    for (const Node::Entry& entry : section->node().entries) {
      section->Ignore({entry.key});
      std::string path = JoinPath(section->path(), entry.key);
      Node place = entry.value;
      place.line = entry.line;
      Result<ComponentId> id = ParseComponentId(entry.key);
      if (!id) {
        problems_->Error(place, path, id.error().message);
        misnamed_.push_back(entry.key);
        continue;
      }
      named_.push_back({at.kind, *id, &entry.value});
      if (entry.value.is_unknown) continue;
      size_t errors_before = problems_->errors.size();
      auto [type, alias] = types_.Find(at.kind, id->type);
      if (type == nullptr) {
        ReportMissing(types_, at.kind, id->type, Section(entry.value, path, problems_), place);
        continue;
      }
      const std::string_view warning = alias != nullptr ? alias->warning : type->warning;
      if (!warning.empty()) problems_->Warn(place, path, warning);
      auto read = alias != nullptr && alias->read != nullptr ? alias->read : type->read;
      const size_t references_before = problems_->references.size();
      problems_->files.clear();
      std::any settings = read(Section(entry.value, path, problems_));
      owners_.resize(problems_->references.size(), *id);
      if (!settings.has_value() || problems_->errors.size() != errors_before) continue;
      config_.components.push_back({type, *id, std::move(settings),
                                    PrintOf(entry.value, problems_->files, surroundings_),
                                    ReferredFrom(references_before)});
    }
  }

  std::vector<ComponentId> ReferredFrom(size_t first) const {
    std::vector<ComponentId> ids;
    for (size_t i = first; i < problems_->references.size(); ++i)
      if (Result<ComponentId> id = ParseComponentId(problems_->references[i].id))
        ids.push_back(std::move(*id));
    return ids;
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
    const std::vector<std::string> authenticators =
        types_.NamesOf(ComponentKind::kExtension, kAuthenticatorRole);
    for (const Problems::Reference& reference : problems_->references) {
      if (reference.role != kAuthenticatorRole) continue;
      const std::string& text = reference.id;
      auto refuse = [&](std::string_view why) {
        problems_->Error(*reference.at, reference.path,
                         fmt::format("references authenticator \"{}\" {}", text, why));
      };
      Result<ComponentId> id = ParseComponentId(text);
      if (IsMisnamed(text) || IsUnread(ComponentKind::kExtension)) continue;
      const bool named = id && FindNamed(ComponentKind::kExtension, *id) != nullptr;
      const ComponentType* type =
          id ? types_.Find(ComponentKind::kExtension, id->type).type : nullptr;
      // One that weft does not have was named already.
      if (named && type == nullptr) continue;
      if (!named) {
        refuse("which is not configured under extensions");
      } else if (type->role != kAuthenticatorRole) {
        refuse(fmt::format("which is no authenticator; those are {}",
                           fmt::join(authenticators, " and ")));
      } else if (knows_extensions_ &&
                 std::ranges::find(config_.extensions, *id) == config_.extensions.end()) {
        refuse("which service::extensions does not list");
      }
    }
  }

  void ReadService(Section* service) {
    config_.extensions =
        ReadReferences(service, "extensions", {ComponentKind::kExtension}, "extension");
    std::optional<Section> pipelines = service->Sub("pipelines");
    if (pipelines) {
      for (const Node::Entry& entry : pipelines->node().entries) {
        pipelines->Ignore({entry.key});
        ReadPipeline(entry,
                     Section(entry.value, JoinPath(pipelines->path(), entry.key), problems_));
      }
      pipelines->Finish();
    }
    const bool none = !pipelines || pipelines->node().entries.empty();
    const bool read = !pipelines || pipelines->IsSound();
    knows_pipelines_ = !none && read;
    std::optional<Section> telemetry = service->Sub("telemetry");
    if (telemetry) config_.telemetry = ReadTelemetry(*telemetry);
    if (std::optional<Section> limits = service->Sub("limits")) {
      limits->ReadBytes("in_flight_bytes", &config_.in_flight_bytes_max);
      limits->ReadBytes("memory", &config_.memory_bytes_max);
      limits->Finish();
    }
    knows_extensions_ =
        !service->IsMisspelt("extensions") &&
        !(service->Has("extensions") && service->node().Find("extensions")->HoldsUnknown());
    if (none && read && IsMap(service->node()) && !service->IsMisspelt("pipelines"))
      service->Error(pipelines ? pipelines->node() : service->node(), "pipelines",
                     "service must have at least one pipeline");
    service->Finish();
    if (telemetry && knows_pipelines_) CheckTracesExporter(&*telemetry);
  }

  // Exporters of the pipelines of this signal.
  std::vector<ComponentId> RunningExporters(std::initializer_list<Signal> signals) const {
    std::vector<ComponentId> running;
    for (const Pipeline& pipeline : config_.pipelines)
      if (std::ranges::find(signals, pipeline.signal) != signals.end())
        running.insert(running.end(), pipeline.exporters.begin(), pipeline.exporters.end());
    return running;
  }

  // Weft's own spans need an exporter that runs.
  void CheckTracesExporter(Section* telemetry) {
    const std::string& name = config_.telemetry.traces_exporter;
    if (name.empty()) return;
    std::vector<std::string> running;
    for (const ComponentId& id : RunningExporters({Signal::kTraces}))
      running.push_back(id.ToString());
    if (std::ranges::find(running, name) != running.end()) return;
    const Node& traces = *telemetry->Get("traces");
    problems_->Error(*traces.Find("exporter"), JoinPath(telemetry->path(), "traces::exporter"),
                     fmt::format("no traces pipeline has an exporter \"{}\"; {}", name,
                                 Suggestion(name, running)));
  }

  // An extension that runs shows the data of a store that runs.
  void CheckStores() {
    if (!knows_pipelines_) return;
    std::vector<std::string> stores;
    for (const ComponentId& id :
         RunningExporters({Signal::kTraces, Signal::kLogs, Signal::kMetrics}))
      if (IsStore(id)) stores.push_back(id.ToString());
    for (size_t i = 0; i < problems_->references.size(); ++i) {
      const Problems::Reference& reference = problems_->references[i];
      if (reference.role != kStoreRole || std::ranges::find(stores, reference.id) != stores.end())
        continue;
      if (config_.Find(ComponentKind::kExtension, owners_[i]) == nullptr ||
          std::ranges::find(config_.extensions, owners_[i]) == config_.extensions.end())
        continue;
      std::string way_out = stores.empty()
                                ? "nothing is kept that it could show; put the exporter \"store\" "
                                  "into a pipeline"
                                : Suggestion(reference.id, stores);
      problems_->Error(
          *reference.at, reference.path,
          fmt::format("no pipeline has a store exporter \"{}\"; {}", reference.id, way_out));
    }
  }

  // By its type: its settings may be wrong.
  bool IsStore(const ComponentId& id) const {
    const ComponentType* type = types_.Find(ComponentKind::kExporter, id.type).type;
    return type != nullptr && type->role == kStoreRole;
  }
  bool Keeps(const Pipeline& pipeline) const {
    return std::ranges::any_of(pipeline.exporters,
                               [this](const ComponentId& id) { return IsStore(id); });
  }

  // What is received and then gone, and what is kept and cannot be asked for.
  void WarnOfWhatIsLost() {
    const Node& service = *tree_.Find("service");
    const Node& pipelines = *service.Find("pipelines");
    for (const Pipeline& pipeline : config_.pipelines) {
      if (pipeline.signal == Signal::kMetrics) continue;
      std::vector<std::string> lost;
      for (const ComponentId& receiver : pipeline.receivers) {
        bool kept = std::ranges::any_of(config_.pipelines, [&](const Pipeline& other) {
          return other.signal == pipeline.signal && Keeps(other) &&
                 std::ranges::find(other.receivers, receiver) != other.receivers.end();
        });
        if (!kept) lost.push_back(receiver.ToString());
      }
      if (lost.empty()) continue;
      problems_->Warn(EntryOf(pipelines, pipeline.name), "service::pipelines::" + pipeline.name,
                      fmt::format("nothing is kept of what {} receives: no exporter of it is a "
                                  "\"store\"",
                                  fmt::join(lost, ", ")));
    }
    auto shows = [](const Component& component) { return component.type->role == kQueryRole; };
    bool asked = std::ranges::any_of(config_.extensions, [&](const ComponentId& id) {
      const Component* component = config_.Find(ComponentKind::kExtension, id);
      return component != nullptr && shows(*component);
    });
    if (asked) return;
    bool configured = std::ranges::any_of(config_.components, shows);
    problems_->Warn(
        service.Find("extensions") == nullptr ? EntryOf(tree_, "service")
                                              : EntryOf(service, "extensions"),
        "service::extensions",
        fmt::format("no \"query\" is among them: there is no UI and no API to ask "
                    "what is stored{}",
                    configured ? "" : "; write extensions: {query: } and list it here"));
  }

  // Where the key stands.
  static Node EntryOf(const Node& map, std::string_view key) {
    Node place;
    for (const Node::Entry& entry : map.entries) {
      if (entry.key != key) continue;
      place.file = entry.value.file;
      place.line = entry.line;
    }
    return place;
  }

  void ReadPipeline(const Node::Entry& entry, Section section) {
    if (entry.value.is_unknown) return;
    Node place = EntryOf(*tree_.Find("service")->Find("pipelines"), entry.key);
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
    } else {
      problems_->Error(place, section.path(),
                       id->type == "profiles"
                           ? "weft takes no profiles: take the pipeline out"
                           : fmt::format("unknown signal \"{}\"; {}", id->type,
                                         Suggestion(id->type, {"traces", "logs", "metrics"})));
      return;
    }
    pipeline.receivers = ReadReferences(
        &section, "receivers", {ComponentKind::kReceiver, ComponentKind::kConnector}, "receiver");
    pipeline.processors =
        ReadReferences(&section, "processors", {ComponentKind::kProcessor}, "processor");
    pipeline.exporters = ReadReferences(
        &section, "exporters", {ComponentKind::kExporter, ComponentKind::kConnector}, "exporter");
    for (std::string_view noun : {"receiver", "exporter"}) {
      std::string key = fmt::format("{}s", noun);
      const Node* list = section.Get(key);
      bool none = list == nullptr || (list->kind == Node::Kind::kList && list->items.empty());
      bool unknown = section.Has(key) && section.node().Find(key)->is_unknown;
      if (none && !unknown && IsMap(section.node()) && !section.IsMisspelt(key))
        problems_->Error(place, section.path(), fmt::format("must have at least one {}", noun));
    }
    section.Finish();
    CheckOnce(pipeline.processors, place, section.path());
    CheckSignals(pipeline, place, section.path());
    config_.pipelines.push_back(std::move(pipeline));
  }

  // Every component of a pipeline takes its signal.
  void CheckSignals(const Pipeline& pipeline, const Node& place, std::string_view path) {
    for (auto [kind, ids] : {std::pair{ComponentKind::kReceiver, &pipeline.receivers},
                             {ComponentKind::kProcessor, &pipeline.processors},
                             {ComponentKind::kExporter, &pipeline.exporters}})
      for (const ComponentId& id : *ids) {
        const ComponentType* type = types_.Find(kind, id.type).type;
        if (type == nullptr || type->signals.Has(pipeline.signal)) continue;
        problems_->Error(place, path,
                         fmt::format("{} \"{}\" does not take {}", KindName(kind), id.ToString(),
                                     SignalName(pipeline.signal)));
      }
    if (pipeline.signal == Signal::kMetrics && Keeps(pipeline))
      problems_->Warn(place, path,
                      "weft keeps no metrics: what comes is answered with a partial success");
  }

  void CheckOnce(std::vector<ComponentId> processors, const Node& place, std::string_view path) {
    std::ranges::sort(processors);
    auto twice = std::ranges::adjacent_find(processors);
    if (twice == processors.end()) return;
    problems_->Error(place, path,
                     fmt::format("references processor \"{}\" multiple times", twice->ToString()));
  }

  // Ids in the list under `key`; each must name a configured component of one of `kinds`.
  std::vector<ComponentId> ReadReferences(Section* section, std::string_view key,
                                          std::initializer_list<ComponentKind> kinds,
                                          std::string_view noun) {
    std::vector<std::string> texts;  // read for what it says of a wrong type
    section->Read(key, &texts);
    std::vector<ComponentId> ids;
    const Node* list = section->Get(key);
    if (list == nullptr) return ids;
    for (const Node& at : list->items) {
      if (at.is_unknown || !at.has_text || IsMisnamed(at.text)) continue;
      Result<ComponentId> id = ParseComponentId(at.text);
      if (!id) {
        section->Error(at, key, id.error().message);
        continue;
      }
      if (!IsConfigured(*id, kinds)) {
        problems_->Error(at, section->path(),
                         fmt::format("references {} \"{}\" which is not configured{}", noun,
                                     id->ToString(), NearestConfigured(at.text, kinds)));
        continue;
      }
      if (std::ranges::find(ids, *id) == ids.end() || key == "processors")
        ids.push_back(std::move(*id));
    }
    return ids;
  }

  // True also where nobody can know.
  bool IsConfigured(const ComponentId& id, std::initializer_list<ComponentKind> kinds) const {
    return std::ranges::any_of(kinds, [&](ComponentKind kind) {
      return IsUnread(kind) || FindNamed(kind, id) != nullptr;
    });
  }
  std::string NearestConfigured(std::string_view text,
                                std::initializer_list<ComponentKind> kinds) const {
    std::vector<std::string> exist;
    for (const Named& named : named_)
      if (std::ranges::find(kinds, named.kind) != kinds.end()) exist.push_back(named.id.ToString());
    std::string nearest = NearestWord(text, exist);
    return nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest);
  }

  // An id that is wrong where it is configured need not be called wrong where it is used.
  bool IsMisnamed(std::string_view text) const {
    return std::ranges::find(misnamed_, text) != misnamed_.end();
  }

  const Node& tree_;
  const ComponentTypes& types_;
  const Surroundings& surroundings_;
  Problems* problems_;
  std::vector<ComponentId> owners_;  // whose settings hold problems_->references[i]
  Config config_;
  std::vector<Named> named_;
  std::vector<std::string> misnamed_;  // keys that are no component ids
  std::vector<ComponentKind> unread_;  // whose section is misspelt, or could not be had
  // Whether all that they list was read; what is missing may be in what was not.
  bool knows_extensions_ = false, knows_pipelines_ = false;
};

}  // namespace

Config CheckConfig(const Node& tree, const ComponentTypes& types, const Surroundings& surroundings,
                   Problems* problems) {
  return Checker(tree, types, surroundings, problems).Check();
}

}  // namespace weft::config

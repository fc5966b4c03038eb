// SPDX-License-Identifier: Apache-2.0
#include "pipeline/graph_builder.h"

#include <algorithm>
#include <ranges>

#include "base/check.h"

namespace weft::pipeline {
namespace {

std::string NameOf(const config::Component& component, const std::string& pipeline) {
  std::string name =
      std::string(config::KindName(component.kind())) + " " + component.id.ToString();
  return pipeline.empty() ? name : name + " of pipeline " + pipeline;
}

std::unexpected<Error> Failed(const config::Component& component, const Error& error) {
  return Fail(error.WithPrefix(NameOf(component, "")));
}

}  // namespace

Status Graph::Builder::Build() {
  for (const config::Pipeline& pipeline : config_.pipelines) {
    WEFT_ASSIGN(Consumer * head, BuildPipeline(pipeline));
    for (const config::ComponentId& id : pipeline.receivers)
      FeedOf(id).branches[static_cast<int>(pipeline.signal)].push_back(
          {head, "pipeline " + pipeline.name});
  }
  graph_->nodes_ = exporters_;
  graph_->nodes_.insert(graph_->nodes_.end(), processors_.begin(), processors_.end());
  for (const config::ComponentId& id : config_.extensions) WEFT_TRY(BuildExtension(id));
  for (Feed& feed : feeds_) WEFT_TRY(BuildReceiver(&feed));
  if (running_ == nullptr) return {};
  for (const Slots* slots : {&running_->nodes_, &running_->extensions_, &running_->receivers_})
    NoteRemoved(*slots);
  LetOldOnesFade();
  return {};
}

const config::Component& Graph::Builder::Find(Kind kind, const config::ComponentId& id) const {
  const config::Component* component = config_.Find(kind, id);
  WEFT_CHECK_MSG(component != nullptr, "config::Load() checks references");
  return *component;
}

Result<bool> Graph::Builder::NeighboursStay(const config::Component& component) {
  for (const config::ComponentId& id : component.refers) {
    for (Kind kind : {Kind::kExporter, Kind::kExtension}) {
      const config::Component* neighbour = config_.Find(kind, id);
      if (neighbour == nullptr) continue;
      WEFT_ASSIGN(const Judged* judged, Judge(*neighbour, ""));
      if (judged == nullptr || !judged->stays) return false;
    }
  }
  return true;
}

// Null: there is none of this id.
Result<const Graph::Builder::Judged*> Graph::Builder::Judge(const config::Component& component,
                                                            const std::string& pipeline) {
  const Slot* slot =
      running_ == nullptr ? nullptr : running_->Find(component.kind(), component.id, pipeline);
  if (slot == nullptr || slot->type != component.type) return nullptr;
  auto [found, is_new] = judged_.try_emplace(slot);
  Judged& judged = found->second;
  if (!is_new) return &judged;
  if (slot->print != component.print) {
    auto change = slot->component->Reconfigure(component.settings);
    if (!change) return Failed(component, change.error());
    judged.change = std::move(*change);
    if (judged.change == nullptr) return &judged;
  }
  WEFT_ASSIGN(judged.stays, NeighboursStay(component));
  return &judged;
}

Result<std::shared_ptr<Graph::Slot>> Graph::Builder::SlotOf(const config::Component& component,
                                                            const std::string& pipeline,
                                                            uint32_t inputs) {
  WEFT_ASSIGN(const Judged* judged, Judge(component, pipeline));
  using Fates = Fate::Kind;
  const std::string name = NameOf(component, pipeline);
  if (judged != nullptr && judged->stays) {
    for (const Slots* slots : {&running_->nodes_, &running_->extensions_, &running_->receivers_}) {
      for (const std::shared_ptr<Slot>& slot : *slots) {
        if (slot->kind != component.kind() || slot->id != component.id ||
            slot->pipeline != pipeline || slot->inputs != inputs)
          continue;
        graph_->fates_.push_back({name, judged->change ? Fates::kAdjusted : Fates::kKept});
        graph_->leads_.push_back([slot, print = component.print, change = judged->change] {
          if (change) change();
          slot->print = print;
        });
        return slot;
      }
    }
  }
  graph_->fates_.push_back({name, judged == nullptr ? Fates::kAdded : Fates::kReplaced});
  auto slot = std::make_shared<Slot>();
  slot->kind = component.kind();
  slot->id = component.id;
  slot->pipeline = pipeline;
  slot->name = NameOf(component, "");
  slot->type = component.type;
  slot->print = component.print;
  slot->inputs = inputs;
  slot->owner = graph_;
  deps_.services->SetOwner(slot.get());
  return slot;
}

void Graph::Builder::LeadLater(Entry* way, Consumer* to) {
  graph_->leads_.push_back([graph = graph_, way, to] { way->Lead(graph->Leased(to)); });
}

// The first consumer of the pipeline.
Result<Consumer*> Graph::Builder::BuildPipeline(const config::Pipeline& pipeline) {
  std::vector<FanOut::Branch> ends;
  for (const config::ComponentId& id : pipeline.exporters) {
    WEFT_ASSIGN(Exporter * exporter, ExporterOf(id));
    ends.push_back({exporter, "exporter " + id.ToString()});
  }
  Consumer* head = graph_->Join(std::move(ends));
  for (const config::ComponentId& id : std::views::reverse(pipeline.processors)) {
    const config::Component& component = Find(Kind::kProcessor, id);
    WEFT_ASSIGN(std::shared_ptr<Slot> slot, SlotOf(component, pipeline.name));
    if (slot->component == nullptr) {
      slot->ways[0] = std::make_unique<Entry>();
      auto made = table_.RowOf(component).make_processor(component, slot->ways[0].get(), deps_);
      if (!made) return Failed(component, made.error());
      slot->processor = made->get();
      slot->component = std::move(*made);
    }
    LeadLater(slot->ways[0].get(), head);
    head = slot->processor;
    processors_.push_back(std::move(slot));
  }
  return head;
}

Result<Exporter*> Graph::Builder::ExporterOf(const config::ComponentId& id) {
  for (const std::shared_ptr<Slot>& slot : exporters_)
    if (slot->id == id) return slot->exporter;
  const config::Component& component = Find(Kind::kExporter, id);
  WEFT_ASSIGN(std::shared_ptr<Slot> slot, SlotOf(component, ""));
  if (slot->component == nullptr) {
    auto made = table_.RowOf(component).make_exporter(component, deps_);
    if (!made) return Failed(component, made.error());
    slot->exporter = made->get();
    slot->component = std::move(*made);
  }
  exporters_.push_back(slot);
  return slot->exporter;
}

Graph::Builder::Feed& Graph::Builder::FeedOf(const config::ComponentId& receiver) {
  auto feed = std::ranges::find(feeds_, receiver, &Feed::receiver);
  return feed != feeds_.end() ? *feed : feeds_.emplace_back(Feed{receiver, {}});
}

Status Graph::Builder::BuildReceiver(Feed* feed) {
  const config::Component& component = Find(Kind::kReceiver, feed->receiver);
  Consumer* heads[std::size(config::kSignals)];
  uint32_t inputs = 0;
  for (size_t i = 0; i < std::size(heads); ++i) {
    heads[i] = graph_->Join(std::move(feed->branches[i]));
    if (heads[i] != nullptr) inputs |= 1u << i;
  }
  WEFT_ASSIGN(std::shared_ptr<Slot> slot, SlotOf(component, "", inputs));
  const bool is_new = slot->component == nullptr;
  for (size_t i = 0; i < std::size(heads); ++i) {
    if (heads[i] == nullptr) continue;
    if (is_new) slot->ways[i] = std::make_unique<Entry>();
    LeadLater(slot->ways[i].get(), heads[i]);
  }
  if (is_new) {
    auto way = [&](config::Signal signal) { return slot->ways[static_cast<int>(signal)].get(); };
    const Inputs ways{.traces = way(config::Signal::kTraces),
                      .logs = way(config::Signal::kLogs),
                      .metrics = way(config::Signal::kMetrics)};
    auto made = table_.RowOf(component).make_receiver(component, ways, deps_);
    if (!made) return Failed(component, made.error());
    slot->component = std::move(*made);
  }
  graph_->receivers_.push_back(std::move(slot));
  return {};
}

Status Graph::Builder::BuildExtension(const config::ComponentId& id) {
  const config::Component* component = config_.Find(Kind::kExtension, id);
  if (component == nullptr) return {};
  const ComponentRow& row = table_.RowOf(*component);
  if (row.make_extension == nullptr) return {};
  WEFT_ASSIGN(std::shared_ptr<Slot> slot, SlotOf(*component, ""));
  if (slot->component == nullptr) {
    auto made = row.make_extension(*component, deps_);
    if (!made) return Failed(*component, made.error());
    slot->component = std::move(*made);
  }
  graph_->extensions_.push_back(std::move(slot));
  return {};
}

void Graph::Builder::NoteRemoved(const Slots& slots) {
  for (const std::shared_ptr<Slot>& slot : slots) {
    const Slots& now = slot->kind == Kind::kReceiver    ? graph_->receivers_
                       : slot->kind == Kind::kExtension ? graph_->extensions_
                                                        : graph_->nodes_;
    const bool is_there = std::ranges::any_of(now, [&](const std::shared_ptr<Slot>& other) {
      return other->kind == slot->kind && other->id == slot->id &&
             other->pipeline == slot->pipeline;
    });
    if (is_there) continue;
    graph_->fates_.push_back(
        {slot->pipeline.empty() ? slot->name : slot->name + " of pipeline " + slot->pipeline,
         Fate::Kind::kRemoved});
  }
}

// The ways of components that do not go on. A receiver that is replaced may still be reading a
// request: that goes where requests of the new one go.
void Graph::Builder::LetOldOnesFade() {
  for (const std::shared_ptr<Slot>& slot : running_->nodes_) {
    if (slot->ways[0] == nullptr || std::ranges::find(processors_, slot) != processors_.end())
      continue;
    graph_->leads_.push_back([slot] { slot->ways[0]->Loosen(); });
  }
  for (const std::shared_ptr<Slot>& slot : running_->receivers_) {
    const Slot* now = graph_->Find(Kind::kReceiver, slot->id, "");
    if (now == slot.get()) continue;
    for (size_t i = 0; i < std::size(slot->ways); ++i) {
      if (slot->ways[i] == nullptr) continue;
      Entry* other = now != nullptr ? now->ways[i].get() : nullptr;
      graph_->leads_.push_back([graph = graph_, slot, i, other] {
        if (other != nullptr) {
          slot->ways[i]->KeepToo(slot);
          slot->ways[i]->Lead(graph->Leased(other));
        } else {
          slot->ways[i]->Fade();
        }
      });
    }
  }
}

}  // namespace weft::pipeline

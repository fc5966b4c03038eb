// SPDX-License-Identifier: Apache-2.0
//
// Graphs of made-up components: what a configuration becomes, and the way of a batch through it.
#include "pipeline/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace weft::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What the made-up components did, in order, and who they are.
struct World {
  std::vector<std::string> journal;
  std::map<std::string, class FakeExporter*> exporters;
  std::map<std::string, Inputs> receivers;
  std::string failing;  // whose start fails
};
World* g_world = nullptr;

Status Started(const std::string& name) {
  g_world->journal.push_back("start " + name);
  return g_world->failing == name ? Status(Fail(ErrorCode::kIo, "no disk")) : Status();
}

// Keeps batches and Acks until told to complete.
class FakeExporter : public Exporter {
 public:
  FakeExporter(std::string name, bool does_keep) : keeps(does_keep), name_(std::move(name)) {}
  Status Admit(uint64_t) override { return admit; }
  void Consume(SharedSpans batch, Ack ack) override {
    spans.push_back(std::move(batch));
    acks.push_back(std::move(ack));
  }
  void Consume(SharedMetrics batch, Ack ack) override {
    metrics.push_back(std::move(batch));
    acks.push_back(std::move(ack));
  }
  bool Keeps() const override { return keeps; }
  Status Start() override { return Started(name_); }
  void Stop() override { g_world->journal.push_back("stop " + name_); }

  const bool keeps;
  Status admit;
  std::vector<SharedSpans> spans;
  std::vector<SharedMetrics> metrics;
  std::vector<Ack> acks;

 private:
  const std::string name_;
};

// Writes its id behind every span's and metric's name.
class Marker : public Processor {
 public:
  Marker(std::string name, Consumer* next) : Processor(next), name_(std::move(name)) {}
  Status Start() override { return Started(name_); }
  void Stop() override { g_world->journal.push_back("stop " + name_); }
  void Consume(SharedSpans batch, Ack ack) override {
    SpanBatch& edited = batch.Edit();
    for (Span& span : edited.spans) span.name = Marked(span.name, &edited.arena);
    next()->Consume(std::move(batch), std::move(ack));
  }
  void Consume(SharedMetrics batch, Ack ack) override {
    MetricBatch& edited = batch.Edit();
    for (Metric& metric : edited.metrics) metric.name = Marked(metric.name, &edited.arena);
    next()->Consume(std::move(batch), std::move(ack));
  }

 private:
  std::string_view Marked(std::string_view name, Arena* arena) const {
    return arena->Copy(std::string(name) + ">" + name_);
  }
  const std::string name_;
};

class FakeReceiver : public Component {
 public:
  explicit FakeReceiver(std::string name) : name_(std::move(name)) {}
  Status Start() override { return Started(name_); }
  void Stop() override { g_world->journal.push_back("stop " + name_); }

 private:
  const std::string name_;
};

std::any ReadNothing(config::Section section) {
  section.Finish();
  return true;
}

template <bool kKeeps>
Result<std::unique_ptr<Exporter>> MakeExporter(const config::Component& component, const Deps&) {
  auto made = std::make_unique<FakeExporter>(component.id.ToString(), kKeeps);
  g_world->exporters[component.id.ToString()] = made.get();
  return made;
}
using config::ComponentKind;
constexpr ComponentRow kIn = {
    .type = {.kind = ComponentKind::kReceiver,
             .name = "in",
             .signals = config::kAllSignals,
             .read = ReadNothing},
    .make_receiver = [](const config::Component& component, Inputs inputs,
                        const Deps&) -> Result<std::unique_ptr<Component>> {
      g_world->receivers[component.id.ToString()] = inputs;
      return std::make_unique<FakeReceiver>(component.id.ToString());
    }};
constexpr ComponentRow kMark = {
    .type = {.kind = ComponentKind::kProcessor,
             .name = "mark",
             .signals = config::kAllSignals,
             .read = ReadNothing},
    .make_processor = [](const config::Component& component, Consumer* next,
                         const Deps&) -> Result<std::unique_ptr<Processor>> {
      if (component.id.name == "unmakable") return Fail(ErrorCode::kNotFound, "no such file");
      return std::make_unique<Marker>(component.id.ToString(), next);
    }};
constexpr ComponentRow kOut = {.type = {.kind = ComponentKind::kExporter,
                                        .name = "out",
                                        .signals = config::kAllSignals,
                                        .read = ReadNothing},
                               .make_exporter = MakeExporter<false>};
constexpr ComponentRow kKeep = {
    .type = {.kind = ComponentKind::kExporter,
             .name = "keep",
             .signals = {config::Signal::kTraces, config::Signal::kLogs},
             .read = ReadNothing,
             .role = config::kStoreRole},
    .make_exporter = MakeExporter<true>};

class GraphTest : public ::testing::Test {
 protected:
  GraphTest() { g_world = &world_; }

  Result<config::Loaded> Load(const std::string& yaml) {
    config::Surroundings surroundings{
        .env = [](const std::string&) { return std::nullopt; },
        .read_file = [&yaml](const std::string&) -> Result<std::string> { return yaml; }};
    return config::Load({.uris = {"test"}, .settings = {}}, surroundings, table_.types());
  }
  Status Build(const std::string& pipelines) {
    auto loaded = Load(
        "receivers: {in: , in/2: }\nprocessors: {mark/a: , mark/b: , mark/unmakable: }\n"
        "exporters: {out: , out/2: , out/idle: , keep: }\nservice: {pipelines: {" +
        pipelines + "}}\n");
    EXPECT_TRUE(loaded) << loaded.error().message;
    const Deps deps{.env = nullptr,
                    .clock = nullptr,
                    .metrics = &metrics_,
                    .memory = nullptr,
                    .doors = nullptr,
                    .services = &services_};
    WEFT_ASSIGN(graph_, Graph::Build(loaded->config, table_, deps));
    return {};
  }
  // What a reload makes of a whole configuration; `graph_` is the running one.
  Result<std::unique_ptr<Graph>> Next(const std::string& yaml) {
    auto loaded = Load(yaml);
    EXPECT_TRUE(loaded) << loaded.error().message;
    const Deps deps{.env = nullptr,
                    .clock = nullptr,
                    .metrics = &metrics_,
                    .memory = nullptr,
                    .doors = nullptr,
                    .services = &services_};
    return Graph::Build(loaded->config, table_, deps, graph_.get());
  }
  static SpanBatch OneSpan() {
    SpanBatch batch;
    batch.resources.resize(1);
    batch.scopes.resize(1);
    batch.spans.emplace_back().name = "s";
    batch.received_is_content = true;
    return batch;
  }
  Ack Count() {
    return Ack([this](Outcome outcome) { answers_.push_back(std::move(outcome)); });
  }

  World world_;
  Metrics metrics_;
  Services services_;
  const ComponentTable table_{{&kIn, &kMark, &kOut, &kKeep}};
  std::vector<Outcome> answers_;
  std::unique_ptr<Graph> graph_;  // its exporters hold Acks
};

TEST_F(GraphTest, OneExporterForAllPipelinesAndProcessorsOfItsOwnForEach) {
  ASSERT_TRUE(
      Build("traces: {receivers: [in], processors: [mark/a, mark/b], exporters: [out, out/2]}, "
            "traces/more: {receivers: [in], exporters: [out]}, "
            "logs: {receivers: [in, in/2], processors: [mark/b], exporters: [out]}"));
  EXPECT_EQ(world_.exporters.size(), 2u) << "out/idle and keep are in no pipeline";
  ASSERT_TRUE(graph_->Start());
  ASSERT_TRUE(graph_->StartReceivers());
  world_.receivers["in"].traces->Consume(OneSpan(), Count());
  FakeExporter& out = *world_.exporters["out"];
  ASSERT_EQ(out.spans.size(), 2u);
  EXPECT_EQ(out.spans[0]->spans[0].name, "s>mark/a>mark/b");
  EXPECT_FALSE(out.spans[0]->received_is_content);
  EXPECT_EQ(out.spans[1]->spans[0].name, "s");
  EXPECT_TRUE(out.spans[1]->received_is_content);
  EXPECT_EQ(world_.exporters["out/2"]->spans.size(), 1u);
  EXPECT_EQ(world_.receivers["in"].metrics, nullptr);
  EXPECT_EQ(world_.receivers["in/2"].traces, nullptr);
  world_.receivers["in/2"].logs->Consume(OneSpan(), Count());
  EXPECT_EQ(out.spans[2]->spans[0].name, "s>mark/b");
  graph_->StopReceivers();
  graph_->Stop();
  graph_->Stop();
  EXPECT_THAT(world_.journal,
              ElementsAre("start out", "start out/2", "start mark/b", "start mark/a",
                          "start mark/b", "start in", "start in/2", "stop in/2", "stop in",
                          "stop mark/b", "stop mark/a", "stop mark/b", "stop out/2", "stop out"));
}

TEST_F(GraphTest, MetricsGoTheirOwnWay) {
  ASSERT_TRUE(Build("metrics: {receivers: [in], processors: [mark/a], exporters: [out, out/2]}"));
  MetricBatch batch;
  batch.metrics.emplace_back().name = "m";
  world_.receivers["in"].metrics->Consume(std::move(batch), Count());
  for (const char* name : {"out", "out/2"}) {
    ASSERT_EQ(world_.exporters[name]->metrics.size(), 1u);
    EXPECT_EQ(world_.exporters[name]->metrics[0]->metrics[0].name, "m>mark/a");
  }
  world_.exporters["out/2"]->acks[0].Complete();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_TRUE(answers_[0].status);
}

TEST_F(GraphTest, ASlowBranchDelaysNobodyAndItsLossIsCounted) {
  ASSERT_TRUE(Build("traces: {receivers: [in], exporters: [out, keep]}"));
  world_.receivers["in"].traces->Consume(OneSpan(), Count());
  world_.exporters["keep"]->acks[0].Complete();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_TRUE(answers_[0].status);
  world_.exporters["out"]->acks[0].Complete({.status = Fail(ErrorCode::kIo, "gone")});
  EXPECT_EQ(answers_.size(), 1u);
  EXPECT_THAT(
      metrics_.Render(MetricsFormat::kPrometheus),
      HasSubstr("weft_pipeline_branch_lost_items_total{branch=\"exporter out\",reason=\"io\"} 1"));
}

TEST_F(GraphTest, OneRefusalRefuses) {
  ASSERT_TRUE(Build("traces: {receivers: [in], processors: [mark/a], exporters: [out, keep]}"));
  Consumer* traces = world_.receivers["in"].traces;
  EXPECT_TRUE(traces->Admit(1));
  EXPECT_TRUE(traces->Keeps());
  world_.exporters["keep"]->admit = Fail(Error{ErrorCode::kNoSpace, "full", 3});
  Status status = traces->Admit(1);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().retry_after_s, 3u);
}

TEST_F(GraphTest, AFailedStartStopsWhatRan) {
  ASSERT_TRUE(Build("traces: {receivers: [in], processors: [mark/a], exporters: [out, out/2]}"));
  world_.failing = "mark/a";
  Status status = graph_->Start();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "processor mark/a: no disk");
  EXPECT_THAT(world_.journal,
              ElementsAre("start out", "start out/2", "start mark/a", "stop out/2", "stop out"));
}

TEST_F(GraphTest, WhatCannotBeMadeIsNamed) {
  Status status =
      Build("traces: {receivers: [in], processors: [mark/unmakable], exporters: [out]}");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "processor mark/unmakable: no such file");
  EXPECT_THAT(world_.journal, IsEmpty());
}

TEST_F(GraphTest, AComponentGetsOnlySignalsThatItTakes) {
  auto loaded = Load(
      "receivers: {in: }\nexporters: {keep: }\n"
      "service: {pipelines: {metrics: {receivers: [in], exporters: [keep]}}}\n");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("exporter \"keep\" does not take metrics"));
}

// ---------------------------------------------------------------------------------------- reload

std::string Whole(const std::string& processors, const std::string& exporters) {
  return "receivers: {in: }\nprocessors: {mark/a: , mark/b: }\nexporters: {out: , out/2: }\n"
         "service: {pipelines: {traces: {receivers: [in], processors: [" +
         processors + "], exporters: [" + exporters + "]}}}\n";
}

TEST_F(GraphTest, TheNextGraphTakesOverWhatIsTheSameAndLeadsItElsewhere) {
  ASSERT_TRUE(Build("traces: {receivers: [in], processors: [mark/a], exporters: [out]}"));
  ASSERT_TRUE(graph_->Start());
  ASSERT_TRUE(graph_->StartReceivers());
  FakeExporter& out = *world_.exporters["out"];
  Consumer* const receiver_way = world_.receivers["in"].traces;
  world_.journal.clear();
  auto next = Next(Whole("mark/a, mark/b", "out, out/2"));
  ASSERT_TRUE(next) << next.error().message;
  ASSERT_TRUE((*next)->Start());
  ASSERT_TRUE((*next)->StartReceivers());
  EXPECT_THAT(world_.journal, ElementsAre("start out/2", "start mark/b"));
  receiver_way->Consume(OneSpan(), Count());
  ASSERT_EQ(out.spans.size(), 1u);
  EXPECT_EQ(out.spans[0]->spans[0].name, "s>mark/a") << "nothing is led before it is said";
  (*next)->Lead();
  EXPECT_FALSE(graph_->IsDone()) << "a batch of it is under way";
  receiver_way->Consume(OneSpan(), Count());
  ASSERT_EQ(out.spans.size(), 2u);
  EXPECT_EQ(out.spans[1]->spans[0].name, "s>mark/a>mark/b");
  EXPECT_EQ(world_.exporters["out/2"]->spans.size(), 1u);
  out.acks[0].Complete();
  EXPECT_TRUE(graph_->IsDone());
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_TRUE(answers_[0].status);
  world_.journal.clear();
  graph_ = std::move(*next);
  EXPECT_THAT(world_.journal, IsEmpty()) << "all that the old one had goes on";
}

TEST_F(GraphTest, WhatTheNextGraphHasNotIsStoppedWithTheOldOne) {
  ASSERT_TRUE(Build("traces: {receivers: [in], processors: [mark/a], exporters: [out, out/2]}"));
  ASSERT_TRUE(graph_->Start());
  ASSERT_TRUE(graph_->StartReceivers());
  auto next = Next(Whole("", "out"));
  ASSERT_TRUE(next);
  ASSERT_TRUE((*next)->Start());
  (*next)->Lead();
  EXPECT_TRUE(graph_->IsDone());
  world_.journal.clear();
  graph_ = std::move(*next);
  EXPECT_THAT(world_.journal, ElementsAre("stop mark/a", "stop out/2"));
}

TEST_F(GraphTest, ANextGraphThatIsGivenUpLeavesTheOldOneAsItWas) {
  ASSERT_TRUE(Build("traces: {receivers: [in], processors: [mark/a], exporters: [out]}"));
  ASSERT_TRUE(graph_->Start());
  ASSERT_TRUE(graph_->StartReceivers());
  world_.journal.clear();
  world_.failing = "mark/b";
  auto next = Next(Whole("mark/b", "out, out/2"));
  ASSERT_TRUE(next);
  EXPECT_FALSE((*next)->Start());
  next->reset();
  EXPECT_THAT(world_.journal, ElementsAre("start out/2", "start mark/b", "stop out/2"));
  world_.receivers["in"].traces->Consume(OneSpan(), Count());
  ASSERT_EQ(world_.exporters["out"]->spans.size(), 1u);
  EXPECT_EQ(world_.exporters["out"]->spans[0]->spans[0].name, "s>mark/a");
}

}  // namespace
}  // namespace weft::pipeline

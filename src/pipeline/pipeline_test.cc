// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "pipeline/fan_out.h"
#include "pipeline/graph.h"

namespace weft::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Keeps batches and completions until told to complete.
class FakeExporter : public Exporter {
 public:
  explicit FakeExporter(std::string name = "", std::vector<std::string>* journal = nullptr)
      : name_(std::move(name)), journal_(journal) {}
  Status Admit(uint64_t) override { return admit; }
  void Consume(SpanBatch batch, Completion done) override {
    batches.push_back(std::move(batch));
    completions.push_back(std::move(done));
  }
  Status Start() override {
    if (journal_) journal_->push_back("start " + name_);
    return start;
  }
  void Stop() override {
    if (journal_) journal_->push_back("stop " + name_);
  }

  Status admit, start;
  std::vector<SpanBatch> batches;
  std::vector<Completion> completions;

 private:
  std::string name_;
  std::vector<std::string>* journal_;
};

SpanBatch OneSpan() {
  SpanBatch batch;
  batch.received = "the request";
  batch.received_is_content = true;
  batch.received_ns = 5;
  batch.resources.resize(1);
  batch.scopes.resize(1);
  Span span;
  span.name = batch.arena.Copy("a name that lives in the arena");
  std::span<KeyValue> attributes = batch.arena.NewArray<KeyValue>(1);
  attributes[0] = {batch.arena.Copy("key"), Value::String(batch.arena.Copy("value"))};
  span.attributes = attributes;
  batch.spans.push_back(span);
  batch.rejected_spans = {2, "why"};
  return batch;
}

TEST(FanOutTest, CompletesWhenAllHaveWithTheFirstError) {
  FakeExporter a, b;
  FanOut fan({&a, &b});
  std::optional<Status> result;
  fan.Consume(OneSpan(), [&result](Status status) { result = std::move(status); });
  ASSERT_EQ(a.completions.size(), 1u);
  ASSERT_EQ(b.completions.size(), 1u);
  a.completions[0](Fail(ErrorCode::kUnavailable, "first"));
  EXPECT_FALSE(result.has_value());
  b.completions[0](Fail(ErrorCode::kIo, "second"));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->error().message, "first");

  result.reset();
  fan.Consume(OneSpan(), [&result](Status status) { result = std::move(status); });
  a.completions[1](Status());
  b.completions[1](Status());
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->has_value());
}

TEST(FanOutTest, EveryCopyIsWholeAndOutlivesTheOthers) {
  FakeExporter a, b;
  FanOut fan({&a, &b});
  fan.Consume(OneSpan(), [](Status) {});
  a.batches[0].spans[0].name = "changed by a";
  a.batches.clear();
  const SpanBatch& batch = b.batches[0];
  EXPECT_EQ(batch.spans[0].name, "a name that lives in the arena");
  EXPECT_EQ(FindString(batch.spans[0].attributes, "key"), "value");
  EXPECT_TRUE(batch.received_is_content);
  EXPECT_EQ(batch.received, "the request");
  EXPECT_EQ(batch.received_ns, 5u);
  EXPECT_EQ(batch.rejected_spans.count, 2u);
}

TEST(FanOutTest, OneRefusalRefuses) {
  FakeExporter a, b;
  FanOut fan({&a, &b});
  EXPECT_TRUE(fan.Admit(1));
  b.admit = Fail(Error{ErrorCode::kNoSpace, "full", 3});
  Status status = fan.Admit(1);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().retry_after_s, 3u);
}

config::Config LoadConfig(const std::string& yaml) {
  config::Surroundings surroundings{
      .env = [](const std::string&) { return std::nullopt; },
      .read_file = [&yaml](const std::string&) -> Result<std::string> { return yaml; }};
  Result<config::Loaded> loaded = config::Load({.uris = {"test"}, .settings = {}}, surroundings);
  EXPECT_TRUE(loaded) << loaded.error().message;
  return loaded->config;
}

constexpr char kTwoPipelines[] = R"(
receivers: {otlp: {protocols: {http: }}, otlp/idle: {protocols: {http: }}}
exporters: {debug: , debug/2: , debug/idle: }
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug, debug/2]}
    traces/more: {receivers: [otlp], exporters: [debug]}
    logs: {receivers: [otlp], exporters: [debug]}
)";

TEST(GraphTest, OneExporterForAllPipelines) {
  std::vector<std::string> journal;
  std::vector<FakeExporter*> made;
  auto graph = Graph::Build(LoadConfig(kTwoPipelines), [&](const config::Component& component) {
    auto exporter = std::make_unique<FakeExporter>(component.id.ToString(), &journal);
    made.push_back(exporter.get());
    return Result<std::unique_ptr<Exporter>>(std::move(exporter));
  });
  ASSERT_TRUE(graph);
  ASSERT_EQ(made.size(), 2u);  // debug/idle is not made
  ASSERT_TRUE((*graph)->StartExporters());

  Inputs inputs = (*graph)->InputsOf({"otlp", ""});
  int done = 0;
  inputs.traces->Consume(OneSpan(), [&done](Status) { ++done; });
  EXPECT_EQ(made[0]->batches.size(), 2u);  // through both pipelines
  EXPECT_EQ(made[1]->batches.size(), 1u);
  for (FakeExporter* exporter : made)
    for (Completion& completion : exporter->completions) completion(Status());
  EXPECT_EQ(done, 1);
  inputs.logs->Consume(OneSpan(), [](Status) {});
  EXPECT_EQ(made[0]->batches.size(), 3u);

  EXPECT_FALSE((*graph)->Uses({"otlp", "idle"}));
  EXPECT_EQ((*graph)->InputsOf({"otlp", "idle"}).traces, nullptr);
  (*graph)->StopExporters();
  (*graph)->StopExporters();
  EXPECT_THAT(journal, ElementsAre("start debug", "start debug/2", "stop debug/2", "stop debug"));
}

TEST(GraphTest, AFailedStartStopsWhatRan) {
  std::vector<std::string> journal;
  auto graph = Graph::Build(LoadConfig(kTwoPipelines), [&](const config::Component& component) {
    auto exporter = std::make_unique<FakeExporter>(component.id.ToString(), &journal);
    if (component.id.name == "2") exporter->start = Fail(ErrorCode::kIo, "no disk");
    return Result<std::unique_ptr<Exporter>>(std::move(exporter));
  });
  ASSERT_TRUE(graph);
  Status status = (*graph)->StartExporters();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "exporter debug/2: no disk");
  EXPECT_THAT(journal, ElementsAre("start debug", "start debug/2", "stop debug"));
}

}  // namespace
}  // namespace weft::pipeline

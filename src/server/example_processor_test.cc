// SPDX-License-Identifier: Apache-2.0
//
// The processor of CONTRIBUTING.md, word for word between its two marks, in a running server: a
// component is its own files and one line of the table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/env.h"
#include "codec/otlp.h"
#include "outgoing/client.h"
#include "pipeline/component_row.h"
#include "server/components.h"
#include "server/running_server.h"
#include "server/serve_command.h"
#include "testing/random_batch.h"

// [the processor
namespace weft::processor {
namespace {

struct EnvironmentSettings {
  std::string name;
};
std::any ReadEnvironment(config::Section section) {
  EnvironmentSettings settings;
  section.Read("name", &settings.name);
  section.Finish();
  return settings;
}

class EnvironmentProcessor : public pipeline::Processor {
 public:
  EnvironmentProcessor(std::string name, pipeline::Consumer* next)
      : Processor(next), name_(std::move(name)) {}
  void Consume(pipeline::SharedSpans batch, pipeline::Ack ack) override {
    SpanBatch& edited = batch.Edit();
    for (Resource& resource : edited.resources) {
      auto attributes = edited.arena.NewArray<KeyValue>(resource.attributes.size() + 1);
      std::ranges::copy(resource.attributes, attributes.begin());
      attributes.back() = {"deployment.environment.name", Value::String(edited.arena.Copy(name_))};
      resource.attributes = attributes;
    }
    next()->Consume(std::move(batch), std::move(ack));
  }

 private:
  const std::string name_;
};

}  // namespace

constexpr pipeline::ComponentRow kEnvironmentProcessor = {
    .type = {.kind = config::ComponentKind::kProcessor,
             .name = "environment",
             .summary = "says on every resource in which environment it runs",
             .signals = {config::Signal::kTraces, config::Signal::kLogs},
             .read = ReadEnvironment},
    .make_processor = [](const config::Component& component, pipeline::Consumer* next,
                         const pipeline::Deps&) -> Result<std::unique_ptr<pipeline::Processor>> {
      return std::make_unique<EnvironmentProcessor>(component.As<EnvironmentSettings>()->name,
                                                    next);
    }};

}  // namespace weft::processor
// the processor]

namespace weft::server {
namespace {

using ::testing::HasSubstr;

std::string ReadFile(const std::string& path) {
  std::ifstream file(std::string(WEFT_SOURCE_DIR) + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ExampleProcessorTest, IsTheOneOfTheDocumentation) {
  std::string source = ReadFile("/src/server/example_processor_test.cc");
  size_t begin = source.find("// [the processor\n") + 18;
  source = source.substr(begin, source.find("// the processor]") - begin);
  EXPECT_THAT(ReadFile("/CONTRIBUTING.md"), HasSubstr("```cpp\n" + source + "```"));
}

TEST(ExampleProcessorTest, RunsInAServerAndItsEditIsThereAfterAReplay) {
  std::string folder = ::testing::TempDir() + "weft_example_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::vector<const pipeline::ComponentRow*> rows = Components().rows();
  rows.push_back(&processor::kEnvironmentProcessor);  // the one line
  const pipeline::ComponentTable table(std::move(rows));
  auto load = [&] {
    auto loaded = config::Load(
        {.uris = {},
         .settings = {"processors.environment.name=staging",
                      "service.pipelines.traces.processors=[environment]",
                      "receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0",
                      "receivers.otlp.protocols.http.endpoint=127.0.0.1:0",
                      "extensions.query.endpoint=127.0.0.1:0",
                      "exporters.store.directory=" + folder}},
        {.env = [](const std::string&) { return std::nullopt; }, .read_file = {}}, table.types());
    EXPECT_TRUE(loaded) << loaded.error().message;
    return std::move(loaded->config);
  };
  SpanBatch batch = testing::RandomBatch({.seed = 3, .spans = 5, .logs = 0, .traces = 1});
  const std::string id = batch.spans[0].trace_id.ToHex();
  std::string body;
  codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, batch, &body);
  auto url_of = [](const RunningServer& server, std::string_view name) {
    for (const pipeline::Listener& listener : server.listeners())
      if (listener.name == name) return "http://" + listener.endpoint.ToString();
    return std::string();
  };
  outgoing::HttpClient client;
  // The second server reads the log of the first, which holds the edited spans.
  for (bool sends : {true, false}) {
    RunningServer server(load(), table, "test", PosixEnv(), SystemClock());
    Status started = server.Start();
    ASSERT_TRUE(started) << started.error().message;
    if (sends) {
      auto answer = client.Send({.method = "POST",
                                 .url = url_of(server, "otlp/http") + "/v1/traces",
                                 .headers = {{"content-type", "application/x-protobuf"}},
                                 .body = body});
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->status, 200) << answer->body;
    }
    auto trace = client.Get(url_of(server, "query") + "/api/weft/v1/trace/" + id + "/otlp");
    ASSERT_TRUE(trace);
    EXPECT_THAT(trace->body, HasSubstr(R"({"key":"deployment.environment.name",)"
                                       R"("value":{"stringValue":"staging"}})"));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace weft::server

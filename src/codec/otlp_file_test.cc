// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "testing/random_batch.h"
#include "wire/compression.h"

namespace weft::codec {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kPlenty = 256 << 20;

struct Summary {
  size_t documents = 0, spans = 0, logs = 0, metric_points = 0, rejected_logs = 0;
  std::vector<std::string> errors;
};

Summary Read(std::string bytes) {
  Summary summary;
  auto reader = OtlpFileReader::Open(std::move(bytes), kPlenty);
  if (!reader) {
    summary.errors.push_back(reader.error().message);
    return summary;
  }
  while (true) {
    auto document = reader->Next();
    if (!document) summary.errors.push_back(document.error().message);
    if (!document || !*document) break;
    ++summary.documents;
    auto content = reader->Decode(**document);
    if (!content) {
      summary.errors.push_back(content.error().message);
      continue;
    }
    summary.spans += content->traces.spans.size();
    summary.logs += content->logs.logs.size();
    summary.rejected_logs += content->logs.rejected_logs.count;
    summary.metric_points += content->metric_points;
    EXPECT_EQ(content->traces.rejected_spans.message, "");
    // Out again, in both formats, and back.
    for (OtlpFormat format : {OtlpFormat::kProtobuf, OtlpFormat::kJson}) {
      std::string traces, logs;
      EncodeOtlpTraces(format, content->traces, &traces);
      EncodeOtlpLogs(format, content->logs, &logs);
      auto traces_again = DecodeOtlpTraces(format, traces);
      auto logs_again = DecodeOtlpLogs(format, logs);
      EXPECT_TRUE(traces_again && logs_again);
      EXPECT_EQ(testing::BatchDifference(content->traces, *traces_again), "");
      EXPECT_EQ(testing::BatchDifference(content->logs, *logs_again), "");
    }
  }
  EXPECT_EQ(reader->position(), reader->bytes());
  return summary;
}

std::string Traces(OtlpFormat format, uint64_t seed) {
  SpanBatch batch = testing::RandomBatch({.seed = seed, .spans = 10, .json_safe = true});
  std::string out;
  EncodeOtlpTraces(format, batch, &out);
  return out;
}
std::string Logs(OtlpFormat format, uint64_t seed) {
  SpanBatch batch = testing::RandomBatch({.seed = seed, .logs = 5, .json_safe = true});
  std::string out;
  EncodeOtlpLogs(format, batch, &out);
  return out;
}
std::string Prefixed(const std::string& message) {
  uint32_t n = static_cast<uint32_t>(message.size());
  return std::string{static_cast<char>(n >> 24), static_cast<char>(n >> 16),
                     static_cast<char>(n >> 8), static_cast<char>(n)} +
         message;
}

TEST(OtlpFile, TellsTheFormatsApart) {
  const OtlpFormat pb = OtlpFormat::kProtobuf, js = OtlpFormat::kJson;
  struct Case {
    std::string bytes;
    size_t documents, spans, logs;
  };
  const Case kCases[] = {
      {"", 0, 0, 0},
      {" \n\n", 0, 0, 0},
      {Traces(pb, 1), 1, 10, 0},
      {Logs(pb, 1), 1, 0, 5},
      {Prefixed(Traces(pb, 1)) + Prefixed(Logs(pb, 2)) + Prefixed(Traces(pb, 3)), 3, 20, 5},
      {Traces(js, 1), 1, 10, 0},
      {"\xEF\xBB\xBF" + Traces(js, 1), 1, 10, 0},
      {Traces(js, 1) + "\n" + Logs(js, 2) + "\n\n" + Traces(js, 3) + "\n", 3, 20, 5},
      {"\n" + Traces(js, 1) + Logs(js, 2), 2, 10, 5}};
  for (const Case& one : kCases) {
    using enum wire::Compression;
    for (auto kind : {kNone, kGzip, kZstd, kLz4}) {
      if (kind != kNone && one.bytes.empty()) continue;
      Summary summary = Read(wire::Compress(kind, one.bytes));
      EXPECT_THAT(summary.errors, ::testing::IsEmpty());
      EXPECT_EQ(summary.documents, one.documents);
      EXPECT_EQ(summary.spans, one.spans);
      EXPECT_EQ(summary.logs, one.logs);
    }
  }
}

TEST(OtlpFile, OneDocumentMayHoldEverySignal) {
  std::string traces = Traces(OtlpFormat::kJson, 1), logs = Logs(OtlpFormat::kJson, 2);
  traces.pop_back();
  Summary summary = Read(traces + "," + logs.substr(1, logs.size() - 2) +
                         R"(,"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":
                         {"dataPoints":[{},{}]}}]}]}]})");
  EXPECT_THAT(summary.errors, ::testing::IsEmpty());
  EXPECT_EQ(summary.spans, 10u);
  EXPECT_EQ(summary.logs, 5u);
  EXPECT_EQ(summary.metric_points, 2u);
}

TEST(OtlpFile, ABrokenDocumentIsNamedAndTheRestIsRead) {
  std::string good = Traces(OtlpFormat::kJson, 1);
  Summary summary = Read(good + "\n{\"resourceSpans\":\n7}\nnot json at all\n{\"data\":[]}\n" +
                         good + "\n{\"resourceSpans\":[");
  EXPECT_EQ(summary.spans, 20u);
  ASSERT_EQ(summary.errors.size(), 4u);
  std::string second = std::to_string(good.size() + 1);
  EXPECT_EQ(summary.errors[0],
            "document at line 2, byte " + second + ": resource_spans: byte 18: expected an array");
  EXPECT_THAT(summary.errors[1], HasSubstr("line 4"));
  EXPECT_THAT(summary.errors[1], HasSubstr("not a JSON document"));
  EXPECT_THAT(summary.errors[2], HasSubstr("no resourceSpans"));
  EXPECT_THAT(summary.errors[3], HasSubstr("line 7"));
}

TEST(OtlpFile, ATruncatedProtobufFileKeepsItsWholeMessages) {
  std::string file = Prefixed(Traces(OtlpFormat::kProtobuf, 1));
  std::string second = Prefixed(Traces(OtlpFormat::kProtobuf, 2));
  Summary summary = Read(file + second.substr(0, second.size() / 2));
  EXPECT_EQ(summary.spans, 10u);
  ASSERT_EQ(summary.errors.size(), 1u);
  EXPECT_EQ(summary.errors[0],
            "byte " + std::to_string(file.size()) + ": the file ends inside a message");
}

TEST(OtlpFile, WhatIsNoOtlpIsRefused) {
  EXPECT_THAT(Read(std::string("\x7f"
                               "ELF\x02\x01\x01",
                               7))
                  .errors,
              ::testing::ElementsAre("not OTLP: neither protobuf nor JSON"));
}

// Recorded data beside the repository, where there is any.
TEST(OtlpFile, RecordedFilesGoInAndOut) {
  namespace fs = std::filesystem;
  fs::path formats = fs::path(WEFT_SOURCE_DIR) / ".." / "shared" / "data" / "formats";
  if (const char* other = std::getenv("WEFT_SHARED_DATA")) formats = fs::path(other) / "formats";
  if (!fs::exists(formats)) GTEST_SKIP() << "no recorded data at " << formats;
  const std::map<std::string, size_t> kSpans = {{"otel-demo.otlp.ndjson.zst", 547},
                                                {"trace.json", 1},
                                                {"trace-sample.json", 17},
                                                {"unpaired-trace-sample.json", 17},
                                                {"_simple_hello_world.otlp.json", 2},
                                                {"injection_docker_renovate.otlp.json.zst", 601},
                                                {"observe_subprocesses.otlp.json.zst", 305},
                                                {"injection_deep_python.otlp.json.zst", 71},
                                                {"injection_shebang.otlp.json", 31},
                                                {"injection_child.otlp.json", 8},
                                                {"injection_deep_java.otlp.json", 5},
                                                {"context_propagation_http_wget.otlp.json", 7}};
  size_t files = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(formats)) {
    std::string name = entry.path().filename();
    if (!entry.path().parent_path().filename().string().starts_with("otlp-")) continue;
    if (name.find(".json") == name.npos && name.find(".ndjson") == name.npos) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    Summary summary = Read(text.str());
    EXPECT_THAT(summary.errors, ::testing::IsEmpty()) << name;
    if (auto known = kSpans.find(name); known != kSpans.end()) {
      EXPECT_EQ(summary.spans, known->second) << name;
      ++files;
    }
  }
  EXPECT_EQ(files, kSpans.size());
}

}  // namespace
}  // namespace weft::codec

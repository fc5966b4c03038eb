// SPDX-License-Identifier: Apache-2.0
#include "codec/trace_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "codec/otlp.h"
#include "codec/trace_file_writer.h"
#include "testing/piece_source.h"
#include "testing/random_batch.h"
#include "testing/wild_batch.h"
#include "wire/compression.h"
#include "wire/decompress_source.h"

namespace weft::codec {
namespace {

using ::testing::HasSubstr;

struct Summary {
  size_t pieces = 0, spans = 0, logs = 0, metric_points = 0, rejected = 0;
  std::vector<std::string> errors;
  std::string rejection;
};

// Out again, in both formats of OTLP, and back.
void ExpectRoundTrip(const TracePiece& piece) {
  for (OtlpFormat format : {OtlpFormat::kProtobuf, OtlpFormat::kJson}) {
    std::string traces, logs;
    EncodeOtlpTraces(format, piece.traces, &traces);
    EncodeOtlpLogs(format, piece.logs, &logs);
    auto traces_again = DecodeOtlpTraces(format, traces);
    auto logs_again = DecodeOtlpLogs(format, logs);
    ASSERT_TRUE(traces_again && logs_again);
    EXPECT_EQ(testing::BatchDifference(piece.traces, *traces_again), "");
    EXPECT_EQ(testing::BatchDifference(piece.logs, *logs_again), "");
  }
}

Summary Read(const std::string& bytes, TraceFormat only = TraceFormat::kAny,
             size_t step = 1 << 20) {
  Summary summary;
  testing::PieceSource drip(testing::CutEvery(bytes, step));
  auto source = wire::OpenDecompressed(&drip);
  EXPECT_TRUE(source) << source.error().message;
  TraceFileReader reader(source->get(), only);
  while (true) {
    auto piece = reader.Next();
    if (!piece) summary.errors.push_back(piece.error().message);
    if (!piece || !*piece) return summary;
    ++summary.pieces;
    TracePiece& one = **piece;
    if (!one.problem.empty()) summary.errors.push_back(one.problem);
    summary.spans += one.traces.spans.size();
    summary.logs += one.logs.logs.size();
    summary.rejected += one.traces.rejected_spans.count + one.logs.rejected_logs.count;
    if (summary.rejection.empty()) summary.rejection = one.traces.rejected_spans.message;
    summary.metric_points += one.metric_points;
    ExpectRoundTrip(one);
  }
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

// Everything that a file comes to.
std::string TextOf(wire::ByteSource* source) {
  TraceFileReader reader(source);
  std::string text;
  while (true) {
    auto piece = reader.Next();
    if (!piece) return text + "error: " + piece.error().message;
    if (!*piece) return text;
    text += "to byte " + std::to_string((*piece)->end) + ", points " +
            std::to_string((*piece)->metric_points) + " " + (*piece)->problem + "\n";
    for (const std::string& span : testing::DescribeSpans((*piece)->traces)) text += span + "\n";
    for (const std::string& log : testing::DescribeLogs((*piece)->logs)) text += log + "\n";
    text += (*piece)->traces.rejected_spans.message + (*piece)->logs.rejected_logs.message;
  }
}

// Cut at each byte, into single bytes, at random: spans, places and faults stay what they are.
TEST(TraceFile, MayBeCutAnywhere) {
  const std::string ids =
      R"("traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331")";
  const std::string span = R"({"scopeSpans":[{"spans":[{)" + ids +
                           R"(,"name":"a \\\"}] \u00e9 \\\\","startTimeUnixNano":"1"}]}]})";
  const std::string otlp = R"({ "resourceSpans" : [)" + span + ", " + span + "]}";
  const std::string log = R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"5",)"
                          R"("body":{"stringValue":"x\\\\"}}]}]}]})";
  const std::string points = R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m",)"
                             R"("gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]})";
  const std::string zipkin = R"({"traceId":"0a","id":"02","name":"z"})";
  const std::string jaeger = R"({"traceID":"a","spanID":"b","operationName":"x","startTime":1,)"
                             R"("duration":2})";
  const std::string trace = R"({"traceID":"a","spans":[)" + jaeger + R"(],"processes":{}})";
  SpanBatch batch = testing::RandomBatch({.seed = 3, .spans = 2, .json_safe = true});
  std::string message;
  EncodeOtlpTraces(OtlpFormat::kProtobuf, batch, &message);
  const std::vector<std::string> files = {
      otlp,
      "\xEF\xBB\xBF" + otlp + "\r\n" + log + points + "\n\n" + otlp,
      R"({"n":null,"t":-1.5e300,"s":"]}\"{","o":{"a":[[],{}]},"result":)" + otlp + R"(,"z":tru})",
      R"([1,"x",)" + zipkin + " , " + zipkin + ",null]",
      R"({"total":12345,"data":[)" + trace + "," + trace + R"(],"errors":null} )" + trace,
      "{\"index\":{}}\n" + jaeger + "\n{\"index\":{\"_id\":\"7\"}}\n" + jaeger + "\n",
      otlp + "\nnot json at all {\n" + zipkin + "\n" + R"({"unknown":1})" + "\n" + otlp,
      otlp + "\n" + otlp.substr(0, otlp.size() - 3),
      R"({"resourceSpans":[{"scopeSpans":[)",
      R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":7}]}]}]} )" + otlp,
      R"({"a":"unfinished \)",
      message,
      message + message.substr(0, message.size() / 2),
      Prefixed(message) + Prefixed(message) + Prefixed(message),
      Prefixed(message) + Prefixed(message).substr(0, 20),
      Prefixed(message) + "\x01\x02",
      Prefixed(message) + Prefixed("no message at all"),
      std::string("\xEF\xBB"),
      std::string("\1\2\3\4\5\6\7", 7)};
  for (const std::string& bytes : files) {
    auto read = [](const testing::Pieces& pieces) {
      testing::PieceSource source(pieces);
      return TextOf(&source);
    };
    EXPECT_EQ(testing::CutDifference(bytes, read, {.cuts_max = 800, .random_runs = 4}), "");
    EXPECT_NE(read({bytes}), "") << bytes;
  }
}

TEST(TraceFile, TellsTheFormatsApart) {
  const OtlpFormat pb = OtlpFormat::kProtobuf, js = OtlpFormat::kJson;
  const std::string zipkin = R"({"traceId":"1","id":"2"})", jaeger = R"({"traceID":"1","spanID":"2",
    "operationName":"x"})",
                    trace = R"({"traceID":"1","spans":[)" + jaeger + R"(],"processes":{}})";
  struct Case {
    std::string bytes;
    size_t spans, logs;
  };
  const Case kCases[] = {
      {"", 0, 0},
      {" \n\n", 0, 0},
      {Traces(pb, 1), 10, 0},
      {Logs(pb, 1), 0, 5},
      {Prefixed(Traces(pb, 1)) + Prefixed(Logs(pb, 2)) + Prefixed(Traces(pb, 3)), 20, 5},
      {Traces(js, 1), 10, 0},
      {"\xEF\xBB\xBF" + Traces(js, 1), 10, 0},
      {Traces(js, 1) + "\n" + Logs(js, 2) + "\n\n" + Traces(js, 3) + "\n", 20, 5},
      {"\n" + Traces(js, 1) + Logs(js, 2), 10, 5},
      {R"({"result":)" + Traces(js, 1) + R"(}{"result":)" + Traces(js, 2) + "}", 20, 0},
      {R"({"total":1,"data":[)" + trace + "," + trace + R"(],"errors":null})", 2, 0},
      {trace + "\n" + trace, 2, 0},
      {"[" + trace + "]", 1, 0},
      {"{\"index\":{}}\n" + jaeger + "\n{\"index\":{\"_id\":\"7\"}}\n" + jaeger + "\n", 2, 0},
      {"[" + zipkin + "," + zipkin + "]", 2, 0},
      {"[[" + zipkin + "],[" + zipkin + "," + zipkin + "],[]]", 3, 0},
      {zipkin + "\n" + zipkin, 2, 0},
      {R"({"data":[]})", 0, 0},
      {"[]", 0, 0}};
  for (const Case& one : kCases) {
    using enum wire::Compression;
    for (auto kind : {kNone, kGzip, kZstd, kLz4}) {
      if (kind != kNone && one.bytes.empty()) continue;
      for (size_t step : {size_t{1}, size_t{7}, size_t{1} << 20}) {
        Summary summary = Read(wire::Compress(kind, one.bytes), TraceFormat::kAny, step);
        EXPECT_THAT(summary.errors, ::testing::IsEmpty()) << one.bytes.substr(0, 200);
        EXPECT_EQ(summary.spans, one.spans) << one.bytes.substr(0, 200);
        EXPECT_EQ(summary.logs, one.logs);
        EXPECT_EQ(summary.rejected, 0u) << summary.rejection;
      }
    }
  }
}

TEST(TraceFile, OneDocumentMayHoldEverySignal) {
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

TEST(TraceFile, ABrokenDocumentIsNamedAndTheRestIsRead) {
  std::string good = Traces(OtlpFormat::kJson, 1);
  Summary summary = Read(good + "\n{\"resourceSpans\":\n7}\nnot json at all\n{\"metadata\":[]}\n" +
                         good + "\n{\"resourceSpans\":[{");
  EXPECT_EQ(summary.spans, 20u);
  ASSERT_EQ(summary.errors.size(), 4u);
  std::string second = std::to_string(good.size() + 1);
  EXPECT_EQ(summary.errors[0], "document at line 2, byte " + second + ": resourceSpans: byte " +
                                   std::to_string(good.size() + 19) + ": expected an array");
  EXPECT_THAT(summary.errors[1], HasSubstr("line 4"));
  EXPECT_THAT(summary.errors[1], HasSubstr("not a JSON document"));
  EXPECT_THAT(summary.errors[2], HasSubstr("no spans of OTLP, Jaeger or Zipkin"));
  EXPECT_THAT(summary.errors[3], HasSubstr("line 7"));
  EXPECT_THAT(summary.errors[3], HasSubstr("the file ends inside this document"));
}

// Text that is no JSON inside one item of thousands: that one is lost and named.
TEST(TraceFile, ABrokenItemIsNamedAndTheOthersAreRead) {
  std::string list = "[\n";
  for (int i = 1; i <= 1000; ++i)
    list += i == 500 ? "{\"traceId\":\"1\" \"id\":\"2\"},\n"
                     : "{\"traceId\":\"1\",\"id\":\"" + std::to_string(i) + "\"},\n";
  list += "{\"traceId\":\"1\",\"id\":\"bad\",\"kind\":7}]";
  Summary summary = Read(list);
  EXPECT_EQ(summary.spans, 999u);
  EXPECT_EQ(summary.rejected, 1u);
  EXPECT_EQ(summary.rejection, "line 1002, byte " + std::to_string(list.rfind('7')) +
                                   ": [1000].kind: expected CLIENT, SERVER, PRODUCER or CONSUMER");
  ASSERT_EQ(summary.errors.size(), 1u);
  EXPECT_THAT(summary.errors[0], HasSubstr("line 501, byte "));
  std::string lines = R"({"traceId":"1","id":"1"})"
                      "\n"
                      R"({"traceId":"1" "id":"2"})"
                      "\n"
                      R"({"traceId":"1","id":true})"
                      "\n"
                      R"({"traceId":"1","id":"3"})";
  summary = Read(lines);
  EXPECT_EQ(summary.spans, 2u);
  ASSERT_EQ(summary.errors.size(), 1u);
  EXPECT_THAT(summary.errors[0], HasSubstr("line 2, byte "));
  EXPECT_THAT(summary.rejection, HasSubstr("line 3, byte "));
}

TEST(TraceFile, ItemsOfLongListsKeepTheirNumberAndPlace) {
  std::string list = R"({"data":[)", span;
  for (int i = 1; i <= 40'000; ++i)
    list += R"({"traceID":"1","spans":[{"traceID":"1","spanID":"2","operationName":)"
            R"("a name that takes its place in this file, so that it is cut into several runs",)"
            R"("startTime":1,"duration":2,"processID":"p1"}],"processes":{}},)"
            "\n";
  size_t at = list.size();
  list += R"({"traceID":"1","spans":[{"traceID":"1","spanID":{}}]}]})";
  Summary summary = Read(list);
  EXPECT_GT(summary.pieces, 1u);
  EXPECT_EQ(summary.spans, 40'000u);
  EXPECT_EQ(summary.rejection, "line 40001, byte " + std::to_string(list.find("{}}]", at)) +
                                   ": data[40000].spans[0].spanID: expected a string");
}

// From the end of any piece on, the rest is what a reader that began at the front had left.
TEST(TraceFile, ReadingGoesOnBehindAnyPiece) {
  std::string list = R"({"data":[)";
  for (int i = 1; i <= 30'000; ++i)
    list += R"({"traceID":"1","spans":[{"traceID":"1","spanID":")" + std::to_string(i) +
            R"(","operationName":"a name that takes its place, so that there are several runs"}],)"
            R"("processes":{}},)"
            "\n";
  list += "{}]}";
  const std::string lines = Traces(OtlpFormat::kJson, 1) +
                            "\nno json\n{\"resourceSpans\":[7,7]}\n" +
                            Traces(OtlpFormat::kJson, 2) + "\n[]";
  const std::string prefixed =
      Prefixed(Traces(OtlpFormat::kProtobuf, 1)) + Prefixed(Traces(OtlpFormat::kProtobuf, 2));
  for (const std::string& file : {list, lines, prefixed}) {
    struct Done {
      uint64_t end;
      size_t spans, problems;
    };
    auto read = [&](uint64_t skip_to) {
      std::vector<Done> done;
      wire::MemorySource source(file);
      TraceFileReader reader(&source, TraceFormat::kAny, skip_to);
      while (true) {
        auto piece = reader.Next();
        if (!piece || !*piece) return done;
        TracePiece& one = **piece;
        done.push_back({one.end, one.traces.spans.size(), one.problem.empty() ? 0u : 1u});
      }
    };
    const std::vector<Done> whole = read(0);
    ASSERT_GT(whole.size(), 1u);
    for (size_t i = 0; i < whole.size(); ++i) {
      size_t spans = 0, problems = 0, spans_left = 0, problems_left = 0;
      for (const Done& one : whole) {
        if (one.end <= whole[i].end) continue;
        spans_left += one.spans;
        problems_left += one.problems;
      }
      for (const Done& one : read(whole[i].end)) {
        spans += one.spans;
        problems += one.problems;
      }
      EXPECT_EQ(spans, spans_left);
      EXPECT_EQ(problems, problems_left);
    }
    EXPECT_EQ(whole.front().end > 0, true);
  }
}

TEST(TraceFile, AFormatCanBeAskedFor) {
  std::string zipkin = R"([{"traceId":"1","id":"2"}])";
  EXPECT_EQ(Read(zipkin, TraceFormat::kZipkin).spans, 1u);
  Summary summary = Read(zipkin, TraceFormat::kJaeger);
  EXPECT_EQ(summary.spans, 0u);
  EXPECT_THAT(summary.errors,
              ::testing::ElementsAre("document at line 1, byte 0: not of the format asked for"));
}

TEST(TraceFile, ATruncatedProtobufFileKeepsItsWholeMessages) {
  std::string file = Prefixed(Traces(OtlpFormat::kProtobuf, 1));
  std::string second = Prefixed(Traces(OtlpFormat::kProtobuf, 2));
  Summary summary = Read(file + second.substr(0, second.size() / 2));
  EXPECT_EQ(summary.spans, 10u);
  EXPECT_THAT(summary.errors, ::testing::ElementsAre("byte " + std::to_string(file.size()) +
                                                     ": the file ends inside a message"));
}

TEST(TraceFile, OneLargeResourceIsStillOtlp) {
  SpanBatch batch = testing::RandomBatch({.seed = 1, .spans = 3000, .json_safe = true});
  for (Span& span : batch.spans) span.resource = span.scope = 0;
  std::string message;
  EncodeOtlpTraces(OtlpFormat::kProtobuf, batch, &message);
  ASSERT_GT(message.size(), 100'000u);
  for (const std::string& file :
       {message, Prefixed(message), Prefixed(message) + Prefixed(message)}) {
    Summary summary = Read(file);
    EXPECT_THAT(summary.errors, ::testing::IsEmpty());
    EXPECT_EQ(summary.spans % 3000, 0u);
    EXPECT_GT(summary.spans, 0u);
  }
}

// One message of 20 MB is read in pieces.
TEST(TraceFile, AMessageOfManyResourcesIsReadInPieces) {
  std::string one = Traces(OtlpFormat::kProtobuf, 1), file;
  size_t copies = (20 << 20) / one.size();
  for (size_t i = 0; i < copies; ++i) file += one;
  Summary summary = Read(file);
  EXPECT_THAT(summary.errors, ::testing::IsEmpty());
  EXPECT_EQ(summary.spans, 10 * copies);
  EXPECT_GT(summary.pieces, 3u);
}

TEST(TraceFile, WhatIsNoTraceFileIsRefused) {
  EXPECT_THAT(Read(std::string("\x7f"
                               "ELF\x02\x01\x01",
                               7))
                  .errors,
              ::testing::ElementsAre("neither JSON nor OTLP protobuf"));
}

TEST(TraceFile, ACutOffCompressedFileIsNamed) {
  for (auto kind : {wire::Compression::kGzip, wire::Compression::kZstd, wire::Compression::kLz4}) {
    std::string whole = wire::Compress(kind, Traces(OtlpFormat::kJson, 1));
    Summary summary = Read(whole.substr(0, whole.size() - 9));
    ASSERT_FALSE(summary.errors.empty());
    EXPECT_THAT(summary.errors.back(), HasSubstr("cut off"));
    EXPECT_EQ(Read(whole + whole).spans, 20u);
  }
}

TEST(TraceFile, WhatIsWrittenIsReadAgain) {
  for (auto [format, exact] : {std::pair(TraceFileFormat::kOtlpJson, true),
                               {TraceFileFormat::kOtlpProtobuf, true},
                               {TraceFileFormat::kJaeger, false},
                               {TraceFileFormat::kZipkin, false}}) {
    std::string file;
    TraceFileWriter writer(format, &file);
    std::vector<SpanBatch> traces;
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      SpanBatch& trace = traces.emplace_back(
          testing::RandomBatch({.seed = seed, .spans = 10, .logs = 5, .json_safe = true}));
      writer.Write(trace.spans[0].trace_id, &trace);
    }
    writer.Finish();
    wire::MemorySource source(file);
    TraceFileReader reader(&source);
    size_t spans = 0, logs = 0;
    std::set<std::string> ids, expected_ids;
    while (true) {
      auto piece = reader.Next();
      ASSERT_TRUE(piece) << piece.error().message;
      if (!*piece) break;
      EXPECT_EQ((*piece)->problem, "");
      EXPECT_EQ((*piece)->traces.rejected_spans.message, "");
      spans += (*piece)->traces.spans.size();
      logs += (*piece)->logs.logs.size();
      for (const Span& span : (*piece)->traces.spans)
        ids.insert(span.span_id.ToHex() + " " + std::string(span.name));
    }
    for (const SpanBatch& trace : traces)
      for (const Span& span : trace.spans)
        expected_ids.insert(span.span_id.ToHex() + " " + std::string(span.name));
    EXPECT_EQ(spans, 30u);
    EXPECT_EQ(logs, exact ? 15u : 0u);
    EXPECT_EQ(ids, expected_ids);
  }
}

// Recorded data beside the repository, where there is any.
TEST(TraceFile, RecordedFilesGoInAndOut) {
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

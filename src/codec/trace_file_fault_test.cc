// SPDX-License-Identifier: Apache-2.0
//
// Files as users have them and were once answered wrongly: the Collector's compressed messages,
// documents in which nothing is known, wrong values, and documents that never end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "codec/otlp.h"
#include "codec/trace_file.h"
#include "wire/compression.h"
#include "wire/decompress_source.h"

namespace weft::codec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct Content {
  size_t spans = 0, logs = 0, rejected = 0, left_out = 0, peak_bytes = 0;
  uint64_t metric_points = 0;
  std::vector<std::string> names, problems;
  std::string rejection, omission;
  std::vector<uint64_t> ends;
};

Content ReadFrom(wire::ByteSource* source, uint64_t item_bytes_max = kItemBytesMax,
                 uint64_t skip_to = 0) {
  Content content;
  TraceFileReader reader(source, TraceFormat::kAny, skip_to, item_bytes_max);
  while (true) {
    auto piece = reader.Next();
    content.peak_bytes = reader.peak_bytes();
    if (!piece) content.problems.push_back(piece.error().message);
    if (!piece || !*piece) return content;
    if (!(*piece)->problem.empty()) content.problems.push_back((*piece)->problem);
    content.ends.push_back((*piece)->end);
    content.metric_points += (*piece)->metric_points;
    for (const SpanBatch* batch : {&(*piece)->traces, &(*piece)->logs}) {
      content.spans += batch->spans.size();
      content.logs += batch->logs.size();
      content.rejected += batch->rejected_spans.count + batch->rejected_logs.count;
      content.left_out += batch->left_out.count;
      if (content.rejection.empty()) content.rejection = batch->rejected_spans.message;
      if (content.omission.empty()) content.omission = batch->left_out.message;
      for (const Span& span : batch->spans) content.names.emplace_back(span.name);
    }
  }
}
Content Read(std::string_view bytes, uint64_t item_bytes_max = kItemBytesMax) {
  wire::MemorySource memory(bytes);
  auto plain = wire::OpenDecompressed(&memory);
  EXPECT_TRUE(plain) << plain.error().message;
  return ReadFrom(plain->get(), item_bytes_max);
}

std::string Document(std::string_view name) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",)"
         R"("spanId":"eee19b7ec3c1b174","name":")" +
         std::string(name) + R"("}]}]}]})";
}
std::string Protobuf(std::string_view name) {
  std::string out;
  auto batch = DecodeOtlpTraces(OtlpFormat::kJson, Document(name));
  EncodeOtlpTraces(OtlpFormat::kProtobuf, *batch, &out);
  return out;
}
std::string Framed(std::string_view message) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(message.size() >> shift & 0xFF);
  return out + std::string(message);
}

// ---- the Collector's file exporter

TEST(TraceFileFault, MessagesMayBeCompressedEachByItself) {
  using enum wire::Compression;
  for (wire::Compression kind : {kZstd, kGzip}) {
    std::string file;
    for (const std::string& message : {Document("a"), Document("b") + "\n" + Document("c"),
                                       "\xEF\xBB\xBF" + Document("d"), Protobuf("e")})
      file += Framed(wire::Compress(kind, message));
    file += Framed(Protobuf("f")) + Framed(Document("g"));
    Content content = Read(file);
    EXPECT_THAT(content.problems, IsEmpty());
    EXPECT_THAT(content.names, ElementsAre("a", "b", "c", "d", "e", "f", "g"));
    EXPECT_EQ(content.ends.back(), file.size());
    EXPECT_TRUE(std::ranges::is_sorted(content.ends));
    // All of it compressed once more, and without the lengths.
    EXPECT_EQ(Read(wire::Compress(kZstd, file)).spans, 7u);
    EXPECT_EQ(Read(wire::Compress(kind, Document("a")) + wire::Compress(kind, Document("b"))).spans,
              2u);
  }
}

TEST(TraceFileFault, ABrokenMessageCostsItselfAlone) {
  std::string broken = wire::Compress(wire::Compression::kZstd, Document("b"));
  broken.resize(broken.size() - 4);
  const std::string good = Framed(wire::Compress(wire::Compression::kZstd, Document("a")));
  Content content = Read(good + Framed(broken) + Framed("nonsense") + good);
  EXPECT_THAT(content.names, ElementsAre("a", "a"));
  ASSERT_EQ(content.problems.size(), 2u);
  EXPECT_THAT(content.problems[0], StartsWith("message at byte " + std::to_string(good.size() + 4) +
                                              ": not valid zstd"));
  EXPECT_THAT(
      Read(good + good.substr(0, good.size() - 3)).problems,
      ElementsAre("byte " + std::to_string(good.size()) + ": the file ends inside a message"));
  const std::string wrong = wire::Compress(
      wire::Compression::kZstd, R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":5}]}]}]})");
  EXPECT_THAT(Read(good + Framed(wrong)).rejection,
              StartsWith("message at byte " + std::to_string(good.size() + 4) +
                         ": document at line 1, byte 0: resourceSpans[0].scopeSpans[0].spans[0]"
                         ".name: byte"));
}

TEST(TraceFileFault, AReaderGoesOnBehindAMessage) {
  const std::string one = Framed(wire::Compress(wire::Compression::kZstd, Document("a"))),
                    two = Framed(wire::Compress(wire::Compression::kZstd, Document("b")));
  const std::string file = one + two;
  wire::MemorySource memory(file);
  EXPECT_THAT(ReadFrom(&memory, kItemBytesMax, one.size()).names, ElementsAre("b"));
}

// ---- nothing known

TEST(TraceFileFault, WhatIsFoundInsteadIsNamed) {
  const std::pair<std::string, const char*> kCases[] = {
      {R"({"foo":1,"bar":[]})",
       "no spans of OTLP, Jaeger or Zipkin in this JSON: found \"foo\", \"bar\""},
      {R"([{"foo":1}])", "found \"foo\""},
      {R"({"data":{"x":1}})", "found \"data\""},
      {R"({"data":[{"x":1}]})", "found \"x\""},
      {R"({"resourceSpans":[{"spans":[{}]}]})",
       "document at line 1, byte 0: resourceSpans[0]: not understood: found \"spans\""},
      {Document("a") + "\n" + R"({"resourceSpans":[{"scopeSpan":[{}]}]})",
       "document at line 2, byte"},
      {R"({"resourceSpans":{"a":1}})", "resourceSpans: byte"},
      {R"(["x",1])", "2 values in its list are no objects"},
      {R"({"resourceSpans":[5]})", "1 values in its list are no objects"},
      {"{}", ""},
      {"{}\n{}\n" + Document("a"), ""},
      {R"({"resourceSpans":[]})", ""},
      {R"({"data":[]})", ""}};
  for (const auto& [text, problem] : kCases) {
    Content content = Read(text);
    if (*problem == 0) {
      EXPECT_THAT(content.problems, IsEmpty()) << text;
    } else {
      ASSERT_EQ(content.problems.size(), 1u) << text;
      EXPECT_THAT(content.problems[0], HasSubstr(problem)) << text;
    }
  }
  EXPECT_THAT(Read("\xFF\xFE{\0}\0").problems,
              ElementsAre("UTF-16 text: weft reads JSON in UTF-8"));
}

TEST(TraceFileFault, AControlCharacterCostsItsSpanNotItsFile) {
  std::string file = Document("a") + "\n" + Document("b\x01") + "\n" + Document("c") + "\n";
  file.insert(file.find("b\x01") + 1, 1, '\0');
  for (const std::string& text : {file, Framed(file), file.substr(file.find('\n') + 1)}) {
    Content content = Read(text);
    EXPECT_THAT(content.problems, IsEmpty());
    EXPECT_EQ(content.names.back(), "c");
    EXPECT_EQ(content.rejected, 1u);
    EXPECT_THAT(content.rejection, HasSubstr(".name: byte"));
    EXPECT_THAT(content.rejection, HasSubstr("control character in a string"));
  }
}

TEST(TraceFileFault, AByteOrderMarkMayStandBeforeEachDocument) {
  const std::string mark = "\xEF\xBB\xBF";
  Content content = Read(mark + Document("a") + "\n" + mark + Document("b") + mark + Document("c") +
                         "\r\n" + mark + R"([{"traceId":"1","id":"2","name":"d"}])" + "\n" + mark);
  EXPECT_THAT(content.problems, IsEmpty());
  EXPECT_THAT(content.names, ElementsAre("a", "b", "c", "d"));
}

TEST(TraceFileFault, TheItemIsNamedByItsPlaceInTheWholeList) {
  std::string list = R"({"resourceSpans":[)";
  const std::string resource = Document("x").substr(18, Document("x").size() - 20);
  for (int i = 0; i < 40'000; ++i) list += resource + ",";
  Content content =
      Read(list + R"({"resource":{"attributes":[7]},"scopeSpans":[{"spans":[{"kind":[]}]}]}]})");
  EXPECT_EQ(content.spans, 40'000u);
  EXPECT_THAT(content.rejection,
              HasSubstr("resourceSpans[40000].scopeSpans[0].spans[0].kind: byte"));
  EXPECT_THAT(content.omission, HasSubstr("resourceSpans[40000].resource.attributes[0]: byte"));
  EXPECT_EQ(content.left_out, 1u);
}

// ---- bounds

// `head`, then `unit` again and again up to `bytes`, then `tail`: no memory holds it.
class LongSource : public wire::ByteSource {
 public:
  LongSource(std::string head, std::string unit, uint64_t bytes, std::string tail)
      : head_(std::move(head)),
        unit_(std::move(unit)),
        left_(bytes / unit_.size() * unit_.size()),  // whole ones
        tail_(std::move(tail)) {}
  Result<size_t> Read(std::span<char> to) override {
    if (size_t count = Take(&head_, to); count > 0) return count;
    if (left_ == 0) return Take(&tail_, to);
    size_t count = 0;
    while (left_ > 0 && count < to.size()) {
      to[count++] = unit_[at_++ % unit_.size()];
      --left_;
    }
    return count;
  }

 private:
  static size_t Take(std::string* from, std::span<char> to) {
    const size_t count = std::min(from->size(), to.size());
    std::copy_n(from->begin(), count, to.begin());
    from->erase(0, count);
    return count;
  }
  std::string head_, unit_;
  uint64_t left_;
  std::string tail_;
  uint64_t at_ = 0;
};

TEST(TraceFileFault, MemoryHoldsOneItemWhateverComes) {
  constexpr uint64_t kItemMax = 2 << 20, kLong = 12 << 20;
  // A run, the item being looked at, and what was read ahead.
  constexpr size_t kHeldMax = (4 << 20) + kItemMax + (2 << 20);
  const std::string good = Document("good");
  struct Case {
    const char* what;
    std::string head, unit, tail;
    size_t spans;
    const char* problem;
  };
  const Case kCases[] = {
      {"space before a document", "", " ", good, 1, ""},
      {"lines between documents", good, "\n \r\n", good, 2, ""},
      {"space in a list of items", R"({"resourceSpans":[)", " ", "]}" + good, 1, ""},
      {"commas in a list", "[", ",", "]" + good, 1, ""},
      {"space before a list", R"({"data":[],"resourceSpans":)", "\t", "[]}" + good, 1, ""},
      {"an unknown member", R"({"data":[],"x":[)", R"({"y":"z\\"},)", "1]}" + good, 1, ""},
      {"text of an unknown member", R"({"data":[],"x":")", R"(ab\"c\\)", "\"}" + good, 1, ""},
      {"space in an item", R"({"resourceSpans":[{)", " ", "}]}" + good, 1,
       "document at line 1, byte 0: resourceSpans[0] at byte 18: larger than 2 MiB"},
      {"space behind a key", R"({"resourceSpans":[{"resource")", " ", ":{}}]}" + good, 1,
       "resourceSpans[0] at byte 18: larger than 2 MiB"},
      {"text in an item", R"({"resourceSpans":[{},{"schemaUrl":")", "a", "\"}]}" + good, 1,
       "resourceSpans[1] at byte 21: larger than 2 MiB"},
      {"escapes in an item", R"({"data":[{"traceID":")", "\\\\", "\"}]}" + good, 1,
       "data[0] at byte 9: larger than 2 MiB"},
      {"one item of many", R"({"resourceSpans":[{"scopeSpans":[{"spans":[)", R"({"name":"x"},)",
       "{}]}]},{}]}" + good, 1, "resourceSpans[0] at byte 18: larger than 2 MiB"},
      {"brackets", R"([{"x":)", "[", "", 0,
       "[0] at byte 1: more parts than an item of 2 MiB may have"},
      {"a document of nothing known", R"({"x":")", "a", "\"}" + good, 1,
       "document at line 1, byte 0: larger than 2 MiB"},
      {"a line that is no JSON", "", "abc ", "\n" + good, 1, "not a JSON document"},
      {"a member without an end", R"({"data":[],"x":")", "a", "", 0, "ends inside this document"},
      {"a protobuf field", std::string("\x0a\x80\x80\x80\x06", 5), "\x0a", Protobuf("good"), 1,
       "message at byte 5: 12582912 bytes, more than"},
      {"a message", Framed(Protobuf("good")) + std::string("\0\xC0\0\0", 4), "x",
       Framed(Protobuf("good")), 2, "12582912 bytes, more than the 2097152"}};
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.what);
    LongSource source(one.head, one.unit, kLong, one.tail);
    Content content = ReadFrom(&source, kItemMax);
    EXPECT_EQ(content.spans, one.spans);
    EXPECT_LE(content.peak_bytes, kHeldMax);
    if (*one.problem == 0) {
      EXPECT_THAT(content.problems, IsEmpty());
    } else {
      ASSERT_FALSE(content.problems.empty());
      EXPECT_THAT(content.problems[0], HasSubstr(one.problem));
    }
  }
}

// What is inside of one compressed message is bounded the same.
TEST(TraceFileFault, ABombInAMessageIsBounded) {
  std::string bomb(32 << 20, ' ');
  bomb.front() = '{';
  bomb.back() = '}';
  Content content = Read(Framed(wire::Compress(wire::Compression::kZstd, bomb)) +
                             Framed(wire::Compress(wire::Compression::kZstd, Document("good"))),
                         2 << 20);
  EXPECT_EQ(content.spans, 1u);
  EXPECT_THAT(content.problems,
              ElementsAre(HasSubstr("document at line 1, byte 0: larger than 2 MiB")));
}

TEST(TraceFileFault, LargeListsOfEveryFormatAreReadPieceByPiece) {
  constexpr uint64_t kLong = 12 << 20;
  const std::string resource = Document("x").substr(18, Document("x").size() - 20) + ",";
  const std::string zipkin = R"({"traceId":"1","id":"2","name":"x"},)";
  const std::string jaeger =
      R"({"traceID":"1","spans":[{"traceID":"1","spanID":"2","operationName":"x"}]},)";
  for (const auto& [head, unit, tail] :
       {std::tuple{std::string(R"({"resourceSpans":[)"), resource, std::string("]}")},
        {std::string("["), zipkin, std::string("]")},
        {std::string(R"({"data":[)"), jaeger, std::string("]}")}}) {
    const uint64_t whole = kLong / unit.size() * unit.size();
    LongSource source(head, unit, whole, tail);
    Content content = ReadFrom(&source);
    EXPECT_THAT(content.problems, IsEmpty());
    EXPECT_EQ(content.spans, whole / unit.size());
    EXPECT_LE(content.peak_bytes, size_t{8} << 20);
  }
}

// ---- the files of users' reports, beside the repository

TEST(TraceFileFault, ReportedFilesAreReadRightly) {
  namespace fs = std::filesystem;
  fs::path faults = fs::path(WEFT_SOURCE_DIR) / ".." / "shared" / "data" / "faults";
  if (const char* other = std::getenv("WEFT_SHARED_DATA")) faults = fs::path(other) / "faults";
  if (!fs::exists(faults)) GTEST_SKIP() << "no reported files at " << faults;
  struct Case {
    const char* name;
    size_t spans, rejected;
  };
  const Case kCases[] = {{"A-int-overflow-101-spans.json", 101, 0},
                         {"A-intValue-minus-1.5e300.json", 2, 0},
                         {"A-kind-SERVER.json", 2, 0},
                         {"control-short-parent-id.json", 1, 1},
                         {"silent-old-instrumentationLibrarySpans.json", 1, 0},
                         {"silent-tempo-batches.json", 1, 0},
                         {"grafana-export.json", 1, 0},
                         {"fileexporter-json-zstd.out", 9, 0}};
  for (const Case& one : kCases) {
    std::ifstream file(faults / one.name, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    Content content = Read(text.str());
    EXPECT_THAT(content.problems, IsEmpty()) << one.name;
    EXPECT_EQ(content.spans, one.spans) << one.name;
    EXPECT_EQ(content.rejected, one.rejected) << one.name << content.rejection;
  }
}

}  // namespace
}  // namespace weft::codec

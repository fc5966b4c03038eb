// SPDX-License-Identifier: Apache-2.0
//
// Names around spans: those that OTLP had before are read, and where nothing is known the sender is
// told what was found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/otlp.h"
#include "codec/test_protobuf.h"

namespace weft::codec {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

std::string Ids(std::string_view more = "") {
  return R"("traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174")" +
         (more.empty() ? "" : "," + std::string(more));
}

TEST(OtlpNames, FormerNamesAreRead) {
  const std::string spans = R"("spans":[{)" + Ids(R"("name":"x")") + "}]";
  const std::string kDocuments[] = {
      R"({"resourceSpans":[{"instrumentationLibrarySpans":[{"instrumentationLibrary":{"name":"lib"},)" +
          spans + "}]}]}",
      R"({"resource_spans":[{"instrumentation_library_spans":[{"instrumentation_library":{"name":"lib"},)" +
          spans + "}]}]}",
      R"({"batches":[{"scopeSpans":[{"scope":{"name":"lib"},)" + spans + "}]}]}",
      // Both names: the same spans, told twice, in either order.
      R"({"resourceSpans":[{"scopeSpans":[{"scope":{"name":"lib"},)" + spans +
          R"(}],"instrumentationLibrarySpans":[{)" + spans + "}]}]}",
      R"({"resourceSpans":[{"instrumentationLibrarySpans":[{)" + spans +
          R"(},{"spans":[{}]}],"scopeSpans":[{"scope":{"name":"lib"},)" + spans + "}]}]}"};
  for (const std::string& document : kDocuments) {
    auto batch = DecodeOtlpTraces(OtlpFormat::kJson, document);
    ASSERT_TRUE(batch) << document << batch.error().message;
    ASSERT_EQ(batch->spans.size(), 1u) << document;
    EXPECT_EQ(batch->scopes[batch->spans[0].scope].name, "lib") << document;
    EXPECT_EQ(batch->rejected_spans.count + batch->not_understood.count, 0u) << document;
  }
  auto logs = DecodeOtlpLogs(
      OtlpFormat::kJson,
      R"({"resourceLogs":[{"instrumentationLibraryLogs":[{"logs":[{)" + Ids() + "}]}]}]}");
  ASSERT_TRUE(logs);
  EXPECT_EQ(logs->logs.size(), 1u);
}

TEST(OtlpNames, TheFormerFieldOfProtobufIsRead) {
  const std::string library = Wrap(1, Wrap(1, "lib"));
  const std::string spans = library + Wrap(2, ProtoIds());
  for (const std::string& resource : {Wrap(1000, spans), Wrap(2, spans) + Wrap(1000, spans),
                                      Wrap(1000, spans) + Wrap(2, spans)}) {
    auto batch = DecodeOtlpTraces(OtlpFormat::kProtobuf, Wrap(1, resource));
    ASSERT_TRUE(batch) << batch.error().message;
    ASSERT_EQ(batch->spans.size(), 1u);
    EXPECT_EQ(batch->scopes[0].name, "lib");
    EXPECT_EQ(batch->not_understood.count, 0u);
  }
  const std::string log = Wrap(9, std::string(16, 'a'));
  auto logs = DecodeOtlpLogs(OtlpFormat::kProtobuf, Wrap(1, Wrap(1000, Wrap(2, log))));
  ASSERT_TRUE(logs);
  EXPECT_EQ(logs->logs.size(), 1u);
  auto points = CountOtlpMetricPoints(OtlpFormat::kProtobuf,
                                      Wrap(1, Wrap(1000, Wrap(2, Wrap(5, Wrap(1, ""))))));
  ASSERT_TRUE(points);
  EXPECT_EQ(*points, 1u);
}

TEST(OtlpNames, ADocumentInWhichNothingIsKnownSaysWhatItHas) {
  const std::string spans = R"("spans":[{)" + Ids() + "}]";
  const std::pair<std::string, const char*> kCases[] = {
      {"{}", ""},
      {R"({"resourceSpans":[]})", ""},
      {R"({"resourceSpans":[{"resource":{}}]})", ""},
      {R"({"resourceSpans":[{"scopeSpans":[],"future":1}]})", ""},
      {R"({"resourceSpans":[{"future":[1],"scopeSpans":[{)" + spans + "}]}]}", ""},
      {R"({"spanz":[],"other":1})",
       "not understood: found \"spanz\", \"other\", expected \"resourceSpans\""},
      {R"({"resourceSpan":[{}]})",
       "not understood: found \"resourceSpan\": did you mean \"resourceSpans\"?"},
      {R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1})",
       "not understood: found \"a\", \"b\", \"c\", \"d\", \"e\" and others, expected "
       "\"resourceSpans\""},
      {R"({"resourceLogs":[{}]})", "found \"resourceLogs\": log records go to /v1/logs"},
      {R"({"resourceMetrics":[{}]})", "found \"resourceMetrics\": metrics go to /v1/metrics"},
      {R"({"data":[{"traceID":"1"}]})", "found \"data\": `weft import` reads such files"},
      {R"({"resourceSpans":[{"scopeSpans":[{)" + spans + R"(}]}],"resourceLogs":[{}]})",
       "found \"resourceLogs\": log records go to /v1/logs"},
      {R"({"resourceSpans":[{)" + spans + "}]}",
       "resourceSpans[0]: not understood: found \"spans\", expected \"scopeSpans\""},
      {R"({"resourceSpans":[{"scopeSpan":[{}]}]})", "did you mean \"scopeSpans\"?"},
      {R"({"resourceSpans":[{"scopeSpans":[{)" + spans + R"(}]},{"libs":[1]}]})",
       "resourceSpans[1]: not understood: found \"libs\""},
      {R"({"resourceSpans":[{"scopeSpans":[{"span":[{}]}]}]})",
       "resourceSpans[0].scopeSpans[0]: not understood: found \"span\": did you mean \"spans\"?"}};
  for (const auto& [document, message] : kCases) {
    auto batch = DecodeOtlpTraces(OtlpFormat::kJson, document);
    ASSERT_TRUE(batch) << document << batch.error().message;
    EXPECT_EQ(batch->not_understood.count, *message == 0 ? 0u : 1u) << document;
    EXPECT_THAT(batch->not_understood.message, HasSubstr(message)) << document;
    EXPECT_EQ(batch->rejected_spans.count, 0u) << document;
  }
  const std::pair<std::string, const char*> kMessages[] = {
      {"", ""},
      {Wrap(1, ""), ""},
      {Wrap(1, Wrap(2, "")), ""},
      {Wrap(7, "x"), "not understood: found \"field 7\", expected \"resource_spans\""},
      {Wrap(1, Wrap(9, "x")), "resource_spans[0]: not understood: found \"field 9\""}};
  for (const auto& [body, message] : kMessages) {
    auto batch = DecodeOtlpTraces(OtlpFormat::kProtobuf, body);
    ASSERT_TRUE(batch) << batch.error().message;
    EXPECT_THAT(batch->not_understood.message, HasSubstr(message));
    EXPECT_EQ(batch->not_understood.message.empty(), *message == 0);
  }
}

TEST(OtlpNames, AnotherSignalIsKnownByItsItems) {
  const std::string log = Wrap(9, std::string(16, 'a')) + "\x09"s + "12345678";
  EXPECT_EQ(SignalOfRefused(Wrap(1, Wrap(2, Wrap(2, log)))), OtlpSignalKind::kLogs);
  EXPECT_EQ(SignalOfRefused(Wrap(1, Wrap(2, Wrap(2, "\x09"s + "12345678")))),
            OtlpSignalKind::kLogs);
  EXPECT_EQ(SignalOfRefused(Wrap(1, Wrap(2, Wrap(2, Wrap(1, "m") + Wrap(5, Wrap(1, "")))))),
            OtlpSignalKind::kMetrics);
  EXPECT_EQ(SignalOfRefused(Wrap(1, Wrap(2, Wrap(2, ProtoIds() + Wrap(6, "x"))))),
            OtlpSignalKind::kTraces);
}

}  // namespace
}  // namespace weft::codec

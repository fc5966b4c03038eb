// SPDX-License-Identifier: Apache-2.0
//
// test/wire/otlp: bytes that weft did not make, with the extremes of every field.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "codec/otlp.h"
#include "testing/random_batch.h"

namespace weft::codec {
namespace {

constexpr auto kProtobuf = OtlpFormat::kProtobuf;
constexpr auto kJson = OtlpFormat::kJson;

std::string Golden(const std::string& name) {
  std::ifstream file(std::string(WEFT_SOURCE_DIR) + "/test/wire/otlp/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(OtlpGolden, Traces) {
  auto proto = DecodeOtlpTraces(kProtobuf, Golden("traces.pb"));
  ASSERT_TRUE(proto) << proto.error().message;
  auto json = DecodeOtlpTraces(kJson, Golden("traces.json"));
  ASSERT_TRUE(json) << json.error().message;
  ASSERT_EQ(proto->spans.size(), 3u);
  EXPECT_EQ(proto->rejected_spans.count, 0u);
  EXPECT_EQ(testing::BatchDifference(*proto, *json), "");

  const Span& full = proto->spans[0];
  EXPECT_EQ(full.trace_id.ToHex(), "0102030405060708090a0b0c0d0e0f10");
  EXPECT_EQ(full.span_id.ToHex(), "f8f9fafbfcfdfeff");
  EXPECT_EQ(full.parent_span_id.ToHex(), "0000000000000001");
  EXPECT_EQ(full.start_ns, UINT64_MAX);
  EXPECT_EQ(full.end_ns, 1u);
  EXPECT_EQ(full.flags, 0x301u);
  EXPECT_EQ(full.events.size(), 2u);
  EXPECT_EQ(full.links.size(), 2u);
  EXPECT_EQ(full.links[0].flags, UINT32_MAX);
  EXPECT_EQ(full.status_message, "because");
  EXPECT_EQ(Find(full.attributes, "int.min")->integer, INT64_MIN);
  EXPECT_EQ(Find(full.attributes, "bytes.all")->string().size(), 256u);
  EXPECT_EQ(static_cast<int32_t>(proto->spans[1].kind), -1);
  EXPECT_EQ(static_cast<uint32_t>(proto->spans[1].status), 99u);
  EXPECT_EQ(proto->resources[full.resource].schema_url, "https://resource");
  EXPECT_EQ(proto->scopes[full.scope].schema_url, "https://scope");

  for (const SpanBatch* batch : {&*proto, &*json}) {
    std::string out;
    EncodeOtlpTraces(kProtobuf, *batch, &out);
    EXPECT_TRUE(out == Golden("traces.pb"));
    out.clear();
    EncodeOtlpTraces(kJson, *batch, &out);
    EXPECT_EQ(out, Golden("traces.json"));
  }
}

TEST(OtlpGolden, Logs) {
  auto proto = DecodeOtlpLogs(kProtobuf, Golden("logs.pb"));
  ASSERT_TRUE(proto) << proto.error().message;
  auto json = DecodeOtlpLogs(kJson, Golden("logs.json"));
  ASSERT_TRUE(json) << json.error().message;
  ASSERT_EQ(proto->logs.size(), 2u);
  EXPECT_EQ(testing::BatchDifference(*proto, *json), "");
  EXPECT_EQ(proto->logs[0].event_name, "event.name");
  EXPECT_EQ(proto->logs[0].severity_number, 24u);
  for (const SpanBatch* batch : {&*proto, &*json}) {
    std::string out;
    EncodeOtlpLogs(kProtobuf, *batch, &out);
    EXPECT_TRUE(out == Golden("logs.pb"));
    out.clear();
    EncodeOtlpLogs(kJson, *batch, &out);
    EXPECT_EQ(out, Golden("logs.json"));
  }
}

// Every byte of the golden message matters or is skipped, whatever it is changed to and wherever
// the message is cut: an error or a batch, never anything else.
TEST(OtlpGolden, EveryTruncationAndFlippedByteIsSurvived) {
  std::string golden = Golden("traces.pb");
  size_t refused = 0;
  for (size_t i = 0; i < golden.size(); ++i) {
    if (!DecodeOtlpTraces(kProtobuf, golden.substr(0, i))) ++refused;
    std::string broken = golden;
    broken[i] = static_cast<char>(broken[i] ^ 0x91);
    if (auto batch = DecodeOtlpTraces(kProtobuf, broken)) {
      std::string out;
      EncodeOtlpTraces(kJson, *batch, &out);
      EXPECT_TRUE(DecodeOtlpTraces(kJson, out));
    }
  }
  // All cuts but the two at the end of a whole ResourceSpans.
  EXPECT_EQ(refused, golden.size() - 2);
}

}  // namespace
}  // namespace weft::codec

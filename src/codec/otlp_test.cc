// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/random_batch.h"

namespace weft::codec {
namespace {

using ::testing::HasSubstr;

constexpr auto kProtobuf = OtlpFormat::kProtobuf;
constexpr auto kJson = OtlpFormat::kJson;

std::string Traces(OtlpFormat format, const SpanBatch& batch) {
  std::string out;
  EncodeOtlpTraces(format, batch, &out);
  return out;
}
std::string Logs(OtlpFormat format, const SpanBatch& batch) {
  std::string out;
  EncodeOtlpLogs(format, batch, &out);
  return out;
}

SpanBatch OnlySpans(SpanBatch batch) {
  batch.logs.clear();
  return batch;
}
SpanBatch OnlyLogs(SpanBatch batch) {
  batch.spans.clear();
  return batch;
}

TEST(OtlpRoundTrip, EveryFieldSurvivesProtobuf) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SpanBatch spans = OnlySpans(testing::RandomBatch({.seed = seed}));
    auto decoded = DecodeOtlpTraces(kProtobuf, Traces(kProtobuf, spans));
    ASSERT_TRUE(decoded) << decoded.error().message << " seed " << seed;
    EXPECT_EQ(testing::BatchDifference(spans, *decoded), "") << "seed " << seed;
    EXPECT_EQ(decoded->rejected_spans.count, 0u);
    EXPECT_TRUE(decoded->received_is_content);
    // The second encoding is the first, byte for byte.
    EXPECT_EQ(Traces(kProtobuf, *decoded), decoded->received);

    SpanBatch logs = OnlyLogs(testing::RandomBatch({.seed = seed}));
    auto decoded_logs = DecodeOtlpLogs(kProtobuf, Logs(kProtobuf, logs));
    ASSERT_TRUE(decoded_logs) << decoded_logs.error().message << " seed " << seed;
    EXPECT_EQ(testing::BatchDifference(logs, *decoded_logs), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
//
// OTLP metrics from anyone. Strategy: the first byte picks the format, the rest is the request.
// Invariants: no crash, no growth; what decodes is equal after encoding and decoding again, in the
// other format too but for what JSON cannot hold (text that is no UTF-8, the bits of a NaN); the
// second encoding equals the first byte for byte. A point that is counted is never kept too: the
// counter of points and the decoder agree on requests without a fault.
#include "base/check.h"
#include "codec/otlp_metrics.h"
#include "testing/random_metrics.h"

namespace weft::codec {
namespace {

std::string Encoded(OtlpFormat format, const MetricBatch& batch) {
  std::string out;
  EncodeOtlpMetrics(format, batch, &out);
  return out;
}
MetricBatch Again(OtlpFormat format, std::string body) {
  auto batch = DecodeOtlpMetrics(format, std::move(body), OtlpSource::kStored);
  WEFT_CHECK_MSG(batch.has_value(), batch ? "" : batch.error().message.c_str());
  WEFT_CHECK(batch->rejected_points.count == 0 && batch->left_out.count == 0);
  return std::move(*batch);
}

void RoundTrip(OtlpFormat format, const std::string& body) {
  auto first = DecodeOtlpMetrics(format, body);
  if (!first) return;
  const std::string encoded = Encoded(OtlpFormat::kProtobuf, *first);
  const MetricBatch second = Again(OtlpFormat::kProtobuf, encoded);
  const std::string difference = testing::MetricDifference(*first, second);
  WEFT_CHECK_MSG(difference.empty(), difference.c_str());
  WEFT_CHECK(second.received_is_content);
  WEFT_CHECK(Encoded(OtlpFormat::kProtobuf, second) == encoded);

  const std::string json = Encoded(OtlpFormat::kJson, *first);
  const MetricBatch third = Again(OtlpFormat::kJson, json);
  WEFT_CHECK(third.metrics.size() == first->metrics.size());
  WEFT_CHECK(third.point_count() == first->point_count());
  WEFT_CHECK(Encoded(OtlpFormat::kJson, third) == json);

  auto points = CountOtlpMetricPoints(OtlpFormat::kProtobuf, encoded);
  WEFT_CHECK(points.has_value() && *points == first->point_count());
}

}  // namespace
}  // namespace weft::codec

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::codec;
  if (size == 0) return 0;
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  RoundTrip(data[0] % 2 == 0 ? OtlpFormat::kProtobuf : OtlpFormat::kJson, body);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// OTLP protobuf from anyone. Strategy: the first byte picks the message, the rest is it.
// Invariants: no crash, no growth; what decodes is equal after encoding and decoding again; the
// JSON form of it decodes too; the second encoding equals the first byte for byte.
#include "base/check.h"
#include "codec/otlp.h"
#include "testing/random_batch.h"

namespace weft::codec {
namespace {

using Decode = Result<SpanBatch> (*)(OtlpFormat, std::string, OtlpSource);
using Encode = void (*)(OtlpFormat, const SpanBatch&, std::string*);

void RoundTrip(Decode decode, Encode encode, std::string body) {
  auto first = decode(OtlpFormat::kProtobuf, std::move(body), OtlpSource::kPeer);
  if (!first) return;
  std::string encoded, encoded_again, json;
  encode(OtlpFormat::kProtobuf, *first, &encoded);
  auto second = decode(OtlpFormat::kProtobuf, encoded, OtlpSource::kStored);
  WEFT_CHECK(second.has_value());
  std::string difference = testing::BatchDifference(*first, *second);
  WEFT_CHECK_MSG(difference.empty(), difference.c_str());
  encode(OtlpFormat::kProtobuf, *second, &encoded_again);
  WEFT_CHECK(encoded == encoded_again);
  encode(OtlpFormat::kJson, *first, &json);
  auto third = decode(OtlpFormat::kJson, json, OtlpSource::kStored);
  WEFT_CHECK_MSG(third.has_value(), third ? "" : third.error().message.c_str());
  WEFT_CHECK(third->spans.size() == first->spans.size());
  WEFT_CHECK(third->logs.size() == first->logs.size());
}

void RoundTripValue(std::string_view body) {
  Arena arena;
  auto value = DecodeOtlpValue(body, &arena);
  if (!value) return;
  std::string encoded, text;
  EncodeOtlpValue(*value, &encoded);
  auto again = DecodeOtlpValue(encoded, &arena);
  WEFT_CHECK(again.has_value());
  WEFT_CHECK(*again == *value);
  AppendValueJson(*value, &text);
}

}  // namespace
}  // namespace weft::codec

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::codec;
  if (size == 0) return 0;
  std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      RoundTrip(DecodeOtlpTraces, EncodeOtlpTraces, std::move(body));
      break;
    case 1:
      RoundTrip(DecodeOtlpLogs, EncodeOtlpLogs, std::move(body));
      break;
    case 2:
      RoundTripValue(body);
      break;
    default:
      (void)CountOtlpMetricPoints(OtlpFormat::kProtobuf, body);
      break;
  }
  return 0;
}

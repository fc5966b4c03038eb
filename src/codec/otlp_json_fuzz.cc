// SPDX-License-Identifier: Apache-2.0
//
// OTLP/JSON from anyone, and files of it. Strategy: the first byte picks the message, the rest is
// it. Invariants: no crash, no growth; what decodes is equal after encoding and decoding again in
// protobuf, and in JSON too but for text that is no UTF-8: what is written of that stays as it is.
#include "base/check.h"
#include "codec/otlp.h"
#include "codec/trace_file_fuzz_body.h"
#include "testing/piece_source.h"
#include "testing/random_batch.h"

namespace weft::codec {
namespace {

using Decode = Result<SpanBatch> (*)(OtlpFormat, std::string, OtlpSource);
using Encode = void (*)(OtlpFormat, const SpanBatch&, std::string*);

void RoundTrip(Decode decode, Encode encode, std::string body) {
  auto first = decode(OtlpFormat::kJson, std::move(body), OtlpSource::kPeer);
  if (!first) return;
  for (OtlpFormat format : {OtlpFormat::kJson, OtlpFormat::kProtobuf}) {
    std::string encoded, again;
    encode(format, *first, &encoded);
    auto second = decode(format, encoded, OtlpSource::kStored);
    WEFT_CHECK_MSG(second.has_value(), second ? "" : second.error().message.c_str());
    encode(format, *second, &again);
    WEFT_CHECK(encoded == again);
    std::string difference =
        format == OtlpFormat::kJson ? "" : testing::BatchDifference(*first, *second);
    WEFT_CHECK_MSG(difference.empty(), difference.c_str());
  }
}

// A file whose first bytes say how the rest is cut.
void ReadCut(std::string_view input) {
  auto [plan, bytes] = testing::PlanAndBytes(input);
  testing::PieceSource whole({bytes}), cut(testing::CutByPlan(bytes, plan));
  ReadWholeAndCut(&whole, &cut, bytes.size(), TraceFormat::kAny);
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
      (void)CountOtlpMetricPoints(OtlpFormat::kJson, body);
      break;
    default:
      ReadCut(body);
      break;
  }
  return 0;
}

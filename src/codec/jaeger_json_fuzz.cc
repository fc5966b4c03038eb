// SPDX-License-Identifier: Apache-2.0
//
// Jaeger's JSON from anyone. Strategy: the first byte says whether items are traces or spans, or
// lets the file reader decide; the rest is the text. Invariants: no crash, no growth; what decodes
// can be written as Jaeger's JSON, and decoded again it has as many spans.
#include "base/check.h"
#include "codec/jaeger_json_encode.h"
#include "codec/span_list.h"
#include "codec/trace_file_fuzz_body.h"
#include "testing/piece_source.h"

namespace weft::codec {
namespace {

void RoundTrip(JaegerItem item, std::string body) {
  auto first = DecodeJaegerJson(item, std::move(body));
  if (!first) return;
  for (const Span& span : first->spans) {
    WEFT_CHECK(!span.trace_id.empty() && !span.span_id.empty());
    WEFT_CHECK(span.resource < first->resources.size() && span.scope < first->scopes.size());
  }
  std::string encoded = "[";
  wire::JsonWriter json(&encoded);
  WriteJaegerTrace(TraceId{}, *first, &json);
  encoded += "]";
  auto second = DecodeJaegerJson(JaegerItem::kTrace, encoded);
  WEFT_CHECK_MSG(second.has_value(), second ? "" : second.error().message.c_str());
  WEFT_CHECK_MSG(second->rejected_spans.count == 0, second->rejected_spans.message.c_str());
  WEFT_CHECK(second->spans.size() == first->spans.size());
}

// A file whose first bytes say how the rest is cut.
void ReadCut(std::string_view input) {
  auto [plan, bytes] = testing::PlanAndBytes(input);
  testing::PieceSource whole({bytes}), cut(testing::CutByPlan(bytes, plan));
  ReadWholeAndCut(&whole, &cut, bytes.size(), TraceFormat::kJaeger);
}

}  // namespace
}  // namespace weft::codec

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::codec;
  if (size == 0) return 0;
  std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      RoundTrip(JaegerItem::kTrace, std::move(body));
      break;
    case 1:
      RoundTrip(JaegerItem::kSpan, std::move(body));
      break;
    default:
      ReadCut(body);
      break;
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// Zipkin's JSON, v1 and v2, from anyone. Strategy: the first byte says whether the text is one list
// or goes through the file reader. Invariants: no crash, no growth; what decodes can be written as
// Zipkin's JSON, and decoded again it has as many spans with the same ids.
#include "base/check.h"
#include "codec/span_list.h"
#include "codec/trace_file_fuzz_body.h"
#include "codec/zipkin_json_encode.h"
#include "testing/piece_source.h"

namespace weft::codec {
namespace {

void RoundTrip(std::string body) {
  auto first = DecodeZipkinJson(std::move(body));
  if (!first) return;
  std::string encoded;
  wire::JsonWriter json(&encoded);
  json.BeginArray();
  WriteZipkinSpans(*first, &json);
  json.EndArray();
  auto second = DecodeZipkinJson(encoded);
  WEFT_CHECK_MSG(second.has_value(), second ? "" : second.error().message.c_str());
  WEFT_CHECK_MSG(second->rejected_spans.count == 0, second->rejected_spans.message.c_str());
  WEFT_CHECK(second->spans.size() == first->spans.size());
  for (size_t i = 0; i < first->spans.size(); ++i) {
    const Span &a = first->spans[i], &b = second->spans[i];
    WEFT_CHECK(a.trace_id == b.trace_id && a.span_id == b.span_id);
    // Zipkin has no word for it.
    WEFT_CHECK(a.kind == b.kind || a.kind == SpanKind::kInternal);
    WEFT_CHECK(a.resource < first->resources.size() && a.scope < first->scopes.size());
  }
}

// A file whose first bytes say how the rest is cut.
void ReadCut(std::string_view input) {
  auto [plan, bytes] = testing::PlanAndBytes(input);
  testing::PieceSource whole({bytes}), cut(testing::CutByPlan(bytes, plan));
  ReadWholeAndCut(&whole, &cut, bytes.size(), TraceFormat::kZipkin);
}

}  // namespace
}  // namespace weft::codec

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    weft::codec::RoundTrip(std::move(body));
  } else {
    weft::codec::ReadCut(body);
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an answer in HTTP/1. The first byte says whether the request was a HEAD and whether
// the connection closes at the end, the next ones how the bytes are cut. Invariants: no crash,
// heads stay within their bound, and what is told of the answer is the same however it was cut.
#include "base/check.h"
#include "outgoing/outgoing_http1_parser.h"
#include "testing/pieces.h"

namespace weft::outgoing {
namespace {

constexpr uint32_t kHeaderBytesMax = 2048;

std::string Told(const weft::testing::Pieces& pieces, bool to_head, bool closes) {
  using Step = OutgoingHttp1Parser::Step;
  OutgoingHttp1Parser parser(to_head, kHeaderBytesMax);
  std::string head, body, end;
  auto take = [&](Step step) {
    if (step == Step::kHead) {
      WEFT_CHECK(head.empty());
      head = std::to_string(parser.head().status) + (parser.head().keep_alive ? "k" : "c");
      for (const auto& [name, value] : parser.head().headers) head += "\n" + name + ":" + value;
      WEFT_CHECK(head.size() < 2 * kHeaderBytesMax);
    }
    if (step == Step::kBody) {
      WEFT_CHECK(!parser.body().empty());
      body += parser.body();
    }
    if (step == Step::kEnd) {
      end = "end";
      for (const auto& [name, value] : parser.trailers()) end += "\n" + name + ":" + value;
    }
    if (step == Step::kError) end = "error " + parser.error();
  };
  size_t left = 0;
  for (std::string_view piece : pieces) {
    while (end.empty()) {
      Step step = parser.Next(&piece);
      if (step == Step::kMore) break;
      take(step);
    }
    left += piece.size();
  }
  if (end.starts_with("error")) left = 0;
  if (closes && end.empty()) take(parser.OnEof());
  return head + "\n\n" + body + "\n\n" + end + " " + std::to_string(left);
}

}  // namespace
}  // namespace weft::outgoing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using weft::outgoing::Told;
  if (size == 0) return 0;
  auto [plan, bytes] =
      weft::testing::PlanAndBytes({reinterpret_cast<const char*>(data) + 1, size - 1});
  const bool to_head = (data[0] & 1) != 0, closes = (data[0] & 2) != 0;
  const std::string whole = Told({bytes}, to_head, closes);
  const std::string cut = Told(weft::testing::CutByPlan(bytes, plan), to_head, closes);
  WEFT_CHECK_MSG(whole == cut, cut.c_str());
  return 0;
}

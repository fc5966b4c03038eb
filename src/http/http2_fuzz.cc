// SPDX-License-Identifier: Apache-2.0
//
// Any bytes behind the HTTP/2 preface, so that the fuzzer starts with frames. The first byte
// chooses how the connection goes and ends beside the bytes, the next ones how those are cut,
// preface included. Invariants as in http1_fuzz.cc; of what differs by the cut, only the requests
// that reach handlers are compared: an answer may go out before the peer takes its question back,
// or not.
#include <nghttp2/nghttp2.h>

#include "base/check.h"
#include "http/fuzz_routes.h"
#include "http/raw_frames.h"
#include "testing/pieces.h"

namespace weft::http {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// With these, what is read may depend on the time at which it comes: a peer that says goodbye is
// left when its streams are done, and one that makes work for nothing when it has made too much.
bool EndsByTiming(std::string_view in, const Outcome& outcome) {
  bool goodbye = false, calm = false;
  ForEachFrame(in, [&](const FrameView& frame) { goodbye |= frame.type == NGHTTP2_GOAWAY; });
  ForEachFrame(outcome.out, [&](const FrameView& frame) {
    calm |= frame.type == NGHTTP2_GOAWAY && frame.payload.size() >= 8 &&
            frame.payload[7] == NGHTTP2_ENHANCE_YOUR_CALM;
  });
  return goodbye || calm;
}

}  // namespace
}  // namespace weft::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::http;
  if (size == 0) return 0;
  auto [plan, frames] =
      weft::testing::PlanAndBytes({reinterpret_cast<const char*>(data) + 1, size - 1});
  const std::string bytes = std::string(kPreface) + std::string(frames);
  const ServerLimits limits = FuzzLimits();
  const weft::testing::Pieces pieces = weft::testing::CutByPlan(bytes, plan);
  RunFuzzedConnection(data[0], pieces, limits);
  const Outcome whole = OutcomeOf({bytes}, limits), cut = OutcomeOf(pieces, limits);
  if (EndsByTiming(frames, whole) || EndsByTiming(frames, cut)) return 0;
  WEFT_CHECK_MSG(whole.log == cut.log, cut.log.c_str());
  return 0;
}

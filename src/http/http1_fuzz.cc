// SPDX-License-Identifier: Apache-2.0
//
// Any bytes into a fresh server connection. The first byte chooses how the connection goes and ends
// beside the bytes, the next ones how those are cut. Invariants: no crash, no leak, no endless
// loop, memory stays within the limits of the connection; and in HTTP/1 the requests that reach
// handlers and the bytes that go out are the same however the input was cut.
#include "base/check.h"
#include "http/fuzz_routes.h"
#include "testing/pieces.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::http;
  if (size == 0) return 0;
  auto [plan, bytes] =
      weft::testing::PlanAndBytes({reinterpret_cast<const char*>(data) + 1, size - 1});
  const ServerLimits limits = FuzzLimits();
  const weft::testing::Pieces pieces = weft::testing::CutByPlan(bytes, plan);
  RunFuzzedConnection(data[0], pieces, limits);
  const Outcome whole = OutcomeOf({bytes}, limits), cut = OutcomeOf(pieces, limits);
  const bool http2 = bytes.starts_with("PRI * HTTP/2.0") || whole.out.find("HTTP/1.1 101 ") == 0;
  if (http2) return 0;  // what goes out there depends on when it could: http2_fuzz.cc
  WEFT_CHECK_MSG(whole.log == cut.log, cut.log.c_str());
  WEFT_CHECK_MSG(whole.out == cut.out, cut.out.c_str());
  return 0;
}

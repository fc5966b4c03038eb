// SPDX-License-Identifier: Apache-2.0
//
// Any bytes behind the HTTP/2 preface, so that the fuzzer starts with frames. Invariants as in
// http1_fuzz.cc.
#include "net/fuzz_routes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weft::net::RunFuzzedConnection("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                 {reinterpret_cast<const char*>(data), size});
  return 0;
}

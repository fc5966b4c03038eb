// SPDX-License-Identifier: Apache-2.0
//
// Any bytes into a fresh server connection. Invariants: no crash, no leak, no endless loop, memory
// stays within the limits of the connection. The first byte chooses how the bytes are cut and how
// the connection ends.
#include "net/fuzz_routes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weft::net::RunFuzzedConnection("", {reinterpret_cast<const char*>(data), size});
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// The traceparent header, as anybody may send it. Invariant: what is taken for valid has two ids
// that are not zero.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "selftrace/tracer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto parent = weft::selftrace::ParseTraceParent(
      std::string_view(reinterpret_cast<const char*>(data), size));
  if (parent) WEFT_CHECK(!parent->trace_id.empty() && !parent->span_id.empty());
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// Strategy: the first byte chooses a request of jaeger.api_v3.QueryService, the rest is its
// message. Invariants: decoders end; an error names something; what they accept is within the
// limits.
#include <cstdint>
#include <string_view>

#include "api/api_v3_messages.h"
#include "api/jaeger_search.h"
#include "base/check.h"

namespace weft::api {
namespace {

template <class Request>
bool Accepted(const Result<Request>& request) {
  if (!request) WEFT_CHECK(!request.error().message.empty());
  return request.has_value();
}

}  // namespace
}  // namespace weft::api

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::api;  // NOLINT
  if (size == 0) return 0;
  std::string_view message(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      if (auto id = DecodeGetTraceRequest(message); Accepted(id)) WEFT_CHECK(!id->empty());
      break;
    case 1:
      if (auto search = DecodeFindRequest(message); Accepted(search)) {
        WEFT_CHECK(search->limit >= 1 && search->limit <= JaegerSearch::kLimitMax);
        WEFT_CHECK(search->end_ns > search->start_ns);
      }
      break;
    case 2:
      Accepted(DecodeGetOperationsRequest(message));
      break;
    default:
      if (auto range = DecodeGetDependenciesRequest(message); Accepted(range))
        WEFT_CHECK(range->end_ns > range->start_ns);
      break;
  }
  return 0;
}

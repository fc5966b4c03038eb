// SPDX-License-Identifier: Apache-2.0
//
// Strategy: the first byte chooses a reader, the rest is a query string, or the value of one
// parameter, escaped so that bytes of all kinds reach it. Invariants: readers end; an error has a
// message; what they accept is within the limits and is TraceQL that parses.
#include <cstdint>
#include <string>
#include <string_view>

#include "api/jaeger_search.h"
#include "api/parameters.h"
#include "base/check.h"
#include "traceql/traceql.h"

namespace weft::api {
namespace {

constexpr uint64_t kNow = 1'700'000'000'000'000'000;
constexpr char kRange[] =
    "query.startTimeMin=2023-11-14T22:13:19Z&query.startTimeMax=2023-11-14T22:13:21.5Z&";

void CheckSearch(const Result<query::SearchRequest>& search) {
  if (!search) {
    WEFT_CHECK(!search.error().message.empty());
    return;
  }
  WEFT_CHECK(search->limit >= 1 && search->limit <= JaegerSearch::kLimitMax);
  WEFT_CHECK(search->end_ns > search->start_ns && search->end_ns <= Parameters::kTimeNsMax);
  // Bytes that are no UTF-8 are no text of TraceQL, which says so.
  auto parsed = traceql::Parse(search->traceql);
  if (!parsed) WEFT_CHECK(!parsed.error().message.empty());
}

std::string Escaped(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (unsigned char c : text) (escaped += '%') += {kHex[c >> 4], kHex[c & 15]};
  return escaped;
}

// Every kind of parameter from one text, and from its escaped form.
void CheckKinds(std::string_view text) {
  for (const std::string& value : {std::string(text), Escaped(text)}) {
    Parameters parameters("p=" + value);
    uint64_t number = parameters.Number("p", 5, 1, 9);
    WEFT_CHECK(number >= 1 && number <= 9);
    WEFT_CHECK(parameters.TimeNs("p", 0) <= Parameters::kTimeNsMax);
    parameters.DurationNs("p", 0);
    parameters.Flag("p");
    if (!parameters.status()) WEFT_CHECK(!parameters.status().error().message.empty());
  }
}

}  // namespace
}  // namespace weft::api

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::api;  // NOLINT
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      CheckSearch(ReadJaegerSearch(text, kNow));
      break;
    case 1:
      CheckSearch(ReadApiV3Search(text));
      break;
    case 2:
      CheckSearch(ReadApiV3Search(kRange + std::string(text)));
      break;
    case 3:
      CheckSearch(ReadJaegerSearch("service=a&tags=" + Escaped(text), kNow));
      break;
    case 4:
      CheckSearch(ReadJaegerSearch("service=a&tag=" + Escaped(text), kNow));
      break;
    case 5:
      if (auto id = ReadJaegerTraceId(text); id) WEFT_CHECK(!id->empty());
      break;
    default:
      CheckKinds(text);
      break;
  }
  return 0;
}

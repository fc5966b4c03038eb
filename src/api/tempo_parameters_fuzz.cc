// SPDX-License-Identifier: Apache-2.0
//
// Strategy: the first byte chooses a reader, the rest is its text: a query string, a tag, `tags` in
// logfmt or an unfinished filter, as a client of Tempo would send it. Invariants: readers end; an
// error has a message; what they accept is within its limits and is TraceQL that parses, unless the
// client wrote the TraceQL itself.
#include <cstdint>
#include <string_view>

#include "api/tempo_parameters.h"
#include "base/check.h"
#include "query/tag_catalog.h"
#include "traceql/traceql.h"

namespace weft::api {
namespace {

void CheckSearch(std::string_view text) {
  auto search = ReadTempoSearch(text);
  if (!search) {
    WEFT_CHECK(!search.error().message.empty());
    return;
  }
  WEFT_CHECK(search->limit >= 1 && search->limit <= 10'000 && search->spans_per_trace <= 10'000);
  WEFT_CHECK(search->end_ns == 0 || search->end_ns > search->start_ns);
}

// Tags alone, escaped, so that bytes of all kinds reach the condition that is made of them.
void CheckTags(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string query = "tags=";
  for (unsigned char c : text) (query += '%') += {kHex[c >> 4], kHex[c & 15]};
  auto search = ReadTempoSearch(query);
  if (!search) {
    WEFT_CHECK(!search.error().message.empty());
    return;
  }
  auto parsed = traceql::Parse(search->traceql);
  WEFT_CHECK_MSG(parsed.has_value(), search->traceql.c_str());
}

void CheckTrace(std::string_view text) {
  size_t mark = text.find('?');
  auto trace = ReadTempoTrace(text.substr(0, mark), text.size() % 2 == 0,
                              mark == text.npos ? "" : text.substr(mark + 1));
  if (!trace) WEFT_CHECK(!trace.error().message.empty());
}

void CheckFilter(std::string_view text) {
  std::string filter = UsableFilter(text);
  WEFT_CHECK_MSG(traceql::Parse(filter).has_value(), filter.c_str());
}

}  // namespace
}  // namespace weft::api

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::api;  // NOLINT
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      CheckSearch(text);
      break;
    case 1:
      CheckTags(text);
      break;
    case 2:
      CheckTrace(text);
      break;
    case 3:
      CheckFilter(text);
      break;
    case 4:
      if (auto tags = ReadTempoTags(text); tags)
        WEFT_CHECK(tags->request.limit >= 1 && tags->request.limit <= weft::query::kTagLimitMax);
      break;
    default:
      if (auto tag = ReadTempoTag(text); tag)
        WEFT_CHECK(weft::query::ParseTag(weft::query::TagText(*tag)) == *tag);
      ReadTempoTagV1(text);
      break;
  }
  return 0;
}

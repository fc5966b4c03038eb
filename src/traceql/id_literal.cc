// SPDX-License-Identifier: Apache-2.0
#include "traceql/id_literal.h"

#include <fmt/format.h>

#include "model/pasted_id.h"
#include "traceql/traceql.h"

namespace weft::traceql {

IdVerdict ReadIdLiteral(const Field& field, std::string_view text) {
  bool of_trace = IsTraceIdField(field), is_parent = field.intrinsic == Intrinsic::kParentId;
  const size_t digits = 2 * (of_trace ? TraceId::kSize : SpanId::kSize);
  if (is_parent && text.empty()) return {};
  IdVerdict out;
  if (text.size() <= digits) {
    // A shorter id has zeros in front, whichever it is.
    if (std::optional<TraceId> id = ParseTraceId(text)) {
      out.text = id->ToHex().substr(2 * TraceId::kSize - digits);
      // A parent of zeros is how some write that there is none.
      if (is_parent && out.text.find_first_not_of('0') == out.text.npos) out.text.clear();
      return out;
    }
  }
  out.error = fmt::format("this is no {} id", of_trace ? "trace" : "span");
  out.hint = fmt::format("it has 1 to {} hex digits", digits);
  if (std::optional<PastedId> pasted = ParsePastedId(text)) {
    std::string id = of_trace ? pasted->trace_id.ToHex() : pasted->span_id.ToHex();
    if (of_trace || !pasted->span_id.empty())
      out.hint = fmt::format("write {} = \"{}\"", FieldText(field), id);
  }
  return out;
}

}  // namespace weft::traceql

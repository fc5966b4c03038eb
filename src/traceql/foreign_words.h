// SPDX-License-Identifier: Apache-2.0
//
// Words of SQL, PromQL, KQL, Jaeger and OTLP, and what TraceQL writes in their place. Only error
// hints ask; the case of letters does not matter. Every answer is empty where nothing is known.
//
// Thread rule: pure functions over constants. Next: traceql/name_hints.h.
#pragma once

#include <string>
#include <string_view>

namespace weft::traceql {

// The field that another system calls `name`; trace_id, traceId and trace.id are one name.
std::string_view ForeignField(std::string_view name);
// The operator that is the word `word` elsewhere, beside `field`.
std::string ForeignOperator(std::string_view word, std::string_view field);
// The operator that has the sign `sign` elsewhere: `==`.
std::string_view ForeignSign(std::string_view sign);
// The unit of durations that has the name `word` elsewhere: `seconds`.
std::string_view ForeignUnit(std::string_view word);
// The value that is the word `word` elsewhere: `null`.
std::string_view ForeignValue(std::string_view word);

std::string LowerCase(std::string_view word);

}  // namespace weft::traceql

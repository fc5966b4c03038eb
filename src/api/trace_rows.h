// SPDX-License-Identifier: Apache-2.0
//
// Answers about rows of one trace: everything about some of them, and which of them hold a text.
//
// Thread rule: pure functions. Source: docs/api.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/trace_document.h"

namespace weft::api {

// {"spans": [...], "partial": ""} of rows [from, from + count), as many as there are.
std::string DescribeRows(const TraceDocument& document, uint32_t from, uint32_t count);
// {"rows": [...], "counts": {...}, "partial": ""}: rows whose name, service, attributes, events or
// logs contain the text; letters of ASCII in any case.
std::string FindRows(const TraceDocument& document, std::string_view text);

}  // namespace weft::api

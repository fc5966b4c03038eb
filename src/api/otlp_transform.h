// SPDX-License-Identifier: Apache-2.0
//
// Uploaded OTLP as Jaeger's v1 JSON, without storing it: how jaeger-ui opens a file of OTLP.
//
// Thread rule: pure functions. Next: codec/trace_file.h, codec/jaeger_json_encode.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/jaeger_json_encode.h"

namespace weft::api {

// `body` holds one or more documents in any form that codec/trace_file.h reads. Appends the array
// of traces to `data`, in order of first appearance, and returns their number; spans and log
// records that had to be left out are named in `errors`.
Result<size_t> TransformOtlp(std::string_view body, std::string* data,
                             std::vector<codec::JaegerError>* errors);

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
//
// One trace as Tempo's two trace endpoints give it: OTLP in protobuf, or the JSON that protobuf
// libraries make of it. Version 2 wraps it and can leave out spans that a filter does not match.
//
// Thread rule: pure functions. Source: Tempo's HTTP API documentation (its messages Trace and
// TraceByIDResponse); docs/tempo_api.md. Next: api/tempo_api.h.
#pragma once

#include <string>

#include "api/tempo_parameters.h"
#include "store/store.h"

namespace weft::api {

enum class TempoTraceForm : uint8_t { kJsonV1, kJsonV2, kProtobufV1, kProtobufV2 };

// kNotFound: the snapshot has no span of it, or none in the time range that was asked for; other
// errors as of ReadStoredTrace(). A trace with any span in the range is given whole. `partial` gets
// why spans may be missing: version 2 says it in its message too.
Result<std::string> TempoTrace(const store::Snapshot& snapshot, const TempoTraceRequest& request,
                               TempoTraceForm form, std::string* partial);

}  // namespace weft::api

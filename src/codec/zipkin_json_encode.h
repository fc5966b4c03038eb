// SPDX-License-Identifier: Apache-2.0
//
// Spans in Zipkin's v2 JSON. What the format cannot say is written as tags or left out:
// docs/import_formats.md has the table.
//
// Thread rule: pure functions. Source: Zipkin's zipkin2-api.yaml; the Collector's tag names.
// Next: codec/span_list.h, the other way.
#pragma once

#include "model/span_batch.h"
#include "wire_core/json_writer.h"

namespace weft::codec {

// One object per span, into an array that the caller has opened. Log records of a span become
// annotations of it.
void WriteZipkinSpans(const SpanBatch& batch, wire::JsonWriter* json);

}  // namespace weft::codec

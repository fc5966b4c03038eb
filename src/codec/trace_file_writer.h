// SPDX-License-Identifier: Apache-2.0
//
// Traces one after the other as a file that codec/trace_file.h, and the system that the format
// comes from, read again. docs/import_formats.md says what Jaeger's and Zipkin's JSON cannot keep.
//
//   TraceFileWriter writer(TraceFileFormat::kJaeger, &out);
//   for (...) { writer.Write(id, trace); ... take what is in out and clear it ... }
//   writer.Finish();
//
// Thread rule: one thread at a time. Used by cli/export_command.cc.
#pragma once

#include <cstdint>
#include <string>

#include "model/span_batch.h"
#include "wire_core/json_writer.h"

namespace weft::codec {

enum class TraceFileFormat : uint8_t {
  kOtlpJson,      // one TracesData a line, and a LogsData a line where a trace has log records
  kOtlpProtobuf,  // the same messages, a big-endian 4-byte length before each
  kJaeger,        // {"data": [trace, ...]}, as Jaeger's query API answers
  kZipkin         // [span, ...], v2
};

class TraceFileWriter {
 public:
  // Appends to *out, which must outlive the writer.
  TraceFileWriter(TraceFileFormat format, std::string* out);
  // Orders the spans by resource and scope for OTLP, where that saves repeating them.
  void Write(const TraceId& id, SpanBatch* trace);
  void Finish();

 private:
  void WriteOtlp(SpanBatch* trace);

  const TraceFileFormat format_;
  std::string* const out_;
  wire::JsonWriter json_;
  uint64_t traces_ = 0;
};

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
//
// Files of OTLP as people have them: one protobuf message, protobuf messages with a 4-byte length
// before each (the Collector's file exporter), one JSON document, a document a line, or documents
// one after the other; traces, logs and metrics mixed; gzip, zstd or lz4 around it all.
//
// OtlpFileReader tells them apart and hands out one document after the other, with its place in the
// file. A document that cannot be read does not end the reading, as long as its end is known.
//
//   WEFT_ASSIGN(auto reader, OtlpFileReader::Open(std::move(bytes), bytes_max));
//   while (true) {
//     auto document = reader.Next();           // error: the rest of the file has no structure
//     if (!document || !*document) break;
//     auto content = reader.Decode(**document);  // error: this document only
//   }
//
// Thread rule: one thread at a time. Next: codec/otlp.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/otlp.h"

namespace weft::codec {

struct OtlpDocument {
  std::string_view bytes;  // points into the reader
  uint64_t offset = 0;     // in the decompressed file
  uint64_t line = 0;       // of its first byte, from 1; 0 in protobuf
  // What it holds. In protobuf, where one message does not tell, only Decode finds out.
  bool has_traces = false, has_logs = false, has_metrics = false;
};

struct OtlpContent {
  SpanBatch traces;
  SpanBatch logs;
  uint64_t metric_points = 0;
};

class OtlpFileReader {
 public:
  // The bytes of a whole file. kTooLarge when they decompress to more than bytes_max.
  static Result<OtlpFileReader> Open(std::string bytes, uint64_t bytes_max);

  // Nothing at the end of the file.
  Result<std::optional<OtlpDocument>> Next();
  // The error's message begins with the document's place. A document without any of the signals is
  // an error too.
  Result<OtlpContent> Decode(const OtlpDocument& document) const;

  OtlpFormat format() const { return format_; }
  uint64_t bytes() const { return bytes_.size(); }  // decompressed
  uint64_t position() const { return position_; }   // how far Next() has come: progress

 private:
  explicit OtlpFileReader(std::string bytes);
  Result<std::optional<OtlpDocument>> NextProtobuf();
  Result<std::optional<OtlpDocument>> NextJson();

  std::string bytes_;
  OtlpFormat format_ = OtlpFormat::kJson;
  bool length_prefixed_ = false;
  uint64_t position_ = 0;
  uint64_t line_ = 1;
};

}  // namespace weft::codec

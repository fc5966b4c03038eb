// SPDX-License-Identifier: Apache-2.0
//
// Bytes from anyone as a file, read to its end or its fault: what the fuzz targets of the formats
// have in common. Thread rule: none. Next: codec/trace_file.h.
#pragma once

#include <string>

#include "base/check.h"
#include "codec/trace_file.h"
#include "wire/byte_source.h"

namespace weft::codec {

// What a file of so many bytes comes to, as text. No crash, and an end: compressed messages may
// hold more pieces than the file has bytes.
inline std::string ReadPieces(wire::ByteSource* source, size_t bytes, TraceFormat format) {
  constexpr size_t kPiecesPerByteMax = 1 << 16;
  TraceFileReader reader(source, format);
  std::string text;
  for (size_t pieces = 0;; ++pieces) {
    WEFT_CHECK(pieces <= kPiecesPerByteMax * bytes);
    auto piece = reader.Next();
    if (!piece) return text + piece.error().message;
    if (!*piece) return text;
    for (uint64_t number : {(*piece)->end, uint64_t{(*piece)->traces.spans.size()},
                            uint64_t{(*piece)->logs.logs.size()}, (*piece)->metric_points,
                            uint64_t{(*piece)->traces.rejected_spans.count},
                            uint64_t{(*piece)->logs.rejected_logs.count}})
      text += std::to_string(number) + " ";
    text += (*piece)->problem + (*piece)->traces.rejected_spans.message + "\n";
  }
}

// `whole` and `cut` hand out the same bytes, in one piece and in several.
inline void ReadWholeAndCut(wire::ByteSource* whole, wire::ByteSource* cut, size_t bytes,
                            TraceFormat format) {
  const std::string once = ReadPieces(whole, bytes, format);
  const std::string again = ReadPieces(cut, bytes, format);
  WEFT_CHECK_MSG(once == again, (once + "--- cut:\n" + again).c_str());
}

}  // namespace weft::codec

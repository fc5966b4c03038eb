// SPDX-License-Identifier: Apache-2.0
//
// Bytes from anyone as a file, read to its end or its fault: what the fuzz targets of the formats
// have in common. Thread rule: none. Next: codec/trace_file.h.
#pragma once

#include <string_view>

#include "base/check.h"
#include "codec/trace_file.h"
#include "wire/byte_source.h"

namespace weft::codec {

// No crash, and no more pieces than bytes.
inline void ReadPieces(std::string_view bytes, TraceFormat format) {
  wire::MemorySource source(bytes);
  TraceFileReader reader(&source, format);
  for (size_t pieces = 0;; ++pieces) {
    WEFT_CHECK(pieces <= bytes.size());
    auto piece = reader.Next();
    if (!piece || !*piece) return;
  }
}

}  // namespace weft::codec

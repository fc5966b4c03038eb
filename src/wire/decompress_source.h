// SPDX-License-Identifier: Apache-2.0
//
// A ByteSource that takes gzip, zstd or lz4 off another one, or passes it on when it is none of
// them: the first bytes tell. Several frames or members in a row are one stream. Memory is two
// buffers and the format's window (zstd: at most kZstdFileWindowLogMax), whatever the input says;
// how much comes out is the reader's to bound.
//
// Thread rule: one thread at a time. Source: RFC 1952, RFC 8878, lz4's frame format.
#pragma once

#include <memory>

#include "wire/byte_source.h"

namespace weft::wire {

// `from` must outlive the result.
Result<std::unique_ptr<ByteSource>> OpenDecompressed(ByteSource* from);

}  // namespace weft::wire

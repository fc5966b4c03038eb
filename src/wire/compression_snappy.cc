// SPDX-License-Identifier: Apache-2.0
//
// Snappy blocks and the framing format (github.com/google/snappy, framing_format.txt): chunks of a
// type byte, a 3-byte length and, for data, a masked crc32c of the uncompressed bytes.
#include <isa-l/crc.h>
#include <snappy.h>

#include <cstring>

#include "wire/compression_formats.h"

namespace weft::wire {
namespace {

constexpr std::string_view kStreamIdentifier("\xff\x06\x00\x00sNaPpY", 10);
constexpr size_t kChunkDataBytesMax = 65536;  // uncompressed, says the format
constexpr size_t kChunkHeaderBytes = 4;
constexpr size_t kChecksumBytes = 4;

enum ChunkType : uint8_t { kCompressed = 0x00, kUncompressed = 0x01, kFirstSkippable = 0x80 };

uint32_t MaskedCrc(std::string_view bytes) {
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  uint32_t crc = ~crc32_iscsi(data, static_cast<int>(bytes.size()), ~0u);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

Status Bad(size_t offset, const char* what) {
  return Fail(ErrorCode::kInvalidArgument,
              "not valid snappy at offset " + std::to_string(offset) + ": " + what);
}

// A data chunk's content, checksum included.
Status UnsnappyChunk(bool compressed, std::string_view content, size_t offset,
                     BudgetedOutput* out) {
  if (content.size() < kChecksumBytes) return Bad(offset, "chunk without its checksum");
  uint32_t checksum;
  std::memcpy(&checksum, content.data(), sizeof checksum);
  content.remove_prefix(kChecksumBytes);
  size_t bytes = content.size();
  if (compressed && !snappy::GetUncompressedLength(content.data(), content.size(), &bytes)) {
    return Bad(offset, "chunk without its length");
  }
  if (bytes > kChunkDataBytesMax) return Bad(offset, "chunk of more than 65536 bytes");
  if (bytes > out->free_bytes()) WEFT_TRY(out->Grow(bytes));
  if (!compressed) {
    if (bytes > 0) std::memcpy(out->free_space(), content.data(), bytes);
  } else if (!snappy::RawUncompress(content.data(), content.size(), out->free_space())) {
    return Bad(offset, "corrupt chunk");
  }
  if (MaskedCrc({out->free_space(), bytes}) != checksum) return Bad(offset, "checksum differs");
  out->Advance(bytes);
  return {};
}

Status UnsnappyFrames(std::string_view bytes, BudgetedOutput* out) {
  size_t offset = 0;
  while (offset < bytes.size()) {
    if (bytes.size() - offset < kChunkHeaderBytes) return Bad(offset, "chunk header is cut off");
    uint32_t header;
    std::memcpy(&header, bytes.data() + offset, sizeof header);
    uint8_t type = header & 0xFF;
    size_t length = header >> 8;
    if (length > bytes.size() - offset - kChunkHeaderBytes) {
      return Bad(offset, "the chunk's length runs past the end");
    }
    std::string_view content = bytes.substr(offset + kChunkHeaderBytes, length);
    if (type == kCompressed || type == kUncompressed) {
      WEFT_TRY(UnsnappyChunk(type == kCompressed, content, offset, out));
    } else if (type == 0xFF) {
      if (content != kStreamIdentifier.substr(kChunkHeaderBytes)) {
        return Bad(offset, "not a stream identifier");
      }
    } else if (type < kFirstSkippable) {
      return Bad(offset, "reserved chunk that may not be skipped");
    }
    offset += kChunkHeaderBytes + length;
  }
  return {};
}

}  // namespace

Status UnsnappyInto(std::string_view bytes, BudgetedOutput* out) {
  if (bytes.starts_with(kStreamIdentifier)) return UnsnappyFrames(bytes, out);
  // One block: its length comes first, and is checked before anything is allocated for it.
  size_t length = 0;
  if (!snappy::GetUncompressedLength(bytes.data(), bytes.size(), &length)) {
    return Bad(0, "no length");
  }
  if (length > out->budget()) return out->TooLarge();
  WEFT_TRY(out->Grow(length));
  if (!snappy::RawUncompress(bytes.data(), bytes.size(), out->free_space())) {
    return Bad(0, "corrupt or cut off block");
  }
  out->Advance(length);
  return {};
}

std::string SnappyFramed(std::string_view bytes) {
  std::string out(kStreamIdentifier);
  std::string block;
  for (size_t offset = 0; offset < bytes.size(); offset += kChunkDataBytesMax) {
    std::string_view piece = bytes.substr(offset, kChunkDataBytesMax);
    snappy::Compress(piece.data(), piece.size(), &block);
    bool compressed = block.size() < piece.size();
    std::string_view content = compressed ? std::string_view(block) : piece;
    uint32_t header = static_cast<uint32_t>(content.size() + kChecksumBytes) << 8 |
                      (compressed ? kCompressed : kUncompressed);
    uint32_t checksum = MaskedCrc(piece);
    out.append(reinterpret_cast<const char*>(&header), sizeof header);
    out.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
    out.append(content);
  }
  return out;
}

}  // namespace weft::wire

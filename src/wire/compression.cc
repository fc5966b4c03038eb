// SPDX-License-Identifier: Apache-2.0
#include "wire/compression.h"

#include <algorithm>
#include <cctype>

#include "wire/compression_formats.h"
#include "wire/limits.h"

namespace weft::wire {

std::optional<Compression> CompressionByName(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower.empty() || lower == "identity" || lower == "none") return Compression::kNone;
  if (lower == "gzip" || lower == "x-gzip") return Compression::kGzip;
  if (lower == "deflate" || lower == "zlib") return Compression::kZlib;
  if (lower == "zstd") return Compression::kZstd;
  if (lower == "snappy" || lower == "x-snappy-framed") return Compression::kSnappy;
  if (lower == "lz4") return Compression::kLz4;
  return std::nullopt;
}

Compression SniffCompression(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x1f\x8b"sv)) return Compression::kGzip;
  if (bytes.starts_with("\x28\xb5\x2f\xfd"sv)) return Compression::kZstd;
  // A skippable frame, with which pzstd begins.
  if (bytes.size() >= 4 && bytes.substr(1, 3) == "\x2a\x4d\x18"sv && (bytes[0] & 0xF0) == 0x50)
    return Compression::kZstd;
  if (bytes.starts_with("\x04\x22\x4d\x18"sv)) return Compression::kLz4;
  return Compression::kNone;
}

namespace {

Result<std::string> DecompressInto(BudgetedOutput out, Compression kind, std::string_view bytes) {
  Status status;
  switch (kind) {
    case Compression::kNone:
      if (bytes.size() > out.budget()) {
        return Fail(ErrorCode::kTooLarge, "larger than the limit of " +
                                              std::to_string(out.budget()) +
                                              " bytes: " + std::to_string(bytes.size()));
      }
      return std::string(bytes);
    case Compression::kGzip:
      status = GunzipInto(bytes, &out);
      break;
    case Compression::kZlib:
      status = InflateInto(bytes, &out);
      break;
    case Compression::kZstd:
      status = UnzstdInto(bytes, &out);
      break;
    case Compression::kSnappy:
      status = UnsnappyInto(bytes, &out);
      break;
    case Compression::kLz4:
      status = Unlz4Into(bytes, &out);
      break;
  }
  WEFT_TRY(std::move(status));
  return out.Take();
}

}  // namespace

Result<std::string> Decompress(Compression kind, std::string_view bytes, uint64_t bytes_max) {
  uint64_t budget = std::min(bytes_max, kRatioFreeBytes + kRatioMax * bytes.size());
  return DecompressInto(BudgetedOutput(bytes.size(), bytes_max, budget), kind, bytes);
}

Result<std::string> DecompressTrusted(Compression kind, std::string_view bytes,
                                      uint64_t bytes_max) {
  return DecompressInto(BudgetedOutput(bytes.size(), bytes_max, bytes_max), kind, bytes);
}

std::string Compress(Compression kind, std::string_view bytes, int level) {
  switch (kind) {
    case Compression::kNone:
      break;
    case Compression::kGzip:
      return Gzip(bytes, level);
    case Compression::kZlib:
      return Deflate(bytes, level);
    case Compression::kZstd:
      return Zstd(bytes, level);
    case Compression::kSnappy:
      return SnappyFramed(bytes);
    case Compression::kLz4:
      return Lz4Frame(bytes, level);
  }
  return std::string(bytes);
}

}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
//
// gzip (RFC 1952), zlib (RFC 1950) and raw deflate (RFC 1951) over libdeflate, which wants the
// whole output at once: a stream whose size is not known is decompressed again into twice the
// space, so it costs at most about twice, and libdeflate is more than twice as fast as zlib.
#include <libdeflate.h>

#include <cstring>
#include <memory>

#include "base/check.h"
#include "wire/compression_formats.h"

namespace weft::wire {
namespace {

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};
struct FreeCompressor {
  void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
};

libdeflate_decompressor* ThreadDecompressor() {
  thread_local std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(
      libdeflate_alloc_decompressor());
  WEFT_CHECK_MSG(decompressor != nullptr, "out of memory");
  return decompressor.get();
}

using DecompressOne = libdeflate_result (*)(libdeflate_decompressor*, const void*, size_t, void*,
                                            size_t, size_t*, size_t*);

// One member or stream from the front of `bytes`; returns how many bytes it took.
Result<size_t> InflateOne(DecompressOne decompress_one, std::string_view bytes, const char* format,
                          BudgetedOutput* out) {
  while (true) {
    size_t used_in = 0, used_out = 0;
    libdeflate_result result =
        decompress_one(ThreadDecompressor(), bytes.data(), bytes.size(), out->free_space(),
                       out->free_bytes(), &used_in, &used_out);
    if (result == LIBDEFLATE_SUCCESS) {
      out->Advance(used_out);
      return used_in;
    }
    if (result != LIBDEFLATE_INSUFFICIENT_SPACE) {
      return Fail(ErrorCode::kInvalidArgument,
                  std::string("not valid ") + format + ": corrupt or cut off");
    }
    WEFT_TRY(out->Grow(out->free_bytes() + 1));
  }
}

}  // namespace

Status GunzipInto(std::string_view bytes, BudgetedOutput* out) {
  // The last four bytes claim the size of the last member modulo 2^32. Where that fits the budget
  // it saves the second pass; where it lies it costs address space, not memory.
  uint32_t claimed = 0;
  if (bytes.size() >= 18) std::memcpy(&claimed, bytes.data() + bytes.size() - 4, sizeof claimed);
  uint64_t first_guess = std::min<uint64_t>(std::max<uint64_t>(claimed, 1), out->budget());
  WEFT_TRY(out->Grow(first_guess));
  size_t offset = 0;
  do {
    auto used = InflateOne(libdeflate_gzip_decompress_ex, bytes.substr(offset), "gzip", out);
    if (!used) {
      return Fail(used.error().WithPrefix("gzip member at offset " + std::to_string(offset)));
    }
    offset += *used;
  } while (offset < bytes.size());
  return {};
}

Status InflateInto(std::string_view bytes, BudgetedOutput* out) {
  // A zlib header is 8 (deflate) in the low half of the first byte, and both bytes a multiple
  // of 31. HTTP senders disagree about what "deflate" means; a raw stream that passes for a header
  // by chance is tried as one after zlib fails its checksum.
  auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  bool zlib = bytes.size() >= 2 && (byte(0) & 15) == 8 && (byte(0) * 256 + byte(1)) % 31 == 0;
  Result<size_t> used(std::unexpect);
  if (zlib) used = InflateOne(libdeflate_zlib_decompress_ex, bytes, "zlib", out);
  if (!zlib || (!used && used.error().code == ErrorCode::kInvalidArgument)) {
    auto raw = InflateOne(libdeflate_deflate_decompress_ex, bytes, "deflate", out);
    if (raw || !zlib) used = std::move(raw);
  }
  if (!used) return Fail(std::move(used).error());
  if (*used != bytes.size()) {
    return Fail(ErrorCode::kInvalidArgument,
                "deflate stream ends at offset " + std::to_string(*used) + ", followed by " +
                    std::to_string(bytes.size() - *used) + " bytes of something else");
  }
  return {};
}

namespace {

std::unique_ptr<libdeflate_compressor, FreeCompressor> NewCompressor(int level) {
  std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(
      libdeflate_alloc_compressor(level == 0 ? 6 : std::clamp(level, 1, 12)));
  WEFT_CHECK_MSG(compressor != nullptr, "out of memory");
  return compressor;
}

template <class Bound, class CompressAll>
std::string DeflateAs(std::string_view bytes, int level, Bound bound, CompressAll compress_all) {
  auto compressor = NewCompressor(level);
  std::string out;
  out.resize_and_overwrite(bound(compressor.get(), bytes.size()), [&](char* to, size_t capacity) {
    return compress_all(compressor.get(), bytes.data(), bytes.size(), to, capacity);
  });
  WEFT_CHECK(!out.empty());
  return out;
}

}  // namespace

std::string Gzip(std::string_view bytes, int level) {
  return DeflateAs(bytes, level, libdeflate_gzip_compress_bound, libdeflate_gzip_compress);
}

std::string Deflate(std::string_view bytes, int level) {
  return DeflateAs(bytes, level, libdeflate_zlib_compress_bound, libdeflate_zlib_compress);
}

}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
//
// zstd frames (RFC 8878), several in a row, streamed so that a window above kZstdWindowLogMax is
// refused by the library before it is allocated.
#include <zstd.h>

#include <memory>

#include "base/check.h"
#include "wire/compression_formats.h"
#include "wire/limits.h"

namespace weft::wire {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

std::unique_ptr<ZSTD_DCtx, FreeContext> NewContext() {
  std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  WEFT_CHECK_MSG(context != nullptr, "out of memory");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
  return context;
}

}  // namespace

Status UnzstdInto(std::string_view bytes, BudgetedOutput* out) {
  // The frame's declared size is an upper claim to check and a first size to ask for, no more.
  unsigned long long claimed = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (claimed == ZSTD_CONTENTSIZE_ERROR) {
    return Fail(ErrorCode::kInvalidArgument, "not valid zstd: no frame at offset 0");
  }
  if (claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed > out->budget()) return out->TooLarge();
  WEFT_TRY(out->Grow(claimed == ZSTD_CONTENTSIZE_UNKNOWN ? std::min<uint64_t>(out->budget(), 65536)
                                                         : claimed));
  auto context = NewContext();
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (true) {
    ZSTD_outBuffer to{out->free_space(), out->free_bytes(), 0};
    size_t position_before = in.pos;
    size_t result = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(result)) {
      return Fail(ErrorCode::kInvalidArgument, "not valid zstd near offset " +
                                                   std::to_string(in.pos) + ": " +
                                                   ZSTD_getErrorName(result));
    }
    out->Advance(to.pos);
    if (result == 0 && in.pos == in.size) return {};
    if (to.pos == to.size) {
      WEFT_TRY(out->Grow(1));
    } else if (in.pos == in.size || (in.pos == position_before && to.pos == 0)) {
      return Fail(ErrorCode::kInvalidArgument,
                  "zstd frame is cut off at offset " + std::to_string(in.pos));
    }
  }
}

std::string Zstd(std::string_view bytes, int level) {
  std::string out;
  // Levels above 19 may use windows that our own reader refuses.
  int bounded_level = level == 0 ? ZSTD_CLEVEL_DEFAULT : std::clamp(level, -7, 19);
  out.resize_and_overwrite(ZSTD_compressBound(bytes.size()), [&](char* to, size_t capacity) {
    size_t count = ZSTD_compress(to, capacity, bytes.data(), bytes.size(), bounded_level);
    WEFT_CHECK(!ZSTD_isError(count));
    return count;
  });
  return out;
}

}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
//
// The LZ4 frame format (github.com/lz4/lz4, doc/lz4_Frame_format.md), several frames in a row.
#include <lz4frame.h>

#include <memory>

#include "base/check.h"
#include "wire/compression_formats.h"

namespace weft::wire {
namespace {

struct FreeContext {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

}  // namespace

Status Unlz4Into(std::string_view bytes, BudgetedOutput* out) {
  LZ4F_dctx* raw_context = nullptr;
  WEFT_CHECK_MSG(!LZ4F_isError(LZ4F_createDecompressionContext(&raw_context, LZ4F_VERSION)),
                 "out of memory");
  std::unique_ptr<LZ4F_dctx, FreeContext> context(raw_context);
  WEFT_TRY(out->Grow(std::min<uint64_t>(out->budget(), 4 * bytes.size() + 1)));
  size_t offset = 0;
  while (true) {
    size_t used_in = bytes.size() - offset;
    size_t used_out = out->free_bytes();
    size_t result = LZ4F_decompress(context.get(), out->free_space(), &used_out,
                                    bytes.data() + offset, &used_in, nullptr);
    if (LZ4F_isError(result)) {
      return Fail(
          ErrorCode::kInvalidArgument,
          "not valid lz4 near offset " + std::to_string(offset) + ": " + LZ4F_getErrorName(result));
    }
    bool full = used_out == out->free_bytes();
    out->Advance(used_out);
    offset += used_in;
    if (result == 0 && offset == bytes.size()) return {};
    if (full) {
      WEFT_TRY(out->Grow(1));
    } else if (offset == bytes.size() || (used_in == 0 && used_out == 0)) {
      return Fail(ErrorCode::kInvalidArgument,
                  "lz4 frame is cut off at offset " + std::to_string(offset));
    }
  }
}

std::string Lz4Frame(std::string_view bytes, int level) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.compressionLevel = level;
  preferences.frameInfo.contentSize = bytes.size();
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  std::string out;
  out.resize_and_overwrite(
      LZ4F_compressFrameBound(bytes.size(), &preferences), [&](char* to, size_t capacity) {
        size_t count = LZ4F_compressFrame(to, capacity, bytes.data(), bytes.size(), &preferences);
        WEFT_CHECK(!LZ4F_isError(count));
        return count;
      });
  return out;
}

}  // namespace weft::wire

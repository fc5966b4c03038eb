// SPDX-License-Identifier: Apache-2.0
#include "wire/decompress_source.h"

#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <zstd.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "wire/compression.h"
#include "wire/limits.h"

namespace weft::wire {
namespace {

constexpr size_t kInputBytes = 256 << 10;
constexpr size_t kMagicBytes = 4;

// The compressed side: what was read and not yet used.
class Input {
 public:
  explicit Input(ByteSource* from) : from_(from), buffer_(kInputBytes) {}

  // Reads more when nothing is left. False at the end.
  Result<bool> Fill() {
    if (begin_ < end_) return true;
    WEFT_ASSIGN(size_t count, from_->Read(buffer_));
    offset_ += end_;
    begin_ = 0;
    end_ = count;
    return count > 0;
  }
  // Until `bytes` are there or the source ends: for the magic number.
  Status FillAtLeast(size_t bytes) {
    while (end_ < bytes) {
      WEFT_ASSIGN(size_t count, from_->Read(std::span(buffer_).subspan(end_)));
      if (count == 0) break;
      end_ += count;
    }
    return {};
  }
  std::string_view rest() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void Use(size_t bytes) { begin_ += bytes; }
  uint64_t offset() const { return offset_ + begin_; }

 private:
  ByteSource* const from_;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;
  uint64_t offset_ = 0;
};

std::unexpected<Error> Broken(std::string_view format, const Input& input, std::string_view why) {
  return Fail(ErrorCode::kInvalidArgument, "not valid " + std::string(format) + " near byte " +
                                               std::to_string(input.offset()) + ": " +
                                               std::string(why));
}

class PlainSource : public ByteSource {
 public:
  explicit PlainSource(Input input) : input_(std::move(input)) {}
  Result<size_t> Read(std::span<char> to) override {
    WEFT_ASSIGN(bool more, input_.Fill());
    if (!more) return size_t{0};
    size_t count = std::min(to.size(), input_.rest().size());
    std::memcpy(to.data(), input_.rest().data(), count);
    input_.Use(count);
    return count;
  }

 private:
  Input input_;
};

class ZstdSource : public ByteSource {
 public:
  explicit ZstdSource(Input input) : input_(std::move(input)), context_(ZSTD_createDCtx()) {
    WEFT_CHECK_MSG(context_ != nullptr, "out of memory");
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kZstdFileWindowLogMax);
  }
  Result<size_t> Read(std::span<char> to) override {
    ZSTD_outBuffer out{to.data(), to.size(), 0};
    while (out.pos == 0) {
      WEFT_ASSIGN(bool more, input_.Fill());
      // Without input the context may still hold output of what it has taken.
      ZSTD_inBuffer in{input_.rest().data(), input_.rest().size(), 0};
      size_t result = ZSTD_decompressStream(context_.get(), &out, &in);
      if (ZSTD_isError(result)) return Broken("zstd", input_, ZSTD_getErrorName(result));
      input_.Use(in.pos);
      if (in.pos > 0 || out.pos > 0) inside_frame_ = result != 0;
      if (!more && out.pos == 0) {
        if (inside_frame_) return Broken("zstd", input_, "the file is cut off");
        return size_t{0};
      }
    }
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  Input input_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool inside_frame_ = false;
};

class Lz4Source : public ByteSource {
 public:
  explicit Lz4Source(Input input) : input_(std::move(input)) {
    LZ4F_dctx* context = nullptr;
    WEFT_CHECK_MSG(!LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)),
                   "out of memory");
    context_.reset(context);
  }
  Result<size_t> Read(std::span<char> to) override {
    while (true) {
      WEFT_ASSIGN(bool more, input_.Fill());
      size_t in = input_.rest().size(), out = to.size();
      size_t result =
          LZ4F_decompress(context_.get(), to.data(), &out, input_.rest().data(), &in, nullptr);
      if (LZ4F_isError(result)) return Broken("lz4", input_, LZ4F_getErrorName(result));
      input_.Use(in);
      if (in > 0 || out > 0) inside_frame_ = result != 0;
      if (out > 0) return out;
      if (more) continue;
      if (inside_frame_) return Broken("lz4", input_, "the file is cut off");
      return size_t{0};
    }
  }

 private:
  struct Free {
    void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
  };
  Input input_;
  std::unique_ptr<LZ4F_dctx, Free> context_;
  bool inside_frame_ = false;
};

// libdeflate, which wire/compression.h uses, wants the whole input at once.
class GzipSource : public ByteSource {
 public:
  explicit GzipSource(Input input)
      : input_(std::move(input)), state_(std::make_unique<inflate_state>()) {
    BeginMember();
  }
  Result<size_t> Read(std::span<char> to) override {
    while (true) {
      WEFT_ASSIGN(bool more, input_.Fill());
      if (!more && !inside_member_) return size_t{0};
      if (state_->block_state == ISAL_BLOCK_FINISH) BeginMember();
      std::string_view rest = input_.rest();
      // The library does not write through next_in.
      state_->next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(rest.data()));
      state_->avail_in = static_cast<uint32_t>(rest.size());
      state_->next_out = reinterpret_cast<uint8_t*>(to.data());
      state_->avail_out = static_cast<uint32_t>(std::min<size_t>(to.size(), 1 << 30));
      uint32_t room = state_->avail_out;
      int result = isal_inflate(state_.get());
      size_t used = rest.size() - state_->avail_in;
      size_t made = room - state_->avail_out;
      if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT && result != ISAL_OUT_OVERFLOW)
        return Broken("gzip", input_, "corrupt data, or something else behind it");
      input_.Use(used);
      inside_member_ = state_->block_state != ISAL_BLOCK_FINISH;
      if (made > 0) return made;
      if (!more && inside_member_) return Broken("gzip", input_, "the file is cut off");
    }
  }

 private:
  void BeginMember() {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
    inside_member_ = true;
  }

  Input input_;
  std::unique_ptr<inflate_state> state_;
  bool inside_member_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> OpenDecompressed(ByteSource* from) {
  Input input(from);
  WEFT_TRY(input.FillAtLeast(kMagicBytes));
  auto open = [&]<class Source>() {
    return std::unique_ptr<ByteSource>(std::make_unique<Source>(std::move(input)));
  };
  switch (SniffCompression(input.rest())) {
    case Compression::kGzip:
      return open.operator()<GzipSource>();
    case Compression::kZstd:
      return open.operator()<ZstdSource>();
    case Compression::kLz4:
      return open.operator()<Lz4Source>();
    default:
      return open.operator()<PlainSource>();
  }
}

}  // namespace weft::wire

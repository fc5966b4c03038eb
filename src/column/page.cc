// SPDX-License-Identifier: Apache-2.0
#include "column/page.h"

#include <zstd.h>

#include <algorithm>

#include "base/check.h"
#include "column/byte_cursor.h"
#include "column/numbers.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::column {
namespace {

// A declared size over this is not believed; such a payload is stored as it is.
constexpr uint64_t kCompressedPayloadMax = 1ull << 30;
// Under this, compression has nothing to gain.
constexpr size_t kCompressBytesMin = 64;
constexpr size_t kSampleNumbers = 1024;

uint32_t Checksum(std::string_view bytes) {
  return static_cast<uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

}  // namespace

struct PageSealer::Zstd {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ~Zstd() { ZSTD_freeCCtx(context); }
};

PageSealer::PageSealer(int zstd_level) : level_(zstd_level), zstd_(std::make_unique<Zstd>()) {
  WEFT_CHECK_MSG(zstd_->context != nullptr, "out of memory");
}
PageSealer::~PageSealer() = default;

// Appends the compressed payload and returns its size; 0 where zstd fails or gains nothing.
size_t PageSealer::Compress(std::string_view payload, std::string* out) {
  if (payload.size() < kCompressBytesMin || payload.size() > kCompressedPayloadMax) return 0;
  const size_t start = out->size(), bound = ZSTD_compressBound(payload.size());
  out->resize(start + bound);
  size_t bytes = ZSTD_compressCCtx(zstd_->context, out->data() + start, bound, payload.data(),
                                   payload.size(), level_);
  if (ZSTD_isError(bytes)) bytes = 0;
  out->resize(start + bytes);
  return bytes;
}

std::string_view PageSealer::Close() {
  ByteWriter(&page_).Fixed(Checksum(page_));
  return page_;
}

std::string_view PageSealer::SealStored(std::string_view payload) {
  page_.assign(1, static_cast<char>(PageCodec::kStored));
  page_.append(payload);
  return Close();
}

std::string_view PageSealer::Seal(std::string_view payload) {
  page_.assign(1, static_cast<char>(PageCodec::kZstd));
  ByteWriter(&page_).Varint(payload.size());
  size_t bytes = Compress(payload, &page_);
  if (bytes == 0 || bytes + bytes / 20 >= payload.size()) return SealStored(payload);
  return Close();
}

// Packed bits hardly compress, whole bytes with repetitions do. Whether they might is asked of a
// sample first.
std::string_view PageSealer::SealNumbers(std::string_view head, std::span<const uint64_t> numbers) {
  payload_.assign(head);
  EncodeNumbers(numbers, &payload_);
  const size_t packed = payload_.size() - head.size();
  if (packed >= 2 * kCompressBytesMin) {
    const size_t count = std::min(numbers.size(), kSampleNumbers);
    sample_.clear();
    candidate_.clear();
    EncodeNumberBytes(numbers.first(count), &candidate_);
    const size_t bytes = Compress(candidate_, &sample_);
    if (bytes > 0 && bytes * numbers.size() < packed * count * 9 / 10) {
      candidate_.assign(head);
      EncodeNumberBytes(numbers, &candidate_);
      page_.assign(1, static_cast<char>(PageCodec::kZstd));
      ByteWriter(&page_).Varint(candidate_.size());
      const size_t compressed = Compress(candidate_, &page_);
      if (compressed > 0 && compressed < payload_.size() * 9 / 10) return Close();
    }
  }
  return SealStored(payload_);
}

Result<std::string> OpenPage(std::string_view page, bool verify) {
  if (page.size() < 1 + sizeof(uint32_t)) return Fail(ErrorCode::kCorruption, "page is too short");
  const std::string_view content = page.substr(0, page.size() - sizeof(uint32_t));
  if (verify && ByteReader(page.substr(content.size())).Fixed<uint32_t>() != Checksum(content))
    return Fail(ErrorCode::kCorruption, "page checksum differs");
  ByteReader reader(content);
  const PageCodec codec{reader.Fixed<uint8_t>()};
  if (codec == PageCodec::kStored) return std::string(reader.Rest());
  if (codec != PageCodec::kZstd) return Fail(ErrorCode::kCorruption, "unknown page compression");
  const uint64_t bytes = reader.VarintUpTo(kCompressedPayloadMax);
  const std::string_view compressed = reader.Rest();
  if (!reader.ok() || ZSTD_getFrameContentSize(compressed.data(), compressed.size()) != bytes)
    return Fail(ErrorCode::kCorruption, "compressed page declares a wrong size");
  std::string payload(bytes, '\0');
  const size_t got =
      ZSTD_decompress(payload.data(), payload.size(), compressed.data(), compressed.size());
  if (ZSTD_isError(got) || got != bytes)
    return Fail(ErrorCode::kCorruption, "compressed page is damaged");
  return payload;
}

}  // namespace weft::column

// SPDX-License-Identifier: Apache-2.0
#include "wire/tar_source.h"

#include <array>
#include <optional>

namespace weft::wire {
namespace {

constexpr size_t kNameAt = 0, kNameBytes = 100, kSizeAt = 124, kSizeBytes = 12, kSumAt = 148,
                 kSumBytes = 8, kTypeAt = 156, kMagicAt = 257, kPrefixAt = 345, kPrefixBytes = 155;

std::string_view TextAt(std::string_view block, size_t at, size_t bytes) {
  std::string_view text = block.substr(at, bytes);
  return text.substr(0, text.find('\0'));
}

// Octal text, or big-endian binary with the first bit set.
std::optional<uint64_t> NumberAt(std::string_view block, size_t at, size_t bytes) {
  std::string_view text = block.substr(at, bytes);
  uint64_t number = 0;
  if ((static_cast<uint8_t>(text[0]) & 0x80) != 0) {
    for (size_t i = 1; i < bytes; ++i) {
      if (number >> 56 != 0) return std::nullopt;
      number = number << 8 | static_cast<uint8_t>(text[i]);
    }
    return number;
  }
  size_t i = text.find_first_not_of(' ');
  for (; i < bytes && text[i] >= '0' && text[i] <= '7'; ++i) {
    if (number >> 60 != 0) return std::nullopt;
    number = number * 8 + static_cast<uint64_t>(text[i] - '0');
  }
  if (i < bytes && text[i] != '\0' && text[i] != ' ') return std::nullopt;
  return number;
}

// The sum of all bytes, with the field that holds it taken as spaces.
bool SumIsRight(std::string_view block) {
  uint64_t sum = kSumBytes * ' ';
  for (size_t i = 0; i < kTarBlockBytes; ++i)
    if (i < kSumAt || i >= kSumAt + kSumBytes) sum += static_cast<uint8_t>(block[i]);
  return NumberAt(block, kSumAt, kSumBytes) == sum;
}

}  // namespace

bool LooksLikeTar(std::string_view head) {
  return head.size() >= kTarBlockBytes && head.substr(kMagicAt, 5) == "ustar" && SumIsRight(head);
}

Result<bool> TarSource::ReadHeader(char* block) {
  size_t have = 0;
  while (have < kTarBlockBytes) {
    WEFT_ASSIGN(size_t count, from_->Read({block + have, kTarBlockBytes - have}));
    if (count == 0) break;
    have += count;
  }
  offset_ += have;
  if (have == 0) return false;
  if (have < kTarBlockBytes)
    return Fail(ErrorCode::kInvalidArgument, "the tar archive is cut off inside a header");
  return true;
}

Status TarSource::Skip(uint64_t bytes) {
  std::array<char, 16 << 10> ignored;
  while (bytes > 0) {
    WEFT_ASSIGN(size_t count,
                from_->Read({ignored.data(), std::min<uint64_t>(bytes, ignored.size())}));
    if (count == 0)
      return Fail(ErrorCode::kInvalidArgument, "the tar archive is cut off inside " + name_);
    bytes -= count;
    offset_ += count;
  }
  return {};
}

Result<bool> TarSource::Next() {
  while (true) {
    WEFT_TRY(Skip(left_ + padding_));
    left_ = padding_ = 0;
    std::array<char, kTarBlockBytes> bytes;
    WEFT_ASSIGN(bool more, ReadHeader(bytes.data()));
    std::string_view block(bytes.data(), bytes.size());
    // Two blocks of zeros are the end; some writers leave them out.
    if (!more || block.find_first_not_of('\0') == block.npos) return false;
    std::optional<uint64_t> size = NumberAt(block, kSizeAt, kSizeBytes);
    if (!SumIsRight(block) || !size || *size > (1ull << 60))
      return Fail(ErrorCode::kInvalidArgument,
                  "byte " + std::to_string(offset_ - kTarBlockBytes) + ": not a tar header");
    name_ = TextAt(block, kNameAt, kNameBytes);
    if (std::string_view prefix = TextAt(block, kPrefixAt, kPrefixBytes); !prefix.empty())
      name_ = std::string(prefix) + "/" + name_;
    left_ = *size;
    padding_ = (kTarBlockBytes - *size % kTarBlockBytes) % kTarBlockBytes;
    // Links, directories, and headers that only say more about the next file are stepped over.
    char type = block[kTypeAt];
    if (type == '0' || type == '\0' || type == '7') return true;
  }
}

Result<size_t> TarSource::Read(std::span<char> to) {
  if (left_ == 0) return size_t{0};
  WEFT_ASSIGN(size_t count, from_->Read(to.subspan(0, std::min<uint64_t>(to.size(), left_))));
  if (count == 0)
    return Fail(ErrorCode::kInvalidArgument, "the tar archive is cut off inside " + name_);
  left_ -= count;
  offset_ += count;
  return count;
}

}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
#include "store/wal_checksums.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "store/wal_format.h"

namespace weft::store {
namespace {

constexpr uint64_t kReadBytes = 1u << 20;
constexpr uint32_t kPolynomial = 0x82F63B78;  // of CRC-32C; the highest bit is x^0
constexpr uint32_t kOne = 1u << 31;
constexpr uint32_t kXToThe8 = kOne >> 8;

// The product of two polynomials, modulo kPolynomial.
constexpr uint32_t Multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (; a != 0; a <<= 1) {
    product ^= b & (0 - (a >> 31));
    b = (b >> 1) ^ (kPolynomial & (0 - (b & 1)));
  }
  return product;
}

// [i][n]: what n * 256^i zero bytes multiply a register by.
constexpr std::array<std::array<uint32_t, 256>, 4> kZeroBytes = [] {
  std::array<std::array<uint32_t, 256>, 4> out{};
  uint32_t unit = kXToThe8;
  for (auto& powers : out) {
    powers[0] = kOne;
    for (size_t n = 1; n < powers.size(); ++n) powers[n] = Multiply(powers[n - 1], unit);
    unit = Multiply(powers.back(), unit);
  }
  return out;
}();

uint32_t AfterZeroBytes(uint32_t state, uint64_t count) {
  for (size_t i = 0; i < kZeroBytes.size(); ++i) {
    const size_t digit = count >> (8 * i) & 0xFF;
    if (digit != 0) state = Multiply(kZeroBytes[i][digit], state);
  }
  return state;
}

// Crc32c() inverts its start and its result.
uint32_t After(uint32_t state, std::string_view bytes) { return ~Crc32c(~state, bytes); }

}  // namespace

Status RangeChecksums::MakeMarks() {
  std::vector<uint32_t> marks;
  marks.reserve(file_->bytes() / kMarkBytes + 1);
  std::string buffer;
  uint32_t state = 0;
  for (uint64_t at = 0; at < file_->bytes(); at += buffer.size()) {
    buffer.resize(std::min(kReadBytes, file_->bytes() - at));
    WEFT_TRY(file_->ReadAt(at, buffer));
    for (std::string_view rest = buffer; !rest.empty();) {
      marks.push_back(state);
      const std::string_view piece = rest.substr(0, kMarkBytes);
      state = After(state, piece);
      rest.remove_prefix(piece.size());
    }
  }
  // Where the file ends at a mark.
  marks.push_back(state);
  marks_ = std::move(marks);
  return {};
}

Result<uint32_t> RangeChecksums::RegisterAt(uint64_t end) const {
  const uint64_t mark = end / kMarkBytes;
  std::array<char, kMarkBytes> bytes;
  const std::span<char> rest = std::span(bytes).first(end % kMarkBytes);
  if (!rest.empty()) WEFT_TRY(file_->ReadAt(mark * kMarkBytes, rest));
  return After(marks_[mark], std::string_view(rest.data(), rest.size()));
}

Result<uint32_t> RangeChecksums::Of(uint32_t seed, uint64_t begin, uint64_t end) {
  if (marks_.empty()) WEFT_TRY(MakeMarks());
  WEFT_ASSIGN(const uint32_t before, RegisterAt(begin));
  WEFT_ASSIGN(const uint32_t after, RegisterAt(end));
  // `after` is the register of the range begun from `before`. What the seed would have made
  // different in it is the difference of the two starts, moved on by the length.
  return ~(after ^ AfterZeroBytes(before ^ ~seed, end - begin));
}

}  // namespace weft::store

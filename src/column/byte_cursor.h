// SPDX-License-Identifier: Apache-2.0
//
// ByteWriter and ByteReader: the bytes of pages and sections. Fixed integers are little-endian,
// varints are LEB128. The reader is bounded and sticky: after the first read past the end (or a
// malformed varint) everything reads as zero and ok() is false, so a decoder checks once per step
// that allocates or indexes and once at its end.
//
// Thread rule: plain values. Next: column/numbers.h, column/page.h.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace weft::column {

static_assert(std::endian::native == std::endian::little, "pages are little-endian");

inline uint64_t ZigZag(int64_t n) {
  return (static_cast<uint64_t>(n) << 1) ^ static_cast<uint64_t>(n >> 63);
}
inline int64_t UnZigZag(uint64_t n) { return static_cast<int64_t>((n >> 1) ^ (~(n & 1) + 1)); }

class ByteWriter {
 public:
  explicit ByteWriter(std::string* out) : out_(out) {}
  template <class T>
  void Fixed(T n) {
    static_assert(std::is_integral_v<T>);
    out_->append(reinterpret_cast<const char*>(&n), sizeof n);
  }
  void Varint(uint64_t n) {
    char buffer[10];
    size_t count = 0;
    while (n >= 0x80) {
      buffer[count++] = static_cast<char>(n | 0x80);
      n >>= 7;
    }
    buffer[count++] = static_cast<char>(n);
    out_->append(buffer, count);
  }
  void Bytes(std::string_view bytes) { out_->append(bytes); }
  void Text(std::string_view text) {
    Varint(text.size());
    out_->append(text);
  }

 private:
  std::string* out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : next_(bytes.data()), left_(bytes.size()) {}
  template <class T>
  T Fixed() {
    static_assert(std::is_integral_v<T>);
    T n = 0;
    if (left_ < sizeof n) return Break(n);
    std::memcpy(&n, next_, sizeof n);
    Skip(sizeof n);
    return n;
  }
  uint64_t Varint() {
    uint64_t n = 0;
    for (uint32_t shift = 0; shift < 64; shift += 7) {
      if (left_ == 0) return Break(uint64_t{0});
      uint8_t byte = static_cast<uint8_t>(*next_);
      Skip(1);
      if (shift == 63 && byte > 1) return Break(uint64_t{0});
      n |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return n;
    }
    return Break(uint64_t{0});
  }
  // A varint that must be at most `max`.
  uint64_t VarintUpTo(uint64_t max) {
    uint64_t n = Varint();
    return n <= max ? n : Break(uint64_t{0});
  }
  std::string_view Bytes(uint64_t count) {
    if (count > left_) return Break(std::string_view());
    std::string_view bytes(next_, count);
    Skip(count);
    return bytes;
  }
  std::string_view Text() { return Bytes(Varint()); }
  std::string_view Rest() { return Bytes(left_); }
  bool ok() const { return ok_; }
  size_t left() const { return left_; }

 private:
  void Skip(size_t count) {
    next_ += count;
    left_ -= count;
  }
  template <class T>
  T Break(T value) {
    ok_ = false;
    left_ = 0;
    return value;
  }

  const char* next_;
  size_t left_;
  bool ok_ = true;
};

}  // namespace weft::column

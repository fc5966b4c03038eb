// SPDX-License-Identifier: Apache-2.0
//
// A bump allocator for objects that die together: one per SpanBatch, one per head chunk dictionary.
// Memory comes in blocks and is freed all at once by the destructor or Reset(). Only trivially
// destructible types may live in it.
//
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft {

class Arena {
 public:
  explicit Arena(size_t block_bytes = 16 * 1024) : block_bytes_(block_bytes) {}
  Arena(Arena&& other) noexcept { *this = std::move(other); }
  Arena& operator=(Arena&& other) noexcept {
    block_bytes_ = other.block_bytes_;
    current_ = std::exchange(other.current_, nullptr);
    used_ = std::exchange(other.used_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    reserved_bytes_ = std::exchange(other.reserved_bytes_, 0);
    blocks_ = std::exchange(other.blocks_, {});
    return *this;
  }

  // `alignment` is a power of two of at most 16.
  void* Allocate(size_t bytes, size_t alignment) {
    size_t start = (used_ + alignment - 1) & ~(alignment - 1);
    if (start + bytes > capacity_) [[unlikely]]
      return AllocateSlow(bytes);
    used_ = start + bytes;
    return current_ + start;
  }
  template <class T>
  std::span<T> NewArray(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    T* items = static_cast<T*>(Allocate(count * sizeof(T), alignof(T)));
    for (size_t i = 0; i < count; ++i) new (items + i) T();
    return {items, count};
  }
  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {};
    char* bytes = static_cast<char*>(Allocate(text.size(), 1));
    std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
  }
  // Bytes taken from the system, used or not: what a memory budget must count.
  size_t reserved_bytes() const { return reserved_bytes_; }
  // Frees everything; every pointer handed out dies.
  void Reset();

 private:
  void* AllocateSlow(size_t bytes);

  size_t block_bytes_ = 0;
  char* current_ = nullptr;
  size_t used_ = 0;
  size_t capacity_ = 0;
  size_t reserved_bytes_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

}  // namespace weft

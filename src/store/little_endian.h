// SPDX-License-Identifier: Apache-2.0
//
// Fixed-width little-endian numbers of the store's file formats. The bounded reader refuses to go
// past its end and stays refused: callers check ok() once.
//
// Thread rule: values.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weft::store {

static_assert(std::endian::native == std::endian::little);

template <class T>
void PutNumber(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
void StoreNumber(T value, char* at) {
  std::memcpy(at, &value, sizeof value);
}
template <class T>
T LoadNumber(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

class BoundedReader {
 public:
  explicit BoundedReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T Number() {
    const std::string_view bytes = Bytes(sizeof(T));
    return bytes.size() == sizeof(T) ? LoadNumber<T>(bytes.data()) : T{};
  }
  std::string_view Bytes(uint64_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  // A u32 length and that many bytes.
  std::string_view Block() { return Bytes(Number<uint32_t>()); }
  bool ok() const { return ok_; }
  bool done() const { return rest_.empty(); }
  size_t remaining() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace weft::store

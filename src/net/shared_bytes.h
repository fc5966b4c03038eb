// SPDX-License-Identifier: Apache-2.0
//
// Bytes that are sent from where they lie: a body is written to the socket, and written again where
// a request is retried, without being copied. Nobody changes them meanwhile.
//
// Thread rule: a value; what it points to is immutable. Next: outgoing/outgoing_request.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weft::net {

class SharedBytes {
 public:
  SharedBytes() = default;
  // Takes the string over. Implicit: a body is most often just a string.
  SharedBytes(std::string bytes) {
    if (bytes.empty()) return;
    auto owner = std::make_shared<const std::string>(std::move(bytes));
    bytes_ = *owner;
    owner_ = std::move(owner);
  }
  SharedBytes(const char* text) : SharedBytes(std::string(text)) {}
  // `owner`, not null unless `bytes` is empty, keeps `bytes` where they are.
  SharedBytes(std::string_view bytes, std::shared_ptr<const void> owner)
      : bytes_(bytes), owner_(std::move(owner)) {}

  std::string_view bytes() const { return bytes_; }
  const std::shared_ptr<const void>& owner() const { return owner_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  std::shared_ptr<const void> owner_;
};

}  // namespace weft::net

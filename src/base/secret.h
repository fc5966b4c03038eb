// SPDX-License-Identifier: Apache-2.0
//
// Secret: a password, token or private key that cannot be printed by accident. No stream, no
// format and no comparison takes it; who needs the text says Reveal(). The bytes are wiped when it
// dies or is moved from.
//
// Thread rule: a value.
#pragma once

#include <string.h>

#include <string>
#include <string_view>
#include <utility>

namespace weft {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) { Wipe(&text); }
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { Wipe(&other.text_); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      Wipe(&text_);
      text_ = other.text_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      Wipe(&text_);
      text_ = std::move(other.text_);
      Wipe(&other.text_);
    }
    return *this;
  }
  ~Secret() { Wipe(&text_); }

  bool empty() const { return text_.empty(); }
  // Not for logs, errors, metrics or answers.
  std::string_view Reveal() const { return text_; }
  const char* c_str() const { return text_.c_str(); }

  // A short string moved from keeps its bytes where it was: they go too.
  static void Wipe(std::string* text) {
    text->resize(text->capacity());
    ::explicit_bzero(text->data(), text->size());
    text->clear();
  }

 private:
  std::string text_;
};

// What stands in place of a secret wherever a configuration is shown.
inline constexpr std::string_view kRedacted = "[REDACTED]";

}  // namespace weft

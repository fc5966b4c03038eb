// SPDX-License-Identifier: Apache-2.0
//
// TextPage: sorted distinct byte strings, front-coded: each string is stored as the count of bytes
// it shares with the one before and the rest; every 16th is whole, so that looking one up reads at
// most
// 16. docs/format_block.md, section "Dictionaries".
//
// Thread rule: a builder by one thread; a TextPage is immutable and borrows its payload.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::column {

class TextPageBuilder {
 public:
  // REQUIRES: greater than all before.
  void Add(std::string_view text);
  uint32_t count() const { return count_; }
  // Of the raw strings: what a page's size is measured by.
  size_t raw_bytes() const { return raw_bytes_; }
  // The payload; starts over.
  std::string Finish();

 private:
  std::string entries_;
  std::string last_;
  std::vector<uint32_t> restarts_;  // offsets into entries_
  uint32_t count_ = 0;
  size_t raw_bytes_ = 0;
};

class TextPage {
 public:
  // Checks the frame; entries are checked as they are read.
  static Result<TextPage> Open(std::string_view payload);
  uint32_t count() const { return count_; }
  // REQUIRES: index < count().
  Result<std::string> Get(uint32_t index) const;
  // Index of exactly this string, or count().
  Result<uint32_t> Find(std::string_view text) const;
  // The view dies with the call.
  Status ForEach(const std::function<void(uint32_t, std::string_view)>& visit) const;

 private:
  Result<std::string_view> Restart(uint32_t restart) const;
  // Reads entries from a restart on, until `visit` returns false or the page ends.
  template <class Visit>
  Status Walk(uint32_t restart, Visit visit) const;
  uint32_t RestartOffset(uint32_t restart) const;

  std::string_view entries_, restarts_;
  uint32_t count_ = 0;
};

}  // namespace weft::column

// SPDX-License-Identifier: Apache-2.0
//
// A file that a user names on the command line, or standard input ("-"), as a ByteSource: regular
// files, pipes and process substitutions alike.
//
// Thread rule: one thread at a time. Used by cli/import_run.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "wire/byte_source.h"

namespace weft::cli {

class InputFile : public wire::ByteSource {
 public:
  static Result<std::unique_ptr<InputFile>> Open(const std::string& path);
  ~InputFile() override;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  Result<size_t> Read(std::span<char> to) override;
  bool is_regular() const { return is_regular_; }
  uint64_t bytes() const { return bytes_; }  // 0 when it is no regular file
  uint64_t modified_ns() const { return modified_ns_; }
  uint64_t position() const { return position_; }

 private:
  explicit InputFile(int descriptor) : descriptor_(descriptor) {}

  const int descriptor_;
  bool is_regular_ = false;
  uint64_t bytes_ = 0, modified_ns_ = 0, position_ = 0;
};

}  // namespace weft::cli

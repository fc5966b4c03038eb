// SPDX-License-Identifier: Apache-2.0
//
// A file that a user names on the command line, or standard input ("-"), as a ByteSource: regular
// files, pipes and process substitutions alike. Where it waits for input, a flag that another
// thread or a signal handler sets ends the waiting.
//
// Thread rule: one thread at a time. Used by cli/import_run.cc.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "wire/byte_source.h"

namespace weft::cli {

class InputFile : public wire::ByteSource {
 public:
  // `stop` must outlive it.
  static Result<std::unique_ptr<InputFile>> Open(const std::string& path,
                                                 const std::atomic<bool>* stop);
  ~InputFile() override;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // kCancelled where `stop` was set while nothing came.
  Result<size_t> Read(std::span<char> to) override;
  bool is_regular() const { return is_regular_; }
  uint64_t bytes() const { return bytes_; }  // 0 when it is no regular file
  uint64_t modified_ns() const { return modified_ns_; }
  uint64_t position() const { return position_; }

 private:
  InputFile(int descriptor, const std::atomic<bool>* stop) : descriptor_(descriptor), stop_(stop) {}
  Status WaitForInput() const;

  const int descriptor_;
  const std::atomic<bool>* const stop_;
  bool is_regular_ = false;
  uint64_t bytes_ = 0, modified_ns_ = 0, position_ = 0;
};

}  // namespace weft::cli

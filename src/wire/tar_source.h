// SPDX-License-Identifier: Apache-2.0
//
// The regular files of a tar archive, one after the other, each as a ByteSource. ustar, pax and
// GNU headers; names are kept for messages only, nothing is ever written to disk.
//
//   TarSource tar(&source);
//   while (true) { WEFT_ASSIGN(bool more, tar.Next()); if (!more) break; ... tar.Read(...) ... }
//
// Thread rule: one thread at a time. Source: POSIX.1-2017 pax, "ustar Interchange Format".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/byte_source.h"

namespace weft::wire {

inline constexpr size_t kTarBlockBytes = 512;
// True when the first block of a file is a tar header.
bool LooksLikeTar(std::string_view head);

class TarSource : public ByteSource {
 public:
  // `from` must outlive it.
  explicit TarSource(ByteSource* from) : from_(from) {}
  // Goes to the next regular file, past what was not read of this one. False at the end.
  Result<bool> Next();
  // The present file.
  Result<size_t> Read(std::span<char> to) override;
  const std::string& name() const { return name_; }

 private:
  Result<bool> ReadHeader(char* block);
  Status Skip(uint64_t bytes);

  ByteSource* const from_;
  std::string name_;
  uint64_t left_ = 0, padding_ = 0;  // of the present file
  uint64_t offset_ = 0;              // in the archive
};

}  // namespace weft::wire

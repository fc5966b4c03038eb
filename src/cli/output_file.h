// SPDX-License-Identifier: Apache-2.0
//
// A file that a command writes, or standard output: compressed as its name says (.gz, .zst, .lz4),
// and under its name only when it is whole. A pipe or a device is written as it is.
//
// Thread rule: one thread at a time. Used by cli/export_command.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/draft_file.h"
#include "wire/compression.h"

namespace weft::cli {

class OutputFile {
 public:
  // Empty or "-": standard output.
  static Result<std::unique_ptr<OutputFile>> Create(const std::string& path);
  // Removes what was not finished.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Each call's bytes are a frame of their own where they are compressed: call it with much.
  Status Write(std::string_view bytes);
  Status Finish();

 private:
  OutputFile(std::string path, std::optional<DraftFile> draft, int descriptor);

  const std::string path_;          // empty: standard output
  std::optional<DraftFile> draft_;  // until it is whole; none: a pipe or a device
  int descriptor_;                  // the draft's where there is one; -1: finished
  const wire::Compression compression_;
};

}  // namespace weft::cli

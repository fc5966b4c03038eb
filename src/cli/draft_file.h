// SPDX-License-Identifier: Apache-2.0
//
// A file that is to take the place of another when it is whole. Until then it lies beside it under
// a name that nobody can know: where others may write to the folder too (/tmp), a link that was put
// there in advance is neither followed nor overwritten.
//
// Thread rule: one thread at a time. Used by cli/output_file.h, cli/import_journal.h.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::cli {

class DraftFile {
 public:
  static Result<DraftFile> Create(std::string path);
  // Removes what was not kept.
  ~DraftFile();
  DraftFile(DraftFile&& other) noexcept;
  DraftFile& operator=(DraftFile&&) = delete;

  int descriptor() const { return descriptor_; }
  Status Write(std::string_view bytes);
  // Gives it the name of the file that it replaces; on disk before, where `sync`.
  Status Keep(bool sync);

 private:
  DraftFile(std::string path, std::string draft, int descriptor);

  std::string path_, draft_;
  int descriptor_;  // -1: kept
};

// Refuses a link, a pipe or a device that another user has put where everybody may write, as the
// kernel does where fs.protected_symlinks and fs.protected_fifos are on; with `believed`, a file
// too, for what is in it is taken at its word.
Status CheckPlanted(const std::string& path, bool believed = false);

// All of it, or why not.
Status WriteAll(int descriptor, std::string_view bytes, std::string_view name);
// The error for a call that has just failed, by errno: "WHAT: No space left on device".
std::unexpected<Error> FailErrno(std::string_view what);

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
//
// How far an import has come, in a small JSON file that `weft import --resume FILE` keeps: which
// files are done, where in the present one everything is stored, and the counts so far. A later run
// goes on from there. It is replaced as a whole (rename), at most once a second: after a crash the
// last second is imported again, and its spans are counted as duplicates.
//
// Thread rule: one thread. Used by cli/import_run.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/import.h"

namespace weft::cli {

// Why something is not there: the first reasons of each kind.
struct ImportReason {
  std::string message;  // with the file and the place in it
  uint64_t count = 0;   // items it stands for: the first one's reason is told
};

struct ImportTotals {
  store::ImportCounts counts;
  uint64_t bad_documents = 0, metric_points = 0, files = 0, failed_files = 0;
  uint64_t left_out = 0;  // values of resources, scopes and processes
  // Of this run alone: no journal keeps them.
  std::vector<ImportReason> rejections, omissions, problems;
};

// A file that has another size or time than noted is another file.
struct ImportFile {
  std::string path;
  uint64_t bytes = 0, modified_ns = 0;
};

struct ImportPlace {
  uint64_t member = 0;  // of an archive: those before it are done
  uint64_t offset = 0;  // in it, decompressed: everything before is done
};

class ImportJournal {
 public:
  // An empty path keeps nothing. `target` names where the import goes: a journal of another one is
  // refused.
  static Result<ImportJournal> Open(std::string path, std::string target);

  // Where to begin; nothing when the file is done.
  std::optional<ImportPlace> Find(const ImportFile& file) const;
  // Of the runs before this one.
  const ImportTotals& totals() const { return totals_; }

  void NotePlace(const ImportFile& file, const ImportPlace& place);
  void NoteDone(const ImportFile& file);
  // Writes what was noted, with the counts that belong to it; not `now`: when a second has passed.
  Status Save(const ImportTotals& totals, bool now);

 private:
  struct Entry {
    uint64_t bytes = 0, modified_ns = 0;
    bool done = false;
    ImportPlace place;
  };

  Status Read(const std::string& text);

  std::string path_, target_;
  std::map<std::string, Entry> files_;
  ImportTotals totals_;
  std::chrono::steady_clock::time_point saved_{};
};

}  // namespace weft::cli

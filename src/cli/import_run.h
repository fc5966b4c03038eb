// SPDX-License-Identifier: Apache-2.0
//
// One `weft import`: the files one after the other, each taken out of its compression and its
// archive, read piece by piece (codec/trace_file.h) and stored in batches of some thousand spans,
// also where each file holds but a few. Memory: one piece and one batch.
//
// Thread rule: one thread; Interrupt() from anywhere. Made by cli/import_command.cc.
// Next: cli/import_target.h, cli/import_journal.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/import_journal.h"
#include "cli/import_target.h"
#include "cli/input_file.h"
#include "codec/trace_file.h"
#include "terminal/progress_bar.h"

namespace weft::cli {

class ImportRun {
 public:
  // Both must outlive it.
  ImportRun(ImportTarget* target, ImportJournal* journal, codec::TraceFormat format,
            uint64_t item_bytes_max = codec::kItemBytesMax)
      : target_(target),
        journal_(journal),
        format_(format),
        item_bytes_max_(item_bytes_max),
        totals_(journal->totals()) {}

  // What cannot be read is printed and counted. An error: the target takes nothing any more, or the
  // run was interrupted (kCancelled); what came before is stored.
  Status Files(const std::vector<std::string>& paths);
  const ImportTotals& totals() const { return totals_; }

  // Safe in a signal handler.
  static void Interrupt() { interrupted_ = true; }

 private:
  Status File(const std::string& path);
  // `status` is of the file's reading; the result of storing.
  Status Source(InputFile* file, const ImportPlace& from, Status* status);
  Status Archive(wire::ByteSource* source, const ImportPlace& from, Status* status);
  Status Content(wire::ByteSource* source, uint64_t skip_to, Status* status);
  Status Take(codec::TracePiece piece);
  Status Flush();
  Status Stop();                          // kCancelled, after all that was read is stored
  void Problem(const std::string& text);  // the first ones of a file are said
  // Keeps the first ones for the end.
  void Note(std::vector<ImportReason>* reasons, const std::string& text, uint64_t count);
  void Say(const std::string& text);
  void ShowProgress();

  ImportTarget* const target_;
  ImportJournal* const journal_;
  const codec::TraceFormat format_;
  const uint64_t item_bytes_max_;
  terminal::ProgressBar progress_;
  ImportTotals totals_;
  SpanBatch pending_;
  codec::TraceFormat pending_format_ = codec::TraceFormat::kOtlp;
  size_t pending_bytes_ = 0;
  std::vector<ImportFile> finished_;  // with spans that are still pending
  ImportFile file_;                   // the present one
  std::string name_;                  // of it, or of it and the archive's member
  ImportPlace place_;                 // behind what is pending of it
  uint64_t problems_ = 0;             // of the present file
  const InputFile* input_ = nullptr;
  uint64_t bytes_total_ = 0, bytes_done_ = 0;  // of regular files; done: of those before this one

  static inline std::atomic<bool> interrupted_ = false;
};

}  // namespace weft::cli

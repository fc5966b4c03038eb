// SPDX-License-Identifier: Apache-2.0
#include "cli/import_run.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "terminal/terminal.h"
#include "wire/decompress_source.h"
#include "wire/tar_source.h"

namespace weft::cli {

using terminal::CleanText;

namespace {

constexpr size_t kPendingItems = 5'000, kPendingBytes = 16 << 20;
constexpr uint64_t kProblemsShown = 10;  // a file
constexpr size_t kReasonsMax = 100;      // of each kind

// Everything of `from`, kept alive by `to`.
void Append(SpanBatch from, SpanBatch* to) {
  auto owner = std::make_shared<const SpanBatch>(std::move(from));
  const auto resource_base = static_cast<uint32_t>(to->resources.size());
  const auto scope_base = static_cast<uint32_t>(to->scopes.size());
  to->resources.insert(to->resources.end(), owner->resources.begin(), owner->resources.end());
  to->scopes.insert(to->scopes.end(), owner->scopes.begin(), owner->scopes.end());
  auto append = [&](const auto& items, auto* all) {
    for (auto item : items) {
      item.resource += resource_base;
      item.scope += scope_base;
      all->push_back(item);
    }
  };
  append(owner->spans, &to->spans);
  append(owner->logs, &to->logs);
  to->owners.push_back(std::move(owner));
}

uint64_t RegularFileBytes(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  return error ? 0 : bytes;
}

}  // namespace

Status ImportRun::Files(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) bytes_total_ += RegularFileBytes(path);
  Status stored;
  for (const std::string& path : paths) {
    stored = File(path);
    if (!stored) break;
  }
  if (stored) stored = Flush();
  progress_.Clear();
  WEFT_TRY(journal_->Save(totals_, true));
  return stored;
}

Status ImportRun::File(const std::string& path) {
  name_ = path;
  problems_ = 0;
  place_ = {};
  auto failed = [this](const Error& error) {
    ++totals_.failed_files;
    Note(&totals_.problems, error.message, 1);
    Say(error.message);
  };
  auto opened = InputFile::Open(path, &interrupted_);
  if (!opened) {
    failed(opened.error());
    return {};
  }
  std::unique_ptr<InputFile> input = std::move(*opened);
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  file_ = {error ? path : whole.string(), input->bytes(), input->modified_ns()};
  std::optional<ImportPlace> from =
      input->is_regular() ? journal_->Find(file_) : std::optional(ImportPlace{});
  if (from) {
    place_ = *from;
    input_ = input.get();
    Status read;
    Status stored = Source(input.get(), *from, &read);
    input_ = nullptr;
    WEFT_TRY(stored);
    if (problems_ > kProblemsShown)
      terminal::PrintError(
          fmt::format("{}: {} more like these", CleanText(path), problems_ - kProblemsShown));
    if (read) {
      ++totals_.files;
    } else {
      failed(read.error());
    }
    if (input->is_regular()) finished_.push_back(file_);
  }
  bytes_done_ += input->bytes();
  return {};
}

Status ImportRun::Source(InputFile* file, const ImportPlace& from, Status* status) {
  auto plain = wire::OpenDecompressed(file);
  if (!plain) {
    if (interrupted_) return Stop();
    *status = Fail(plain.error());
    return {};
  }
  wire::PeekedSource source(plain->get());
  Result<std::string_view> head = source.Peek(wire::kTarBlockBytes);
  if (!head) {
    if (interrupted_) return Stop();
    *status = Fail(head.error());
    return {};
  }
  if (wire::LooksLikeTar(*head)) return Archive(&source, from, status);
  return Content(&source, from.offset, status);
}

// A file of the archive that cannot be read costs only itself.
Status ImportRun::Archive(wire::ByteSource* source, const ImportPlace& from, Status* status) {
  wire::TarSource tar(source);
  const std::string archive = name_;
  for (uint64_t member = 0;; ++member) {
    Result<bool> more = tar.Next();
    name_ = archive;
    if (!more) {
      if (interrupted_) return Stop();
      *status = Fail(more.error());
      return {};
    }
    if (!*more) return {};
    if (member < from.member) continue;
    name_ = archive + ": " + tar.name();
    Status read;
    auto plain = wire::OpenDecompressed(&tar);
    if (plain) {
      WEFT_TRY(Content(plain->get(), member == from.member ? from.offset : 0, &read));
    } else {
      if (interrupted_) return Stop();
      read = Fail(plain.error());
    }
    if (!read) {
      ++totals_.bad_documents;
      Problem(read.error().message);
    }
    place_ = {member + 1, 0};
  }
}

Status ImportRun::Content(wire::ByteSource* source, uint64_t skip_to, Status* status) {
  codec::TraceFileReader reader(source, format_, skip_to, item_bytes_max_);
  while (true) {
    if (interrupted_) return Stop();
    Result<std::optional<codec::TracePiece>> piece = reader.Next();
    ShowProgress();
    if (!piece) {
      if (interrupted_) return Stop();
      *status = Fail(piece.error());
      return {};
    }
    if (!*piece) return {};
    const uint64_t end = (*piece)->end;
    WEFT_TRY(Take(std::move(**piece)));
    place_.offset = end;
    if (pending_.spans.size() + pending_.logs.size() >= kPendingItems ||
        pending_bytes_ >= kPendingBytes)
      WEFT_TRY(Flush());
  }
}

Status ImportRun::Stop() {
  // Where the place is known: the journal must not lag behind the counts.
  WEFT_TRY(Flush());
  return Fail(ErrorCode::kCancelled, "interrupted");
}

Status ImportRun::Take(codec::TracePiece piece) {
  // What a copy is depends on the format: one batch has one. Nothing of the piece is counted yet.
  if (piece.format != pending_format_ && !(piece.traces.empty() && piece.logs.empty())) {
    WEFT_TRY(Flush());
    pending_format_ = piece.format;
  }
  if (!piece.problem.empty()) {
    ++totals_.bad_documents;
    Problem(piece.problem);
  }
  totals_.metric_points += piece.metric_points;
  for (SpanBatch* batch : {&piece.traces, &piece.logs}) {
    for (Rejection* rejection : {&batch->rejected_spans, &batch->rejected_logs}) {
      if (rejection->count == 0) continue;
      (rejection == &batch->rejected_spans ? totals_.counts.rejected
                                           : totals_.counts.rejected_logs) += rejection->count;
      Note(&totals_.rejections, rejection->message, rejection->count);
    }
    if (batch->left_out.count > 0) {
      totals_.left_out += batch->left_out.count;
      Note(&totals_.omissions, batch->left_out.message, batch->left_out.count);
    }
    if (batch->empty()) continue;
    pending_bytes_ += batch->received.size();
    Append(std::move(*batch), &pending_);
  }
  return {};
}

Status ImportRun::Flush() {
  if (!pending_.empty()) {
    WEFT_ASSIGN(store::ImportCounts counts, target_->Store(pending_, pending_format_));
    if (counts.rejected + counts.rejected_logs > 0 && !counts.rejected_message.empty())
      totals_.rejections.push_back(
          {counts.rejected_message, counts.rejected + counts.rejected_logs});
    totals_.counts.Add(counts);
    pending_ = {};
    pending_bytes_ = 0;
  }
  for (const ImportFile& file : std::exchange(finished_, {})) journal_->NoteDone(file);
  if (input_ != nullptr && input_->is_regular()) journal_->NotePlace(file_, place_);
  return journal_->Save(totals_, false);
}

void ImportRun::Note(std::vector<ImportReason>* reasons, const std::string& text, uint64_t count) {
  if (reasons->size() < kReasonsMax) reasons->push_back({name_ + ": " + text, count});
}

void ImportRun::Problem(const std::string& text) {
  Note(&totals_.problems, text, 1);
  if (++problems_ <= kProblemsShown) Say(text);
}

void ImportRun::Say(const std::string& text) {
  progress_.Clear();
  terminal::PrintError(fmt::format("{}: {}", CleanText(name_), CleanText(text)));
}

void ImportRun::ShowProgress() {
  const bool known = bytes_total_ > 0 && input_->is_regular();
  const double done = static_cast<double>(bytes_done_ + input_->position());
  progress_.Show(known ? done / static_cast<double>(bytes_total_) : -1,
                 totals_.counts.kept + totals_.counts.duplicates, name_);
}

}  // namespace weft::cli

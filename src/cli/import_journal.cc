// SPDX-License-Identifier: Apache-2.0
#include "cli/import_journal.h"

#include <simdjson.h>

#include <utility>
#include <vector>

#include "base/env.h"
#include "cli/draft_file.h"
#include "wire_core/json_writer.h"

namespace weft::cli {
namespace {

constexpr uint64_t kVersion = 1;
constexpr uint64_t kFileBytesMax = 1 << 30;

// The numbers of ImportTotals with their names in the file.
template <class Totals>
auto Numbers(Totals& totals) {
  return std::to_array<std::pair<const char*, decltype(&totals.files)>>(
      {{"kept", &totals.counts.kept},
       {"duplicates", &totals.counts.duplicates},
       {"rejected", &totals.counts.rejected},
       {"sameId", &totals.counts.same_id},
       {"finer", &totals.counts.finer},
       {"keptLogs", &totals.counts.kept_logs},
       {"duplicateLogs", &totals.counts.duplicate_logs},
       {"rejectedLogs", &totals.counts.rejected_logs},
       {"badDocuments", &totals.bad_documents},
       {"leftOut", &totals.left_out},
       {"metricPoints", &totals.metric_points},
       {"files", &totals.files},
       {"failedFiles", &totals.failed_files}});
}

}  // namespace

Result<ImportJournal> ImportJournal::Open(std::string path, std::string target) {
  ImportJournal journal;
  journal.path_ = std::move(path);
  journal.target_ = std::move(target);
  if (!journal.path_.empty()) WEFT_TRY(CheckPlanted(journal.path_, true));
  if (journal.path_.empty() || !PosixEnv()->Exists(journal.path_)) return journal;
  WEFT_ASSIGN(auto file, PosixEnv()->OpenRead(journal.path_));
  if (file->bytes() > kFileBytesMax)
    return Fail(ErrorCode::kInvalidArgument, journal.path_ + " is no journal of an import");
  std::string text(file->bytes(), '\0');
  WEFT_TRY(file->ReadAt(0, text));
  if (Status read = journal.Read(text); !read) return Fail(read.error().WithPrefix(journal.path_));
  return journal;
}

Status ImportJournal::Read(const std::string& text) {
  const auto wrong = Fail(ErrorCode::kInvalidArgument, "no journal of `weft import --resume`");
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  uint64_t version = 0;
  std::string_view target;
  simdjson::dom::array files;
  if (parser.parse(text).get(json) != simdjson::SUCCESS ||
      json["weftImport"].get(version) != simdjson::SUCCESS ||
      json["target"].get(target) != simdjson::SUCCESS ||
      json["files"].get(files) != simdjson::SUCCESS)
    return wrong;
  if (version != kVersion)
    return Fail(ErrorCode::kInvalidArgument, "written by a newer weft: take another file");
  if (target != target_)
    return Fail(ErrorCode::kInvalidArgument, "belongs to an import into " + std::string(target) +
                                                 ", not " + target_ + ": take another file");
  for (auto [name, value] : Numbers(totals_)) {
    // Not in what an older weft wrote.
    const bool optional = value == &totals_.left_out || value == &totals_.counts.same_id ||
                          value == &totals_.counts.finer;
    if (json["counts"][name].get(*value) != simdjson::SUCCESS && !optional) return wrong;
  }
  for (simdjson::dom::element one : files) {
    Entry entry;
    std::string_view path;
    if (one["path"].get(path) != simdjson::SUCCESS ||
        one["bytes"].get(entry.bytes) != simdjson::SUCCESS ||
        one["modifiedNs"].get(entry.modified_ns) != simdjson::SUCCESS ||
        one["done"].get(entry.done) != simdjson::SUCCESS ||
        one["member"].get(entry.place.member) != simdjson::SUCCESS ||
        one["offset"].get(entry.place.offset) != simdjson::SUCCESS)
      return wrong;
    files_[std::string(path)] = entry;
  }
  return {};
}

std::optional<ImportPlace> ImportJournal::Find(const ImportFile& file) const {
  auto found = files_.find(file.path);
  if (found == files_.end()) return ImportPlace{};
  const Entry& entry = found->second;
  if (entry.bytes != file.bytes || entry.modified_ns != file.modified_ns) return ImportPlace{};
  if (entry.done) return std::nullopt;
  return entry.place;
}

void ImportJournal::NotePlace(const ImportFile& file, const ImportPlace& place) {
  files_[file.path] = {file.bytes, file.modified_ns, false, place};
}

void ImportJournal::NoteDone(const ImportFile& file) {
  files_[file.path] = {file.bytes, file.modified_ns, true, {}};
}

Status ImportJournal::Save(const ImportTotals& totals, bool now) {
  constexpr auto kBetween = std::chrono::seconds(1);
  const auto time = std::chrono::steady_clock::now();
  if (path_.empty() || (!now && time - saved_ < kBetween)) return {};
  saved_ = time;
  std::string text;
  wire::JsonWriter json(&text);
  json.BeginObject();
  json.Field("weftImport", kVersion);
  json.Field("target", target_);
  json.Key("counts");
  json.BeginObject();
  for (auto [name, value] : Numbers(totals)) json.Field(name, *value);
  json.EndObject();
  json.Key("files");
  json.BeginArray();
  for (const auto& [path, entry] : files_) {
    json.BeginObject();
    json.Field("path", path);
    json.Field("bytes", entry.bytes);
    json.Field("modifiedNs", entry.modified_ns);
    json.Field("done", entry.done);
    json.Field("member", entry.place.member);
    json.Field("offset", entry.place.offset);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  text += '\n';
  WEFT_ASSIGN(DraftFile draft, DraftFile::Create(path_));
  WEFT_TRY(draft.Write(text));
  return draft.Keep(/*sync=*/now);
}

}  // namespace weft::cli

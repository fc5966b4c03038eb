// SPDX-License-Identifier: Apache-2.0
#include "store/manifest.h"

#include <algorithm>

#include "store/manifest_format.h"

namespace weft::store {
namespace {

// A file is written anew when it is this much longer than the state it began with.
constexpr uint64_t kRewriteSlackBytes = 64 * 1024;
constexpr uint64_t kManifestBytesMax = uint64_t{1} << 30;

std::string CurrentPath(const std::string& directory) { return directory + "/CURRENT"; }

Result<std::string> ReadFile(Env* env, const std::string& path) {
  WEFT_ASSIGN(const std::unique_ptr<ReadableFile> file, env->OpenRead(path));
  if (file->bytes() > kManifestBytesMax) {
    return Fail(ErrorCode::kCorruption, path + " is too long to be a manifest");
  }
  std::string bytes(file->bytes(), '\0');
  WEFT_TRY(file->ReadAt(0, bytes));
  return bytes;
}

Result<std::vector<uint64_t>> ManifestNumbers(Env* env, const std::string& directory) {
  WEFT_ASSIGN(const std::vector<DirEntry> entries, env->List(directory));
  std::vector<uint64_t> numbers;
  for (const DirEntry& entry : entries) {
    if (auto number = ParseManifestFileName(entry.name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// The number that CURRENT names; 0 when there is no such file or it says something else.
uint64_t CurrentNumber(Env* env, const std::string& directory) {
  auto text = ReadFile(env, CurrentPath(directory));
  if (!text) return 0;
  while (text->ends_with('\n')) text->pop_back();
  return ParseManifestFileName(*text).value_or(0);
}

Error ReadOnly(const Error& error) {
  return {ErrorCode::kUnavailable, "the manifest failed, the store is read-only: " + error.message};
}

}  // namespace

void ManifestState::Apply(const ManifestEdit& edit) {
  for (const BlockMeta& block : edit.added) {
    blocks[block.name.number] = block;
    obsolete.erase(block.name.number);
    next_block = std::max(next_block, block.name.number + 1);
  }
  for (const uint64_t number : edit.removed) {
    blocks.erase(number);
    obsolete.insert(number);
  }
  for (const uint64_t number : edit.gone) obsolete.erase(number);
  for (const auto& [tenant, sequence] : edit.flushed_through) {
    uint64_t& through = flushed_through[tenant];
    through = std::max(through, sequence);
  }
  for (const TenantTrace& trace : edit.split) split[trace.tenant].insert(trace.id);
  for (const TenantTrace& trace : edit.whole) split[trace.tenant].erase(trace.id);
  splits_unsure |= edit.splits_unsure;
  wal_freed_through = std::max(wal_freed_through, edit.wal_freed_through);
  logged_through = std::max(logged_through, edit.logged_through);
  next_block = std::max(next_block, edit.next_block);
  blocks_hold_below = std::max(blocks_hold_below, edit.blocks_hold_below);
}

ManifestEdit ManifestState::AsEdit() const {
  ManifestEdit edit;
  for (const auto& [number, block] : blocks) edit.added.push_back(block);
  edit.removed.assign(obsolete.begin(), obsolete.end());
  edit.flushed_through.assign(flushed_through.begin(), flushed_through.end());
  for (const auto& [tenant, ids] : split) {
    for (const TraceId& id : ids) edit.split.push_back({tenant, id});
  }
  edit.splits_unsure = splits_unsure;
  edit.wal_freed_through = wal_freed_through;
  edit.logged_through = logged_through;
  edit.next_block = next_block;
  edit.blocks_hold_below = blocks_hold_below;
  return edit;
}

ManifestFile Manifest::Parse(std::string_view bytes) {
  ManifestFile file;
  const auto header = ParseManifestHeader(bytes);
  if (!header) {
    file.damage = header.error().message;
    return file;
  }
  file.number = header->number;
  file.state.uuid = header->uuid;
  const uint32_t seed = ManifestSeed(*header);
  uint64_t expected = 0;
  uint64_t bad_at = 0;  // where the first record that does not verify stands
  for (uint64_t at = kManifestHeaderBytes; at < bytes.size();) {
    const auto record = ParseManifestRecord(seed, bytes.substr(at));
    if (!record) {
      if (bad_at == 0) bad_at = at;
      at += kWalAlignment;
      continue;
    }
    at += record->bytes;
    auto edit = ParseManifestEdit(record->payload);
    if (record->ordinal != expected || !edit) {
      file.damage = "the edit at byte " + std::to_string(bad_at != 0 ? bad_at : at) + " of " +
                    ManifestFileName(file.number) + " is damaged";
    }
    if (edit) file.state.Apply(*edit);
    expected = record->ordinal + 1;
    bad_at = 0;
  }
  file.torn = bad_at != 0;
  if (expected == 0) file.damage = ManifestFileName(file.number) + " holds no readable edit";
  return file;
}

Result<ManifestFile> Manifest::Load(Env* env, const std::string& directory) {
  WEFT_ASSIGN(const std::vector<uint64_t> numbers, ManifestNumbers(env, directory));
  if (numbers.empty()) return ManifestFile{};
  const uint64_t current = CurrentNumber(env, directory);
  // Without CURRENT, or with one that names nothing: the newest file that can be read at all.
  std::vector<uint64_t> order(numbers.rbegin(), numbers.rend());
  std::stable_partition(order.begin(), order.end(), [&](uint64_t n) { return n == current; });
  std::string damage;
  if (order.front() != current) damage = "CURRENT is missing or names no manifest";
  // A very first start that died before it wrote CURRENT.
  const bool first_start = numbers.back() == 1 && !env->Exists(CurrentPath(directory));
  if (first_start) damage.clear();
  for (const uint64_t number : order) {
    WEFT_ASSIGN(const std::string bytes, ReadFile(env, directory + "/" + ManifestFileName(number)));
    const auto header = ParseManifestHeader(bytes);
    if (!header && header.error().code == ErrorCode::kUnimplemented) return Fail(header.error());
    ManifestFile file = Parse(bytes);
    const bool readable = file.number == number && file.state.uuid != StoreUuid{};
    if (file.damage.empty()) file.damage = damage;
    if (readable) {
      file.number = numbers.back();
      return file;
    }
    damage = file.damage;
  }
  ManifestFile none;
  none.number = numbers.back();
  if (!first_start) none.damage = damage;
  return none;
}

Result<std::unique_ptr<Manifest>> Manifest::Create(Env* env, std::string directory,
                                                   ManifestState state, uint64_t number) {
  std::unique_ptr<Manifest> manifest(
      new Manifest(env, std::move(directory), std::move(state), number));
  WEFT_TRY(manifest->Start(number));
  return manifest;
}

Status Manifest::Start(uint64_t number) {
  const ManifestHeader header{number, state_.uuid};
  std::string bytes = EncodeManifestHeader(header);
  AppendManifestRecord(ManifestSeed(header), 0, state_.AsEdit(), &bytes);
  WEFT_ASSIGN(std::unique_ptr<WritableFile> file,
              env_->Create(directory_ + "/" + ManifestFileName(number)));
  WEFT_TRY(file->WriteAt(0, bytes));
  WEFT_TRY(file->DataSync());
  WEFT_TRY(env_->SyncDir(directory_));
  WEFT_TRY(SwitchCurrent(number));
  file_ = std::move(file);
  number_ = number;
  written_ = base_bytes_ = bytes.size();
  next_ordinal_ = 1;
  return {};
}

Status Manifest::SwitchCurrent(uint64_t number) {
  const std::string path = CurrentPath(directory_);
  const std::string temporary = TemporaryName(path);
  WEFT_ASSIGN(const std::unique_ptr<WritableFile> file, env_->Create(temporary));
  WEFT_TRY(file->WriteAt(0, ManifestFileName(number) + "\n"));
  WEFT_TRY(file->DataSync());
  WEFT_TRY(env_->Rename(temporary, path));
  return env_->SyncDir(directory_);
}

Status Manifest::RetireOlder(const std::string& quarantine) {
  WEFT_ASSIGN(const std::vector<uint64_t> numbers, ManifestNumbers(env_, directory_));
  for (const uint64_t number : numbers) {
    if (number >= number_) continue;
    const std::string path = directory_ + "/" + ManifestFileName(number);
    if (quarantine.empty()) {
      WEFT_TRY(env_->Remove(path));
    } else {
      WEFT_TRY(env_->Rename(path, quarantine + "/" + ManifestFileName(number)));
      WEFT_TRY(env_->SyncDir(quarantine));
    }
  }
  return {};
}

Status Manifest::Commit(const ManifestEdit& edit) {
  if (failed_) return Fail(*failed_);
  std::string bytes;
  AppendManifestRecord(ManifestSeed({number_, state_.uuid}), next_ordinal_, edit, &bytes);
  Status status = file_->WriteAt(written_, bytes);
  // Nothing has called these bytes an edit yet: the next one goes over them.
  if (!status && status.error().code == ErrorCode::kNoSpace) return status;
  if (status) status = file_->DataSync();
  if (!status) {
    failed_ = ReadOnly(status.error());
    return Fail(*failed_);
  }
  written_ += bytes.size();
  ++next_ordinal_;
  state_.Apply(edit);
  // The edit is durable, and in the new file too if there is one: what fails now fails later calls.
  if (const Status rewritten = RewriteIfLarge(); !rewritten) failed_ = ReadOnly(rewritten.error());
  return {};
}

Status Manifest::RewriteIfLarge() {
  if (written_ < 2 * base_bytes_ + kRewriteSlackBytes) return {};
  const Status started = Start(number_ + 1);
  if (started) return RetireOlder({});
  // On a full disk CURRENT still names the old file, which goes on.
  if (started.error().code == ErrorCode::kNoSpace) {
    base_bytes_ = written_;
    return {};
  }
  return Fail(started.error());
}

}  // namespace weft::store

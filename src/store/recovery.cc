// SPDX-License-Identifier: Apache-2.0
//
// Engine::Recover: from whatever a crash left to a store that takes appends. The manifest says
// which blocks live; a block file that it does not know (a crash between rename and edit, or damage
// to the manifest) is adopted if it opens, and replaces every block whose sequence range lies
// within its own. The log is replayed from where each tenant's blocks end.
#include <algorithm>
#include <random>

#include "store/engine.h"
#include "store/wal_batch.h"

namespace weft::store {
namespace {

// A reader beside a running server sees files go while it looks; the next look finds their heirs.
constexpr int kReadOnlyAttempts = 5;

bool Covers(const BlockName& outer, const BlockName& inner) {
  return outer.number != inner.number && outer.first_sequence <= inner.first_sequence &&
         outer.last_sequence >= inner.last_sequence;
}

StoreUuid RandomUuid() {
  std::random_device device;
  StoreUuid uuid;
  for (uint8_t& byte : uuid) byte = static_cast<uint8_t>(device());
  uuid[0] |= 1;  // never all zero, which means "none"
  return uuid;
}

// The store id that the oldest readable log segment names.
std::optional<StoreUuid> UuidFromLog(Env* env, const std::string& directory) {
  const auto entries = env->List(directory);
  if (!entries) return std::nullopt;
  for (const DirEntry& entry : *entries) {
    if (!ParseWalFileName(entry.name)) continue;
    const auto file = env->OpenRead(directory + "/" + entry.name);
    if (!file || (*file)->bytes() < kWalHeaderBytes) continue;
    std::string bytes(kWalHeaderBytes, '\0');
    if (!(*file)->ReadAt(0, bytes)) continue;
    const auto header = ParseWalHeader(bytes);
    if (header) return header->uuid;
  }
  return std::nullopt;
}

}  // namespace

Status Engine::Recover() {
  const uint64_t start_ns = clock_->MonotonicNs();
  if (!config_.read_only) WEFT_TRY(MakeDirectory());
  Status loaded;
  for (int attempt = 0; attempt < (config_.read_only ? kReadOnlyAttempts : 1); ++attempt) {
    tenants_.clear();
    stats_ = {};
    damage_->Clear();
    head_bytes_ = 0;
    last_attempt_ = !config_.read_only || attempt + 1 == kReadOnlyAttempts;
    loaded = LoadManifest();
    if (loaded) loaded = LoadBlocks();
    if (loaded) loaded = OpenLog();
    if (loaded || loaded.error().code != ErrorCode::kNotFound) break;
  }
  WEFT_TRY(loaded);
  CountBlocks();
  stats_.recovery_ns = clock_->MonotonicNs() - start_ns;
  StartThreads();
  return {};
}

Status Engine::MakeDirectory() {
  WEFT_TRY(env_->MakeDirs(Path("wal")));
  WEFT_TRY(env_->MakeDirs(Path("quarantine")));
  // The names of all directories on the way, also of those that an earlier start made and could not
  // sync. What this process may not read, it did not make.
  std::string path = config_.directory;
  for (;;) {
    const Status synced = env_->SyncDir(path);
    if (!synced && synced.error().code != ErrorCode::kPermissionDenied) return synced;
    const size_t slash = path.rfind('/');
    if (path == "/" || path == "." || path.empty()) break;
    path = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  }
  WEFT_ASSIGN(lock_, env_->Lock(Path("LOCK")));
  return {};
}

Status Engine::LoadManifest() {
  auto loaded = Manifest::Load(env_, config_.directory);
  if (!loaded) {
    if (config_.read_only) return Fail(loaded.error());
    return Fail(loaded.error().WithPrefix("cannot open the store"));
  }
  ManifestFile& file = *loaded;
  if (config_.read_only && file.number == 0 && !env_->Exists(Path("wal"))) {
    return Fail(ErrorCode::kInvalidArgument, config_.directory + " holds no weft store");
  }
  recovered_ = std::move(file.state);
  manifest_number_ = file.number + 1;
  manifest_damaged_ = !file.damage.empty();
  if (manifest_damaged_) damage_->NoteQuarantined(file.damage);
  if (recovered_.uuid == StoreUuid{}) {
    recovered_.uuid = UuidFromLog(env_, Path("wal")).value_or(RandomUuid());
  }
  return {};
}

Status Engine::LoadBlocks() {
  WEFT_ASSIGN(const std::vector<DirEntry> entries, env_->List(config_.directory));
  for (const auto& [number, meta] : recovered_.blocks) TenantOf(meta.tenant);
  for (const auto& [tenant, through] : recovered_.flushed_through) TenantOf(tenant);
  for (const DirEntry& entry : entries) {
    const auto tenant = TenantOfDirectory(entry.name);
    if (entry.is_directory && tenant) TenantOf(*tenant);
  }
  for (Tenant* tenant : AllTenants()) WEFT_TRY(LoadTenantBlocks(tenant->name));
  next_block_ = recovered_.next_block;
  bool blocks_missing = false;
  for (auto& [number, meta] : recovered_.blocks) {
    Tenant& tenant = TenantOf(meta.tenant);
    const std::string path = PathOfBlock(meta.tenant, meta.name);
    auto live = LiveBlock::Open(env_, path, meta, cache_, damage_, config_.clock_rule);
    if (!live->readable() && !last_attempt_ && !env_->Exists(path)) {
      return Fail(ErrorCode::kNotFound, live->problem());
    }
    blocks_missing |= !live->readable();
    meta = live->meta();
    tenant.blocks.push_back(std::move(live));
  }
  uint64_t newest_ns = 0;
  for (Tenant* tenant : AllTenants()) {
    std::ranges::sort(tenant->blocks, {},
                      [](const auto& live) { return live->meta().name.last_sequence; });
    const std::set<TraceId>& split = recovered_.split[tenant->name];
    tenant->splits = std::make_shared<SplitTraces>(SplitTraces::Set(split.begin(), split.end()));
    for (const auto& live : tenant->blocks) {
      newest_ns = std::max(newest_ns, live->meta().received_max_ns);
    }
  }
  if (manifest_damaged_ || recovered_.splits_unsure) blocks_missing |= !RecomputeSplits();
  recovered_.splits_unsure = blocks_missing;
  trusted_clock_ = std::make_unique<TrustedClock>(clock_, newest_ns);
  return {};
}

Status Engine::LoadTenantBlocks(const std::string& tenant) {
  const std::string directory = Path(TenantDirectory(tenant));
  if (!env_->Exists(directory)) return {};
  WEFT_ASSIGN(const std::vector<DirEntry> entries, env_->List(directory));
  std::vector<BlockName> orphans;
  for (const DirEntry& entry : entries) {
    const auto name = ParseBlockFileName(entry.name);
    if (name) {
      recovered_.next_block = std::max(recovered_.next_block, name->number + 1);
      // Nothing of this store's making: whoever put it there may have it.
      if (entry.is_directory) continue;
      const bool obsolete = recovered_.obsolete.contains(name->number);
      if (obsolete && !config_.read_only) {
        WEFT_TRY(env_->Remove(directory + "/" + entry.name));
      }
      if (!obsolete && !recovered_.blocks.contains(name->number)) orphans.push_back(*name);
    } else if (entry.name.ends_with(TemporaryName(".block")) && !config_.read_only) {
      WEFT_TRY(env_->Remove(directory + "/" + entry.name));
    }
  }
  return AdoptOrphans(tenant, std::move(orphans));
}

Status Engine::AdoptOrphans(const std::string& tenant, std::vector<BlockName> orphans) {
  // The widest first: it replaces what it was merged from.
  std::ranges::sort(orphans, std::greater(), [](const BlockName& name) {
    return std::pair(name.last_sequence - name.first_sequence, name.number);
  });
  for (const BlockName& orphan : orphans) {
    const auto covering = std::ranges::find_if(recovered_.blocks, [&](const auto& entry) {
      return entry.second.tenant == tenant && Covers(entry.second.name, orphan) &&
             OpensAsItself(entry.second);
    });
    if (covering != recovered_.blocks.end()) {
      if (!config_.read_only) WEFT_TRY(env_->Remove(PathOfBlock(tenant, orphan)));
      continue;
    }
    const std::string path = PathOfBlock(tenant, orphan);
    auto opened = block::OpenBlockWithIdentity(env_, path, cache_, nullptr, config_.clock_rule);
    if (!opened) {
      const std::string what = opened.error().message + "; no manifest knows the file";
      if (config_.read_only) {
        damage_->Note(what);
        continue;
      }
      damage_->NoteQuarantined(what + ", it is quarantined");
      WEFT_TRY(QuarantineBlock(tenant, orphan));
      continue;
    }
    ManifestEdit edit;
    edit.added.push_back(DescribeBlock(tenant, orphan, *opened));
    for (const auto& [number, meta] : recovered_.blocks) {
      if (meta.tenant == tenant && Covers(orphan, meta.name)) {
        edit.removed.push_back(number);
        edit.added[0].level = std::max(edit.added[0].level, meta.level + 1);
      }
    }
    edit.flushed_through.emplace_back(tenant, orphan.last_sequence);
    if (edit.removed.empty()) {
      // Of a flush: the edit that would have named its split traces is the one that is missing.
      Blocks others;
      for (const auto& [number, meta] : recovered_.blocks) {
        if (meta.tenant != tenant) continue;
        others.push_back(LiveBlock::Open(env_, PathOfBlock(tenant, meta.name), meta, cache_,
                                         std::make_shared<DamageLog>(nullptr), config_.clock_rule));
      }
      const auto splits = FindSplits(others, SplitTraces(), *opened->segment);
      edit.splits_unsure = !splits;
      for (size_t i = 0; splits && i < splits->size(); ++i) {
        edit.split.push_back({tenant, (*splits)[i]});
      }
    }
    recovered_.Apply(edit);
  }
  return {};
}

Status Engine::QuarantineBlock(const std::string& tenant, const BlockName& name) {
  const std::string quarantine = Path("quarantine");
  WEFT_TRY(env_->Rename(PathOfBlock(tenant, name),
                        quarantine + "/" + TenantDirectory(tenant) + "-" + BlockFileName(name)));
  return env_->SyncDir(quarantine);
}

bool Engine::OpensAsItself(const BlockMeta& meta) const {
  const auto quiet = std::make_shared<DamageLog>(nullptr);
  return LiveBlock::Open(env_, PathOfBlock(meta.tenant, meta.name), meta, cache_, quiet,
                         config_.clock_rule)
      ->readable();
}

bool Engine::RecomputeSplits() {
  bool sure = true;
  for (Tenant* tenant : AllTenants()) {
    SplitTraces::Set ids = tenant->splits->ids();
    for (const auto& live : tenant->blocks) {
      if (!live->readable()) continue;
      // A damaged page of it hides which traces it holds.
      const auto splits = FindSplits(tenant->blocks, SplitTraces(ids), *live->segment());
      sure &= splits.has_value();
      if (!splits) continue;
      for (const TraceId& id : *splits) {
        ids.insert(id);
        recovered_.split[tenant->name].insert(id);
      }
    }
    tenant->splits = std::make_shared<SplitTraces>(std::move(ids));
  }
  return sure;
}

Status Engine::OpenLog() {
  WalReplayReport report;
  WEFT_TRY(ReplayLog(&report));
  for (const std::string& what : report.damage) damage_->NoteQuarantined(what);
  stats_.torn_tail_bytes = report.torn_tail_bytes;
  memory_sequence_ = report.start.next_sequence;
  if (config_.read_only) return {};
  recovered_.obsolete.clear();
  const bool damaged_log =
      std::ranges::any_of(report.start.live, [](const WalSegment& s) { return s.damaged; });
  if (config_.durability != Durability::kMemory) {
    WEFT_TRY(SyncRecovered(report));
    WalOptions options{Path("wal"), recovered_.uuid, config_.durability, config_.wal_segment_bytes,
                       config_.observer};
    const Status started = StartManifest();
    if (!started && started.error().code != ErrorCode::kNoSpace) return started;
    WEFT_ASSIGN(wal_, Wal::Open(env_, clock_, std::move(options), std::move(report.start),
                                [this](uint64_t durable) { CutBack(durable); }));
  } else {
    WEFT_TRY(StartManifest());
  }
  // Frees the damaged segments, which moves them to quarantine. If it fails they stay in the log.
  if (damaged_log) [[maybe_unused]]
    const Status flushed = FlushNow();
  return {};
}

Status Engine::ReplayLog(WalReplayReport* report) {
  WalReplayOptions options{Path("wal"), recovered_.uuid,           recovered_.wal_freed_through,
                           0,           recovered_.logged_through, recovered_.blocks_hold_below};
  for (const auto& [tenant, through] : recovered_.flushed_through) {
    options.durable_sequence = std::max(options.durable_sequence, through);
  }
  if (!env_->Exists(options.directory)) {
    report->start.next_sequence = options.durable_sequence + 1;
    return {};
  }
  WEFT_ASSIGN(*report, ReplayWal(env_, options,
                                 [this](const WalRecord& record) { return ReplayRecord(record); }));
  return {};
}

Status Engine::ReplayRecord(const WalRecord& record) {
  const auto flushed = recovered_.flushed_through.find(std::string(record.tenant));
  if (flushed != recovered_.flushed_through.end() && record.sequence <= flushed->second) return {};
  WEFT_ASSIGN(std::vector<SpanBatch> batches, DecodeWalBatch(record.payload, record.items));
  if (batches.empty()) return {};
  Tenant& tenant = TenantOf(record.tenant);
  OpenChunks::Open* open = tenant.open.Take(record.items);
  for (SpanBatch& batch : batches) {
    batch.received_ns = record.received_ns;
    OpenChunks::ChunkOf(open).Append(batch);
    stats_.recovered_spans += batch.spans.size();
  }
  WEFT_TRY(tenant.open.Place(
      open, {record.received_ns, clock_->MonotonicNs()},
      [&]() -> Result<Wal::Place> { return Wal::Place{record.sequence, record.sequence}; }));
  return {};
}

Status Engine::SyncRecovered(const WalReplayReport& report) {
  // After kill -9 the last records may be in the page cache alone; the next segment's header will
  // call them durable.
  for (const WalSegment& segment : report.start.live) {
    WEFT_ASSIGN(const std::unique_ptr<WritableFile> file,
                env_->OpenWrite(Path("wal") + "/" + WalFileName(segment.number)));
    WEFT_TRY(file->DataSync());
  }
  return env_->SyncDir(Path("wal"));
}

Status Engine::StartManifest() {
  WEFT_ASSIGN(manifest_, Manifest::Create(env_, config_.directory, recovered_, manifest_number_));
  return manifest_->RetireOlder(manifest_damaged_ ? Path("quarantine") : std::string());
}

}  // namespace weft::store

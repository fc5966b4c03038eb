// SPDX-License-Identifier: Apache-2.0
#include "exporter/queue_log.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <random>

namespace weft::exporter {
namespace {

constexpr size_t kMovedAtOnce = 64;

store::StoreUuid RandomUuid() {
  std::random_device device;
  store::StoreUuid uuid;
  for (uint8_t& byte : uuid) byte = static_cast<uint8_t>(device());
  uuid[0] |= 1;  // never all zero, which means "none"
  return uuid;
}

// Of the oldest segment that says it. `any`: whether there is a segment at all.
Result<std::optional<store::StoreUuid>> UuidFromLog(Env* env, const std::string& directory,
                                                    bool* any) {
  WEFT_ASSIGN(const std::vector<DirEntry> entries, env->List(directory));
  std::vector<uint64_t> numbers;
  for (const DirEntry& entry : entries)
    if (const auto number = store::ParseWalFileName(entry.name)) numbers.push_back(*number);
  std::ranges::sort(numbers);
  *any = !numbers.empty();
  for (const uint64_t number : numbers) {
    WEFT_ASSIGN(const auto file, env->OpenRead(directory + "/" + store::WalFileName(number)));
    if (file->bytes() < store::kWalHeaderBytes) continue;
    std::string bytes(store::kWalHeaderBytes, '\0');
    WEFT_TRY(file->ReadAt(0, bytes));
    if (const auto header = store::ParseWalHeader(bytes)) return header->uuid;
  }
  return std::nullopt;
}

std::vector<SentRange> ToRanges(std::vector<uint64_t> sequences) {
  std::ranges::sort(sequences);
  std::vector<SentRange> ranges;
  for (const uint64_t sequence : sequences) {
    if (!ranges.empty() && ranges.back().last + 1 == sequence)
      ranges.back().last = sequence;
    else
      ranges.push_back({sequence, sequence});
  }
  return ranges;
}

void EraseRange(std::set<uint64_t>* set, const SentRange& range) {
  set->erase(set->lower_bound(range.first), set->upper_bound(range.last));
}

}  // namespace

QueueLog::QueueLog(Env* env, Clock* clock, QueueLogOptions options)
    : env_(env), clock_(clock), options_(std::move(options)) {}

QueueLog::~QueueLog() { Close(); }

std::string QueueLog::Path(std::string_view name) const {
  return options_.directory + "/" + std::string(name);
}

Result<std::unique_ptr<QueueLog>> QueueLog::Open(Env* env, Clock* clock, QueueLogOptions options,
                                                 QueueLogFound* found) {
  std::unique_ptr<QueueLog> log(new QueueLog(env, clock, std::move(options)));
  WEFT_TRY(log->MakeDirectories());
  WEFT_ASSIGN(log->lock_, env->Lock(log->Path("LOCK")));
  WEFT_TRY(log->ReadMark(found));
  WEFT_ASSIGN(store::WalStart start, log->Recover(found));
  store::WalOptions wal{.directory = log->Path("wal"),
                        .uuid = log->mark_.uuid,
                        .segment_bytes = log->options_.segment_bytes,
                        .spare_segments_max = 1};
  // Nothing is kept of a record but its completion, which hears of a failure.
  WEFT_ASSIGN(log->wal_, store::Wal::Open(env, clock, std::move(wal), std::move(start),
                                          [](uint64_t /*durable_sequence*/) {}));
  return log;
}

Status QueueLog::MakeDirectories() {
  WEFT_TRY(env_->MakeDirs(Path("wal")));
  WEFT_TRY(env_->MakeDirs(Path("quarantine")));
  // The names of all directories on the way, also of those that an earlier start made and could not
  // sync. What this process may not read, it did not make.
  std::string path = options_.directory;
  for (;;) {
    const Status synced = env_->SyncDir(path);
    if (!synced && synced.error().code != ErrorCode::kPermissionDenied) return synced;
    const size_t slash = path.rfind('/');
    if (path == "/" || path == "." || path.empty()) return {};
    path = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  }
}

Status QueueLog::ReadMark(QueueLogFound* found) {
  bool written = false;
  std::optional<QueueMark> newest;
  if (env_->Exists(Path("MARK"))) {
    WEFT_ASSIGN(const auto file, env_->OpenRead(Path("MARK")));
    std::string bytes(std::min(file->bytes(), kQueueMarkFileBytes), '\0');
    WEFT_TRY(file->ReadAt(0, bytes));
    written = bytes.find_first_not_of('\0') != std::string::npos;
    for (const uint64_t at : {uint64_t{0}, kQueueMarkSlotBytes}) {
      if (at >= bytes.size()) continue;
      auto mark = ParseQueueMark(std::string_view(bytes).substr(at, kQueueMarkSlotBytes));
      if (!mark && mark.error().code == ErrorCode::kUnimplemented)
        return Fail(mark.error().WithPrefix(Path("MARK")));
      if (mark && (!newest || mark->number > newest->number)) newest = *mark;
    }
  }
  if (newest) {
    mark_ = *newest;
    WEFT_ASSIGN(mark_file_, env_->OpenWrite(Path("MARK")));
    return {};
  }
  // It stands on disk before the first segment does.
  bool any_segment = false;
  WEFT_ASSIGN(const auto uuid, UuidFromLog(env_, Path("wal"), &any_segment));
  if (any_segment)
    found->damage.push_back(Path("MARK") +
                            " is damaged or gone: requests that "
                            "were sent may be sent again");
  if (any_segment && written) {
    WEFT_TRY(env_->Rename(Path("MARK"), Path("quarantine/MARK")));
    WEFT_TRY(env_->SyncDir(Path("quarantine")));
  }
  mark_.uuid = uuid.value_or(RandomUuid());
  return NewMark();
}

Status QueueLog::NewMark() {
  WEFT_ASSIGN(mark_file_, env_->Create(Path("MARK")));
  WEFT_TRY(mark_file_->Preallocate(kQueueMarkFileBytes));
  const std::string slot = EncodeQueueMark(mark_);
  WEFT_TRY(mark_file_->WriteAt(mark_.number % 2 * kQueueMarkSlotBytes, slot));
  WEFT_TRY(mark_file_->DataSync());
  return env_->SyncDir(options_.directory);
}

Status QueueLog::WriteMark(uint64_t freed_through) {
  WEFT_TRY(mark_status_);
  QueueMark mark{.number = mark_.number + 1,
                 .uuid = mark_.uuid,
                 .freed_through = freed_through,
                 .needed_from = NeededFrom(),
                 .durable_through = wal_->synced_sequence()};
  WEFT_TRY(mark_file_->WriteAt(mark.number % 2 * kQueueMarkSlotBytes, EncodeQueueMark(mark)));
  if (Status synced = mark_file_->DataSync(); !synced) {
    // What it left on disk is not known, and no mark may be built on it.
    std::lock_guard lock(mutex_);
    return mark_status_ = Fail(ErrorCode::kUnavailable,
                               "a mark could not be synced: " + synced.error().message);
  }
  mark_ = mark;
  return {};
}

Result<store::WalReplayReport> QueueLog::Replay(
    const std::function<Status(const store::WalRecord&, const QueueRecord&)>& visit) {
  const store::WalReplayOptions options{.directory = Path("wal"),
                                        .uuid = mark_.uuid,
                                        .freed_through = mark_.freed_through,
                                        .logged_through = mark_.durable_through,
                                        .blocks_hold_below = mark_.needed_from};
  return store::ReplayWal(env_, options, [&](const store::WalRecord& record) -> Status {
    WEFT_ASSIGN(const QueueRecord parsed, ParseQueueRecord(record.payload));
    return visit(record, parsed);
  });
}

Result<store::WalStart> QueueLog::Recover(QueueLogFound* found) {
  // Twice: what was sent stands behind the requests, and only the others are to be held in memory.
  WEFT_ASSIGN(store::WalReplayReport report,
              Replay([this](const store::WalRecord& record, const QueueRecord& parsed) -> Status {
                if (parsed.signal) needed_.insert(record.sequence);
                for (const SentRange& range : parsed.sent) EraseRange(&needed_, range);
                return {};
              }));
  // Segments that are still there for others' sake.
  needed_.erase(needed_.begin(), needed_.lower_bound(mark_.needed_from));
  WEFT_TRY(Replay([&](const store::WalRecord& record, const QueueRecord& parsed) -> Status {
    if (!parsed.signal || !needed_.contains(record.sequence)) return {};
    found->requests.push_back({.sequence = record.sequence,
                               .request = {.signal = *parsed.signal,
                                           .tenant = std::string(record.tenant),
                                           .received_ns = record.received_ns,
                                           .items = record.items,
                                           .body = std::string(parsed.body)}});
    return {};
  }));
  for (const std::string& what : report.damage)
    found->damage.push_back(options_.directory + ": " + what);
  // After kill -9 the last records may be in the page cache alone; the next segment's header will
  // call them durable.
  for (const store::WalSegment& segment : report.start.live) {
    if (segment.damaged) damaged_through_ = std::max(damaged_through_, segment.last_sequence);
    WEFT_ASSIGN(const std::unique_ptr<WritableFile> file,
                env_->OpenWrite(Path("wal") + "/" + store::WalFileName(segment.number)));
    WEFT_TRY(file->DataSync());
  }
  WEFT_TRY(env_->SyncDir(Path("wal")));
  return std::move(report.start);
}

void QueueLog::Append(const SendRequest& request, Logged logged) {
  if (request.body.size() > store::kWalPartBytesMax ||
      request.tenant.size() > std::numeric_limits<uint16_t>::max())
    return logged(Fail(ErrorCode::kTooLarge, "a request is more than one log record holds"));
  if (const Status taken = status(); !taken) return logged(Fail(taken.error()));
  store::Wal::Entry entry;
  entry.received_ns = request.received_ns;
  entry.items = request.items;
  entry.tenant = request.tenant;
  entry.payload = EncodeRequest(request);
  auto sequence = std::make_shared<uint64_t>(0);
  entry.done = [this, sequence, logged = std::move(logged)](const Status& status) mutable {
    OnLogged(*sequence, status, logged);
  };
  store::Wal::Record record = store::Wal::MakeRecord(std::move(entry));
  Status refused;
  {
    // The completion needs the lock too, and so finds the number.
    std::lock_guard lock(mutex_);
    const Result<store::Wal::Place> queued = wal_->Enqueue(record);
    if (queued)
      needed_.insert(*sequence = queued->sequence);
    else
      refused = Fail(queued.error());
  }
  if (!refused) return record.entry().done(std::move(refused));
  wal_->Wake();
}

void QueueLog::OnLogged(const uint64_t& sequence, const Status& status, Logged& logged) {
  uint64_t known = 0;
  {
    // Append() has set it when it lets go of the lock.
    std::lock_guard lock(mutex_);
    known = sequence;
    if (!status) needed_.erase(known);
  }
  if (status) return logged(known);
  logged(Fail(status.error()));
}

void QueueLog::Sent(uint64_t sequence) {
  std::lock_guard lock(mutex_);
  needed_.erase(sequence);
  sent_.push_back(sequence);
}

size_t QueueLog::unwritten_sent() const {
  std::lock_guard lock(mutex_);
  return sent_.size();
}

uint64_t QueueLog::NeededFrom() const {
  std::lock_guard lock(mutex_);
  // Without the lock the log could get a request in between.
  return needed_.empty() ? wal_->synced_sequence() + 1 : *needed_.begin();
}

void QueueLog::WriteSent() {
  auto sent = std::make_shared<std::vector<uint64_t>>();
  {
    std::lock_guard lock(mutex_);
    sent->swap(sent_);
  }
  if (sent->empty()) return;
  store::Wal::Entry entry;
  entry.received_ns = clock_->NowNs();
  entry.payload = EncodeSent(ToRanges(*sent));
  entry.done = [this, sent](const Status& status) {
    if (status) return;
    std::lock_guard lock(mutex_);
    sent_.insert(sent_.end(), sent->begin(), sent->end());
  };
  store::Wal::Record record = store::Wal::MakeRecord(std::move(entry));
  const Result<store::Wal::Place> queued = wal_->Enqueue(record);
  if (!queued) return record.entry().done(Fail(queued.error()));
  wal_->Wake();
}

Status QueueLog::Tidy() {
  if (may_resume() && !wal_->status()) [[maybe_unused]]
    const Status resumed = wal_->Resume();
  WriteSent();
  const uint64_t through = wal_->FreeableThrough(NeededFrom());
  if (through <= mark_.freed_through) return {};
  WEFT_TRY(WriteMark(through));
  return wal_->Free(through, Path("quarantine"));
}

std::vector<uint64_t> QueueLog::InTheWay() const {
  const bool too_many = wal_->segment_count() > options_.segments_max;
  std::lock_guard lock(mutex_);
  std::vector<uint64_t> sequences;
  for (const uint64_t sequence : needed_) {
    if (sequences.size() == kMovedAtOnce || (!too_many && sequence > damaged_through_)) break;
    sequences.push_back(sequence);
  }
  return sequences;
}

Status QueueLog::status() const {
  {
    std::lock_guard lock(mutex_);
    WEFT_TRY(mark_status_);
  }
  return wal_->status();
}

bool QueueLog::may_resume() const {
  std::lock_guard lock(mutex_);
  return mark_status_.has_value() && !wal_->failed_for_good();
}

void QueueLog::Close() {
  if (wal_ == nullptr || closed_) return;
  closed_ = true;
  WriteSent();
  wal_->Close();
  // Tells the next start where the log must reach to. Without it that start knows less.
  if (!wal_->failed_for_good()) [[maybe_unused]]
    const Status marked = WriteMark(mark_.freed_through);
  mark_file_.reset();
  lock_.reset();
}

}  // namespace weft::exporter

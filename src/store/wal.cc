// SPDX-License-Identifier: Apache-2.0
#include "store/wal.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"

namespace weft::store {
namespace {

// What one sync carries at most, so that a queue that grew during a slow sync does not make the
// next one slower still.
constexpr uint64_t kGroupBytesMax = 8u << 20;
// After the last record stand at least 8 zero bytes, and every write ends at a page: the kernel
// then never has to read a recycled page before it changes it.
constexpr uint64_t kTerminatorBytes = 8;
constexpr uint64_t kPageBytes = 4096;
// How much a relaxed log may lose.
constexpr uint64_t kRelaxedSyncNs = 1'000'000'000;
constexpr uint32_t kRetryAfterSeconds = 5;

}  // namespace

Wal::Wal(Env* env, Clock* clock, WalOptions options, CutBack cut_back)
    : env_(env), clock_(clock), options_(std::move(options)), cut_back_(std::move(cut_back)) {}

Wal::~Wal() { Close(); }

Result<std::unique_ptr<Wal>> Wal::Open(Env* env, Clock* clock, WalOptions options, WalStart start,
                                       CutBack cut_back) {
  WEFT_CHECK(options.durability != Durability::kMemory);
  std::unique_ptr<Wal> wal(new Wal(env, clock, std::move(options), std::move(cut_back)));
  wal->next_sequence_ = start.next_sequence;
  wal->next_segment_ = start.next_segment;
  wal->acknowledged_ = wal->synced_ = wal->last_in_file_ = start.next_sequence - 1;
  wal->segments_ = std::move(start.live);
  for (uint64_t number : start.leftovers) {
    if (wal->spares_.size() < wal->options_.spare_segments_max) {
      wal->spares_.push_back(number);
    } else {
      WEFT_TRY(env->Remove(wal->PathOf(number)));
    }
  }
  const Status started = wal->StartSegment(0, start.next_sequence);
  if (!started) {
    if (started.error().code != ErrorCode::kNoSpace) return Fail(started.error());
    wal->state_ = State::kFull;
    wal->takes_ = false;
    wal->error_ = started.error();
  }
  wal->thread_ = std::thread([raw = wal.get()] { raw->Run(); });
  return wal;
}

std::string Wal::PathOf(uint64_t number) const {
  return options_.directory + "/" + WalFileName(number);
}

Status Wal::Closed() const {
  if (closing_) return Fail(ErrorCode::kUnavailable, "the store is closing");
  if (state_ == State::kOpen) return {};
  return Fail(error_);
}

Wal::Record Wal::MakeRecord(Entry entry) {
  Record record;
  record.node_.push_back({0, WalRecordType::kBatch, std::move(entry)});
  return record;
}

Result<Wal::Place> Wal::Enqueue(Record& record) {
  std::lock_guard lock(mutex_);
  WEFT_TRY(Closed());
  const Place place{next_sequence_++, acknowledged_};
  Pending& pending = record.node_.front();
  pending.sequence = place.sequence;
  queued_bytes_ += pending.entry.payload.size();
  queue_.splice(queue_.end(), record.node_);
  return place;
}

void Wal::Wake() { work_.notify_one(); }

uint64_t Wal::acknowledged_sequence() const {
  std::lock_guard lock(mutex_);
  return acknowledged_;
}

uint64_t Wal::synced_sequence() const {
  std::lock_guard lock(mutex_);
  return synced_;
}

uint64_t Wal::epoch() const {
  std::lock_guard lock(mutex_);
  return epoch_;
}

bool Wal::WaitAcknowledged(uint64_t sequence, uint64_t epoch) {
  std::unique_lock lock(mutex_);
  settled_.wait(lock, [&] { return epoch_ != epoch || acknowledged_ >= sequence; });
  return epoch_ == epoch;
}

Result<bool> Wal::WaitSynced(uint64_t sequence, uint64_t epoch) {
  std::unique_lock lock(mutex_);
  sync_wanted_ = std::max(sync_wanted_, sequence);
  work_.notify_one();
  settled_.wait(lock, [&] {
    return epoch_ != epoch || synced_ >= sequence || (state_ != State::kOpen && !cutting_back_);
  });
  if (epoch_ == epoch && synced_ < sequence) return Fail(error_);
  return epoch_ == epoch;
}

Status Wal::status() const {
  if (takes_) return {};
  std::lock_guard lock(mutex_);
  return Closed();
}

bool Wal::failed_for_good() const {
  if (takes_) return false;
  std::lock_guard lock(mutex_);
  return state_ == State::kFailed;
}

Status Wal::Resume() {
  std::unique_lock lock(mutex_);
  if (state_ != State::kFull || closing_) return Closed();
  resume_wanted_ = true;
  work_.notify_one();
  settled_.wait(lock, [&] { return !resume_wanted_; });
  return Closed();
}

uint64_t Wal::FreeableThrough(uint64_t sequence) const {
  std::lock_guard lock(mutex_);
  uint64_t through = 0;
  for (size_t i = 0; i + 1 < segments_.size() && segments_[i].last_sequence < sequence; ++i) {
    through = segments_[i].number;
  }
  return through;
}

Status Wal::Free(uint64_t through, const std::string& quarantine) {
  std::vector<WalSegment> freed;
  size_t spare_count = 0;
  {
    std::lock_guard lock(mutex_);
    while (segments_.size() > 1 && segments_.front().number <= through) {
      freed.push_back(segments_.front());
      segments_.erase(segments_.begin());
    }
    // On a full disk freed means freed.
    spare_count = state_ == State::kOpen ? options_.spare_segments_max : 0;
  }
  for (const WalSegment& segment : freed) {
    if (segment.damaged) {
      WEFT_TRY(
          env_->Rename(PathOf(segment.number), quarantine + "/" + WalFileName(segment.number)));
      WEFT_TRY(env_->SyncDir(quarantine));
      continue;
    }
    {
      std::lock_guard lock(mutex_);
      if (spares_.size() < spare_count) {
        spares_.push_back(segment.number);
        continue;
      }
    }
    WEFT_TRY(env_->Remove(PathOf(segment.number)));
  }
  return {};
}

uint64_t Wal::segment_count() const {
  std::lock_guard lock(mutex_);
  return segments_.size();
}

WalStats Wal::stats() const {
  std::lock_guard lock(mutex_);
  WalStats stats = stats_;
  stats.segments = segments_.size();
  stats.queued_bytes = queued_bytes_;
  return stats;
}

void Wal::Close() {
  std::lock_guard closing(close_mutex_);
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    takes_ = false;
  }
  work_.notify_one();
  settled_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Wal::Run() {
  std::vector<Pending> group;
  while (TakeGroup(&group)) {
    WriteGroup(group);
    group.clear();
  }
  WriteMark();
}

bool Wal::TakeGroup(std::vector<Pending>* group) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (resume_wanted_) ServeResume(lock);
    if (!queue_.empty() || !taken_.empty()) break;
    if (closing_) return false;
    if (state_ == State::kOpen && sync_wanted_ > synced_ && acknowledged_ > synced_) {
      return true;  // an empty group: write nothing, sync
    }
    if (options_.durability == Durability::kRelaxed && acknowledged_ > synced_) {
      const auto wait = std::chrono::nanoseconds(kRelaxedSyncNs);
      if (work_.wait_for(lock, wait) == std::cv_status::timeout) sync_wanted_ = acknowledged_;
    } else {
      work_.wait(lock);
    }
  }
  if (taken_.empty()) taken_.swap(queue_);
  lock.unlock();
  // Senders queue meanwhile, however long it takes.
  uint64_t bytes = 0;
  while (!taken_.empty() && (group->empty() || bytes < kGroupBytesMax)) {
    bytes += taken_.front().entry.payload.size();
    group->push_back(std::move(taken_.front()));
    taken_.pop_front();
  }
  lock.lock();
  queued_bytes_ -= bytes;
  return true;
}

void Wal::ServeResume(std::unique_lock<std::mutex>& lock) {
  const uint64_t next = next_sequence_;
  lock.unlock();
  const Status status = StartSegment(0, next);
  lock.lock();
  if (status) {
    state_ = State::kOpen;
    takes_ = !closing_;
  } else {
    error_ = status.error();
    error_.retry_after_s = kRetryAfterSeconds;
    if (sync_failed_ || error_.code != ErrorCode::kNoSpace) state_ = State::kFailed;
  }
  resume_wanted_ = false;
  settled_.notify_all();
}

void Wal::WriteGroup(std::vector<Pending>& group) {
  size_t first = 0;
  for (size_t i = 0; i < group.size(); ++i) {
    const Entry& entry = group[i].entry;
    const uint64_t bytes = WalRecordBytes(entry.tenant.size(), entry.payload.size());
    if (written_ + buffer_.size() + bytes + kTerminatorBytes > file_bytes_) {
      // The next segment's header will say that everything before it is durable.
      if (!Settle(group, first, i, WriteBuffer(true))) return;
      first = i;
      const Status started = StartSegment(bytes, group[i].sequence);
      if (!started) return FailFrom(group, i, started.error());
    }
    AppendToBuffer(group[i]);
  }
  Settle(group, first, group.size(), WriteBuffer(SyncDue()));
}

void Wal::WriteMark() {
  std::vector<Pending> group(1);
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::kOpen) return;
    group[0].sequence = next_sequence_++;
    group[0].type = WalRecordType::kMark;
  }
  group[0].entry.done = [](const Status&) {};
  group[0].entry.received_ns = clock_->NowNs();
  // Relaxed: what the mark is about to call durable must be.
  if (options_.durability == Durability::kRelaxed && !Settle(group, 0, 0, WriteBuffer(true))) {
    return;
  }
  WriteGroup(group);
}

void Wal::AppendToBuffer(const Pending& pending) {
  WalRecord record;
  record.sequence = pending.sequence;
  record.durable_sequence = synced_;
  record.received_ns = pending.entry.received_ns;
  record.type = pending.type;
  record.items = pending.entry.items;
  record.tenant = pending.entry.tenant;
  record.payload = pending.entry.payload;
  AppendWalRecord(seed_, record, &buffer_);
  last_in_file_ = pending.sequence;
}

Status Wal::WriteBuffer(bool sync) {
  if (!buffer_.empty()) {
    const uint64_t records = buffer_.size();
    const uint64_t end = written_ + records + kTerminatorBytes;
    const uint64_t padded = std::min((end + kPageBytes - 1) / kPageBytes * kPageBytes, file_bytes_);
    buffer_.resize(padded - written_, '\0');
    const Status status = file_->WriteAt(written_, buffer_);
    buffer_.clear();
    WEFT_TRY(status);
    written_ += records;
    std::lock_guard lock(mutex_);
    stats_.bytes += records;
    segments_.back().last_sequence = last_in_file_;
  }
  return sync ? SyncFile() : Status();
}

bool Wal::SyncDue() const {
  if (options_.durability == Durability::kDurable) return true;
  std::lock_guard lock(mutex_);
  return sync_wanted_ > synced_ || clock_->MonotonicNs() - last_sync_ns_ >= kRelaxedSyncNs;
}

Status Wal::SyncFile() {
  const uint64_t start_ns = clock_->MonotonicNs();
  const Status status = Sync(*file_);
  sync_failed_ = !status;
  WEFT_TRY(status);
  last_sync_ns_ = clock_->MonotonicNs();
  std::lock_guard lock(mutex_);
  ++stats_.syncs;
  stats_.sync_ns += last_sync_ns_ - start_ns;
  synced_ = last_in_file_;
  return {};
}

Status Wal::Sync(WritableFile& file) {
  const uint64_t start_ns = clock_->MonotonicNs();
  Status status = file.DataSync();
  if (options_.observer != nullptr)
    options_.observer->OnSync(clock_->MonotonicNs() - start_ns, status);
  return status;
}

bool Wal::Settle(std::vector<Pending>& group, size_t first, size_t last, const Status& status) {
  if (!status) {
    FailFrom(group, first, status.error());
    return false;
  }
  {
    std::lock_guard lock(mutex_);
    acknowledged_ = last_in_file_;
  }
  settled_.notify_all();
  for (size_t i = first; i < last; ++i) group[i].entry.done({});
  return true;
}

void Wal::FailFrom(std::vector<Pending>& group, size_t first, const Error& error) {
  std::list<Pending> queued;
  uint64_t acknowledged = 0;
  {
    std::lock_guard lock(mutex_);
    const bool full = error.code == ErrorCode::kNoSpace && !sync_failed_;
    state_ = full ? State::kFull : State::kFailed;
    takes_ = false;
    error_ = error;
    error_.retry_after_s = full ? kRetryAfterSeconds : 0;
    if (!full) {
      error_.code = ErrorCode::kUnavailable;
      error_.message = "the log failed, the store is read-only: " + error.message;
    }
    cutting_back_ = true;
    queued.swap(queue_);
    queued_bytes_ = 0;
    acknowledged = acknowledged_;
    last_in_file_ = acknowledged_;
    next_sequence_ = acknowledged_ + 1;
    segments_.back().last_sequence = std::min(segments_.back().last_sequence, acknowledged_);
  }
  buffer_.clear();
  cut_back_(acknowledged);
  Error reason;
  {
    std::lock_guard lock(mutex_);
    cutting_back_ = false;
    ++epoch_;
    reason = error_;
  }
  settled_.notify_all();
  for (size_t i = first; i < group.size(); ++i) group[i].entry.done(Fail(reason));
  for (Pending& pending : std::exchange(taken_, {})) pending.entry.done(Fail(reason));
  for (Pending& pending : queued) pending.entry.done(Fail(reason));
}

Status Wal::StartSegment(uint64_t record_bytes, uint64_t first_sequence) {
  if (file_ != nullptr && options_.durability == Durability::kRelaxed) WEFT_TRY(SyncFile());
  WalSegmentHeader header;
  {
    std::lock_guard lock(mutex_);
    header.number = next_segment_;
    header.previous = segments_.empty() ? 0 : segments_.back().number;
  }
  header.uuid = options_.uuid;
  header.first_sequence = first_sequence;
  header.created_ns = clock_->NowNs();
  const uint64_t bytes = std::max(options_.segment_bytes,
                                  kWalHeaderBytes + WalAligned(record_bytes) + kTerminatorBytes);
  WEFT_ASSIGN(std::unique_ptr<WritableFile> file, NewFile(header.number, bytes));
  WEFT_TRY(file->WriteAt(0, EncodeWalHeader(header) + std::string(kTerminatorBytes, '\0')));
  Status synced = Sync(*file);
  if (synced) synced = env_->SyncDir(options_.directory);
  sync_failed_ = !synced;
  WEFT_TRY(synced);
  file_ = std::move(file);
  seed_ = WalSeed(header.number, header.uuid);
  file_bytes_ = bytes;
  written_ = kWalHeaderBytes;
  std::lock_guard lock(mutex_);
  next_segment_ = header.number + 1;
  segments_.push_back({header.number, first_sequence - 1, false});
  return {};
}

Result<std::unique_ptr<WritableFile>> Wal::NewFile(uint64_t number, uint64_t bytes) {
  uint64_t spare = 0;
  {
    std::lock_guard lock(mutex_);
    if (!spares_.empty()) {
      spare = spares_.back();
      spares_.pop_back();
    }
  }
  const std::string path = PathOf(number);
  std::unique_ptr<WritableFile> file;
  if (spare != 0) {
    WEFT_TRY(env_->Rename(PathOf(spare), path));
    WEFT_ASSIGN(file, env_->OpenWrite(path));
  } else {
    WEFT_ASSIGN(file, env_->Create(path));
  }
  const Status reserved = file->Preallocate(bytes);
  if (!reserved) {
    // What a failed start leaves behind is harmless (replay finds no record in it), but it takes
    // space that is short.
    const Status removed = env_->Remove(path);
    return removed ? Fail(reserved.error()) : Fail(removed.error());
  }
  return file;
}

}  // namespace weft::store

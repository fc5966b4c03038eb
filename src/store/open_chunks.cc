// SPDX-License-Identifier: Apache-2.0
#include "store/open_chunks.h"

#include <algorithm>
#include <list>
#include <numeric>

#include "base/check.h"

namespace weft::store {
namespace {

// Spans and log records from which on a batch gets a chunk of its own.
constexpr uint64_t kItemsOfOwnChunk = 8192;

}  // namespace

struct OpenChunks::OpenMark {
  uint64_t sequence = 0;
  OpenChunks::Batch batch;
  chunk::ChunkMark rows;
};

// Whoever has it writes it: the appender while it is busy, the sealer once it is closed. The marks
// and counts are read by others too, and change under the lock alone.
class OpenChunks::Open {
 public:
  Open() : chunk(std::make_unique<chunk::Chunk>()), empty(chunk->mark()) {}

  bool has_rows() const { return !marks.empty(); }
  // What the last batch that has its sequence left.
  const chunk::ChunkMark& filled() const { return marks.empty() ? empty : marks.back().rows; }

  std::unique_ptr<chunk::Chunk> chunk;
  const chunk::ChunkMark empty;
  bool busy = false;
  bool closed = false;
  uint64_t bytes = 0;  // as counted
  uint64_t first_sequence = 0, born_ns = 0;
  std::list<OpenMark> marks;  // the last acknowledged one, and all after it
};

OpenChunks::OpenChunks(uint64_t close_bytes, std::atomic<uint64_t>* bytes)
    : close_bytes_(close_bytes), bytes_(bytes) {}
OpenChunks::~OpenChunks() = default;

chunk::Chunk& OpenChunks::ChunkOf(Open* open) { return *open->chunk; }

OpenChunks::Open* OpenChunks::Take(uint64_t items) {
  {
    std::lock_guard lock(mutex_);
    for (const auto& open : open_) {
      if (open->busy || (items >= kItemsOfOwnChunk && open->has_rows())) continue;
      open->busy = true;
      return open.get();
    }
  }
  auto made = std::make_unique<Open>();
  made->busy = true;
  std::lock_guard lock(mutex_);
  return open_.emplace_back(std::move(made)).get();
}

Result<uint64_t> OpenChunks::Place(Open* open, const Batch& batch,
                                   const std::function<Result<Wal::Place>()>& take) {
  // Nothing is allocated or freed under the lock.
  std::list<OpenMark> mark, gone;
  mark.push_back({0, batch, open->chunk->mark()});
  const uint64_t bytes = open->chunk->bytes();
  Error refused;
  {
    std::lock_guard lock(mutex_);
    const Result<Wal::Place> place = take();
    if (place) {
      if (!open->closed) open_bytes_ += bytes - open->bytes;
      Count(open, bytes);
      Note(open, *place, &mark, &gone);
      Release(open);
      if (open_bytes_ >= close_bytes_) Close();
      return place->sequence;
    }
    refused = place.error();
  }
  // Until its rows are gone nobody else may have it.
  open->chunk->Truncate(open->filled());
  std::lock_guard lock(mutex_);
  Release(open);
  return Fail(std::move(refused));
}

void OpenChunks::Note(Open* open, const Wal::Place& place, std::list<OpenMark>* mark,
                      std::list<OpenMark>* gone) {
  WEFT_CHECK(place.sequence >= last_);
  last_ = mark->front().sequence = place.sequence;
  std::list<OpenMark>& marks = open->marks;
  if (marks.empty()) {
    open->first_sequence = place.sequence;
    open->born_ns = mark->front().batch.now_ns;
  }
  // One mark at or before what is acknowledged stays: the least that a cut leaves.
  auto known = marks.begin();
  while (!marks.empty() && std::next(known) != marks.end() &&
         std::next(known)->sequence <= place.acknowledged)
    ++known;
  gone->splice(gone->end(), marks, marks.begin(), known);
  marks.splice(marks.end(), *mark);
}

void OpenChunks::Release(Open* open) {
  open->busy = false;
  if (open->closed) released_.notify_all();
}

void OpenChunks::Close() {
  if (last_ == closed_through_) return;
  closed_through_ = last_;
  auto group = std::make_unique<Group>();
  group->last = last_;
  std::vector<std::unique_ptr<Open>> still_open;
  for (auto& open : open_) {
    open->closed = open->has_rows();
    (open->closed ? group->chunks : still_open).push_back(std::move(open));
  }
  open_ = std::move(still_open);
  open_bytes_ = 0;
  closed_.push_back(std::move(group));
}

OpenChunks::Held OpenChunks::held() const {
  Held held;
  const auto add = [&held](const Open& open) {
    if (!open.has_rows()) return;
    if (held.chunks++ == 0) {
      held.first_sequence = open.first_sequence;
      held.born_ns = open.born_ns;
    }
    held.first_sequence = std::min(held.first_sequence, open.first_sequence);
    held.born_ns = std::min(held.born_ns, open.born_ns);
    held.spans += open.filled().spans();
    held.bytes += open.bytes;
  };
  std::lock_guard lock(mutex_);
  for (const auto& open : open_) add(*open);
  for (const auto& group : closed_) {
    for (const auto& open : group->chunks) add(*open);
  }
  return held;
}

std::vector<TenantHead::Part> OpenChunks::Seal() {
  size_t count = 0;
  {
    std::lock_guard lock(mutex_);
    Close();
    count = closed_.size();
  }
  std::vector<TenantHead::Part> parts;
  for (size_t i = 0; i < count; ++i) {
    Group* group = nullptr;
    {
      std::unique_lock lock(mutex_);
      group = closed_[i].get();
      WaitForAppenders(*group, &lock);
    }
    MoveLaterRows(group);
    if (!group->chunks.empty()) parts.push_back(SealGroup(group));
  }
  std::lock_guard lock(mutex_);
  sealed_ = count;
  return parts;
}

void OpenChunks::WaitForAppenders(const Group& group, std::unique_lock<std::mutex>* lock) {
  released_.wait(*lock, [&] {
    return std::ranges::none_of(group.chunks, [](const auto& open) { return open->busy; });
  });
}

// At most one batch of each chunk was under way when the group was closed.
void OpenChunks::MoveLaterRows(Group* group) {
  for (const auto& open : group->chunks) {
    if (open->marks.back().sequence <= group->last) continue;
    std::unique_ptr<Open> later = TakeLaterRows(open.get());
    const uint64_t bytes = open->chunk->bytes(), later_bytes = later->chunk->bytes();
    std::lock_guard lock(mutex_);
    open->marks.pop_back();
    Count(open.get(), bytes);
    Count(later.get(), later_bytes);
    const auto place = std::ranges::find_if(
        closed_, [&](const auto& other) { return other->last >= later->first_sequence; });
    later->closed = place != closed_.end();
    if (!later->closed) open_bytes_ += later->bytes;
    (later->closed ? (*place)->chunks : open_).push_back(std::move(later));
  }
}

std::unique_ptr<OpenChunks::Open> OpenChunks::TakeLaterRows(Open* open) {
  WEFT_CHECK(open->marks.size() >= 2);
  const OpenMark& keep = *std::prev(open->marks.end(), 2);
  const OpenMark& later = open->marks.back();
  const auto rows = [](uint32_t first, uint32_t end) {
    std::vector<segment::Row> range(end - first);
    std::iota(range.begin(), range.end(), first);
    return range;
  };
  SpanBatch batch;
  batch.received_ns = later.batch.received_ns;
  // Reading rows back from memory cannot fail for a reason outside the program.
  WEFT_CHECK(open->chunk->ReadSpans(rows(keep.rows.spans(), later.rows.spans()), &batch));
  WEFT_CHECK(open->chunk->ReadLogs(rows(keep.rows.logs(), later.rows.logs()), &batch));
  auto taken = std::make_unique<Open>();
  taken->chunk->Append(batch);
  taken->first_sequence = later.sequence;
  taken->born_ns = later.batch.now_ns;
  taken->marks.push_back({later.sequence, later.batch, taken->chunk->mark()});
  open->chunk->Truncate(keep.rows);
  return taken;
}

TenantHead::Part OpenChunks::SealGroup(Group* group) {
  TenantHead::Part part;
  for (const auto& open : group->chunks) {
    open->chunk->Seal();
    TenantHead::PartChunk& in = part.chunks.emplace_back();
    in.first_sequence = open->first_sequence;
    in.last_sequence = open->marks.back().sequence;
    for (const OpenMark& mark : open->marks)
      in.marks.push_back({mark.sequence, mark.rows.spans(), mark.rows.logs()});
    const bool first = part.chunks.size() == 1;
    part.first_sequence =
        first ? in.first_sequence : std::min(part.first_sequence, in.first_sequence);
    part.last_sequence = std::max(part.last_sequence, in.last_sequence);
    part.born_ns = first ? open->born_ns : std::min(part.born_ns, open->born_ns);
    const uint64_t bytes = open->chunk->bytes();
    part.bytes += bytes;
    in.chunk = std::move(open->chunk);
    std::lock_guard lock(mutex_);
    Count(open.get(), bytes);
  }
  return part;
}

void OpenChunks::Count(Open* open, uint64_t bytes) {
  *bytes_ += bytes - open->bytes;
  open->bytes = bytes;
}

void OpenChunks::Published() {
  std::vector<std::unique_ptr<Group>> gone;
  std::lock_guard lock(mutex_);
  const auto end = closed_.begin() + static_cast<ptrdiff_t>(sealed_);
  gone.assign(std::make_move_iterator(closed_.begin()), std::make_move_iterator(end));
  closed_.erase(closed_.begin(), end);
  sealed_ = 0;
}

void OpenChunks::CutBack(uint64_t durable) {
  std::vector<Open*> cut;
  {
    std::unique_lock lock(mutex_);
    Close();
    for (size_t i = 0; i < closed_.size(); ++i) {
      WaitForAppenders(*closed_[i], &lock);
      for (const auto& open : closed_[i]->chunks) {
        if (open->marks.back().sequence > durable) cut.push_back(open.get());
      }
    }
  }
  for (Open* open : cut) {
    const auto kept = std::ranges::find_if(
        open->marks, [&](const OpenMark& mark) { return mark.sequence > durable; });
    if (kept != open->marks.begin()) open->chunk->Truncate(std::prev(kept)->rows);
    const uint64_t bytes = open->chunk->bytes();
    std::lock_guard lock(mutex_);
    open->marks.erase(kept, open->marks.end());
    Count(open, bytes);
  }
  std::lock_guard lock(mutex_);
  for (const auto& group : closed_) {
    group->last = std::min(group->last, durable);
    for (const auto& open : group->chunks) {
      if (!open->has_rows()) Count(open.get(), 0);
    }
    std::erase_if(group->chunks, [](const auto& open) { return !open->has_rows(); });
  }
  last_ = std::min(last_, durable);
  closed_through_ = std::min(closed_through_, durable);
}

}  // namespace weft::store

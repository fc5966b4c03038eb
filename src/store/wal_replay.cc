// SPDX-License-Identifier: Apache-2.0
#include "store/wal_replay.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "store/little_endian.h"
#include "store/wal_checksums.h"

namespace weft::store {
namespace {

constexpr uint64_t kWindowBytes = 1u << 20;
constexpr uint64_t kForever = std::numeric_limits<uint64_t>::max();

// A file seen through a buffer that grows only to the longest record that the file can hold.
class Window {
 public:
  explicit Window(const ReadableFile* file) : file_(file), checksums_(file) {}

  uint64_t bytes() const { return file_->bytes(); }
  // REQUIRES: offset + count <= bytes().
  Result<std::string_view> View(uint64_t offset, uint64_t count) {
    if (offset < start_ || offset + count > start_ + buffer_.size()) {
      const uint64_t wanted = std::max(count, kWindowBytes);
      buffer_.resize(std::min(wanted, bytes() - offset));
      start_ = offset;
      const Status status = file_->ReadAt(offset, buffer_);
      if (!status) {
        buffer_.clear();
        return Fail(status.error());
      }
    }
    return std::string_view(buffer_).substr(offset - start_, count);
  }
  // At least `count` bytes, and as many more as are at hand.
  Result<std::string_view> Ahead(uint64_t offset, uint64_t count) {
    WEFT_TRY(View(offset, count));
    return std::string_view(buffer_).substr(offset - start_);
  }
  // Of [begin, end), without moving the window there.
  Result<uint32_t> Checksum(uint32_t seed, uint64_t begin, uint64_t end) {
    return checksums_.Of(seed, begin, end);
  }

 private:
  const ReadableFile* file_;
  RangeChecksums checksums_;
  std::string buffer_;
  uint64_t start_ = 0;
};

struct Found {
  uint64_t offset = 0;
  uint64_t length = 0;
  WalRecord record;  // views die with the next use of the window
};

struct Segment {
  uint64_t number = 0;
  std::unique_ptr<ReadableFile> file;
  std::optional<WalSegmentHeader> header;
  uint64_t first_sequence = 0;
  std::string problem;  // of the header
};

class Replay {
 public:
  Replay(Env* env, const WalReplayOptions& options,
         const std::function<Status(const WalRecord&)>& visit)
      : env_(env), options_(options), visit_(visit) {}

  Result<WalReplayReport> Run() {
    WEFT_TRY(OpenSegments());
    report_.start.next_sequence = DurableThrough() + 1;
    for (size_t i = 0; i < segments_.size(); ++i) {
      CheckChain(i);
      const bool last = i + 1 == segments_.size();
      WEFT_TRY(ReplaySegment(segments_[i], last ? kForever : segments_[i + 1].first_sequence));
    }
    CheckEnd();
    return std::move(report_);
  }

 private:
  Status OpenSegments();
  Result<Segment> OpenSegment(uint64_t number);
  void CheckChain(size_t index);
  void CheckEnd();
  Status ReplaySegment(const Segment& segment, uint64_t limit);
  // The record at `offset`, if it verifies.
  Result<std::optional<Found>> RecordAt(const Segment& segment, Window& window, uint64_t offset);
  // Whether the header at `offset` is one of a record that verifies and has at least this sequence.
  Result<bool> Verifies(const Segment& segment, Window& window, uint64_t offset,
                        std::string_view header, uint64_t sequence);
  // The first record at or after `offset` that does. It takes time in proportion to the bytes it
  // goes over, whatever they hold: what they hold is what senders sent.
  Result<std::optional<Found>> NextRecord(const Segment& segment, Window& window, uint64_t offset,
                                          uint64_t sequence);
  // The largest sequence that records from `offset` on call durable.
  Result<uint64_t> DurableClaim(const Segment& segment, Window& window, uint64_t offset,
                                uint64_t sequence);
  // What the record at `offset` says it would have been.
  Result<uint64_t> TornBytes(Window& window, uint64_t offset);
  uint64_t DurableThrough() const {
    return std::max(options_.durable_sequence, options_.logged_through);
  }
  std::string LossOf(uint64_t first, uint64_t last);
  void Damage(const Segment& segment, uint64_t offset, uint64_t first, uint64_t last);

  Env* const env_;
  const WalReplayOptions& options_;
  const std::function<Status(const WalRecord&)>& visit_;
  std::vector<Segment> segments_;
  uint64_t reached_ = 1;  // the sequence after the last one read or reported
  WalReplayReport report_;
};

// Position of the first header at or after `at` that may belong to a record; where there is none,
// the first position at which `bytes` ends before a header does. This runs over the unused rest of
// the last segment at every start after a crash.
uint64_t NextCandidate(std::string_view bytes, uint64_t at, uint64_t available) {
  constexpr uint64_t kPage = 4096;
  for (; at + kWalRecordHeaderBytes <= bytes.size(); at += kWalAlignment) {
    const char* here = bytes.data() + at;
    if (at % kPage == 0 && at + kPage <= bytes.size() && here[0] == 0 &&
        std::memcmp(here, here + 1, kPage - 1) == 0) {
      at += kPage - kWalAlignment;
      // No header begins in the zeros: a record's length is not zero.
      continue;
    }
    if (here[32] != 1 && here[32] != 2) continue;
    if (PlausibleWalRecord(bytes.substr(at), available - at)) return at;
  }
  return at;
}

std::string NameOf(const Segment& segment) { return "wal/" + WalFileName(segment.number); }

Status Replay::OpenSegments() {
  WEFT_ASSIGN(const std::vector<DirEntry> entries, env_->List(options_.directory));
  std::vector<uint64_t> numbers;
  for (const DirEntry& entry : entries) {
    if (auto number = ParseWalFileName(entry.name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  report_.start.next_segment =
      std::max(options_.freed_through, numbers.empty() ? 0 : numbers.back()) + 1;
  for (const uint64_t number : numbers) {
    if (number <= options_.freed_through) {
      report_.start.leftovers.push_back(number);
      continue;
    }
    WEFT_ASSIGN(Segment segment, OpenSegment(number));
    if (segment.first_sequence == 0) {
      // No header and no record: a start that never finished, or another store's file.
      if (segment.problem.empty()) {
        report_.start.leftovers.push_back(number);
      } else {
        report_.damage.push_back(segment.problem);
        report_.start.live.push_back({number, 0, true});
      }
      continue;
    }
    segments_.push_back(std::move(segment));
  }
  return {};
}

Result<Segment> Replay::OpenSegment(uint64_t number) {
  Segment segment;
  segment.number = number;
  WEFT_ASSIGN(segment.file, env_->OpenRead(options_.directory + "/" + WalFileName(number)));
  Window window(segment.file.get());
  if (window.bytes() >= kWalHeaderBytes) {
    WEFT_ASSIGN(const std::string_view bytes, window.View(0, kWalHeaderBytes));
    auto header = ParseWalHeader(bytes);
    if (!header && header.error().code == ErrorCode::kUnimplemented) {
      return Fail(header.error().WithPrefix(NameOf(segment)));
    }
    if (header && header->uuid != options_.uuid) {
      segment.problem = NameOf(segment) + " belongs to another store: not replayed, quarantined";
      return segment;
    }
    if (header && header->number == number && header->first_sequence != 0) {
      segment.header = *header;
      segment.first_sequence = header->first_sequence;
      return segment;
    }
  }
  // Either a start that died, or damage: records tell.
  WEFT_ASSIGN(const std::optional<Found> found, NextRecord(segment, window, kWalHeaderBytes, 0));
  if (found) {
    segment.first_sequence = found->record.sequence;
    report_.damage.push_back(NameOf(segment) + ": the header is damaged, its records are kept");
  }
  return segment;
}

void Replay::CheckChain(size_t index) {
  const Segment& segment = segments_[index];
  if (!segment.header) return;
  const uint64_t before = index == 0 ? options_.freed_through : segments_[index - 1].number;
  if (segment.header->previous > before) {
    const bool held = segment.first_sequence <= options_.blocks_hold_below;
    report_.damage.push_back("wal/" + WalFileName(segment.header->previous) + " is missing: " +
                             (held ? "blocks hold its records, nothing is lost"
                                   : "those of its records that no block holds are lost"));
  }
}

// A file cut down to nothing leaves no record that could miss it.
void Replay::CheckEnd() {
  if (reached_ <= options_.logged_through) {
    report_.damage.push_back("the log ends too early: " +
                             LossOf(reached_, options_.logged_through));
    for (const uint64_t number : report_.start.leftovers) {
      if (number > options_.freed_through) report_.start.live.push_back({number, 0, true});
    }
    std::erase_if(report_.start.leftovers,
                  [&](uint64_t number) { return number > options_.freed_through; });
  }
  std::ranges::sort(report_.start.live, {}, &WalSegment::number);
}

Result<std::optional<Found>> Replay::RecordAt(const Segment& segment, Window& window,
                                              uint64_t offset) {
  const uint64_t available = window.bytes() > offset ? window.bytes() - offset : 0;
  if (available < kWalRecordHeaderBytes) return std::nullopt;
  WEFT_ASSIGN(std::string_view bytes, window.View(offset, kWalRecordHeaderBytes));
  const std::optional<uint64_t> length = PlausibleWalRecord(bytes, available);
  if (!length) return std::nullopt;
  WEFT_ASSIGN(bytes, window.View(offset, *length));
  const auto record = ParseWalRecord(WalSeed(segment.number, options_.uuid), bytes);
  if (!record) return std::nullopt;
  return Found{offset, *length, *record};
}

Result<bool> Replay::Verifies(const Segment& segment, Window& window, uint64_t offset,
                              std::string_view header, uint64_t sequence) {
  const std::optional<uint64_t> length = PlausibleWalRecord(header, window.bytes() - offset);
  const uint64_t stated = LoadNumber<uint64_t>(header.data() + 8);
  if (!length || stated < sequence) return false;
  // Sequences are dense: each one since the segment's first took a header's place at least.
  const uint64_t before = (offset - kWalHeaderBytes) / kWalRecordHeaderBytes;
  if (segment.first_sequence != 0 && stated - segment.first_sequence > before) return false;
  WEFT_ASSIGN(const uint32_t checksum, window.Checksum(WalSeed(segment.number, options_.uuid),
                                                       offset + 4, offset + *length));
  return checksum == LoadNumber<uint32_t>(header.data());
}

Result<std::optional<Found>> Replay::NextRecord(const Segment& segment, Window& window,
                                                uint64_t offset, uint64_t sequence) {
  while (offset + kWalRecordHeaderBytes <= window.bytes()) {
    WEFT_ASSIGN(const std::string_view bytes, window.Ahead(offset, kWalRecordHeaderBytes));
    const uint64_t available = window.bytes() - offset;
    uint64_t at = 0;
    bool verifies = false;
    while (!verifies) {
      at = NextCandidate(bytes, at, available);
      if (at + kWalRecordHeaderBytes > bytes.size()) break;
      WEFT_ASSIGN(verifies, Verifies(segment, window, offset + at, bytes.substr(at), sequence));
      if (!verifies) at += kWalAlignment;
    }
    offset += at;
    if (!verifies) continue;
    WEFT_ASSIGN(std::optional<Found> found, RecordAt(segment, window, offset));
    if (found) return found;
    // A server beside this reader has written over it since.
    offset += kWalAlignment;
  }
  return std::nullopt;
}

Result<uint64_t> Replay::DurableClaim(const Segment& segment, Window& window, uint64_t offset,
                                      uint64_t sequence) {
  uint64_t claim = DurableThrough();
  while (claim < sequence) {
    WEFT_ASSIGN(const std::optional<Found> found, NextRecord(segment, window, offset, sequence));
    if (!found) break;
    claim = std::max(claim, found->record.durable_sequence);
    offset = found->offset + WalAligned(found->length);
  }
  return claim;
}

Result<uint64_t> Replay::TornBytes(Window& window, uint64_t offset) {
  const uint64_t available = window.bytes() > offset ? window.bytes() - offset : 0;
  if (available < kWalRecordHeaderBytes) return 0;
  WEFT_ASSIGN(const std::string_view bytes, window.View(offset, kWalRecordHeaderBytes));
  // A clean end is 8 zero bytes; what lies behind them may be a former life of the file.
  if (LoadNumber<uint64_t>(bytes.data()) == 0) return 0;
  return PlausibleWalRecord(bytes, available).value_or(kWalRecordHeaderBytes);
}

void Replay::Damage(const Segment& segment, uint64_t offset, uint64_t first, uint64_t last) {
  report_.damage.push_back(NameOf(segment) + ": the record at byte " + std::to_string(offset) +
                           " fails its checksum: " + LossOf(first, last) +
                           "; the file is quarantined");
}

// Says and counts which of the sequences [first, last] are lost.
std::string Replay::LossOf(uint64_t first, uint64_t last) {
  first = std::max(first, options_.blocks_hold_below);
  if (first > last) return "blocks hold what it was, nothing is lost";
  report_.lost_records += last - first + 1;
  return "sequences " + std::to_string(first) + " to " + std::to_string(last) + " are lost";
}

Status Replay::ReplaySegment(const Segment& segment, uint64_t limit) {
  Window window(segment.file.get());
  WalSegment live{segment.number, segment.first_sequence - 1, !segment.header};
  uint64_t expected = segment.first_sequence;
  uint64_t offset = kWalHeaderBytes;
  bool closed = false;  // a mark was the last record: nothing was written after it
  while (expected < limit) {
    WEFT_ASSIGN(std::optional<Found> found, RecordAt(segment, window, offset));
    if (!found || found->record.sequence != expected) {
      bool durable = limit != kForever;
      if (!durable && !closed) {
        WEFT_ASSIGN(const uint64_t claim, DurableClaim(segment, window, offset, expected));
        durable = claim >= expected;
      }
      if (!durable) {
        WEFT_ASSIGN(report_.torn_tail_bytes, TornBytes(window, offset));
        break;
      }
      WEFT_ASSIGN(found, NextRecord(segment, window, offset, expected));
      if (found && found->record.sequence >= limit) found.reset();
      const uint64_t next =
          found ? found->record.sequence : (limit != kForever ? limit : DurableThrough() + 1);
      Damage(segment, offset, expected, next - 1);
      live.damaged = true;
      expected = next;
      if (!found) break;
    }
    offset = found->offset + WalAligned(found->length);
    live.last_sequence = expected++;
    ++report_.records;
    report_.bytes += found->length;
    closed = found->record.type == WalRecordType::kMark;
    if (closed) continue;
    const Status visited = visit_(found->record);
    if (visited) continue;
    if (visited.error().code != ErrorCode::kCorruption) return visited;
    report_.damage.push_back(NameOf(segment) + ": sequence " + std::to_string(live.last_sequence) +
                             ": " + visited.error().message);
    live.damaged = true;
  }
  report_.start.live.push_back(live);
  reached_ = std::max(reached_, expected);
  report_.start.next_sequence = std::max(report_.start.next_sequence, expected);
  return {};
}

}  // namespace

Result<WalReplayReport> ReplayWal(Env* env, const WalReplayOptions& options,
                                  const std::function<Status(const WalRecord&)>& visit) {
  return Replay(env, options, visit).Run();
}

}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
#include "exporter/queue_record.h"

#include <cstring>
#include <limits>

#include "store/little_endian.h"

namespace weft::exporter {
namespace {

using store::BoundedReader;
using store::PutNumber;

constexpr uint8_t kVersion = 1;
// Numbered for good.
enum class Kind : uint8_t { kTraces = 1, kLogs = 2, kMetrics = 3, kSent = 4 };

constexpr std::string_view kMarkMagic = "WEFTQUE1";
constexpr uint32_t kMarkVersion = 1;
// Far above what any log reaches; the numbers after it can be counted on.
constexpr uint64_t kNumberMax = std::numeric_limits<uint64_t>::max() / 4;

Kind KindOf(config::Signal signal) {
  switch (signal) {
    case config::Signal::kLogs:
      return Kind::kLogs;
    case config::Signal::kMetrics:
      return Kind::kMetrics;
    case config::Signal::kTraces:
      break;
  }
  return Kind::kTraces;
}

std::string Front(Kind kind) {
  std::string out;
  PutNumber(kVersion, &out);
  PutNumber(kind, &out);
  return out;
}

Result<std::vector<SentRange>> ReadSent(BoundedReader reader) {
  const auto count = reader.Number<uint32_t>();
  if (!reader.ok() || reader.remaining() != uint64_t{count} * 16)
    return Fail(ErrorCode::kCorruption, "a queue record states another number of ranges");
  std::vector<SentRange> sent(count);
  for (SentRange& range : sent) {
    range.first = reader.Number<uint64_t>();
    range.last = reader.Number<uint64_t>();
    if (range.first > range.last || range.last > kNumberMax)
      return Fail(ErrorCode::kCorruption, "a queue record holds an impossible range");
  }
  return sent;
}

}  // namespace

std::string EncodeRequest(const SendRequest& request) {
  std::string out = Front(KindOf(request.signal));
  out.append(request.body);
  return out;
}

std::string EncodeSent(const std::vector<SentRange>& sent) {
  std::string out = Front(Kind::kSent);
  PutNumber(static_cast<uint32_t>(sent.size()), &out);
  for (const SentRange& range : sent) {
    PutNumber(range.first, &out);
    PutNumber(range.last, &out);
  }
  return out;
}

Result<QueueRecord> ParseQueueRecord(std::string_view payload) {
  BoundedReader reader(payload);
  const auto version = reader.Number<uint8_t>();
  const auto kind = reader.Number<Kind>();
  if (!reader.ok()) return Fail(ErrorCode::kCorruption, "a queue record is too short");
  if (version > kVersion)
    return Fail(ErrorCode::kUnimplemented,
                "queue record version " + std::to_string(version) + " is newer than this weft");
  QueueRecord record;
  record.body = payload.substr(payload.size() - reader.remaining());
  switch (version == kVersion ? kind : Kind{}) {
    case Kind::kTraces:
      record.signal = config::Signal::kTraces;
      return record;
    case Kind::kLogs:
      record.signal = config::Signal::kLogs;
      return record;
    case Kind::kMetrics:
      record.signal = config::Signal::kMetrics;
      return record;
    case Kind::kSent: {
      WEFT_ASSIGN(record.sent, ReadSent(reader));
      record.body = {};
      return record;
    }
  }
  return Fail(ErrorCode::kCorruption, "a queue record is of no known kind");
}

std::string EncodeQueueMark(const QueueMark& mark) {
  std::string out(kMarkMagic);
  PutNumber(kMarkVersion, &out);
  PutNumber(mark.number, &out);
  out.append(reinterpret_cast<const char*>(mark.uuid.data()), mark.uuid.size());
  PutNumber(mark.freed_through, &out);
  PutNumber(mark.needed_from, &out);
  PutNumber(mark.durable_through, &out);
  PutNumber(store::Crc32c(0, out), &out);
  return out;
}

Result<QueueMark> ParseQueueMark(std::string_view slot) {
  BoundedReader reader(slot);
  const std::string_view magic = reader.Bytes(kMarkMagic.size());
  const auto version = reader.Number<uint32_t>();
  QueueMark mark;
  mark.number = reader.Number<uint64_t>();
  const std::string_view uuid = reader.Bytes(mark.uuid.size());
  for (uint64_t* number : {&mark.freed_through, &mark.needed_from, &mark.durable_through})
    *number = reader.Number<uint64_t>();
  const uint64_t covered = slot.size() - reader.remaining();
  const auto crc = reader.Number<uint32_t>();
  if (!reader.ok() || magic != kMarkMagic)
    return Fail(ErrorCode::kCorruption, "not the mark of a queue");
  if (crc != store::Crc32c(0, slot.substr(0, covered)))
    return Fail(ErrorCode::kCorruption, "the mark of a queue fails its checksum");
  if (version != kMarkVersion)
    return Fail(ErrorCode::kUnimplemented,
                "queue format version " + std::to_string(version) + " is newer than this weft");
  for (const uint64_t number :
       {mark.number, mark.freed_through, mark.needed_from, mark.durable_through})
    if (number > kNumberMax)
      return Fail(ErrorCode::kCorruption, "the mark of a queue holds an impossible number");
  std::memcpy(mark.uuid.data(), uuid.data(), uuid.size());
  return mark;
}

}  // namespace weft::exporter

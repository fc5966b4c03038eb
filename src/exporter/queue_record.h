// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a sending queue on disk: payloads of its log's records, and its mark
// (docs/format_queue.md). Readers are bounded and trust nothing.
//
// Thread rule: pure functions. Next: exporter/queue_log.h, store/wal_format.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/remote_sender.h"
#include "store/wal_format.h"

namespace weft::exporter {

// Log sequences, both included.
struct SentRange {
  uint64_t first = 0, last = 0;
  bool operator==(const SentRange&) const = default;
};

// A request (`body` is its own), or the news that others are sent (`signal` is empty).
struct QueueRecord {
  std::optional<config::Signal> signal;
  std::string_view body;  // points into the payload
  std::vector<SentRange> sent;
};

std::string EncodeRequest(const SendRequest& request);
std::string EncodeSent(const std::vector<SentRange>& sent);
// kCorruption, or kUnimplemented for a later version.
Result<QueueRecord> ParseQueueRecord(std::string_view payload);

// What is known of the log beside the log. Two slots, written in turns: a write that dies leaves
// the other one.
struct QueueMark {
  uint64_t number = 0;  // of the mark; the larger one counts, number % 2 is its slot
  store::StoreUuid uuid{};
  uint64_t freed_through = 0;    // segments up to this number hold nothing needed
  uint64_t needed_from = 0;      // requests below this sequence are done with
  uint64_t durable_through = 0;  // this sequence and all before it were durable
};
inline constexpr uint64_t kQueueMarkSlotBytes = 4096;
inline constexpr uint64_t kQueueMarkFileBytes = 2 * kQueueMarkSlotBytes;

// Less than kQueueMarkSlotBytes.
std::string EncodeQueueMark(const QueueMark& mark);
Result<QueueMark> ParseQueueMark(std::string_view slot);

}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
//
// Settings of every remote exporter: `sending_queue` and `retry_on_failure`, with the keys, names
// and defaults that the Collector gives them. An exporter reads its own keys beside:
//
//   MySettings settings;
//   ReadSendingSettings(&section, &settings.sending);
//   section.Read("endpoint", &settings.endpoint);
//   section.Finish();
//
// Thread rule: plain values. Next: exporter/sending_queue.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/section.h"

namespace weft::exporter {

struct QueueSettings {
  enum class Sizer : uint8_t { kRequests, kItems, kBytes };

  bool enabled = true;  // false: senders wait for the remote, and nothing is kept for it
  uint64_t num_consumers = 10;
  uint64_t queue_size = 1000;  // in the unit of `sizer`
  Sizer sizer = Sizer::kRequests;
  bool block_on_overflow = false;
  bool wait_for_result = false;
  std::string storage;  // id of what gives the queue a directory; empty: memory
  // weft's own key: whatever the sizer says, no more memory than this. Absent: 128 MiB, or what
  // `queue_size` bytes of requests need.
  std::optional<uint64_t> bytes_max;

  uint64_t BytesMax() const {
    return bytes_max.value_or(sizer == Sizer::kBytes ? 2 * queue_size + (1 << 20) : 128ull << 20);
  }
};

struct RetrySettings {
  bool enabled = true;
  uint64_t initial_interval_ns = 5'000'000'000;
  double randomization_factor = 0.5;
  double multiplier = 1.5;
  uint64_t max_interval_ns = 30'000'000'000;
  uint64_t max_elapsed_ns = 300'000'000'000;  // since the first try; 0: no limit
};

struct SendingSettings {
  QueueSettings queue;
  RetrySettings retry;
};

// Reads both keys of an exporter's section; mistakes are told to the section.
void ReadSendingSettings(config::Section* section, SendingSettings* out);

}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
//
// For tests of sending queues with a log on the simulated disk: small segments, and what the next
// start would find.
//
// Thread rule: pure functions of what is passed in.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "exporter/queue_log.h"
#include "exporter/remote_fixture.h"
#include "exporter/sending_queue.h"
#include "testing/manual_clock.h"
#include "testing/sim_env.h"

namespace weft::exporter {

inline constexpr char kDirectory[] = "/data/queue/otlp";
inline constexpr uint64_t kSegmentBytes = 16 * 1024;

inline QueueLogOptions SmallLog() {
  return {.directory = kDirectory, .segment_bytes = kSegmentBytes, .segments_max = 6};
}

inline SendingQueueOptions WithLog() {
  SendingQueueOptions options;
  options.exporter = "otlp_grpc/far";
  options.settings.queue.queue_size = 100'000;
  options.settings.retry.max_elapsed_ns = 0;
  options.directory = kDirectory;
  options.stop_ns = 0;
  options.log_segment_bytes = kSegmentBytes;
  options.random = [] { return 0.5; };
  return options;
}

// What a start would find: bodies, and how often each.
struct Found {
  std::map<std::string, int> requests;
  std::vector<std::string> damage;
  std::string error;
  std::string wrong;  // a request that is not what its number says
};
inline Found LookAt(testing::SimEnv* disk) {
  testing::ManualClock clock;
  QueueLogFound found;
  Found seen;
  auto log = QueueLog::Open(disk, &clock, SmallLog(), &found);
  if (!log) {
    seen.error = log.error().message;
    return seen;
  }
  seen.damage = found.damage;
  for (const QueueLogFound::Request& one : found.requests) {
    const SendRequest& request = one.request;
    ++seen.requests[request.body];
    const SendRequest sent = NumberedRequest(std::stoull(request.body), request.body.size());
    if (sent.body != request.body || sent.tenant != request.tenant || sent.items != request.items ||
        sent.signal != request.signal || sent.received_ns != request.received_ns)
      seen.wrong = request.body;
  }
  return seen;
}

}  // namespace weft::exporter

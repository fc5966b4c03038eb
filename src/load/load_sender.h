// SPDX-License-Identifier: Apache-2.0
//
// LoadSender sends prepared requests over several connections, as fast as the server takes them or
// at an even pace, and counts what was acknowledged and how long each answer took. A refusal that
// may be retried is retried after its hint; when no answer comes at all, the connection gives up.
//
// Threads: one for each connection, for the length of Send(). `acked` runs on them, one at a time.
// Next: cli/loadgen_command.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "load/load_shape.h"
#include "load/otlp_client.h"
#include "load/pace.h"

namespace weft::load {

struct SendOptions {
  std::string url;  // "http://127.0.0.1:4318"
  OtlpProtocol protocol = OtlpProtocol::kHttp;
  outgoing::ClientSecurity security = {};
  uint32_t connections = 4;
  Pace* pace = nullptr;  // borrowed, kept over all calls of a run; null: as fast as it goes
  std::function<void(const LoadRequest&)> acked;
  const std::atomic<bool>* stop = nullptr;
};

struct SendReport {
  uint64_t requests = 0;  // acknowledged
  uint64_t spans = 0;     // acknowledged, rejected ones taken off
  uint64_t rejected_spans = 0;
  uint64_t retries = 0;
  uint64_t elapsed_ns = 0;
  std::vector<uint64_t> latency_ns;  // of each acknowledged request, ascending
  std::string error;                 // the first that ended a connection

  void Add(const SendReport& other);
  // `share` in [0, 1]; 0 when nothing was acknowledged.
  uint64_t LatencyNs(double share) const;
};

SendReport Send(std::span<const LoadRequest> requests, const SendOptions& options);

}  // namespace weft::load

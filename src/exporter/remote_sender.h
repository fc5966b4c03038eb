// SPDX-License-Identifier: Apache-2.0
//
// RemoteSender: the half of a remote exporter that knows its protocol. It is handed one encoded
// request at a time and says what became of it; waiting, trying again and giving up is the sending
// queue's (exporter/sending_queue.h).
//
// Thread rule: Send() runs on the queue's own thread and must not block: it starts the exchange and
// returns. `done` may be called from any thread, also from within Send(), and after the queue is
// gone. Next: exporter/sending_queue.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "config/component_type.h"
#include "pipeline/ack.h"

namespace weft::exporter {

// One request as the remote is to get it.
struct SendRequest {
  config::Signal signal = config::Signal::kTraces;
  std::string tenant;        // empty: the default tenant
  uint64_t received_ns = 0;  // when weft got it, since the Unix epoch
  uint32_t items = 0;        // spans, log records or metric points
  std::string body;
};

class RemoteSender {
 public:
  using Done = std::move_only_function<void(pipeline::Outcome)>;
  virtual ~RemoteSender() = default;
  // Calls `done` exactly once: OK, the remote has it (but for `rejected` items); an error that
  // pipeline::IsRetryable() calls so, it may be sent again, not before retry_after_s; any other
  // error, it will never be taken.
  virtual void Send(std::shared_ptr<const SendRequest> request, Done done) = 0;
};

}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
//
// SendingQueue stands between a pipeline and a RemoteSender, so that a remote that hangs, fails or
// is slow costs its own branch and nobody else. It holds encoded requests in memory, and with a
// directory in a log of the store's kind too (exporter/queue_log.h); up to num_consumers of them
// are being sent or wait for their next try.
//
//   memory   the Ack completes when the queue has the request; with wait_for_result when the remote
//            has it, or will not have it;
//   log      when the request is on disk. What is acknowledged survives any death of the process or
//            of the power, and is sent at the next start. What the remote confirmed in the last
//            second before such a death may be sent again: remotes can get a request twice.
//
// Order is not promised. Given up is what the remote refuses for good and what max_elapsed_time has
// passed over: counted by reason, and logged. Bounded: requests by the sizer, bytes by bytes_max;
// one that blocks (Admit) takes up to as much again of what it had admitted before it was full.
//
// Thread rule: any thread between Start() and Stop(). Next: exporter/remote_sender.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/env.h"
#include "base/memory_budget.h"
#include "base/metrics.h"
#include "exporter/remote_sender.h"
#include "exporter/sending_queue_settings.h"
#include "pipeline/ack.h"

namespace weft::exporter {

struct SendingQueueOptions {
  std::string exporter;  // its id: labels metrics and log lines
  SendingSettings settings;
  std::string directory;  // of this queue alone; empty: memory
  uint64_t stop_ns = 5'000'000'000;
  uint64_t log_segment_bytes = 16ull << 20;
  // What it holds is charged here; where that does not fit the queue is full. Null: to nobody.
  MemoryAccount* memory = nullptr;
  // Gives numbers in [0, 1), called under a lock; empty: a generator seeded by the system.
  std::function<double()> random;
};

class SendingQueue {
 public:
  // Everything is borrowed: `sender` until Stop() returns, the rest for the life of the process.
  SendingQueue(SendingQueueOptions options, RemoteSender* sender, Env* env, Clock* clock,
               Metrics* metrics);
  ~SendingQueue();  // Stop()

  // Takes the directory and what its log holds.
  Status Start();
  // Takes nothing new. With a log: waits stop_ns at most for what is being sent; what is not
  // confirmed then stays there. In memory: everything is tried once more within stop_ns, then
  // dropped and counted. Idempotent.
  void Stop();

  // One that blocks on overflow: kUnavailable with a retry hint while it is full.
  Status Admit(uint64_t bytes);
  // A full queue that does not block: kResourceExhausted, which is no reason to send again.
  void Push(SendRequest request, pipeline::Ack ack);
  // pipeline::Consumer::Keeps() of the exporter: the sender's answer waits for the result where the
  // user asked for it, and for the disk where a full queue asks senders to wait. Of others a loss
  // is their branch's own.
  bool Keeps() const;

  // Looks at the clock: for clocks that a test moves.
  void Poke();

 private:
  class Core;
  // Outcomes may come when this is gone.
  const std::shared_ptr<Core> core_;
};

}  // namespace weft::exporter

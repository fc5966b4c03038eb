// SPDX-License-Identifier: Apache-2.0
//
// Reloader: the thread on which the configuration is read again, one reload at a time, and the
// memory of what became of them. After each it waits for what was replaced to end, and only then
// begins the next.
//
// Thread rule: any thread; Stop() by one. Next: server/running_server.h, pipeline/reloads.h.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/metrics.h"
#include "pipeline/reloads.h"

namespace weft::server {

class Reloader : public pipeline::Reloads {
 public:
  // All are called on the reloader's thread.
  struct Steps {
    std::function<pipeline::ReloadReport()> reload;
    // What was replaced has ended by itself.
    std::function<bool()> is_drained;
    // Ends it, after a while of waiting.
    std::function<void()> end_drain;
  };
  // Borrowed.
  Reloader(Steps steps, Metrics* metrics, Clock* clock);
  ~Reloader() override { Stop(); }

  void Ask(Done done) override;
  pipeline::ReloadState state() const override;
  // Refuses those that wait and those to come; the one under way is finished. Idempotent.
  void Stop();

 private:
  void Run();
  void Note(const pipeline::ReloadReport& report);
  void Drain();

  const Steps steps_;
  Clock* const clock_;
  Counter* const succeeded_;
  Counter* const failed_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Done> asked_;       // guarded by mutex_
  bool stopping_ = false;        // guarded by mutex_
  pipeline::ReloadState state_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace weft::server

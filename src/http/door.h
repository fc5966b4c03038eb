// SPDX-License-Identifier: Apache-2.0
//
// Door: what leads from a listener to its Entrance. The entrance behind it may be replaced while
// connections are open: each request is served by the one that is there when its head has come, and
// holds it until it is answered.
//
// Thread rule: any thread. Next: http/entrance.h, http/server.h (CommitChange).
#pragma once

#include <memory>
#include <mutex>

#include "http/entrance.h"

namespace weft::http {

class Door {
 public:
  explicit Door(std::shared_ptr<const Entrance> entrance) : entrance_(std::move(entrance)) {}

  std::shared_ptr<const Entrance> Now() const {
    std::lock_guard lock(mutex_);
    return entrance_;
  }
  void Replace(std::shared_ptr<const Entrance> entrance) {
    std::lock_guard lock(mutex_);
    entrance_.swap(entrance);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Entrance> entrance_;  // guarded by mutex_
};

}  // namespace weft::http

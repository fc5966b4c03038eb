// SPDX-License-Identifier: Apache-2.0
//
// Reloads: how a component asks for the configuration to be read again, and what became of it. Made
// by server/, found in Deps.
//
// Thread rule: any thread. Next: server/reloader.h, docs/operations.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace weft::pipeline {

struct ReloadReport {
  // An error: nothing has changed. kInvalidArgument: the configuration is wrong, or cannot be taken
  // without a restart; else: it could not be done now.
  Status status = {};
  std::vector<std::string> changes =
      {};                   // "receiver otlp: replaced", a line each; none: all is kept
  uint64_t generation = 1;  // of the configuration that runs: 1 is the start's
};

struct ReloadState {
  uint64_t generation = 1;
  uint64_t taken_ns = 0;   // when that generation began, since the Unix epoch
  uint64_t failed_ns = 0;  // when a reload failed that none has succeeded since; 0: none
  std::string error = {};  // why
};

class Reloads {
 public:
  virtual ~Reloads() = default;
  // One at a time, in the order asked for. `done` is called once, on another thread, before what is
  // replaced has ended.
  using Done = std::function<void(const ReloadReport&)>;
  virtual void Ask(Done done) = 0;
  virtual ReloadState state() const = 0;
};

}  // namespace weft::pipeline

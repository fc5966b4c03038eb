// SPDX-License-Identifier: Apache-2.0
//
// What a pipeline is made of. A receiver hands a batch to its Consumer; a processor is a Consumer
// that hands it on; an exporter is a Consumer that ends it. A batch is spans and log records, or
// metrics; a component is only given what its row (pipeline/component_row.h) says it takes.
//
// Thread rule: Consume() and Admit() may be called from any thread, and must not block.
// Next: pipeline/ack.h, pipeline/shared.h, pipeline/graph.h (built from config).
#pragma once

#include <any>
#include <cstdint>
#include <functional>

#include "base/result.h"
#include "pipeline/ack.h"
#include "pipeline/shared.h"

namespace weft::pipeline {

class Consumer {
 public:
  virtual ~Consumer() = default;
  // Cheap, before a request of about `bytes` is read and decoded: kUnavailable, kNoSpace or
  // kResourceExhausted with retry_after_s when it could not be taken.
  virtual Status Admit(uint64_t bytes) = 0;
  // Of one that does not take this signal: never called.
  virtual void Consume(SharedSpans batch, Ack ack);
  virtual void Consume(SharedMetrics batch, Ack ack);
  // Whether an OK of it means that the batch is kept (on disk, or where the user asked for it): the
  // sender's answer waits for those that keep.
  virtual bool Keeps() const = 0;
};

// Something with a life: started exporters first, receivers last; stopped in reverse.
class Component {
 public:
  virtual ~Component() = default;
  // At a reload, what has the same id may still be running: it is stopped when the last batch that
  // went to it is answered.
  virtual Status Start() = 0;
  // Takes nothing new, finishes what is under way. Idempotent.
  virtual void Stop() = 0;

  // At a reload its settings are no longer the same. Null: another is made and started beside it,
  // and takes its place. Else it goes on with the new ones from the call of what is returned, which
  // cannot fail and may never come. An error refuses the reload: what can only change at a start.
  // `settings` are of its row's type.
  using Change = std::function<void()>;
  virtual Result<Change> Reconfigure(const std::any& settings);
};

// The end of a pipeline.
class Exporter : public Consumer, public Component {};

// The middle of one; each pipeline that names it has its own. Most change the batch and hand it on.
class Processor : public Consumer, public Component {
 public:
  // `next` is borrowed, and outlives this.
  explicit Processor(Consumer* next) : next_(next) {}
  Status Start() override { return {}; }
  void Stop() override {}
  Status Admit(uint64_t bytes) override { return next_->Admit(bytes); }
  bool Keeps() const override { return next_->Keeps(); }

 protected:
  Consumer* next() const { return next_; }

 private:
  Consumer* const next_;
};

}  // namespace weft::pipeline

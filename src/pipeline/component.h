// SPDX-License-Identifier: Apache-2.0
//
// What a pipeline is made of. A receiver hands a batch to its Consumer; a processor is a Consumer
// that hands it on; an exporter is a Consumer that ends it. A request is answered OK when every
// exporter of its pipeline has completed.
//
// Thread rule: Consume() and Admit() may be called from any thread, and must not block.
// Next: pipeline/graph.h (built from config), server/components.cc (the list of all).
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "model/span_batch.h"

namespace weft::pipeline {

// Called exactly once, from any thread.
using Completion = std::move_only_function<void(Status)>;

class Consumer {
 public:
  virtual ~Consumer() = default;
  // Cheap, before a request of about `bytes` is read and decoded: kUnavailable, kNoSpace or
  // kResourceExhausted with retry_after_s when it could not be taken.
  virtual Status Admit(uint64_t bytes) = 0;
  virtual void Consume(SpanBatch batch, Completion done) = 0;
};

// Something with a life: started exporters first, receivers last; stopped in reverse.
class Component {
 public:
  virtual ~Component() = default;
  virtual Status Start() = 0;
  // Takes nothing new, finishes what is under way. Idempotent.
  virtual void Stop() = 0;
};

// The end of a pipeline.
class Exporter : public Consumer, public Component {};

}  // namespace weft::pipeline

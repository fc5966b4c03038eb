// SPDX-License-Identifier: Apache-2.0
//
// FanOut hands one batch to several consumers and completes when all of them have, with the first
// error if there was one. Each consumer gets a batch of its own: its lists of spans and logs are
// copied, the strings and attributes behind them are shared and kept alive by all.
//
// Thread rule: as Consumer.
#pragma once

#include <memory>
#include <vector>

#include "pipeline/component.h"

namespace weft::pipeline {

class FanOut : public Consumer {
 public:
  // The targets are borrowed. REQUIRES: at least one.
  explicit FanOut(std::vector<Consumer*> targets);
  // The first refusal of any.
  Status Admit(uint64_t bytes) override;
  void Consume(SpanBatch batch, Completion done) override;

 private:
  const std::vector<Consumer*> targets_;
};

// A batch of the same content whose views point into `source`.
SpanBatch ShareBatch(const std::shared_ptr<const SpanBatch>& source);

}  // namespace weft::pipeline

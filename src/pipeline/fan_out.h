// SPDX-License-Identifier: Apache-2.0
//
// FanOut hands one batch to several consumers: the pipelines of a receiver, the exporters of a
// pipeline. They fail apart: the sender's answer waits for those that keep what they get (for one
// of any kind where none does); what another branch could not take is counted as its loss. The
// batch is shared, and copied by who changes it.
//
// Thread rule: as Consumer. Next: pipeline/ack.h, pipeline/shared.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/reason_counters.h"
#include "pipeline/component.h"

namespace weft::pipeline {

class FanOut : public Consumer {
 public:
  struct Branch {
    Consumer* to;      // borrowed
    std::string name;  // "exporter debug", "pipeline traces/2": labels its losses
  };
  // REQUIRES: at least one.
  FanOut(std::vector<Branch> branches, Metrics* metrics);
  // Asks the branches whether they keep. Before the first batch, and when the ways behind them are
  // led.
  void Settle();
  // The first refusal of any.
  Status Admit(uint64_t bytes) override;
  void Consume(SharedSpans batch, Ack ack) override;
  void Consume(SharedMetrics batch, Ack ack) override;
  bool Keeps() const override;
  // The counters of a branch. Made also where there is only one, which loses nothing unheard: a
  // series is there from the start.
  static std::unique_ptr<ReasonCounters> LossesOf(const std::string& branch, Metrics* metrics);

 private:
  template <class B>
  void HandOut(Shared<B> batch, uint64_t items, Ack ack);

  const std::vector<Branch> branches_;
  std::vector<bool> keeps_;  // by branch
  // By branch. Shared with Acks, which may come back when this is gone.
  using Losses = std::vector<std::unique_ptr<ReasonCounters>>;
  const std::shared_ptr<Losses> lost_ = std::make_shared<Losses>();
};

}  // namespace weft::pipeline

// SPDX-License-Identifier: Apache-2.0
#include "pipeline/fan_out.h"

#include <algorithm>

#include "base/check.h"

namespace weft::pipeline {

std::unique_ptr<ReasonCounters> FanOut::LossesOf(const std::string& branch, Metrics* metrics) {
  return std::make_unique<ReasonCounters>(
      metrics, "weft_pipeline_branch_lost_items_total",
      "Spans, log records or metric points that a branch could not take while another took them "
      "and "
      "their sender was answered OK.",
      Labels{{"branch", branch}}, std::initializer_list<ErrorCode>{ErrorCode::kUnavailable});
}

FanOut::FanOut(std::vector<Branch> branches, Metrics* metrics) : branches_(std::move(branches)) {
  WEFT_CHECK(!branches_.empty());
  for (const Branch& branch : branches_) lost_->push_back(LossesOf(branch.name, metrics));
}

void FanOut::Settle() {
  keeps_.clear();
  for (const Branch& branch : branches_) keeps_.push_back(branch.to->Keeps());
}

Status FanOut::Admit(uint64_t bytes) {
  for (const Branch& branch : branches_) WEFT_TRY(branch.to->Admit(bytes));
  return {};
}

bool FanOut::Keeps() const { return std::ranges::find(keeps_, true) != keeps_.end(); }

void FanOut::Consume(SharedSpans batch, Ack ack) {
  const uint64_t items = batch->spans.size() + batch->logs.size();
  HandOut(std::move(batch), items, std::move(ack));
}

void FanOut::Consume(SharedMetrics batch, Ack ack) {
  const uint64_t items = batch->point_count();
  HandOut(std::move(batch), items, std::move(ack));
}

template <class B>
void FanOut::HandOut(Shared<B> batch, uint64_t items, Ack ack) {
  std::vector<Ack> parts =
      Ack::Split(std::move(ack), keeps_, [lost = lost_, items](size_t branch, const Error& error) {
        (*lost)[branch]->Of(error.code)->Add(items);
      });
  // All have their share before the first can change it.
  std::vector<Shared<B>> shares;
  for (size_t i = 1; i < branches_.size(); ++i) shares.push_back(batch.Share());
  shares.push_back(std::move(batch));
  for (size_t i = 0; i < branches_.size(); ++i)
    branches_[i].to->Consume(std::move(shares[i]), std::move(parts[i]));
}

}  // namespace weft::pipeline

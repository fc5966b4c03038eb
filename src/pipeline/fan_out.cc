// SPDX-License-Identifier: Apache-2.0
#include "pipeline/fan_out.h"

#include <mutex>

#include "base/check.h"

namespace weft::pipeline {
namespace {

// Counts completions down; the last one reports.
class Gather {
 public:
  Gather(size_t count, Completion done) : waiting_(count), done_(std::move(done)) {}

  void OnDone(Status status) {
    Completion done;
    {
      std::lock_guard lock(mutex_);
      if (!status && first_error_.has_value()) first_error_ = std::move(status);
      if (--waiting_ > 0) return;
      done = std::move(done_);
    }
    done(std::move(first_error_));
  }

 private:
  std::mutex mutex_;
  size_t waiting_;
  Status first_error_;
  Completion done_;
};

}  // namespace

FanOut::FanOut(std::vector<Consumer*> targets) : targets_(std::move(targets)) {
  WEFT_CHECK(!targets_.empty());
}

Status FanOut::Admit(uint64_t bytes) {
  for (Consumer* target : targets_) WEFT_TRY(target->Admit(bytes));
  return {};
}

void FanOut::Consume(SpanBatch batch, Completion done) {
  if (targets_.size() == 1) {
    targets_[0]->Consume(std::move(batch), std::move(done));
    return;
  }
  auto source = std::make_shared<const SpanBatch>(std::move(batch));
  auto gather = std::make_shared<Gather>(targets_.size(), std::move(done));
  for (Consumer* target : targets_)
    target->Consume(ShareBatch(source),
                    [gather](Status status) { gather->OnDone(std::move(status)); });
}

SpanBatch ShareBatch(const std::shared_ptr<const SpanBatch>& source) {
  SpanBatch batch;
  batch.owners.push_back(source);
  batch.resources = source->resources;
  batch.scopes = source->scopes;
  batch.spans = source->spans;
  batch.logs = source->logs;
  batch.rejected_spans = source->rejected_spans;
  batch.rejected_logs = source->rejected_logs;
  batch.left_out = source->left_out;
  batch.not_understood = source->not_understood;
  batch.received_ns = source->received_ns;
  batch.tenant = source->tenant;
  // One copy of the request is cheaper than encoding it again for the log.
  if (source->received_is_content) {
    batch.received = source->received;
    batch.received_is_content = true;
  }
  return batch;
}

}  // namespace weft::pipeline

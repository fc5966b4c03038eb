// SPDX-License-Identifier: Apache-2.0
//
// Shared<B>: a batch on its way through a pipeline. All holders read it; who wants to change it
// asks Edit(), the one door to its content: that makes the batch the caller's own (a batch that
// others hold too is copied first: its lists; strings and attributes stay where they are) and ends
// "the received bytes are the content", so that the log never keeps what a component has taken out.
//
// B is SpanBatch or MetricBatch. Thread rule: one holder by one thread at a time; holders apart.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "model/metric_batch.h"
#include "model/span_batch.h"

namespace weft::pipeline {

// A batch of the same content whose views point into `source`. `with_received`: also a copy of the
// received bytes where they are the content; cheaper than encoding them again for the log.
SpanBatch CopyLists(const std::shared_ptr<const SpanBatch>& source, bool with_received);
MetricBatch CopyLists(const std::shared_ptr<const MetricBatch>& source, bool with_received);

template <class B>
class Shared {
 public:
  // Implicit: a batch that nobody else holds is a shared one.
  Shared(B batch) : held_(std::make_shared<Held>(std::move(batch))) {}
  Shared(Shared&&) = default;
  Shared& operator=(Shared&& other) {
    LetGo();
    held_ = std::move(other.held_);
    return *this;
  }
  ~Shared() { LetGo(); }

  const B& operator*() const { return held_->batch; }
  const B* operator->() const { return &held_->batch; }

  // Another holder of the same batch.
  Shared Share() const {
    held_->holders.fetch_add(1, std::memory_order_relaxed);
    return Shared(held_);
  }
  // To be changed. The reference holds until this is shared, edited or taken again.
  B& Edit() {
    if (!IsAlone()) *this = Shared(CopyLists(Content(), false));
    held_->batch.received_is_content = false;
    return held_->batch;
  }
  // The batch for whoever keeps it.
  B Take() && {
    if (!IsAlone()) return CopyLists(Content(), true);
    return std::move(held_->batch);
  }

 private:
  struct Held {
    explicit Held(B b) : batch(std::move(b)) {}
    B batch;
    // Beside the pointer's own count, which tells no thread what another has read.
    std::atomic<uint32_t> holders{1};
  };
  explicit Shared(std::shared_ptr<Held> held) : held_(std::move(held)) {}
  bool IsAlone() const { return held_->holders.load(std::memory_order_acquire) == 1; }
  std::shared_ptr<const B> Content() const { return {held_, &held_->batch}; }
  void LetGo() {
    if (held_ != nullptr) held_->holders.fetch_sub(1, std::memory_order_release);
    held_.reset();
  }

  std::shared_ptr<Held> held_;
};

using SharedSpans = Shared<SpanBatch>;
using SharedMetrics = Shared<MetricBatch>;

}  // namespace weft::pipeline

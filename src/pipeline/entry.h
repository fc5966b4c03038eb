// SPDX-License-Identifier: Apache-2.0
//
// Entry: a place in a graph where its way can be changed while batches come: what a receiver hands
// its batches to, and what a processor calls its next. A reload leads it elsewhere; batches that
// have entered go on where they were, and hold the graph's lease until they are answered.
//
// Thread rule: Lead(), Loosen() and Fade() by one thread, the rest from any. It costs a short lock
// for each batch. Next: pipeline/graph.h.
#pragma once

#include <memory>
#include <mutex>

#include "pipeline/component.h"

namespace weft::pipeline {

class Entry : public Consumer {
 public:
  // The owner of `to` is the lease that batches which come this way hold.
  void Lead(std::shared_ptr<Consumer> to) {
    std::lock_guard lock(mutex_);
    to_.swap(to);
  }
  // Goes on without a lease: whoever uses it ends before the graph does.
  void Loosen() {
    std::lock_guard lock(mutex_);
    to_ = std::shared_ptr<Consumer>(std::shared_ptr<Consumer>(), to_.get());
  }
  // Batches may come as long as others hold the lease; after that they are refused.
  void Fade() {
    std::lock_guard lock(mutex_);
    fading_ = to_;
    to_.reset();
  }

  // Batches hold this, too, while it is there: who hears of their end.
  void KeepToo(std::weak_ptr<const void> listener) {
    std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
  }

  // REQUIRES, as all that follow: Lead() was called.
  Status Admit(uint64_t bytes) override {
    const std::shared_ptr<Consumer> to = Now();
    return to ? to->Admit(bytes) : Gone();
  }
  void Consume(SharedSpans batch, Ack ack) override { Pass(std::move(batch), std::move(ack)); }
  void Consume(SharedMetrics batch, Ack ack) override { Pass(std::move(batch), std::move(ack)); }
  bool Keeps() const override {
    const std::shared_ptr<Consumer> to = Now();
    return to && to->Keeps();
  }

 private:
  static Status Gone() {
    return Fail(Error{ErrorCode::kUnavailable, "this receiver has been taken away", 1});
  }
  std::shared_ptr<Consumer> Now() const {
    std::lock_guard lock(mutex_);
    return to_ ? to_ : fading_.lock();
  }
  std::shared_ptr<const void> Listener() const {
    std::lock_guard lock(mutex_);
    return listener_.lock();
  }
  template <class B>
  void Pass(Shared<B> batch, Ack ack) {
    const std::shared_ptr<Consumer> to = Now();
    if (to == nullptr) return ack.Complete({.status = Gone()});
    ack.Hold(to);
    ack.Hold(Listener());
    to->Consume(std::move(batch), std::move(ack));
  }

  mutable std::mutex mutex_;
  std::shared_ptr<Consumer> to_;        // guarded by mutex_
  std::weak_ptr<Consumer> fading_;      // guarded by mutex_; in place of `to_`
  std::weak_ptr<const void> listener_;  // guarded by mutex_
};

}  // namespace weft::pipeline

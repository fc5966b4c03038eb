// SPDX-License-Identifier: Apache-2.0
#include "http/exchange_state.h"

#include <utility>

namespace weft::http {
namespace {

class ExchangeDoor final : public Exchange {
 public:
  ExchangeDoor(std::shared_ptr<ExchangeState> state, std::string traceparent)
      : state_(std::move(state)), traceparent_(std::move(traceparent)) {}
  ~ExchangeDoor() override {
    if (!finished_) state_->Submit({AnswerPart::Kind::kAbandon, {}});
  }

  void Respond(Response response) override {
    finished_ = true;
    state_->Submit({AnswerPart::Kind::kWhole, std::move(response)});
  }
  void Start(int status, std::string content_type, Headers headers) override {
    AnswerPart part{AnswerPart::Kind::kStart, {}};
    part.response.status = status;
    part.response.content_type = std::move(content_type);
    part.response.headers = std::move(headers);
    state_->Submit(std::move(part));
  }
  WriteState Write(std::string bytes) override {
    AnswerPart part{AnswerPart::Kind::kData, {}};
    part.response.body = std::move(bytes);
    return state_->Submit(std::move(part));
  }
  void Finish() override {
    finished_ = true;
    state_->Submit({AnswerPart::Kind::kEnd, {}});
  }
  void OnWritable(std::function<void()> callback) override {
    state_->OnWritable(std::move(callback));
  }
  bool cancelled() const override { return state_->cancelled(); }
  std::string_view traceparent() const override { return traceparent_; }

 private:
  const std::shared_ptr<ExchangeState> state_;
  const std::string traceparent_;
  bool finished_ = false;
};

}  // namespace

WriteState ExchangeState::Submit(AnswerPart part) {
  if (detached_.load(std::memory_order_acquire)) return WriteState::kClosed;
  uint64_t buffered = buffered_.load(std::memory_order_relaxed);
  if (part.kind == AnswerPart::Kind::kData) {
    size_t bytes = part.response.body.size();
    if (bytes == 0) return buffered > buffer_bytes_max_ ? WriteState::kWait : WriteState::kGo;
    buffered = buffered_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  }
  bool post = false;
  bool on_loop = host_->OnLoopThread();
  {
    std::lock_guard lock(mutex_);
    pending_.push_back(std::move(part));
    post = !on_loop && !posted_;
    if (post) posted_ = true;
  }
  if (on_loop) {
    // Parts that another thread queued before go first: Drain() keeps the order.
    host_->Enter();
    Drain();
    host_->Leave();
  } else if (post) {
    host_->Post([self = shared_from_this()] { self->Drain(); });
  }
  if (detached_.load(std::memory_order_acquire)) return WriteState::kClosed;
  return buffered > buffer_bytes_max_ ? WriteState::kWait : WriteState::kGo;
}

void ExchangeState::Drain() {
  std::vector<AnswerPart> parts;
  {
    std::lock_guard lock(mutex_);
    posted_ = false;
    parts.swap(pending_);
  }
  for (AnswerPart& part : parts) {
    if (sink_ == nullptr) return;
    sink_->OnAnswer(std::move(part));
  }
}

void ExchangeState::OnWritable(std::function<void()> callback) {
  host_->Post([self = shared_from_this(), callback = std::move(callback)]() mutable {
    bool go = self->sink_ == nullptr || self->buffered_.load() <= self->buffer_bytes_max_;
    if (go) {
      callback();
    } else {
      self->on_writable_ = std::move(callback);
    }
  });
}

void ExchangeState::Credit(uint64_t bytes) {
  uint64_t left = buffered_.fetch_sub(bytes, std::memory_order_relaxed) - bytes;
  // Half, so that a writer is woken for a good portion and not for every packet.
  if (on_writable_ && left <= buffer_bytes_max_ / 2) {
    auto callback = std::move(on_writable_);
    on_writable_ = nullptr;
    callback();
  }
}

void ExchangeState::WakeAt(int64_t at_ms, std::function<void()> task) {
  if (sink_ == nullptr) return;
  wake_at_ms_ = at_ms;
  wake_task_ = std::move(task);
}

void ExchangeState::Wake() {
  wake_at_ms_ = net::kNever;
  if (auto task = std::exchange(wake_task_, nullptr)) task();
}

void ExchangeState::BeginDrain() {
  draining_ = true;
  Wake();
}

void ExchangeState::Detach() {
  sink_ = nullptr;
  wake_at_ms_ = net::kNever;
  wake_task_ = nullptr;  // it holds the call: a cycle while it waits
  detached_.store(true, std::memory_order_release);
  if (on_writable_) {
    auto callback = std::move(on_writable_);
    on_writable_ = nullptr;
    callback();
  }
}

ExchangePtr MakeExchange(std::shared_ptr<ExchangeState> state, std::string traceparent) {
  return std::make_shared<ExchangeDoor>(std::move(state), std::move(traceparent));
}

}  // namespace weft::http

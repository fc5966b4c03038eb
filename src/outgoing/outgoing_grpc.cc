// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_grpc.h"

#include <mutex>
#include <vector>

#include "outgoing/outgoing_exchange.h"
#include "outgoing/outgoing_grpc_reader.h"
#include "outgoing/outgoing_pool.h"

namespace weft::outgoing {

using http::GrpcCode;
using http::Headers;
using http::WriteState;
using net::SharedBytes;

namespace {

// The message behind its prefix, from where it lies.
std::vector<SharedBytes> Framed(const SharedBytes& message, const OutgoingGrpcCoding* coding) {
  SharedBytes bytes = message;
  const bool compressed = coding != nullptr && !coding->name.empty() && coding->compress;
  if (compressed) bytes = SharedBytes(coding->compress(message.bytes()));
  auto size = static_cast<uint32_t>(bytes.size());
  std::string prefix = {static_cast<char>(compressed), static_cast<char>(size >> 24),
                        static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                        static_cast<char>(size)};
  std::vector<SharedBytes> out = {std::move(prefix)};
  if (!bytes.empty()) out.push_back(std::move(bytes));
  return out;
}

Result<std::shared_ptr<OutgoingExchange>> MakeExchange(OutgoingGrpcRequest request) {
  if (request.message.size() > UINT32_MAX)
    return Fail(ErrorCode::kTooLarge, "a gRPC message has at most 4 GiB");
  auto exchange = std::make_shared<OutgoingExchange>();
  exchange->method = "POST";
  exchange->path = std::move(request.path);
  exchange->headers = {{"content-type", "application/grpc"}, {"te", "trailers"}};
  if (const OutgoingGrpcCoding* coding = request.coding.get()) {
    if (!coding->name.empty()) exchange->headers.emplace_back("grpc-encoding", coding->name);
    if (!coding->accepts.empty())
      exchange->headers.emplace_back("grpc-accept-encoding", coding->accepts);
  }
  for (auto& header : request.metadata) exchange->headers.push_back(std::move(header));
  exchange->timeout_ms = request.timeout_ms;
  exchange->needs_http2 = true;
  exchange->tells_timeout = true;
  return exchange;
}

using Step = OutgoingGrpcReader::Step;

OutgoingSink::Take Broken(const OutgoingGrpcReader& reader) {
  return reader.too_large() ? OutgoingSink::Take::kTooLarge : OutgoingSink::Take::kBad;
}

// The answer of a unary call.
class UnarySink final : public OutgoingSink {
 public:
  UnarySink(OutgoingGrpcDone done, std::shared_ptr<const OutgoingGrpcCoding> coding,
            uint64_t bytes_max)
      : done_(std::move(done)), reader_(std::move(coding), bytes_max), bytes_max_(bytes_max) {}

  void OnHead(int status, Headers headers) override { reader_.OnHead(status, std::move(headers)); }
  Take OnData(std::string_view bytes) override {
    received_ += bytes.size();
    if (received_ > bytes_max_ + http::kGrpcPrefixBytes) {
      why_ = "the answer is over the limit of " + std::to_string(bytes_max_) + " bytes";
      return Take::kTooLarge;
    }
    for (;;) {
      const Step step = reader_.Next(&bytes);
      if (step == Step::kMore) return Take::kGo;
      if (step == Step::kBroken) {
        why_ = reader_.why();
        return Broken(reader_);
      }
      if (++messages_ == 1) message_ = std::move(reader_.message());
    }
  }
  std::string why() const override { return why_; }
  void OnEnd(Headers trailers) override {
    OutgoingGrpcAnswer answer{reader_.TakeEnd(std::move(trailers)), std::move(message_)};
    if (answer.status.code == GrpcCode::kOk && messages_ != 1) {
      answer.status = {
          GrpcCode::kInternal,
          messages_ == 0 ? "the answer holds no message" : "the answer holds several messages", 0};
    }
    if (answer.status.code != GrpcCode::kOk) answer.message.clear();
    done_(std::move(answer));
  }
  void OnError(OutgoingError error) override { done_(std::unexpected(std::move(error))); }

 private:
  const OutgoingGrpcDone done_;
  OutgoingGrpcReader reader_;
  const uint64_t bytes_max_;
  uint64_t received_ = 0;
  uint64_t messages_ = 0;
  std::string message_;
  std::string why_;
};

// What the two halves of a stream share: the caller's, on any thread, and the sink, on the loop.
struct StreamState {
  OutgoingGrpcHandlers handlers;
  std::shared_ptr<const OutgoingGrpcCoding> coding;

  std::mutex mutex;
  uint64_t waiting_bytes = 0;  // guarded by mutex: written, and not on their way
  bool writer_waits = false;   // guarded by mutex
  bool writes_closed = false;  // guarded by mutex
};

class StreamSink final : public OutgoingSink {
 public:
  explicit StreamSink(std::shared_ptr<StreamState> state)
      : state_(std::move(state)), reader_(state_->coding, state_->handlers.message_bytes_max) {}

  void OnHead(int status, Headers headers) override { reader_.OnHead(status, std::move(headers)); }
  Take OnData(std::string_view bytes) override {
    if (!holds_) Deliver(&bytes);
    // Kept as it came: decompressed, it could be a hundred times as much.
    held_.append(bytes);
    if (!reader_.why().empty()) return Broken(reader_);
    return holds_ ? Take::kHold : Take::kGo;
  }
  std::string why() const override { return reader_.why(); }
  bool holds() const override { return holds_; }
  Take OnResume() override {
    holds_ = false;
    std::string held = std::exchange(held_, {});
    return OnData(held);
  }
  void OnBodyMoved(uint64_t bytes) override {
    {
      std::lock_guard lock(state_->mutex);
      state_->waiting_bytes -= std::min(bytes, state_->waiting_bytes);
      if (state_->waiting_bytes > state_->handlers.write_bytes_max / 2) return;
    }
    TellWriter(false);
  }
  void OnEnd(Headers trailers) override {
    TellWriter(true);
    state_->handlers.on_end(reader_.TakeEnd(std::move(trailers)));
  }
  void OnError(OutgoingError error) override {
    TellWriter(true);
    state_->handlers.on_end(std::unexpected(std::move(error)));
  }

 private:
  void Deliver(std::string_view* bytes) {
    while (!holds_ && reader_.Next(bytes) == Step::kMessage)
      holds_ = !state_->handlers.on_message(std::move(reader_.message()));
  }
  void TellWriter(bool closed) {
    bool waits = false;
    {
      std::lock_guard lock(state_->mutex);
      waits = std::exchange(state_->writer_waits, false);
      state_->writes_closed |= closed;
    }
    if (waits && state_->handlers.on_writable) state_->handlers.on_writable();
  }

  const std::shared_ptr<StreamState> state_;
  OutgoingGrpcReader reader_;
  bool holds_ = false;  // on_message has said stop
  std::string held_;    // not looked at
};

class Stream final : public OutgoingGrpcStream {
 public:
  Stream(OutgoingExchangePtr exchange, std::shared_ptr<StreamState> state)
      : exchange_(std::move(exchange)), state_(std::move(state)) {}

  WriteState Write(SharedBytes message) override {
    std::vector<SharedBytes> framed = Framed(message, state_->coding.get());
    uint64_t bytes = 0;
    for (const SharedBytes& piece : framed) bytes += piece.size();
    // Messages of two writers must not cross on their way to the loop.
    std::lock_guard lock(state_->mutex);
    std::shared_ptr<OutgoingPool> pool = exchange_->pool.lock();
    if (state_->writes_closed || pool == nullptr) return WriteState::kClosed;
    state_->waiting_bytes += bytes;
    state_->writer_waits = state_->waiting_bytes > state_->handlers.write_bytes_max;
    pool->AddBody(exchange_, std::move(framed), false);
    return state_->writer_waits ? WriteState::kWait : WriteState::kGo;
  }
  void WritesDone() override {
    std::lock_guard lock(state_->mutex);
    std::shared_ptr<OutgoingPool> pool = exchange_->pool.lock();
    if (std::exchange(state_->writes_closed, true) || pool == nullptr) return;
    pool->AddBody(exchange_, {}, true);
  }
  void Resume() override {
    if (std::shared_ptr<OutgoingPool> pool = exchange_->pool.lock()) pool->Resume(exchange_);
  }
  void Cancel() override { OutgoingExchangeCall(exchange_).Cancel(); }

 private:
  const OutgoingExchangePtr exchange_;
  const std::shared_ptr<StreamState> state_;
};

}  // namespace

Result<OutgoingCallPtr> CallGrpc(OutgoingClient* client, OutgoingGrpcRequest request,
                                 OutgoingGrpcDone done) {
  std::shared_ptr<const OutgoingGrpcCoding> coding = request.coding;
  SharedBytes message = request.message;
  WEFT_ASSIGN(auto exchange, MakeExchange(std::move(request)));
  exchange->body = Framed(message, coding.get());
  exchange->sink = std::make_unique<UnarySink>(std::move(done), std::move(coding),
                                               client->options().answer_bytes_max);
  WEFT_TRY(client->Submit(exchange));
  return std::make_shared<OutgoingExchangeCall>(std::move(exchange));
}

Result<OutgoingGrpcStreamPtr> OpenGrpcStream(OutgoingClient* client, OutgoingGrpcRequest request,
                                             OutgoingGrpcHandlers handlers) {
  auto state = std::make_shared<StreamState>();
  state->handlers = std::move(handlers);
  state->coding = request.coding;
  SharedBytes message = request.message;
  WEFT_ASSIGN(auto exchange, MakeExchange(std::move(request)));
  if (!message.empty()) {
    exchange->body = Framed(message, state->coding.get());
    state->waiting_bytes = exchange->body_bytes();
  }
  exchange->streams = true;
  exchange->sink = std::make_unique<StreamSink>(state);
  WEFT_TRY(client->Submit(exchange));
  return std::make_shared<Stream>(std::move(exchange), std::move(state));
}

}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_client.h"

#include <algorithm>
#include <latch>

#include "http/answer_head.h"
#include "http/http_text.h"
#include "outgoing/outgoing_exchange.h"
#include "outgoing/outgoing_pool.h"
#include "wire_core/printable.h"

namespace weft::outgoing {
namespace {

// Of a declared length, this much is believed before it has come.
constexpr uint64_t kReserveBytesMax = 64 * 1024;

std::unexpected<Error> Wrong(std::string message) {
  return Fail(weft::ErrorCode::kInvalidArgument, std::move(message));
}

bool IsIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE";
}

// What the client itself says of a request, or what would change where it ends.
bool IsOurs(std::string_view name) {
  return name == "content-length" || name == "transfer-encoding" || name == "connection" ||
         name == "keep-alive" || name == "upgrade" || name == "expect" ||
         name == "proxy-connection" || name == "proxy-authorization";
}

// The whole answer, in one piece.
class WholeAnswer final : public OutgoingSink {
 public:
  WholeAnswer(OutgoingDone done, uint64_t bytes_max)
      : done_(std::move(done)), bytes_max_(bytes_max) {}

  void OnHead(int status, http::Headers headers) override {
    answer_.status = status;
    answer_.headers = std::move(headers);
  }
  Take OnData(std::string_view bytes) override {
    if (bytes.size() > bytes_max_ - answer_.body.size()) return Take::kTooLarge;
    if (answer_.body.empty()) answer_.body.reserve(std::min(kReserveBytesMax, bytes_max_));
    answer_.body.append(bytes);
    return Take::kGo;
  }
  std::string why() const override {
    return "the answer is over the limit of " + std::to_string(bytes_max_) + " bytes";
  }
  void OnEnd(http::Headers trailers) override {
    answer_.trailers = std::move(trailers);
    done_(std::move(answer_));
  }
  void OnError(OutgoingError error) override { done_(std::unexpected(std::move(error))); }

 private:
  const OutgoingDone done_;
  const uint64_t bytes_max_;
  OutgoingAnswer answer_;
};

}  // namespace

OutgoingClient::OutgoingClient(std::shared_ptr<const OutgoingRemote> remote,
                               const std::vector<std::shared_ptr<net::Loop>>& loops)
    : remote_(std::move(remote)), counters_(std::make_shared<OutgoingCounters>()) {
  for (const auto& loop : loops)
    pools_.push_back(std::make_shared<OutgoingPool>(loop, remote_, counters_));
}

Result<std::unique_ptr<OutgoingClient>> OutgoingClient::Make(
    OutgoingOptions options, std::vector<std::shared_ptr<net::Loop>> loops) {
  if (loops.empty()) return Wrong("a client needs a loop");
  WEFT_ASSIGN(auto remote, OutgoingRemote::Make(std::move(options)));
  return std::unique_ptr<OutgoingClient>(new OutgoingClient(std::move(remote), loops));
}

OutgoingClient::~OutgoingClient() {
  const bool waits = std::ranges::none_of(pools_, [](const auto& pool) { return pool->on_loop(); });
  auto closed = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(pools_.size()));
  for (const auto& pool : pools_) {
    if (!pool->Shutdown([closed] { closed->count_down(); })) closed->count_down();
  }
  if (waits) closed->wait();
}

const OutgoingOptions& OutgoingClient::options() const { return remote_->options; }

Result<OutgoingCallPtr> OutgoingClient::Send(OutgoingRequest request, OutgoingDone done) {
  auto exchange = std::make_shared<OutgoingExchange>();
  exchange->method = std::move(request.method);
  exchange->path = std::move(request.path);
  exchange->headers = std::move(request.headers);
  if (!request.body.empty()) exchange->body.push_back(std::move(request.body));
  exchange->timeout_ms = request.timeout_ms;
  exchange->idempotent = request.idempotent || IsIdempotent(exchange->method);
  exchange->sink =
      std::make_unique<WholeAnswer>(std::move(done), remote_->options.answer_bytes_max);
  WEFT_TRY(Submit(exchange));
  return std::make_shared<OutgoingExchangeCall>(std::move(exchange));
}

Status OutgoingClient::Submit(const std::shared_ptr<OutgoingExchange>& exchange) {
  for (auto& [name, value] : exchange->headers) name = http::LowerCase(name);
  WEFT_TRY(Check(*exchange));
  if (exchange->timeout_ms <= 0) exchange->timeout_ms = remote_->options.timeout_ms;
  WEFT_TRY(Charge(exchange.get()));
  // The loop that asks serves itself.
  auto here = std::ranges::find_if(pools_, [](const auto& pool) { return pool->on_loop(); });
  const auto& pool =
      here != pools_.end()
          ? *here
          : pools_[next_pool_.fetch_add(1, std::memory_order_relaxed) % pools_.size()];
  if (pool->Submit(exchange)) return {};
  counters_->requests_open.fetch_sub(1);
  counters_->request_bytes_open.fetch_sub(exchange->charged_bytes);
  return Fail(weft::ErrorCode::kUnavailable, "the event loop has stopped");
}

Status OutgoingClient::Check(const OutgoingExchange& exchange) const {
  if (!http::IsToken(exchange.method) || exchange.method == "CONNECT")
    return Wrong("\"" + EscapeUnprintable(exchange.method) + "\" is no method of a request");
  const bool good_path =
      exchange.path.starts_with('/') &&
      std::ranges::all_of(exchange.path, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!good_path)
    return Wrong("\"" + EscapeUnprintable(exchange.path) + "\" is no path of a request");
  for (const auto& [name, value] : exchange.headers) {
    if (!http::IsToken(name) || IsOurs(name))
      return Wrong("\"" + EscapeUnprintable(name) + "\" is no header that a request may bring");
    if (!std::ranges::all_of(value, http::IsHeaderValueByte))
      return Wrong("the value of header " + name + " has control characters");
  }
  if (exchange.needs_http2 && !remote_->tls &&
      remote_->options.protocol != OutgoingProtocol::kHttp2)
    return Wrong("gRPC in cleartext needs a client of OutgoingProtocol::kHttp2");
  if (exchange.needs_http2 && remote_->options.protocol == OutgoingProtocol::kHttp1)
    return Wrong("gRPC needs HTTP/2");
  return {};
}

Status OutgoingClient::Charge(OutgoingExchange* exchange) {
  const OutgoingOptions& options = remote_->options;
  exchange->charged_bytes = exchange->body_bytes();
  const uint64_t count = counters_->requests_open.fetch_add(1) + 1;
  const uint64_t bytes =
      counters_->request_bytes_open.fetch_add(exchange->charged_bytes) + exchange->charged_bytes;
  // One request that is larger than all may be goes alone.
  const bool fits = bytes <= options.request_bytes_max || bytes == exchange->charged_bytes;
  if (count <= options.requests_max && fits) {
    counters_->requests.fetch_add(1, std::memory_order_relaxed);
    return {};
  }
  counters_->requests_open.fetch_sub(1);
  counters_->request_bytes_open.fetch_sub(exchange->charged_bytes);
  counters_->requests_refused.fetch_add(1, std::memory_order_relaxed);
  return Fail(weft::ErrorCode::kUnavailable, remote_->text + ": " + std::to_string(count - 1) +
                                                 " requests with " +
                                                 std::to_string(bytes - exchange->charged_bytes) +
                                                 " bytes are under way, and no more are taken");
}

}  // namespace weft::outgoing

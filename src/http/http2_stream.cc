// SPDX-License-Identifier: Apache-2.0
#include "http/http2_stream.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "http/request_target.h"

namespace weft::http {

using net::kNever;

namespace {

constexpr int64_t kRateGraceMs = 10'000;
// A head this many times over its limit is not even decoded to the end.
constexpr uint64_t kHeadOverrun = 4;
// RFC 9113 6.5.2: what a header counts besides its bytes.
constexpr uint64_t kHeaderOverhead = 32;
constexpr uint64_t kDiscardBytesMax = 1 << 20;
constexpr int64_t kDiscardMs = 5'000;
constexpr size_t kBodyFirstStep = 256 * 1024;

}  // namespace

Http2Stream::Http2Stream(Http2Wire* wire, int32_t id, const std::string& peer)
    : wire_(wire), id_(id), waiting_(wire->limits()) {
  request_.peer = peer;
  request_.http2 = true;
}

Http2Stream::~Http2Stream() { OnClosed(); }

// ----------------------------------------------------------------------------------- the request

bool Http2Stream::OnHeader(std::string_view name, std::string_view value) {
  if (phase_ != Phase::kHead) return true;  // trailers: nothing here reads them
  head_bytes_ += name.size() + value.size() + kHeaderOverhead;
  uint64_t limit = wire_->limits().header_bytes_max;
  if (head_bytes_ > kHeadOverrun * limit) return false;
  if (head_bytes_ > limit) return true;
  if (name == ":method") {
    request_.method = value;
  } else if (name == ":path") {
    if (value == "*" && request_.method == "OPTIONS") {
      request_.path = request_.raw_path = "*";
    } else {
      bad_target_ = !value.starts_with('/') || !ParseTarget(value, &request_);
    }
  } else if (name == ":authority" || name == "host") {
    // They say the same, or the request is malformed.
    std::string_view known = FindHeader(request_.headers, "host");
    if (!known.empty() && !SameAuthority(known, value)) two_hosts_ = true;
    if (known.empty()) request_.headers.emplace_back("host", value);
  } else if (!name.starts_with(':')) {
    if (name == "content-length") {
      int64_t length = -1;
      std::from_chars(value.data(), value.data() + value.size(), length);
      request_.content_length = length;
    }
    if (name == "expect") expects_continue_ = value == "100-continue";
    request_.headers.emplace_back(name, value);
  }
  return true;
}

void Http2Stream::TakeHead(RequestHead head) {
  static_cast<RequestHead&>(request_) = std::move(head);
  request_.http2 = true;
}

void Http2Stream::OnHeadEnd() {
  if (phase_ != Phase::kHead) return;
  phase_ = Phase::kBody;
  body_started_ms_ = wire_->host()->NowMs();
  is_head_ = request_.method == "HEAD";
  if (head_bytes_ > wire_->limits().header_bytes_max) {
    Refuse(431, "request head is over the limit of " +
                    std::to_string(wire_->limits().header_bytes_max) + " bytes");
    return;
  }
  if (bad_target_ || request_.path.empty()) {
    Refuse(400, "malformed request target");
    return;
  }
  if (two_hosts_) {
    Refuse(400, ":authority and the host header name two servers");
    return;
  }
  grpc_ = IsGrpcContentType(FindHeader(request_.headers, "content-type"));
  if (grpc_) {
    RouteGrpc();
  } else {
    RouteHttp();
  }
}

void Http2Stream::RouteHttp() {
  entrance_ = wire_->entrance();
  entrance_->router().StripBasePath(&request_);
  choice_ = ChooseRoute(*entrance_, request_);
  if (choice_.refusal) {
    Refuse(std::move(*choice_.refusal));
    return;
  }
  if (expects_continue_ && !request_ended_) wire_->SubmitContinue(id_);
  if (request_.content_length > 0) {
    auto declared = static_cast<uint64_t>(request_.content_length);
    request_.body.reserve(choice_.admitted ? declared
                                           : std::min<uint64_t>(declared, kBodyFirstStep));
  }
}

void Http2Stream::RouteGrpc() {
  std::string_view timeout = FindHeader(request_.headers, "grpc-timeout");
  if (!timeout.empty()) {
    std::optional<int64_t> ms = ParseGrpcTimeoutMs(timeout);
    if (!ms) {
      FinishGrpc({GrpcCode::kInternal, "malformed grpc-timeout", 0});
      return;
    }
    call_deadline_ms_ = body_started_ms_ + *ms;
  }
  entrance_ = wire_->entrance();
  grpc_route_ = entrance_->router().FindGrpc(request_.path);
  if (auto refused = CheckCall(*entrance_, request_, grpc_route_)) {
    FinishGrpc(*refused);
    return;
  }
  if (grpc_route_ == nullptr || request_.method != "POST") {
    FinishGrpc({GrpcCode::kUnimplemented, "unknown method " + request_.path, 0});
    return;
  }
  reader_ = std::make_unique<GrpcMessageReader>(&grpc_route_->grpc_options, &request_);
}

void Http2Stream::OnData(std::string_view bytes) {
  if (phase_ == Phase::kEnded) {
    discarded_ += bytes.size();
    if (discarded_ > kDiscardBytesMax) ReleaseHeld();
    return;
  }
  if (phase_ != Phase::kBody || bytes.empty()) return;
  if (grpc_) {
    GrpcStatus status = reader_->OnData(bytes);
    if (status.code != GrpcCode::kOk) FinishGrpc(status);
    return;
  }
  if (bytes.size() > choice_.body_bytes_max - request_.body.size()) {
    Refuse(413, "body is over the limit of " + std::to_string(choice_.body_bytes_max) + " bytes");
    return;
  }
  if (auto refusal = choice_.Grow(request_, request_.body.size() + bytes.size())) {
    Refuse(std::move(*refusal));
    return;
  }
  request_.body.append(bytes);
}

void Http2Stream::OnRequestEnd() {
  request_ended_ = true;
  ReleaseHeld();
  if (phase_ != Phase::kBody) return;
  if (grpc_) {
    DispatchGrpc();
  } else {
    DispatchHttp();
  }
}

void Http2Stream::MakeState(std::shared_ptr<void> token) {
  phase_ = Phase::kAnswer;
  exchange_ = std::make_shared<ExchangeState>(wire_->host()->shared_from_this(), this,
                                              wire_->limits().write_buffer_bytes_max);
  exchange_->set_token(std::move(token));
}

void Http2Stream::DispatchHttp() {
  MakeState(std::move(choice_.token));
  std::string traceparent(FindHeader(request_.headers, "traceparent"));
  (*choice_.handler)(std::move(request_), MakeExchange(exchange_, std::move(traceparent)));
}

void Http2Stream::DispatchGrpc() {
  GrpcRequest request;
  GrpcStatus status = reader_->Finish(&request);
  if (status.code != GrpcCode::kOk) {
    FinishGrpc(status);
    return;
  }
  std::shared_ptr<void> token = reader_->TakeToken();
  reader_.reset();
  std::string traceparent(FindHeader(request_.headers, "traceparent"));
  static_cast<RequestHead&>(request) = std::move(static_cast<RequestHead&>(request_));
  MakeState(std::move(token));
  grpc_route_->grpc_handler(std::move(request),
                            std::make_shared<GrpcCallDoor>(exchange_, std::move(traceparent)));
}

void Http2Stream::OnAnswerSent() {
  if (!request_ended_) wire_->SubmitReset(id_, NGHTTP2_NO_ERROR);
}

void Http2Stream::OnClosed() {
  phase_ = Phase::kEnded;
  call_deadline_ms_ = discard_deadline_ms_ = kNever;
  queue_.clear();
  queue_bytes_ = 0;
  waiting_.Clear();
  held_.reset();
  reader_.reset();
  choice_ = RouteChoice();
  if (auto exchange = std::move(exchange_)) {
    exchange->MarkCancelled();
    exchange->Detach();
  }
}

// ------------------------------------------------------------------------------------ the answer

void Http2Stream::OnAnswer(AnswerPart part) {
  using Kind = AnswerPart::Kind;
  if (end_queued_) return;
  switch (part.kind) {
    case Kind::kWhole: {
      if (started_) return;
      std::string body = std::exchange(part.response.body, {});
      if (part.response.status != 204 && part.response.status != 304) {
        part.response.headers.emplace_back("content-length", std::to_string(body.size()));
      }
      bool bodyless = body.empty() || is_head_;
      SendHead(std::move(part.response), bodyless);
      if (!bodyless) {
        QueueData(std::move(body));
        EndAnswer();
      }
      return;
    }
    case Kind::kStart:
      if (!started_) SendHead(std::move(part.response), is_head_);
      return;
    case Kind::kData:
      if (!started_) SendHead(Response(), is_head_);
      QueueData(std::move(part.response.body));
      return;
    case Kind::kEnd:
      if (!started_ && grpc_) {
        part.response.content_type = "application/grpc";
        SendHead(std::move(part.response), true);
        return;
      }
      if (!started_) SendHead(Response(), true);
      trailers_ = std::move(part.response.headers);
      EndAnswer();
      return;
    case Kind::kAbandon:
      if (!started_) {
        OnAnswer(
            {Kind::kWhole, PlainResponse(500, "500 the request was dropped without an answer")});
      } else {
        wire_->SubmitReset(id_, NGHTTP2_INTERNAL_ERROR);
      }
      return;
  }
}

void Http2Stream::SendHead(Response response, bool end) {
  started_ = true;
  if (!response.content_type.empty()) {
    response.headers.insert(response.headers.begin(),
                            {"content-type", std::move(response.content_type)});
  }
  wire_->SubmitHead(id_, response.status, response.headers, end);
}

void Http2Stream::QueueData(std::string bytes) {
  if (end_queued_) return;
  queue_bytes_ += bytes.size();
  queue_.push_back(std::move(bytes));
  waiting_.Update(queue_bytes_, 0, wire_->host()->NowMs());
  wire_->ResumeData(id_);
}

void Http2Stream::EndAnswer() {
  if (end_queued_) return;
  end_queued_ = true;
  wire_->ResumeData(id_);
}

Http2Stream::ReadResult Http2Stream::ReadAnswer(std::span<char> out) {
  ReadResult result;
  while (!queue_.empty() && result.bytes < out.size()) {
    std::string& front = queue_.front();
    size_t step = std::min(front.size() - queue_offset_, out.size() - result.bytes);
    std::memcpy(out.data() + result.bytes, front.data() + queue_offset_, step);
    result.bytes += step;
    queue_offset_ += step;
    if (queue_offset_ == front.size()) {
      queue_.pop_front();
      queue_offset_ = 0;
    }
  }
  credit_ += result.bytes;
  queue_bytes_ -= result.bytes;
  waiting_.Update(queue_bytes_, result.bytes, wire_->host()->NowMs());
  if (queue_.empty()) {
    result.end = end_queued_;
    result.wait = !end_queued_ && result.bytes == 0;
    if (result.end) {
      call_deadline_ms_ = kNever;
      result.trailers = !trailers_.empty();
      if (result.trailers) wire_->SubmitTrailers(id_, trailers_);
    }
  }
  return result;
}

void Http2Stream::PayCredit() {
  uint64_t credit = std::exchange(credit_, 0);
  if (credit == 0 || end_queued_ || !exchange_) return;
  auto exchange = exchange_;  // its writer may let go of it inside
  exchange->Credit(credit);
}

void Http2Stream::Refuse(int status, std::string message) {
  const std::shared_ptr<const Entrance> entrance = entrance_ ? entrance_ : wire_->entrance();
  Refuse(entrance->router().Refuse(request_, {.status = status, .message = std::move(message)}));
}

void Http2Stream::Refuse(Response response) {
  std::string().swap(request_.body);
  choice_ = RouteChoice();
  AnswerEarly({AnswerPart::Kind::kWhole, std::move(response)});
}

void Http2Stream::FinishGrpc(const GrpcStatus& status) {
  reader_.reset();
  AnswerPart part{AnswerPart::Kind::kEnd, {}};
  part.response.headers = GrpcTrailers(status);
  AnswerEarly(std::move(part));
}

void Http2Stream::AnswerEarly(AnswerPart part) {
  bool over = request_.content_length > static_cast<int64_t>(kDiscardBytesMax);
  if (request_ended_ || over || expects_continue_ || hasty_) {
    phase_ = Phase::kEnded;
    OnAnswer(std::move(part));
    return;
  }
  phase_ = Phase::kEnded;
  held_ = std::make_unique<AnswerPart>(std::move(part));
  discard_deadline_ms_ = wire_->host()->NowMs() + kDiscardMs;
}

void Http2Stream::ReleaseHeld() {
  discard_deadline_ms_ = kNever;
  if (auto held = std::move(held_)) OnAnswer(std::move(*held));
}

// ------------------------------------------------------------------------------------------ time

int64_t Http2Stream::deadline_ms() const {
  int64_t out = std::min({call_deadline_ms_, waiting_.deadline_ms(), discard_deadline_ms_});
  if (phase_ == Phase::kBody) {
    const ServerLimits& limits = wire_->limits();
    uint64_t received = grpc_ && reader_ ? reader_->received_bytes() : request_.body.size();
    auto paid_ms = static_cast<int64_t>(received * 1000 /
                                        std::max<uint32_t>(1, limits.body_bytes_per_second_min));
    out = std::min(out, body_started_ms_ + std::min<int64_t>(limits.body_timeout_ms,
                                                             std::max(kRateGraceMs, paid_ms)));
  }
  if (exchange_) out = std::min(out, exchange_->wake_at_ms());
  return out;
}

void Http2Stream::OnDeadline(int64_t now_ms) {
  if (exchange_ && exchange_->wake_at_ms() <= now_ms) {
    auto exchange = exchange_;
    exchange->Wake();
    return;
  }
  if (discard_deadline_ms_ <= now_ms) {
    ReleaseHeld();
    return;
  }
  if (waiting_.deadline_ms() <= now_ms) {
    wire_->entrance()->CountEndedReader();
    queue_.clear();
    queue_offset_ = queue_bytes_ = 0;
    waiting_.Clear();
    wire_->SubmitReset(id_, NGHTTP2_CANCEL);
    return;
  }
  if (call_deadline_ms_ <= now_ms) {
    call_deadline_ms_ = kNever;
    if (auto exchange = exchange_) {
      exchange->MarkCancelled();
      exchange->Detach();
    }
    hasty_ = true;
    FinishGrpc({GrpcCode::kDeadlineExceeded, "the deadline of the call has passed", 0});
    return;
  }
  hasty_ = true;
  if (grpc_) {
    FinishGrpc({GrpcCode::kCancelled, "the request did not come in time", 0});
  } else {
    Refuse(408, "the request body did not come in time");
  }
}

void Http2Stream::BeginDrain() {
  if (auto exchange = exchange_) exchange->BeginDrain();
}

}  // namespace weft::http

// SPDX-License-Identifier: Apache-2.0
#include "http/http1_session.h"

#include <algorithm>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <limits>
#include <utility>

#include "base/check.h"
#include "http/answer_head.h"
#include "http/h2c_settings.h"
#include "http/http1_parser.h"

namespace weft::http {

using net::kNever;

namespace {

namespace beast_http = boost::beast::http;

// After an answer that has not said it yet: longer than the next request is on its way.
constexpr int64_t kPartingMs = 1'000;
// A body of an unwanted request up to this size is read and dropped, so that the connection can be
// kept; beyond it closing is cheaper for both.
constexpr uint64_t kDiscardBytesMax = 1 << 20;
// First step of a body whose declared size nobody has vouched for; doubled as bytes really come.
constexpr size_t kBodyFirstStep = 256 * 1024;
// Below this a body part is better copied out of the shared read buffer than read on its own.
constexpr size_t kDirectBytesMin = 4 * 1024;
// The most that comes before it is charged.
constexpr size_t kDirectBytesMax = 1 << 20;
constexpr int64_t kRateGraceMs = 10'000;

}  // namespace

Http1Session::Http1Session(net::SessionHost* host, const ServerLimits& limits, const Door& door,
                           std::string peer)
    : host_(host), limits_(limits), door_(door), peer_(std::move(peer)), waiting_(limits) {
  head_deadline_ms_ = NowMs() + limits_.header_timeout_ms;
}

Http1Session::~Http1Session() = default;

int64_t Http1Session::NowMs() const { return host_->NowMs(); }

// ---------------------------------------------------------------------------------------------- in

bool Http1Session::wants_read() const {
  if (eof_ || phase_ == Phase::kClosed || phase_ == Phase::kUpgraded) return false;
  // Pipelined requests wait in input_; a peer that sends them without reading answers is held here.
  return input_.size() < limits_.header_bytes_max;
}

std::span<char> Http1Session::DirectSpace() {
  if (phase_ != Phase::kBody || !input_.empty() || body_left_ < kDirectBytesMin) return {};
  if (body_filled_ == request_.body.size()) GrowBody();
  return {request_.body.data() + body_filled_,
          std::min(request_.body.size() - body_filled_, kDirectBytesMax)};
}

void Http1Session::OnDirect(size_t bytes) {
  WEFT_CHECK(phase_ == Phase::kBody && bytes <= body_left_);
  body_filled_ += bytes;
  body_left_ -= bytes;
  if (!MayGrow()) {
    Pump();
    return;
  }
  if (body_left_ == 0) {
    Dispatch();
    Pump();
  }
}

void Http1Session::OnBytes(std::string_view bytes) {
  if (phase_ != Phase::kClosed) Pump(bytes);
}

void Http1Session::OnEof() {
  eof_ = true;
  if (exchange_) exchange_->MarkCancelled();
  CloseAtEof();
}

void Http1Session::OnClosed() {
  phase_ = Phase::kClosed;
  waiting_.Clear();
  if (auto exchange = std::move(exchange_)) {
    exchange->MarkCancelled();
    exchange->Detach();
  }
}

void Http1Session::CloseAtEof() {
  // A peer that has only closed its sending side still gets the answers it asked for.
  if (phase_ == Phase::kAnswer || (phase_ == Phase::kHead && output_blocked())) return;
  Close();
}

void Http1Session::Pump(std::string_view fresh) {
  if (pumping_) return;
  pumping_ = true;
  // Without a backlog the bytes are parsed where they lie.
  bool backlog = !input_.empty();
  if (backlog) input_.append(fresh);
  std::string_view in = backlog ? std::string_view(input_) : fresh;
  for (;;) {
    size_t used = 0;
    Phase before = phase_;
    if (phase_ == Phase::kHead) {
      used = PumpHead(in);
    } else if (phase_ == Phase::kBody) {
      used = PumpBody(in);
    } else if (phase_ == Phase::kChunked) {
      used = PumpChunked(in);
    } else if (phase_ == Phase::kDiscard) {
      used = PumpDiscard(in);
    }
    in.remove_prefix(used);
    if (used == 0 && before == phase_) break;
  }
  if (upgrade_) upgrade_->rest = std::string(std::exchange(in, {}));
  if (phase_ == Phase::kClosed) in = {};
  if (!backlog) {
    input_.assign(in);
  } else {
    input_.erase(0, input_.size() - in.size());
    if (input_.empty()) input_.shrink_to_fit();
  }
  pumping_ = false;
  if (eof_) CloseAtEof();
}

size_t Http1Session::PumpHead(std::string_view in) {
  if (output_blocked()) return 0;  // answers first
  if (draining_ && !parser_) {
    Close();
    return 0;
  }
  if (!parser_) {
    // RFC 9112 2.2: an empty line before a request line is ignored.
    size_t skip = 0;
    while (skip < in.size() && (in[skip] == '\r' || in[skip] == '\n')) ++skip;
    if (skip > 0) return skip;
    if (in.empty()) return 0;
    request_ = Request();
    parser_ = std::make_unique<Http1Parser>(&request_, &request_.body, limits_.header_bytes_max);
    head_deadline_ms_ = NowMs() + limits_.header_timeout_ms;
  }
  Http1Parser::ErrorCode error;
  size_t used = parser_->PutHead(in, error);
  if (error == beast_http::error::header_limit) {
    Fail(431, "request head is over the limit of " + std::to_string(limits_.header_bytes_max) +
                  " bytes");
    return 0;
  }
  if (error == beast_http::error::bad_version) {
    Fail(505, "HTTP version not supported");
    return 0;
  }
  if (error) {
    Fail(400, "malformed request: " + error.message());
    return 0;
  }
  if (used > 0) OnHead();
  return used;
}

void Http1Session::OnHead() {
  head_deadline_ms_ = kNever;
  entrance_ = door_.Now();
  request_.peer = peer_;
  http10_ = parser_->http_version() < 11;
  keep_alive_ = parser_->keep_alive() && !draining_ && wind_down_ms_ == kNever;
  is_head_ = request_.method == "HEAD";
  started_ = chunked_ = bodyless_ = false;
  if (parser_->refusal_status() != 0) {
    Fail(parser_->refusal_status(), parser_->refusal_text());
    return;
  }
  if (!parser_->chunked()) {
    auto length = parser_->content_length();
    if (length && *length > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      Fail(413, "declared body size is out of any range");
      return;
    }
    request_.content_length = length ? static_cast<int64_t>(*length) : -1;
    body_left_ = length ? *length : 0;
  }
  if (StartUpgrade()) return;
  entrance_->router().StripBasePath(&request_);
  choice_ = ChooseRoute(*entrance_, request_);
  if (choice_.refusal) {
    Refuse(std::move(*choice_.refusal));
    return;
  }
  StartBody();
}

bool Http1Session::WantsUpgrade() const {
  if (entrance_->tls() != nullptr || !parser_->upgrade() || parser_->chunked() || body_left_ > 0)
    return false;
  if (!boost::beast::iequals(FindHeader(request_.headers, "upgrade"), "h2c")) return false;
  return !FindHeader(request_.headers, "http2-settings").empty();
}

bool Http1Session::StartUpgrade() {
  // Only the first request may: later ones can be reached while an answer is being written.
  if (std::exchange(first_, false) == false || !WantsUpgrade()) return false;
  std::optional<std::string> settings =
      DecodeH2cSettings(FindHeader(request_.headers, "http2-settings"));
  if (!settings) return false;
  upgrade_ = std::make_unique<H2cUpgrade>();
  upgrade_->head = std::move(static_cast<RequestHead&>(request_));
  upgrade_->settings = std::move(*settings);
  output_.Push("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  phase_ = Phase::kUpgraded;
  return true;
}

void Http1Session::StartBody() {
  body_started_ms_ = NowMs();
  body_filled_ = 0;
  bool has_body = parser_->chunked() || body_left_ > 0;
  if (!has_body) {
    Dispatch();
    return;
  }
  if (parser_->expects_continue() && !http10_) output_.Push("HTTP/1.1 100 Continue\r\n\r\n");
  if (parser_->chunked()) {
    parser_->set_body_bytes_max(choice_.body_bytes_max);
    phase_ = Phase::kChunked;
  } else {
    phase_ = Phase::kBody;
    GrowBody();
  }
}

void Http1Session::GrowBody() {
  size_t total = body_filled_ + body_left_;
  size_t size = total;
  if (!choice_.admitted) size = std::min(total, std::max(kBodyFirstStep, 2 * body_filled_));
  // No byte of it is touched before the peer has sent one: the pages come as they are filled.
  // (The library of GCC 12 hands over more room than was asked for.)
  request_.body.resize_and_overwrite(size, [size](char*, size_t) { return size; });
}

bool Http1Session::MayGrow() {
  std::unique_ptr<Response> refusal = choice_.Grow(request_, body_filled_);
  if (!refusal) return true;
  std::string().swap(request_.body);
  choice_ = RouteChoice();
  Refuse(std::move(*refusal));
  return false;
}

size_t Http1Session::PumpBody(std::string_view in) {
  size_t used = 0;
  while (used < in.size() && body_left_ > 0) {
    if (body_filled_ == request_.body.size()) GrowBody();
    size_t step = std::min(request_.body.size() - body_filled_, in.size() - used);
    std::copy_n(in.data() + used, step, request_.body.data() + body_filled_);
    used += step;
    body_filled_ += step;
    body_left_ -= step;
    if (!MayGrow()) return used;
  }
  if (body_left_ == 0) Dispatch();
  return used;
}

size_t Http1Session::PumpChunked(std::string_view in) {
  if (in.empty()) return 0;
  Http1Parser::ErrorCode error;
  size_t used = parser_->PutChunked(in, error);
  if (parser_->body_too_large()) {
    Fail(413, "body is over the limit of " + std::to_string(choice_.body_bytes_max) + " bytes");
    return 0;
  }
  if (error == beast_http::error::header_limit) {
    Fail(400, "chunk header or trailers are over the limit of " +
                  std::to_string(limits_.header_bytes_max) + " bytes");
    return 0;
  }
  if (error) {
    Fail(400, "malformed chunked body: " + error.message());
    return 0;
  }
  body_filled_ = request_.body.size();
  if (!MayGrow()) return used;
  if (parser_->is_done()) Dispatch();
  return used;
}

size_t Http1Session::PumpDiscard(std::string_view in) {
  size_t step = std::min<uint64_t>(in.size(), body_left_);
  body_left_ -= step;
  body_filled_ += step;
  if (body_left_ == 0) BeginNext();
  return step;
}

void Http1Session::Dispatch() {
  phase_ = Phase::kAnswer;
  if (request_.body.size() != body_filled_) request_.body.resize(body_filled_);
  AnswerSink* sink = this;
  exchange_ = std::make_shared<ExchangeState>(host_->shared_from_this(), sink,
                                              limits_.write_buffer_bytes_max);
  exchange_->set_token(std::move(choice_.token));
  // The answer may be given, and the next request begin, before the handler returns.
  const std::shared_ptr<const Entrance> entrance = entrance_;
  std::string traceparent(FindHeader(request_.headers, "traceparent"));
  (*choice_.handler)(std::move(request_), MakeExchange(exchange_, std::move(traceparent)));
}

void Http1Session::BeginNext() {
  parser_.reset();
  choice_ = RouteChoice();
  entrance_.reset();
  if (auto exchange = std::move(exchange_)) exchange->Detach();
  unpaid_ = 0;
  if (!keep_alive_ || draining_ || (eof_ && input_.empty())) {
    Close();
    return;
  }
  phase_ = Phase::kHead;
  head_deadline_ms_ = NowMs() + limits_.idle_timeout_ms;
  if (wind_down_ms_ != kNever)
    head_deadline_ms_ = std::min(head_deadline_ms_, std::max(wind_down_ms_, NowMs() + kPartingMs));
}

// --------------------------------------------------------------------------------------------- out

void Http1Session::OnAnswer(AnswerPart part) {
  using Kind = AnswerPart::Kind;
  if (phase_ != Phase::kAnswer) return;
  switch (part.kind) {
    case Kind::kWhole:
      if (!started_) SendWhole(std::move(part.response));
      break;
    case Kind::kStart:
      if (!started_) SendHead(part.response, true);
      return;
    case Kind::kData:
      SendData(std::move(part.response.body));
      return;
    case Kind::kEnd:
      if (!started_) SendHead(Response(), true);
      if (chunked_) output_.Push("0\r\n\r\n");
      break;
    case Kind::kAbandon:
      if (!started_) {
        SendWhole(PlainResponse(500, "500 the request was dropped without an answer"));
      } else {
        // The missing last chunk is what tells the peer that the answer was cut.
        keep_alive_ = false;
      }
      break;
  }
  BeginNext();
  Pump();
}

void Http1Session::SendHead(const Response& response, bool streamed) {
  started_ = true;
  bodyless_ = is_head_ || response.status == 204 || response.status == 304;
  if (streamed && http10_) keep_alive_ = false;
  chunked_ = streamed && !bodyless_ && !http10_;
  if (draining_) keep_alive_ = false;
  AnswerHead head;
  head.response = &response;
  head.chunked = chunked_;
  head.content_length = streamed || response.status == 204 || response.status == 304
                            ? -1
                            : static_cast<int64_t>(response.body.size());
  head.keep_alive = keep_alive_;
  head.http10 = http10_;
  output_.Push(FormatAnswerHead(head));
}

void Http1Session::SendWhole(Response response) {
  SendHead(response, false);
  if (!bodyless_) output_.Push(std::move(response.body));
  waiting_.Charge(output_.bytes());
}

void Http1Session::SendData(std::string bytes) {
  if (!started_) SendHead(Response(), true);
  auto exchange = exchange_;
  if (bodyless_) {
    exchange->Credit(bytes.size());
    return;
  }
  unpaid_ += bytes.size();
  if (chunked_) {
    char size[24];
    char* end = std::to_chars(size, size + sizeof(size) - 2, bytes.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    output_.Push(std::string(size, end));
  }
  output_.Push(std::move(bytes));
  if (chunked_) output_.Push("\r\n");
  waiting_.Charge(output_.bytes());
}

void Http1Session::OnWritten(size_t bytes) {
  waiting_.Update(output_.bytes(), bytes, NowMs());
  if (exchange_ && unpaid_ > 0) {
    uint64_t paid = output_.empty() ? unpaid_ : std::min<uint64_t>(unpaid_, bytes);
    unpaid_ -= paid;
    auto exchange = exchange_;  // its writer may finish it from inside Credit
    exchange->Credit(paid);
  }
  if (phase_ == Phase::kHead && !input_.empty()) Pump();
}

void Http1Session::Refuse(Response response) {
  bool more = parser_->chunked() || body_left_ > 0;
  bool discard = body_left_ <= kDiscardBytesMax && !parser_->chunked();
  // A peer that waits for 100 Continue has not sent the body and, refused, may never.
  if (more && (!discard || parser_->expects_continue())) {
    keep_alive_ = false;
    lingers_ = true;
  }
  SendWhole(std::move(response));
  if (more && keep_alive_) {
    body_started_ms_ = NowMs();
    body_filled_ = 0;
    phase_ = Phase::kDiscard;
    return;
  }
  BeginNext();
}

void Http1Session::Fail(int status, std::string text) {
  keep_alive_ = false;
  lingers_ = true;
  if (!started_ || phase_ == Phase::kHead) {
    const std::shared_ptr<const Entrance> entrance = entrance_ ? entrance_ : door_.Now();
    SendWhole(entrance->router().Refuse(request_, {.status = status, .message = std::move(text)}));
  }
  Close();
}

void Http1Session::Close() {
  phase_ = Phase::kClosed;
  if (auto exchange = std::move(exchange_)) {
    exchange->MarkCancelled();
    exchange->Detach();
  }
  choice_ = RouteChoice();
  entrance_.reset();
}

void Http1Session::BeginDrain() {
  draining_ = true;
  if (phase_ == Phase::kHead && !parser_ && input_.empty()) Close();
}

void Http1Session::WindDown(int64_t until_ms) {
  wind_down_ms_ = until_ms;
  if (!started_) keep_alive_ = false;
  if (phase_ == Phase::kHead && !parser_ && input_.empty())
    head_deadline_ms_ = std::min(head_deadline_ms_, until_ms);
}

// -------------------------------------------------------------------------------------------- time

int64_t Http1Session::BodyDeadline() const {
  // The rate is kept as long as the bytes so far pay for the time so far.
  int64_t paid_ms = static_cast<int64_t>(body_filled_ * 1000 /
                                         std::max<uint32_t>(1, limits_.body_bytes_per_second_min));
  return body_started_ms_ +
         std::min<int64_t>(limits_.body_timeout_ms, std::max(kRateGraceMs, paid_ms));
}

int64_t Http1Session::deadline_ms() const {
  int64_t read = kNever;
  if (phase_ == Phase::kHead) read = head_deadline_ms_;
  if (phase_ == Phase::kBody || phase_ == Phase::kChunked || phase_ == Phase::kDiscard) {
    read = BodyDeadline();
  }
  return std::min(read, waiting_.deadline_ms());
}

void Http1Session::OnDeadline(int64_t now_ms) {
  if (waiting_.deadline_ms() <= now_ms) {
    // Nothing that is queued will be read: it is dropped with the connection.
    door_.Now()->CountEndedReader();
    output_.Consume(output_.bytes());
    waiting_.Clear();
    lingers_ = false;
    Close();
  } else if (phase_ == Phase::kHead) {
    if (parser_) {
      Fail(408, "the request head did not come in time");
    } else {
      Close();
    }
  } else {
    Fail(408, "the request body did not come in time");
  }
}

}  // namespace weft::http

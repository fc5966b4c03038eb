// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_http2.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "http/http2_headers.h"
#include "outgoing/outgoing_tls.h"
#include "wire_core/printable.h"

namespace weft::outgoing {

using http::FindHeader;
using net::kNever;
using net::SharedBytes;

namespace {

// Frames are made while less than this waits for the socket.
constexpr size_t kOutputBytesMax = 256 * 1024;
// With more control frames than this waiting to be read by the peer, we stop reading what it asks.
constexpr size_t kQueuedFramesMax = 512;
// Whatever the peer allows.
constexpr size_t kStreamsMax = 1000;
// A server may count a stream that it has answered for a moment longer than we do, and refuse the
// next one although it allows as many. Where one was refused, fewer are opened, and after so many
// answers one more again.
constexpr uint64_t kAnswersToGrow = 64;
// Pieces of a body up to this size are copied beside the head of their frame.
constexpr size_t kCopyBytesMax = 2048;

std::string CodeText(uint32_t code) { return nghttp2_http2_strerror(code); }

// "12345678m": at most eight digits.
std::string GrpcTimeoutText(int64_t ms) {
  constexpr int64_t kDigitsMax = 99'999'999;
  ms = std::max<int64_t>(ms, 1);
  if (ms <= kDigitsMax) return std::to_string(ms) + "m";
  return std::to_string(std::min(ms / 1000, kDigitsMax)) + "S";
}

const nghttp2_option* MakeOptions() {
  nghttp2_option* options = nullptr;
  WEFT_CHECK(nghttp2_option_new(&options) == 0);
  nghttp2_option_set_no_auto_window_update(options, 1);
  return options;
}

}  // namespace

// What nghttp2 calls, by name.
struct OutgoingHttp2Callbacks {
  static OutgoingHttp2* Self(void* user) { return static_cast<OutgoingHttp2*>(user); }

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (auto* stream = Self(user)->Find(frame->hd.stream_id)) stream->headers.clear();
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    constexpr size_t kFieldCost = 32;  // RFC 7541 4.1
    OutgoingHttp2* self = Self(user);
    auto* stream = self->Find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    stream->head_bytes += name_size + value_size + kFieldCost;
    if (stream->head_bytes > self->remote_->options.header_bytes_max) {
      stream->too_large = true;
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    stream->headers.emplace_back(std::string(reinterpret_cast<const char*>(name), name_size),
                                 std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    OutgoingHttp2* self = Self(user);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        self->OnHeadEnd(frame->hd.stream_id);
        [[fallthrough]];
      case NGHTTP2_DATA:
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
          self->OnStreamEnd(frame->hd.stream_id);
        break;
      case NGHTTP2_SETTINGS:
        self->settings_seen_ = true;
        break;
      case NGHTTP2_GOAWAY: {
        self->retired_ = true;
        const nghttp2_goaway& goaway = frame->goaway;
        self->broken_ = "the server said goodbye (GOAWAY, " + CodeText(goaway.error_code);
        std::string_view words(reinterpret_cast<const char*>(goaway.opaque_data),
                               std::min<size_t>(goaway.opaque_data_len, 80));
        if (!words.empty()) self->broken_ += ", \"" + EscapeUnprintable(words) + "\"";
        self->broken_ += ")";
        break;
      }
      default:
        break;
    }
    return 0;
  }

  static int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void* user) {
    Self(user)->OnData(id, {reinterpret_cast<const char*>(data), size});
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, int32_t id, uint32_t code, void* user) {
    Self(user)->OnStreamClosed(id, code);
    return 0;
  }

  static int BeforeFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    OutgoingHttp2* self = Self(user);
    if (frame->hd.type == NGHTTP2_HEADERS) {
      if (auto* stream = self->Find(frame->hd.stream_id)) stream->sent_from = self->framed_;
    }
    // By this nghttp2 tells the peer that it has broken the protocol.
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
      self->broken_as_ = OutgoingFailure::kProtocol;
      if (self->broken_.empty())
        self->broken_ = "what comes is no HTTP/2: " + CodeText(frame->goaway.error_code);
    }
    return 0;
  }

  static int OnFrameNotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS)
      Self(user)->FailStream(frame->hd.stream_id, OutgoingFailure::kReset,
                             "the connection takes no more streams", false);
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session*, int32_t id, uint8_t*, size_t size, uint32_t* flags,
                          nghttp2_data_source*, void* user) {
    auto* stream = Self(user)->Find(id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    size_t ready = 0;
    for (const SharedBytes& piece : stream->body) {
      ready += piece.size();
      if (ready - stream->body_offset > size) break;
    }
    ready -= stream->body_offset;
    if (ready == 0 && stream->exchange->streams) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (ready <= size && !stream->exchange->streams) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      stream->body_done = true;
    }
    return static_cast<ssize_t>(std::min(ready, size));
  }

  static int SendData(nghttp2_session*, nghttp2_frame* frame, const uint8_t* head, size_t size,
                      nghttp2_data_source*, void* user) {
    OutgoingHttp2* self = Self(user);
    auto* stream = self->Find(frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    self->SendData(stream,
                   {reinterpret_cast<const char*>(head), http::Http2FrameCutter::kHeadBytes}, size);
    return 0;
  }

  static nghttp2_session_callbacks* Make() {
    nghttp2_session_callbacks* callbacks = nullptr;
    WEFT_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
    nghttp2_session_callbacks_set_before_frame_send_callback(callbacks, BeforeFrameSent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, OnFrameNotSent);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, SendData);
    return callbacks;
  }
};

OutgoingHttp2::OutgoingHttp2(net::SessionHost* host, OutgoingSessionOwner* owner,
                             std::shared_ptr<const OutgoingRemote> remote,
                             std::shared_ptr<const OutgoingTlsError> tls_error)
    : host_(host),
      owner_(owner),
      remote_(std::move(remote)),
      tls_error_(std::move(tls_error)),
      idle_since_ms_(host->NowMs()),
      received_ms_(idle_since_ms_) {
  // Shared by all sessions, never changed after.
  static nghttp2_session_callbacks* const callbacks = OutgoingHttp2Callbacks::Make();
  static const nghttp2_option* const options = MakeOptions();
  WEFT_CHECK(nghttp2_session_client_new2(&session_, callbacks, this, options) == 0);
  const std::array settings = {
      nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                             remote_->options.stream_window_bytes},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                             remote_->options.header_bytes_max},
  };
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(
      session_, NGHTTP2_FLAG_NONE, 0,
      static_cast<int32_t>(remote_->options.connection_window_bytes));
}

OutgoingHttp2::~OutgoingHttp2() { nghttp2_session_del(session_); }

// ------------------------------------------------------------------------------------ the requests

size_t OutgoingHttp2::room() const {
  if (retired_ || dead_ || nghttp2_session_check_request_allowed(session_) == 0) return 0;
  size_t allowed = 1;
  if (settings_seen_) {
    allowed =
        nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    allowed = std::min({allowed, kStreamsMax, unrefused_max_});
  }
  return allowed > streams_.size() ? allowed - streams_.size() : 0;
}

void OutgoingHttp2::Take(const OutgoingExchangePtr& exchange) {
  const bool has_body = exchange->streams || exchange->body_bytes() > 0;
  int32_t id = SubmitHead(*exchange, has_body);
  if (id < 0) {
    retired_ = true;
    owner_->OnFailed(
        exchange,
        MakeOutgoingError(OutgoingFailure::kReset, "the connection takes no more streams"), false);
    return;
  }
  // A quiet time before this exchange is not one that it was pinged for.
  if (streams_.empty()) received_ms_ = std::max(received_ms_, idle_since_ms_);
  Stream& stream = streams_[id];
  stream.exchange = exchange;
  stream.body_done = !has_body;
  stream.taken_at = receipts_;
  stream.kept = served_ > 0;
  exchange->stream_id = id;
  MoveBody(&stream);
}

void OutgoingHttp2::MoveBody(Stream* stream) {
  OutgoingExchange* exchange = stream->exchange.get();
  if (!exchange->streams && !exchange->streamed) {
    // Kept, too, for the case that it has to be sent again.
    stream->body.assign(exchange->body.begin(), exchange->body.end());
    return;
  }
  exchange->streamed |= !exchange->body.empty();
  for (SharedBytes& piece : exchange->body) stream->body.push_back(std::move(piece));
  exchange->body.clear();
}

int32_t OutgoingHttp2::SubmitHead(const OutgoingExchange& exchange, bool has_body) {
  std::string_view host = FindHeader(exchange.headers, "host");
  http::Http2Headers list;
  list.Add(":method", exchange.method);
  list.Add(":scheme", remote_->scheme());
  list.Add(":authority", host.empty() ? remote_->authority : host);
  list.Add(":path", exchange.path);
  for (const auto& [name, value] : exchange.headers)
    if (name != "host") list.Add(name, value);
  if (FindHeader(exchange.headers, "user-agent").empty() && !remote_->options.user_agent.empty())
    list.Add("user-agent", remote_->options.user_agent);
  if (exchange.tells_timeout)
    list.Add("grpc-timeout", GrpcTimeoutText(exchange.deadline_ms - host_->NowMs()));
  if (has_body && !exchange.streams && !exchange.tells_timeout)
    list.Add("content-length", std::to_string(exchange.body_bytes()));
  const auto& nvs = list.Build();
  nghttp2_data_provider provider{};
  provider.read_callback = &OutgoingHttp2Callbacks::ReadBody;
  return nghttp2_submit_request(session_, nullptr, nvs.data(), nvs.size(),
                                has_body ? &provider : nullptr, nullptr);
}

void OutgoingHttp2::MoreBody(OutgoingExchange* exchange) {
  Stream* stream = Find(exchange->stream_id);
  if (stream == nullptr) return;
  exchange->streamed = true;
  MoveBody(stream);
  nghttp2_session_resume_data(session_, exchange->stream_id);
}

void OutgoingHttp2::SendData(Stream* stream, std::string_view frame_head, size_t bytes) {
  output_.Append(frame_head);
  framed_ += frame_head.size() + bytes;
  const uint64_t moved = bytes;
  while (bytes > 0) {
    const SharedBytes& piece = stream->body.front();
    std::string_view rest = piece.bytes().substr(stream->body_offset);
    std::string_view part = rest.substr(0, bytes);
    if (part.size() <= kCopyBytesMax) {
      output_.Append(part);
    } else {
      output_.PushShared(part, piece.owner());
    }
    bytes -= part.size();
    stream->body_offset += part.size();
    if (part.size() < rest.size()) break;
    stream->body.pop_front();
    stream->body_offset = 0;
  }
  stream->exchange->sink->OnBodyMoved(moved);
}

void OutgoingHttp2::Drop(OutgoingExchange* exchange, bool timed_out) {
  auto node = streams_.extract(exchange->stream_id);
  if (node.empty()) return;
  idle_since_ms_ = host_->NowMs();
  Reset(node.key(), NGHTTP2_CANCEL);
  if (timed_out && node.mapped().taken_at == receipts_) Retire();
}

bool OutgoingHttp2::HasReached(const OutgoingExchange& exchange) const {
  auto it = streams_.find(exchange.stream_id);
  return it != streams_.end() && Reached(it->second);
}

void OutgoingHttp2::Resume(OutgoingExchange* exchange) {
  Stream* stream = Find(exchange->stream_id);
  if (stream == nullptr) return;
  stream->holds = false;
  if (stream->held_bytes > 0)
    nghttp2_session_consume_stream(session_, exchange->stream_id,
                                   std::exchange(stream->held_bytes, 0));
}

// ------------------------------------------------------------------------------------- the answers

bool OutgoingHttp2::wants_read() const {
  return !dead_ &&
         (output_.empty() || nghttp2_session_get_outbound_queue_size(session_) < kQueuedFramesMax);
}

void OutgoingHttp2::OnBytes(std::string_view bytes) {
  owner_->counters().bytes_in.fetch_add(bytes.size(), std::memory_order_relaxed);
  received_ms_ = host_->NowMs();
  ++receipts_;
  ping_deadline_ms_ = kNever;
  if (std::exchange(first_bytes_, false) && bytes.starts_with("HTTP/1."))
    broken_ = "the server answers in HTTP/1: it does not speak HTTP/2 here";
  cutter_.Put(bytes, [this](std::string_view whole) { Receive(whole); });
  if (room() > 0) owner_->OnRoom(this);
}

void OutgoingHttp2::Receive(std::string_view bytes) {
  if (dead_) return;
  ssize_t used = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()),
                                          bytes.size());
  // What the peer did against the protocol, nghttp2 has answered with a GOAWAY of its own; an error
  // here means that one of its limits against floods was reached.
  if (used < 0) Break(OutgoingFailure::kProtocol, nghttp2_strerror(static_cast<int>(used)));
}

OutgoingHttp2::Stream* OutgoingHttp2::Find(int32_t id) {
  auto it = streams_.find(id);
  return it == streams_.end() ? nullptr : &it->second;
}

void OutgoingHttp2::OnHeadEnd(int32_t id) {
  Stream* stream = Find(id);
  if (stream == nullptr || stream->answered) return;  // trailers wait for the stream's end
  std::string_view text = FindHeader(stream->headers, ":status");
  // nghttp2 has seen to it that it is three digits.
  int status = 0;
  for (char c : text) status = status * 10 + (c - '0');
  if (status < 200) return;
  stream->answered = true;
  stream->exchange->answered = true;
  std::erase_if(stream->headers, [](const auto& header) { return header.first.starts_with(':'); });
  stream->exchange->sink->OnHead(status, std::exchange(stream->headers, {}));
}

void OutgoingHttp2::OnData(int32_t id, std::string_view bytes) {
  nghttp2_session_consume_connection(session_, bytes.size());
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  const OutgoingSink::Take take = stream->exchange->sink->OnData(bytes);
  if (take == OutgoingSink::Take::kTooLarge || take == OutgoingSink::Take::kBad) {
    FailStream(
        id,
        take == OutgoingSink::Take::kBad ? OutgoingFailure::kProtocol : OutgoingFailure::kTooLarge,
        stream->exchange->sink->why(), true);
    Reset(id, NGHTTP2_CANCEL);
    return;
  }
  if (take == OutgoingSink::Take::kHold) stream->holds = true;
  if (stream->holds) {
    stream->held_bytes += bytes.size();
  } else {
    nghttp2_session_consume_stream(session_, id, bytes.size());
  }
}

void OutgoingHttp2::OnStreamEnd(int32_t id) {
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  stream->ended = true;
  // An answer before the request's end: the rest of it is of no use to anybody.
  if (!stream->body_done) {
    OnStreamClosed(id, NGHTTP2_NO_ERROR);
    Reset(id, NGHTTP2_CANCEL);
  }
}

void OutgoingHttp2::OnStreamClosed(int32_t id, uint32_t code) {
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  if (stream->ended && stream->answered) {
    auto node = streams_.extract(id);
    ++served_;
    if (served_ % kAnswersToGrow == 0 && unrefused_max_ < kStreamsMax) ++unrefused_max_;
    idle_since_ms_ = host_->NowMs();
    owner_->OnAnswered(node.mapped().exchange, std::move(node.mapped().headers));
    return;
  }
  if (stream->too_large) {
    FailStream(
        id, OutgoingFailure::kTooLarge,
        "the answer's head is over " + std::to_string(remote_->options.header_bytes_max) + " bytes",
        true);
    return;
  }
  // Of a stream behind a GOAWAY's last one, nghttp2 says REFUSED_STREAM too.
  if (code == NGHTTP2_REFUSED_STREAM) {
    if (!retired_) unrefused_max_ = std::max<size_t>(1, streams_.size() - 1);
    FailStream(id, OutgoingFailure::kReset,
               broken_.empty() ? "the server refused the stream (REFUSED_STREAM)" : broken_, false);
    return;
  }
  FailStream(id,
             code == NGHTTP2_PROTOCOL_ERROR ? OutgoingFailure::kProtocol : OutgoingFailure::kReset,
             "the stream was reset (" + CodeText(code) + ")", Reached(*stream));
}

void OutgoingHttp2::Reset(int32_t id, uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
}

void OutgoingHttp2::FailStream(int32_t id, OutgoingFailure failure, std::string why, bool reached) {
  auto node = streams_.extract(id);
  if (node.empty()) return;
  idle_since_ms_ = host_->NowMs();
  Stream& stream = node.mapped();
  OutgoingError error = MakeOutgoingError(failure, remote_->text + ": " + why, reached);
  if (why.find("ENHANCE_YOUR_CALM") != why.npos) error.code = weft::ErrorCode::kResourceExhausted;
  owner_->OnFailed(stream.exchange, std::move(error), stream.kept && !stream.answered);
}

void OutgoingHttp2::FailAll(OutgoingFailure failure, const std::string& why) {
  const bool of_tls = tls_error_ != nullptr && !tls_error_->text.empty() && broken_.empty();
  for (auto& [id, stream] : std::exchange(streams_, {})) {
    OutgoingError error =
        of_tls ? TlsBrokenError(*tls_error_, remote_->text, Reached(stream))
               : MakeOutgoingError(failure, remote_->text + ": " + why, Reached(stream));
    owner_->OnFailed(stream.exchange, std::move(error), stream.kept && !stream.answered);
  }
}

void OutgoingHttp2::Break(OutgoingFailure failure, std::string why) {
  if (dead_) return;
  nghttp2_session_terminate_session(
      session_, failure == OutgoingFailure::kProtocol ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_NO_ERROR);
  FillOutput();
  dead_ = retired_ = true;
  FailAll(failure, why);
}

void OutgoingHttp2::OnEof() {
  dead_ = retired_ = true;
  output_.Consume(output_.bytes());
  FailAll(broken_as_, broken_.empty() ? "the connection was closed before the answer" : broken_);
}

void OutgoingHttp2::OnClosed() {
  dead_ = retired_ = true;
  FailAll(broken_as_, broken_.empty() ? "the connection was reset" : broken_);
}

// --------------------------------------------------------------------------------------------- out

void OutgoingHttp2::FillOutput() {
  while (!dead_ && output_.bytes() < kOutputBytesMax) {
    const size_t before = output_.bytes();
    const uint8_t* data = nullptr;
    ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) {
      dead_ = retired_ = true;
      FailAll(OutgoingFailure::kProtocol, nghttp2_strerror(static_cast<int>(size)));
      return;
    }
    output_.Append({reinterpret_cast<const char*>(data), static_cast<size_t>(size)});
    framed_ += static_cast<size_t>(size);
    if (output_.bytes() == before) return;
  }
}

void OutgoingHttp2::OnWritten(size_t bytes) {
  written_ += bytes;
  owner_->counters().bytes_out.fetch_add(bytes, std::memory_order_relaxed);
}

bool OutgoingHttp2::finished() const {
  if (dead_) return true;
  if (nghttp2_session_want_write(session_) != 0) return false;
  return (retired_ && streams_.empty()) || nghttp2_session_want_read(session_) == 0;
}

void OutgoingHttp2::Retire() {
  if (std::exchange(retired_, true) || dead_) return;
  if (streams_.empty()) nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
}

// -------------------------------------------------------------------------------------------- time

int64_t OutgoingHttp2::deadline_ms() const {
  if (dead_) return kNever;
  if (streams_.empty()) return idle_since_ms_ + remote_->options.idle_timeout_ms;
  if (ping_deadline_ms_ != kNever) return ping_deadline_ms_;
  const int64_t interval = remote_->options.ping_interval_ms;
  return interval > 0 ? received_ms_ + interval : kNever;
}

void OutgoingHttp2::OnDeadline(int64_t now_ms) {
  if (deadline_ms() > now_ms) return;
  if (streams_.empty()) {
    idle_since_ms_ = now_ms;
    // The second time round, the peer has not even taken the goodbye.
    if (retired_) {
      dead_ = true;
      output_.Consume(output_.bytes());
    }
    Retire();
    return;
  }
  if (ping_deadline_ms_ != kNever) {
    output_.Consume(output_.bytes());
    Break(OutgoingFailure::kReset,
          "no answer to a PING within " + std::to_string(remote_->options.ping_timeout_ms) + " ms");
    output_.Consume(output_.bytes());
    return;
  }
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  ping_deadline_ms_ = now_ms + remote_->options.ping_timeout_ms;
}

}  // namespace weft::outgoing

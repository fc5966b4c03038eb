// SPDX-License-Identifier: Apache-2.0
#include "http/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "http/answer_head.h"
#include "http/http1_session.h"
#include "http/http2_headers.h"

namespace weft::http {

using net::kNever;

namespace {

// So that a client with the usual 64 KiB does not stop for a round trip in the middle of a batch.
constexpr int32_t kStreamWindowBytes = 1 << 20;
constexpr int32_t kConnectionWindowBytes = 8 << 20;
// Frames are made while less than this waits for the socket.
constexpr size_t kOutputBytesMax = 256 * 1024;
// With more control frames than this waiting to be read by the peer, we stop reading what it asks.
constexpr size_t kQueuedFramesMax = 512;

// The budget of frames without work. gRPC clients ping about once per answer, hence what is earned.
constexpr int64_t kBudgetMax = 2000;
constexpr int64_t kBudgetPerSecond = 100;
constexpr int64_t kEarnedByStream = 4;
constexpr int64_t kCostOfFrame = 1;
constexpr int64_t kCostOfSettings = 5;
constexpr int64_t kCostOfReset = 10;
constexpr int64_t kCostOfInvalid = 20;

const nghttp2_option* MakeOptions() {
  nghttp2_option* options = nullptr;
  WEFT_CHECK(nghttp2_option_new(&options) == 0);
  // Left to itself, nghttp2 ends a connection after 1000 resets and 33 a second, also of resets
  // behind the answer. The budget above tells them apart.
  constexpr uint64_t kBeyondReach = 1ull << 30;
  nghttp2_option_set_stream_reset_rate_limit(options, kBeyondReach, kBeyondReach);
  return options;
}

}  // namespace

// What nghttp2 calls, by name.
struct Http2Callbacks {
  static Http2Session* Self(void* user) { return static_cast<Http2Session*>(user); }

  // Sees every frame, also those that nghttp2 then ignores.
  static int OnBeginFrame(nghttp2_session*, const nghttp2_frame_hd* frame, void* user) {
    // Frames keep an idle connection, the bytes of one that never ends do not.
    Http2Session* self = Self(user);
    if (self->streams_.empty()) self->idle_since_ms_ = self->host_->NowMs();
    bool ack = (frame->flags & NGHTTP2_FLAG_ACK) != 0;
    switch (frame->type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_CONTINUATION:
      case NGHTTP2_WINDOW_UPDATE:
        break;
      case NGHTTP2_DATA:
        if (frame->length == 0 && !ack) self->Spend(kCostOfFrame);  // ACK is END_STREAM here
        break;
      case NGHTTP2_RST_STREAM: {
        // Some clients reset every stream behind its answer (libcurl does, with TLS). Only what
        // takes a request back makes work for nothing.
        bool takes_back = self->FindStream(frame->stream_id) != nullptr;
        self->Spend(takes_back ? kCostOfReset : kCostOfFrame);
        break;
      }
      case NGHTTP2_SETTINGS:
        if (!ack) self->Spend(kCostOfSettings);
        break;
      default:
        if (!ack) self->Spend(kCostOfFrame);
        break;
    }
    return 0;
  }

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Session* self = Self(user);
    self->head_deadline_ms_ = self->host_->NowMs() + self->limits_.header_timeout_ms;
    self->head_stream_ = frame->hd.stream_id;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    if (self->draining_) {
      self->SubmitReset(frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
      return 0;
    }
    self->OpenStream(frame->hd.stream_id);
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    Http2Stream* stream = Self(user)->FindStream(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    bool go = stream->OnHeader({reinterpret_cast<const char*>(name), name_size},
                               {reinterpret_cast<const char*>(value), value_size});
    return go ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Session* self = Self(user);
    Http2Stream* stream = self->FindStream(frame->hd.stream_id);
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        self->head_deadline_ms_ = kNever;
        if (stream != nullptr && frame->headers.cat == NGHTTP2_HCAT_REQUEST) stream->OnHeadEnd();
        break;
      case NGHTTP2_DATA:
        break;
      default:
        return 0;
    }
    // The handler may close the stream, so it is looked for again.
    stream = self->FindStream(frame->hd.stream_id);
    if (end && stream != nullptr) stream->OnRequestEnd();
    return 0;
  }

  static int OnInvalidFrame(nghttp2_session*, const nghttp2_frame*, int, void* user) {
    Self(user)->Spend(kCostOfInvalid);
    return 0;
  }

  static int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void* user) {
    Http2Stream* stream = Self(user)->FindStream(id);
    if (stream != nullptr) stream->OnData({reinterpret_cast<const char*>(data), size});
    return 0;
  }

  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    bool can_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (can_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      Http2Stream* stream = Self(user)->FindStream(frame->hd.stream_id);
      if (stream != nullptr) stream->OnAnswerSent();
    }
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, int32_t id, uint32_t code, void* user) {
    Http2Session* self = Self(user);
    // A head that was refused half-way is never reported as whole.
    if (id == self->head_stream_) self->head_deadline_ms_ = kNever;
    self->CloseStream(id, code != NGHTTP2_NO_ERROR);
    return 0;
  }

  static ssize_t ReadAnswer(nghttp2_session*, int32_t id, uint8_t* out, size_t size,
                            uint32_t* flags, nghttp2_data_source*, void* user) {
    Http2Session* self = Self(user);
    Http2Stream* stream = self->FindStream(id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    auto result = stream->ReadAnswer({reinterpret_cast<char*>(out), size});
    if (result.wait) return NGHTTP2_ERR_DEFERRED;
    if (result.end) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (result.trailers) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    self->to_credit_.push_back(id);
    return static_cast<ssize_t>(result.bytes);
  }

  static nghttp2_session_callbacks* Make() {
    nghttp2_session_callbacks* callbacks = nullptr;
    WEFT_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, OnBeginFrame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, OnInvalidFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
    return callbacks;
  }
};

Http2Session::Http2Session(net::SessionHost* host, const ServerLimits& limits, const Door& door,
                           std::string peer)
    : host_(host), limits_(limits), door_(door), peer_(std::move(peer)), waiting_(limits) {
  // Shared by all sessions, never changed after.
  static nghttp2_session_callbacks* const callbacks = Http2Callbacks::Make();
  static const nghttp2_option* const options = MakeOptions();
  WEFT_CHECK(nghttp2_session_server_new2(&session_, callbacks, this, options) == 0);
  const std::array settings = {
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                             limits_.streams_per_connection_max},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits_.header_bytes_max},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes);
  budget_ = kBudgetMax;
  idle_since_ms_ = budget_refilled_ms_ = host_->NowMs();
}

Http2Session::~Http2Session() {
  OnClosed();
  nghttp2_session_del(session_);
}

bool Http2Session::TakeUpgrade(H2cUpgrade upgrade) {
  auto payload = reinterpret_cast<const uint8_t*>(upgrade.settings.data());
  bool is_head = upgrade.head.method == "HEAD";
  if (nghttp2_session_upgrade2(session_, payload, upgrade.settings.size(), is_head ? 1 : 0,
                               nullptr) != 0) {
    dead_ = true;
    return false;
  }
  Http2Stream* stream = OpenStream(1);
  stream->TakeHead(std::move(upgrade.head));
  stream->OnHeadEnd();
  if (Http2Stream* again = FindStream(1)) again->OnRequestEnd();
  return true;
}

// ---------------------------------------------------------------------------------------------- in

bool Http2Session::wants_read() const {
  if (dead_ || eof_) return false;
  return output_.empty() || nghttp2_session_get_outbound_queue_size(session_) < kQueuedFramesMax;
}

void Http2Session::OnBytes(std::string_view bytes) {
  cutter_.Put(bytes, [this](std::string_view whole) { Receive(whole); });
}

void Http2Session::Receive(std::string_view bytes) {
  if (dead_) return;
  ssize_t used = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()),
                                          bytes.size());
  // What the peer did against the protocol, nghttp2 has answered with a GOAWAY of its own; an error
  // here means that one of its limits against floods was reached.
  if (used < 0) {
    nghttp2_session_terminate_session(session_, used == NGHTTP2_ERR_BAD_CLIENT_MAGIC
                                                    ? NGHTTP2_PROTOCOL_ERROR
                                                    : NGHTTP2_ENHANCE_YOUR_CALM);
    FillOutput();
    dead_ = true;
  }
}

void Http2Session::OnEof() {
  eof_ = true;
  for (int32_t id : StreamIds()) {
    if (Http2Stream* stream = FindStream(id)) stream->MarkCancelled();
  }
  // Streams that have their request whole may still be answered.
  for (int32_t id : StreamIds()) {
    if (Http2Stream* stream = FindStream(id); stream != nullptr && !stream->request_ended()) {
      streams_.erase(id);
    }
  }
}

void Http2Session::OnClosed() {
  dead_ = true;
  waiting_.Clear();
  // Taken out first: a callback of one stream may look for another.
  auto streams = std::move(streams_);
  streams_.clear();
  for (auto& [id, stream] : streams) stream->OnClosed();
}

Http2Stream* Http2Session::FindStream(int32_t id) {
  auto it = streams_.find(id);
  return it == streams_.end() ? nullptr : it->second.get();
}

Http2Stream* Http2Session::OpenStream(int32_t id) {
  auto& slot = streams_[id];
  Http2Wire* wire = this;
  slot = std::make_unique<Http2Stream>(wire, id, peer_);
  return slot.get();
}

void Http2Session::CloseStream(int32_t id, bool by_reset) {
  auto node = streams_.extract(id);
  if (node.empty()) return;
  idle_since_ms_ = host_->NowMs();
  if (!by_reset) budget_ = std::min(kBudgetMax, budget_ + kEarnedByStream);
  node.mapped()->OnClosed();
}

void Http2Session::Spend(int64_t cost) {
  int64_t now = host_->NowMs();
  int64_t earned = (now - budget_refilled_ms_) * kBudgetPerSecond / 1000;
  if (earned > 0) {
    budget_ = std::min(kBudgetMax, budget_ + earned);
    budget_refilled_ms_ = now;
  }
  budget_ -= cost;
  if (budget_ < 0) Terminate(NGHTTP2_ENHANCE_YOUR_CALM);
}

void Http2Session::Terminate(uint32_t code) {
  if (dead_) return;
  nghttp2_session_terminate_session(session_, code);
  draining_ = true;
}

// --------------------------------------------------------------------------------------------- out

void Http2Session::SubmitHead(int32_t id, int status, const Headers& headers, bool end) {
  Http2Headers list;
  list.Add(":status", std::to_string(status));
  list.AddAll(headers);
  if (FindHeader(headers, "date").empty()) list.Add("date", HttpDate());
  const auto& nvs = list.Build();
  nghttp2_data_provider provider{};
  provider.read_callback = &Http2Callbacks::ReadAnswer;
  int result =
      nghttp2_submit_response(session_, id, nvs.data(), nvs.size(), end ? nullptr : &provider);
  if (result != 0) SubmitReset(id, NGHTTP2_INTERNAL_ERROR);
}

void Http2Session::SubmitContinue(int32_t id) {
  nghttp2_nv status = MakeHttp2Nv(":status", "100");
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, &status, 1, nullptr);
}

void Http2Session::SubmitTrailers(int32_t id, const Headers& trailers) {
  Http2Headers list;
  list.AddAll(trailers);
  const auto& nvs = list.Build();
  nghttp2_submit_trailer(session_, id, nvs.data(), nvs.size());
}

void Http2Session::ResumeData(int32_t id) { nghttp2_session_resume_data(session_, id); }

void Http2Session::SubmitReset(int32_t id, uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
}

void Http2Session::FillOutput() {
  while (!dead_ && output_.bytes() < kOutputBytesMax) {
    const uint8_t* data = nullptr;
    ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) dead_ = true;
    if (size > 0) output_.Append({reinterpret_cast<const char*>(data), static_cast<size_t>(size)});
    if (size > 0) continue;
    if (to_credit_.empty()) return;
    // Writers that wait may go on, and what they write goes out in this same turn.
    for (int32_t id : std::exchange(to_credit_, {})) {
      if (Http2Stream* stream = FindStream(id)) stream->PayCredit();
    }
  }
}

void Http2Session::OnWritten(size_t bytes) {
  waiting_.Update(output_.bytes(), bytes, host_->NowMs());
}

bool Http2Session::finished() const {
  if (dead_) return true;
  if ((draining_ || eof_) && streams_.empty()) return nghttp2_session_want_write(session_) == 0;
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

// -------------------------------------------------------------------------------------------- time

std::vector<int32_t> Http2Session::StreamIds() const {
  std::vector<int32_t> ids;
  ids.reserve(streams_.size());
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  return ids;
}

int64_t Http2Session::deadline_ms() const {
  if (dead_) return waiting_.deadline_ms();
  int64_t out = std::min({waiting_.deadline_ms(), head_deadline_ms_, wind_down_ms_});
  if (streams_.empty()) out = std::min(out, idle_since_ms_ + limits_.idle_timeout_ms);
  for (const auto& [id, stream] : streams_) out = std::min(out, stream->deadline_ms());
  return out;
}

void Http2Session::OnDeadline(int64_t now_ms) {
  if (waiting_.deadline_ms() <= now_ms) {
    // Nothing that is queued will be read: it is dropped with the connection.
    door_.Now()->CountEndedReader();
    output_.Consume(output_.bytes());
    waiting_.Clear();
    eof_ = dead_ = true;
    return;
  }
  if (wind_down_ms_ <= now_ms) {
    wind_down_ms_ = kNever;
    BeginDrain();
    return;
  }
  if (head_deadline_ms_ <= now_ms) {
    head_deadline_ms_ = kNever;
    Terminate(NGHTTP2_ENHANCE_YOUR_CALM);
    return;
  }
  if (streams_.empty() && idle_since_ms_ + limits_.idle_timeout_ms <= now_ms) {
    idle_since_ms_ = now_ms;
    if (draining_) dead_ = true;
    GoAway();
    return;
  }
  for (int32_t id : StreamIds()) {
    Http2Stream* stream = FindStream(id);
    if (stream != nullptr && stream->deadline_ms() <= now_ms) stream->OnDeadline(now_ms);
  }
}

void Http2Session::GoAway() {
  if (draining_ || dead_) return;
  draining_ = true;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void Http2Session::BeginDrain() {
  GoAway();
  for (int32_t id : StreamIds()) {
    if (Http2Stream* stream = FindStream(id)) stream->BeginDrain();
  }
}

// The peer hears that it should not begin anything new here, and what it has begun by then is
// taken.
void Http2Session::WindDown(int64_t until_ms) {
  if (draining_ || dead_) return;
  nghttp2_submit_shutdown_notice(session_);
  wind_down_ms_ = until_ms;
}

}  // namespace weft::http

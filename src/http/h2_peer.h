// SPDX-License-Identifier: Apache-2.0
//
// The client side of HTTP/2 for tests, over nghttp2 and without I/O: requests go in, bytes for the
// server come out, and the other way round. Where a test wants to break the rules it writes raw
// frames (http/raw_frames.h).
//
// Thread rule: one thread. Next: http/http2_test.cc.
#pragma once

#include <nghttp2/nghttp2.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "http/http.h"
#include "http/raw_frames.h"

namespace weft::http {

inline std::string GrpcFrame(std::string_view message, bool compressed = false) {
  auto size = static_cast<uint32_t>(message.size());
  std::string out = {static_cast<char>(compressed), static_cast<char>(size >> 24),
                     static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                     static_cast<char>(size)};
  return out.append(message);
}

class H2Peer {
 public:
  struct Answer {
    Headers headers;  // with ":status", and trailers behind
    std::string body;
    bool ended = false;   // END_STREAM came
    bool closed = false;  // the stream is gone
    uint32_t reset = 0;   // error code of a RST_STREAM
    bool was_reset = false;
  };

  H2Peer() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    // A test that does not read leaves its windows closed.
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_session_client_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~H2Peer() { nghttp2_session_del(session_); }
  H2Peer(const H2Peer&) = delete;
  H2Peer& operator=(const H2Peer&) = delete;

  // Opens a stream; `end` false leaves it open for SendBody().
  int32_t Request(const Headers& headers, std::string body = {}, bool end = true) {
    std::vector<nghttp2_nv> nvs;
    for (const auto& [name, value] : headers) {
      nvs.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider provider{};
    provider.read_callback = ReadBody;
    bool no_body = end && body.empty();
    int32_t id = nghttp2_submit_request(session_, nullptr, nvs.data(), nvs.size(),
                                        no_body ? nullptr : &provider, nullptr);
    bodies_[id] = {std::move(body), end};
    return id;
  }
  int32_t Get(std::string path) {
    return Request({{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "x"}});
  }
  int32_t Grpc(std::string path, std::string body, Headers more = {}, bool end = true) {
    Headers headers{{":method", "POST"}, {":scheme", "http"}, {":path", path},
                    {":authority", "x"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
    headers.insert(headers.end(), more.begin(), more.end());
    return Request(headers, std::move(body), end);
  }
  void SendBody(int32_t id, std::string_view more, bool end) {
    bodies_[id].bytes.append(more);
    bodies_[id].end = end;
    nghttp2_session_resume_data(session_, id);
  }
  void Reset(int32_t id) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  }
  // Gives back the flow-control window for everything received so far.
  void OpenWindows() {
    for (auto& [id, bytes] : unconsumed_) nghttp2_session_consume(session_, id, bytes);
    unconsumed_.clear();
  }

  std::string Output() {
    std::string out;
    const uint8_t* data = nullptr;
    for (ssize_t n = 0; (n = nghttp2_session_mem_send(session_, &data)) > 0;) {
      out.append(reinterpret_cast<const char*>(data), static_cast<size_t>(n));
    }
    return out;
  }
  // False: the server broke the protocol.
  bool Input(std::string_view in) {
    return nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(in.data()),
                                    in.size()) == static_cast<ssize_t>(in.size());
  }

  Answer& answer(int32_t id) { return answers_[id]; }
  void Forget(int32_t id) {
    answers_.erase(id);
    bodies_.erase(id);
  }
  bool goaway() const { return goaway_; }
  uint32_t goaway_code() const { return goaway_code_; }

 private:
  struct Body {
    std::string bytes;
    bool end = true;
  };

  static uint8_t* bytes(const std::string& text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  }
  static H2Peer* Self(void* user) { return static_cast<H2Peer*>(user); }
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    Self(user)->answers_[frame->hd.stream_id].headers.emplace_back(
        std::string(reinterpret_cast<const char*>(name), name_size),
        std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }
  static int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void* user) {
    Self(user)->answers_[id].body.append(reinterpret_cast<const char*>(data), size);
    Self(user)->unconsumed_[id] += size;
    return 0;
  }
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Answer& answer = Self(user)->answers_[frame->hd.stream_id];
    bool can_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (can_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) answer.ended = true;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
      answer.was_reset = true;
      answer.reset = frame->rst_stream.error_code;
    }
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      Self(user)->goaway_ = true;
      Self(user)->goaway_code_ = frame->goaway.error_code;
    }
    return 0;
  }
  static int OnClose(nghttp2_session*, int32_t id, uint32_t, void* user) {
    Self(user)->answers_[id].closed = true;
    return 0;
  }
  static ssize_t ReadBody(nghttp2_session*, int32_t id, uint8_t* out, size_t size, uint32_t* flags,
                          nghttp2_data_source*, void* user) {
    Body& body = Self(user)->bodies_[id];
    size_t step = std::min(size, body.bytes.size());
    std::copy_n(body.bytes.data(), step, reinterpret_cast<char*>(out));
    body.bytes.erase(0, step);
    if (body.bytes.empty() && body.end) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (step == 0 && !body.end) return NGHTTP2_ERR_DEFERRED;
    return static_cast<ssize_t>(step);
  }

  nghttp2_session* session_ = nullptr;
  std::map<int32_t, Answer> answers_;
  std::map<int32_t, Body> bodies_;
  std::map<int32_t, size_t> unconsumed_;
  bool goaway_ = false;
  uint32_t goaway_code_ = 0;
};

}  // namespace weft::http

// SPDX-License-Identifier: Apache-2.0
//
// Cuts the bytes of an HTTP/2 peer so that the heads of frames are whole. nghttp2 counts each piece
// of a CONTINUATION's head as one more CONTINUATION, and ends the connection for too many.
//
// Thread rule: one connection's. Source: RFC 9113 section 4.1. Next: http/http2_session.h,
// outgoing/outgoing_http2.h.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace weft::http {

class Http2FrameCutter {
 public:
  static constexpr size_t kHeadBytes = 9;
  static constexpr size_t kPrefaceBytes = 24;  // of a client

  // `bytes_before`: what comes before the first frame.
  explicit Http2FrameCutter(size_t bytes_before) : left_(bytes_before) {}

  // Hands all of `bytes` to `receive`, but for the part of a head, which waits for its rest.
  template <class Receive>
  void Put(std::string_view bytes, Receive receive) {
    if (!cut_head_.empty()) {
      size_t step = std::min(kHeadBytes - cut_head_.size(), bytes.size());
      cut_head_.append(bytes.substr(0, step));
      bytes.remove_prefix(step);
      if (cut_head_.size() < kHeadBytes) return;
      left_ = PayloadBytes(cut_head_);
      receive(std::string_view(std::exchange(cut_head_, {})));
    }
    size_t whole = 0;
    while (true) {
      size_t step = std::min(left_, bytes.size() - whole);
      whole += step;
      left_ -= step;
      if (left_ > 0 || bytes.size() - whole < kHeadBytes) break;
      left_ = PayloadBytes(bytes.substr(whole));
      whole += kHeadBytes;
    }
    cut_head_ = bytes.substr(whole);
    if (whole > 0) receive(bytes.substr(0, whole));
  }

 private:
  static size_t PayloadBytes(std::string_view head) {
    auto byte = [&](size_t i) { return size_t{static_cast<unsigned char>(head[i])}; };
    return byte(0) << 16 | byte(1) << 8 | byte(2);
  }

  std::string cut_head_;  // of the next frame, as far as it has come
  size_t left_;           // of what comes before it
};

}  // namespace weft::http

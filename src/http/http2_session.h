// SPDX-License-Identifier: Apache-2.0
//
// The server side of an HTTP/2 connection over nghttp2, which does framing, HPACK and flow control.
// What is ours: streams into requests, answers into frames, time limits, and a budget that frames
// without work behind them (RST_STREAM, PING, SETTINGS, PRIORITY, empty DATA) use up: a peer that
// overdraws it is sent ENHANCE_YOUR_CALM (CVE-2023-44487 and its relatives). CONTINUATION floods
// and piled-up acknowledgements end in nghttp2's own limits.
//
// Made by ServerSession. Thread rule: loop thread. Source: RFC 9113.
// Next: http/http2_stream.h, net/session.h.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/door.h"
#include "http/http2_frame_cutter.h"
#include "http/http2_stream.h"
#include "http/waiting_bytes.h"
#include "net/session.h"

struct nghttp2_session;

namespace weft::http {

struct H2cUpgrade;
struct Http2Callbacks;

class Http2Session final : public net::Session, private Http2Wire {
 public:
  // `host` owns the session.
  Http2Session(net::SessionHost* host, const ServerLimits& limits, const Door& door,
               std::string peer);
  ~Http2Session() override;

  // Takes over from HTTP/1.1: the request becomes stream 1. REQUIRES: no byte has come.
  // False: the settings are not acceptable, close.
  bool TakeUpgrade(H2cUpgrade upgrade);

  bool wants_read() const override;
  std::span<char> DirectSpace() override { return {}; }
  void OnDirect(size_t) override {}
  void OnBytes(std::string_view bytes) override;
  void OnEof() override;
  void OnClosed() override;
  void FillOutput() override;
  net::OutputQueue& output() override { return output_; }
  void OnWritten(size_t bytes) override;
  bool finished() const override;
  bool lingers() const override { return !eof_; }
  int64_t deadline_ms() const override;
  void OnDeadline(int64_t now_ms) override;
  void BeginDrain() override;
  void WindDown(int64_t until_ms) override;

 private:
  friend struct Http2Callbacks;

  // ---- Http2Wire
  void SubmitHead(int32_t id, int status, const Headers& headers, bool end) override;
  void SubmitContinue(int32_t id) override;
  void SubmitTrailers(int32_t id, const Headers& trailers) override;
  void ResumeData(int32_t id) override;
  void SubmitReset(int32_t id, uint32_t code) override;
  net::SessionHost* host() override { return host_; }
  const ServerLimits& limits() const override { return limits_; }
  std::shared_ptr<const Entrance> entrance() const override { return door_.Now(); }

  // What nghttp2 may read.
  void Receive(std::string_view bytes);
  Http2Stream* FindStream(int32_t id);
  Http2Stream* OpenStream(int32_t id);
  void CloseStream(int32_t id, bool by_reset);
  // Takes `cost` from the budget; overdrawn, ends the connection.
  void Spend(int64_t cost);
  void Terminate(uint32_t code);
  void GoAway();
  std::vector<int32_t> StreamIds() const;

  net::SessionHost* const host_;
  const ServerLimits& limits_;
  const Door& door_;
  const std::string peer_;
  nghttp2_session* session_ = nullptr;
  net::OutputQueue output_;
  std::unordered_map<int32_t, std::unique_ptr<Http2Stream>> streams_;
  std::vector<int32_t> to_credit_;
  Http2FrameCutter cutter_{Http2FrameCutter::kPrefaceBytes};
  bool eof_ = false;
  bool dead_ = false;      // closed, or the byte stream makes no sense any more
  bool draining_ = false;  // GOAWAY is out: no new streams
  int64_t budget_ = 0;
  int64_t budget_refilled_ms_ = 0;
  int64_t idle_since_ms_ = 0;
  int64_t head_deadline_ms_ = net::kNever;  // a header block has begun and not ended
  int32_t head_stream_ = 0;                 // of that header block
  int64_t wind_down_ms_ = net::kNever;      // then GOAWAY
  WaitingBytes waiting_;
};

}  // namespace weft::http

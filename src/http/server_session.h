// SPDX-License-Identifier: Apache-2.0
//
// The session of an accepted connection, before and after it is known which protocol it speaks: the
// 24 bytes of the HTTP/2 preface decide, or an Upgrade: h2c request later.
//
// Made by Server for each connection. Thread rule: loop thread.
// Next: http/http1_session.h, http/http2_session.h.
#pragma once

#include <memory>
#include <string>

#include "http/door.h"
#include "http/http1_session.h"
#include "http/route.h"
#include "net/session.h"

namespace weft::http {

class Http2Session;

class ServerSession final : public net::Session {
 public:
  ServerSession(net::SessionHost* host, const ServerLimits& limits,
                std::shared_ptr<const Door> door, std::string peer);

  bool wants_read() const override { return session_->wants_read(); }
  std::span<char> DirectSpace() override { return session_->DirectSpace(); }
  void OnDirect(size_t bytes) override { session_->OnDirect(bytes); }
  void OnBytes(std::string_view bytes) override;
  void OnEof() override;
  void OnClosed() override { session_->OnClosed(); }
  void FillOutput() override { session_->FillOutput(); }
  net::OutputQueue& output() override { return session_->output(); }
  void OnWritten(size_t bytes) override { session_->OnWritten(bytes); }
  bool finished() const override { return session_->finished(); }
  bool lingers() const override { return session_->lingers(); }
  int64_t deadline_ms() const override { return session_->deadline_ms(); }
  void OnDeadline(int64_t now_ms) override;
  void BeginDrain() override;
  void WindDown(int64_t until_ms) override;

 private:
  Http2Session* BecomeHttp2();
  // What was sniffed is no preface: HTTP/1.1 says what is right or wrong with it.
  void BecomeHttp1();
  void FollowUpgrade();

  net::SessionHost* const host_;
  const ServerLimits& limits_;
  const std::shared_ptr<const Door> door_;
  const std::string peer_;
  bool sniffing_ = true;
  bool draining_ = false;
  int64_t wind_down_ms_ = net::kNever;
  std::string sniffed_;
  Http1Session* http1_ = nullptr;  // session_, while it is one
  std::unique_ptr<net::Session> session_;
};

}  // namespace weft::http

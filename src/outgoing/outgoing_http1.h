// SPDX-License-Identifier: Apache-2.0
//
// The client's end of one HTTP/1.1 connection: one exchange at a time, kept for the next one where
// the answer allows it. Bodies go out from where they lie.
//
// Made by OutgoingPool. Thread rule: loop thread. Source: RFC 9112. Next:
// outgoing/outgoing_http1_parser.h, outgoing/outgoing_exchange.h.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "outgoing/outgoing_exchange.h"
#include "outgoing/outgoing_http1_parser.h"
#include "outgoing/outgoing_remote.h"

namespace weft::outgoing {

struct OutgoingTlsError;

class OutgoingHttp1 final : public OutgoingSession {
 public:
  // `host` owns the session; `owner` outlives its last call.
  OutgoingHttp1(net::SessionHost* host, OutgoingSessionOwner* owner,
                std::shared_ptr<const OutgoingRemote> remote,
                std::shared_ptr<const OutgoingTlsError> tls_error);

  // ---- Session
  bool wants_read() const override { return !over_ && !holds_; }
  std::span<char> DirectSpace() override { return {}; }
  void OnDirect(size_t) override {}
  void OnBytes(std::string_view bytes) override;
  void OnEof() override;
  void OnClosed() override;
  void FillOutput() override {}
  net::OutputQueue& output() override { return output_; }
  void OnWritten(size_t bytes) override;
  bool finished() const override { return over_ && current_ == nullptr; }
  bool lingers() const override { return false; }
  bool reads_last_words() const override { return current_ != nullptr; }
  int64_t deadline_ms() const override;
  void OnDeadline(int64_t now_ms) override;
  void BeginDrain() override { Retire(); }

  // ---- OutgoingSession
  size_t room() const override { return current_ == nullptr && !over_ ? 1 : 0; }
  void Take(const OutgoingExchangePtr& exchange) override;
  void Drop(OutgoingExchange* exchange, bool timed_out) override;
  bool HasReached(const OutgoingExchange&) const override { return written_ > 0; }
  void Resume(OutgoingExchange*) override { holds_ = false; }
  void MoreBody(OutgoingExchange*) override {}
  bool idle() const override { return current_ == nullptr; }
  bool retired() const override { return over_; }
  void Retire() override;
  bool http2() const override { return false; }

 private:
  void Receive(std::string_view in);
  void Finish(bool reusable);
  void Fail(OutgoingFailure failure, std::string why);
  void FailBroken(std::string why);
  // The connection serves no other exchange; what is queued to be sent goes nowhere.
  void End();

  net::SessionHost* const host_;
  OutgoingSessionOwner* const owner_;
  const std::shared_ptr<const OutgoingRemote> remote_;
  const std::shared_ptr<const OutgoingTlsError> tls_error_;  // null in cleartext
  net::OutputQueue output_;
  OutgoingExchangePtr current_;
  std::optional<OutgoingHttp1Parser> parser_;
  uint64_t written_ = 0;  // of the current request
  uint64_t served_ = 0;   // exchanges before the current one
  bool holds_ = false;    // the sink takes no more for now
  bool over_ = false;
  int64_t idle_since_ms_;
};

// The head of a request, with the empty line.
std::string FormatRequestHead(const OutgoingExchange& exchange, const OutgoingRemote& remote);

}  // namespace weft::outgoing

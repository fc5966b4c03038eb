// SPDX-License-Identifier: Apache-2.0
//
// The server side of an HTTP/1.1 (or 1.0) connection: one request at a time, kept alive, pipelined
// requests answered in order. What could be read in two ways by us and a proxy before us is
// refused: both Content-Length and Transfer-Encoding, codings other than chunked, bare LF, several
// Hosts.
//
// Made by ServerSession when the first bytes are not the HTTP/2 preface.
// Thread rule: loop thread. Source: RFC 9112; Boost.Beast's basic_parser does the grammar.
// Next: http/http1_parser.h, net/session.h.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/door.h"
#include "http/exchange_state.h"
#include "http/route.h"
#include "http/waiting_bytes.h"
#include "net/session.h"

namespace weft::http {

class Http1Parser;

// A request that asked to go on in HTTP/2 (RFC 7540 section 3.2).
struct H2cUpgrade {
  RequestHead head;
  std::string settings;  // payload of a SETTINGS frame
  std::string rest;      // bytes that came after the request
};

class Http1Session final : public net::Session, private AnswerSink {
 public:
  // `host` owns the session.
  // The door is borrowed.
  Http1Session(net::SessionHost* host, const ServerLimits& limits, const Door& door,
               std::string peer);
  ~Http1Session() override;

  bool wants_read() const override;
  std::span<char> DirectSpace() override;
  void OnDirect(size_t bytes) override;
  void OnBytes(std::string_view bytes) override;
  void OnEof() override;
  void OnClosed() override;
  void FillOutput() override {}
  net::OutputQueue& output() override { return output_; }
  void OnWritten(size_t bytes) override;
  bool finished() const override { return phase_ == Phase::kClosed; }
  bool lingers() const override { return lingers_; }
  int64_t deadline_ms() const override;
  void OnDeadline(int64_t now_ms) override;
  void BeginDrain() override;
  void WindDown(int64_t until_ms) override;

  // Set once: the 101 is in output(), the caller goes on with an Http2Session.
  std::unique_ptr<H2cUpgrade> TakeUpgrade() { return std::move(upgrade_); }

 private:
  enum class Phase : uint8_t {
    kHead,      // between requests or inside a head
    kBody,      // of known length
    kChunked,   //
    kAnswer,    // the handler has the request
    kDiscard,   // answered early; the rest of a body of known length is dropped
    kUpgraded,  //
    kClosed,
  };

  int64_t NowMs() const;
  // Goes on with input_ and then `fresh` as far as possible; what is left of both waits in input_.
  // Reentrant calls return at once.
  void Pump(std::string_view fresh = {});
  bool output_blocked() const { return output_.bytes() > limits_.write_buffer_bytes_max; }
  void CloseAtEof();
  // Each takes what it can of `in` and returns how much; 0 means "nothing more to do now".
  size_t PumpHead(std::string_view in);
  size_t PumpBody(std::string_view in);
  size_t PumpChunked(std::string_view in);
  size_t PumpDiscard(std::string_view in);

  void OnHead();
  bool WantsUpgrade() const;
  bool StartUpgrade();
  void StartBody();
  void GrowBody();
  // Asks whether the body may have become what it is. False: it has been refused and dropped.
  bool MayGrow();
  void Dispatch();
  void BeginNext();

  void OnAnswer(AnswerPart part) override;
  void SendHead(const Response& response, bool streamed);
  void SendWhole(Response response);
  void SendData(std::string bytes);
  void EndAnswer();
  // The server's own answer to a request that reaches no handler.
  void Refuse(Response response);
  // After an error in the byte stream itself: nothing behind it can be trusted.
  void Fail(int status, std::string text);
  void Close();
  int64_t BodyDeadline() const;

  net::SessionHost* const host_;
  const ServerLimits& limits_;
  const Door& door_;
  const std::string peer_;

  Phase phase_ = Phase::kHead;
  bool pumping_ = false;
  bool first_ = true;  // no request yet
  bool keep_alive_ = true;
  bool draining_ = false;
  bool eof_ = false;
  bool lingers_ = false;
  bool started_ = false;   // the answer's head is out
  bool chunked_ = false;   // the answer is chunked
  bool bodyless_ = false;  // HEAD, 204, 304: no body whatever the handler writes
  bool is_head_ = false;
  bool http10_ = false;
  std::string input_;
  net::OutputQueue output_;
  uint64_t unpaid_ = 0;  // of the exchange's counted bytes, those that wait in output_

  std::unique_ptr<Http1Parser> parser_;
  std::shared_ptr<const Entrance> entrance_;  // of the request under way
  Request request_;
  RouteChoice choice_;
  uint64_t body_left_ = 0;
  size_t body_filled_ = 0;
  std::shared_ptr<ExchangeState> exchange_;
  std::unique_ptr<H2cUpgrade> upgrade_;

  int64_t head_deadline_ms_ = net::kNever;
  int64_t wind_down_ms_ = net::kNever;  // the answer to the next request says goodbye
  int64_t body_started_ms_ = 0;
  WaitingBytes waiting_;
};

}  // namespace weft::http

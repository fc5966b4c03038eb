// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_http1.h"

#include "outgoing/outgoing_tls.h"

namespace weft::outgoing {

std::string FormatRequestHead(const OutgoingExchange& exchange, const OutgoingRemote& remote) {
  std::string out;
  out.reserve(256);
  out.append(exchange.method).append(" ");
  const bool absolute = remote.proxy.used && !remote.tunnels();
  if (absolute) out.append(remote.scheme()).append("://").append(remote.authority);
  out.append(exchange.path).append(" HTTP/1.1\r\n");
  std::string_view host = http::FindHeader(exchange.headers, "host");
  out.append("Host: ").append(host.empty() ? remote.authority : host).append("\r\n");
  for (const auto& [name, value] : exchange.headers) {
    if (name != "host") out.append(name).append(": ").append(value).append("\r\n");
  }
  if (http::FindHeader(exchange.headers, "user-agent").empty() &&
      !remote.options.user_agent.empty())
    out.append("User-Agent: ").append(remote.options.user_agent).append("\r\n");
  if (absolute && !remote.proxy.authorization.empty())
    out.append("Proxy-Authorization: ").append(remote.proxy.authorization.Reveal()).append("\r\n");
  const uint64_t bytes = exchange.body_bytes();
  if (bytes > 0 || (exchange.method != "GET" && exchange.method != "HEAD"))
    out.append("Content-Length: ").append(std::to_string(bytes)).append("\r\n");
  return out.append("\r\n");
}

OutgoingHttp1::OutgoingHttp1(net::SessionHost* host, OutgoingSessionOwner* owner,
                             std::shared_ptr<const OutgoingRemote> remote,
                             std::shared_ptr<const OutgoingTlsError> tls_error)
    : host_(host),
      owner_(owner),
      remote_(std::move(remote)),
      tls_error_(std::move(tls_error)),
      idle_since_ms_(host->NowMs()) {}

void OutgoingHttp1::Take(const OutgoingExchangePtr& exchange) {
  current_ = exchange;
  parser_.emplace(exchange->method == "HEAD", remote_->options.header_bytes_max);
  written_ = 0;
  output_.Push(FormatRequestHead(*exchange, *remote_));
  for (const net::SharedBytes& piece : exchange->body)
    output_.PushShared(piece.bytes(), piece.owner());
}

void OutgoingHttp1::OnWritten(size_t bytes) {
  written_ += bytes;
  owner_->counters().bytes_out.fetch_add(bytes, std::memory_order_relaxed);
}

void OutgoingHttp1::OnBytes(std::string_view bytes) {
  owner_->counters().bytes_in.fetch_add(bytes.size(), std::memory_order_relaxed);
  if (current_ == nullptr) {
    // An answer to nothing: whose the next one is could not be told.
    End();
    return;
  }
  Receive(bytes);
}

void OutgoingHttp1::Receive(std::string_view in) {
  using Step = OutgoingHttp1Parser::Step;
  for (;;) {
    switch (parser_->Next(&in)) {
      case Step::kMore:
        return;
      case Step::kHead:
        current_->answered = true;
        current_->sink->OnHead(parser_->head().status, std::move(parser_->head().headers));
        break;
      case Step::kBody:
        switch (current_->sink->OnData(parser_->body())) {
          case OutgoingSink::Take::kGo:
            break;
          case OutgoingSink::Take::kHold:
            holds_ = true;
            break;
          case OutgoingSink::Take::kTooLarge:
            Fail(OutgoingFailure::kTooLarge, current_->sink->why());
            return;
          case OutgoingSink::Take::kBad:
            Fail(OutgoingFailure::kProtocol, current_->sink->why());
            return;
        }
        break;
      case Step::kEnd:
        // An answer before the request's last byte: the rest of it would stand before the next.
        Finish(parser_->head().keep_alive && output_.empty() && in.empty());
        return;
      case Step::kError:
        Fail(OutgoingFailure::kProtocol, parser_->error());
        return;
    }
  }
}

void OutgoingHttp1::Finish(bool reusable) {
  OutgoingExchangePtr exchange = std::move(current_);
  current_ = nullptr;
  holds_ = false;
  ++served_;
  idle_since_ms_ = host_->NowMs();
  if (!reusable) End();
  owner_->OnAnswered(exchange, std::move(parser_->trailers()));
  if (room() > 0) owner_->OnRoom(this);
}

void OutgoingHttp1::Fail(OutgoingFailure failure, std::string why) {
  OutgoingExchangePtr exchange = std::move(current_);
  current_ = nullptr;
  holds_ = false;
  End();
  bool kept = served_ > 0 && !parser_->begun();
  owner_->OnFailed(exchange, MakeOutgoingError(failure, remote_->text + ": " + why, written_ > 0),
                   kept);
}

void OutgoingHttp1::FailBroken(std::string why) {
  if (tls_error_ != nullptr && !tls_error_->text.empty() && !parser_->begun()) {
    OutgoingExchangePtr exchange = std::move(current_);
    current_ = nullptr;
    End();
    owner_->OnFailed(exchange, TlsBrokenError(*tls_error_, remote_->text, written_ > 0),
                     served_ > 0);
    return;
  }
  Fail(OutgoingFailure::kReset, std::move(why));
}

void OutgoingHttp1::OnEof() {
  if (current_ != nullptr && parser_->OnEof() == OutgoingHttp1Parser::Step::kEnd) {
    Finish(false);
  } else if (current_ != nullptr) {
    Fail(OutgoingFailure::kReset,
         parser_->begun() ? parser_->error() : "the connection was closed without an answer");
  }
  End();
}

void OutgoingHttp1::OnClosed() {
  if (current_ != nullptr) FailBroken("the connection was reset");
  End();
}

void OutgoingHttp1::Drop(OutgoingExchange*, bool) {
  current_ = nullptr;
  holds_ = false;
  End();
}

void OutgoingHttp1::Retire() {
  over_ = true;
  if (current_ == nullptr) End();
}

void OutgoingHttp1::End() {
  over_ = true;
  output_.Consume(output_.bytes());
}

int64_t OutgoingHttp1::deadline_ms() const {
  return current_ == nullptr ? idle_since_ms_ + remote_->options.idle_timeout_ms : net::kNever;
}

void OutgoingHttp1::OnDeadline(int64_t now_ms) {
  if (deadline_ms() <= now_ms) End();
}

}  // namespace weft::outgoing

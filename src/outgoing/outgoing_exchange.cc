// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_exchange.h"

#include "outgoing/outgoing_pool.h"
#include "outgoing/outgoing_tls.h"

namespace weft::outgoing {
namespace {

weft::ErrorCode CodeOf(OutgoingFailure failure) {
  using weft::ErrorCode;
  switch (failure) {
    case OutgoingFailure::kRequest:
      return ErrorCode::kInvalidArgument;
    case OutgoingFailure::kConnectTimeout:
    case OutgoingFailure::kTimeout:
      return ErrorCode::kDeadlineExceeded;
    case OutgoingFailure::kProtocol:
      return ErrorCode::kInternal;
    case OutgoingFailure::kTooLarge:
      return ErrorCode::kTooLarge;
    case OutgoingFailure::kCancelled:
      return ErrorCode::kCancelled;
    case OutgoingFailure::kBusy:
    case OutgoingFailure::kDns:
    case OutgoingFailure::kConnect:
    case OutgoingFailure::kProxy:
    case OutgoingFailure::kTls:
    case OutgoingFailure::kReset:
      return ErrorCode::kUnavailable;
  }
  return ErrorCode::kInternal;
}

}  // namespace

std::string_view NameOf(OutgoingFailure failure) {
  switch (failure) {
    case OutgoingFailure::kRequest:
      return "request";
    case OutgoingFailure::kBusy:
      return "busy";
    case OutgoingFailure::kDns:
      return "dns";
    case OutgoingFailure::kConnect:
      return "connect";
    case OutgoingFailure::kConnectTimeout:
      return "connect_timeout";
    case OutgoingFailure::kProxy:
      return "proxy";
    case OutgoingFailure::kTls:
      return "tls";
    case OutgoingFailure::kTimeout:
      return "timeout";
    case OutgoingFailure::kReset:
      return "reset";
    case OutgoingFailure::kProtocol:
      return "protocol";
    case OutgoingFailure::kTooLarge:
      return "too_large";
    case OutgoingFailure::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

OutgoingError MakeOutgoingError(OutgoingFailure failure, std::string message, bool reached_peer) {
  return {{CodeOf(failure), std::move(message), 0}, failure, reached_peer};
}

void OutgoingExchangeCall::Cancel() {
  if (std::shared_ptr<OutgoingPool> pool = exchange_->pool.lock()) pool->Cancel(exchange_);
}

OutgoingError TlsBrokenError(const OutgoingTlsError& tls, const std::string& remote,
                             bool request_sent) {
  OutgoingError error = MakeOutgoingError(OutgoingFailure::kTls, remote + ": TLS: " + tls.text,
                                          request_sent && !tls.before_requests);
  if (tls.of_certificate) error.code = ErrorCode::kPermissionDenied;
  return error;
}

}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
//
// What goes to a remote and what comes back: a request, its answer, or why there is none. An answer
// of any status is an answer; an error means that no whole answer came.
//
// The question that an exporter has after an error is whether it may send the same again:
// `reached_peer` false says that nothing of the request can have been processed.
//
// Thread rule: values. Next: outgoing/outgoing_client.h.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/http.h"
#include "net/shared_bytes.h"

namespace weft::outgoing {

struct OutgoingRequest {
  std::string method = "GET";
  std::string path = "/";  // with its query, encoded: "/v1/traces?x=1"
  // Names in any case. Not those that speak about the connection or the body's length; "host"
  // stands in for the remote's own name.
  http::Headers headers = {};
  net::SharedBytes body = {};
  int64_t timeout_ms = 0;  // from Send() to the answer's last byte; 0: OutgoingOptions::timeout_ms
  // Sending it twice does what sending it once does. GET, HEAD, OPTIONS, PUT and DELETE always are.
  bool idempotent = false;
};

struct OutgoingAnswer {
  int status = 0;
  http::Headers headers;   // names in lower case
  http::Headers trailers;  // the same
  std::string body;
};

enum class OutgoingFailure : uint8_t {
  kRequest,         // it cannot be sent as it is: kInvalidArgument
  kBusy,            // too much is under way already: kUnavailable
  kDns,             // the name has no address: kUnavailable
  kConnect,         // no address takes connections: kUnavailable
  kConnectTimeout,  // kDeadlineExceeded
  kProxy,           // the proxy does not lead there: kUnavailable, kUnauthenticated
  kTls,             // kPermissionDenied: a certificate, theirs or ours, is not believed, and the
                    // message says why; kUnavailable: TLS failed in another way
  kTimeout,         // the request's own: kDeadlineExceeded
  kReset,           // the connection, or the HTTP/2 stream, ended before the answer: kUnavailable;
                    // kResourceExhausted for ENHANCE_YOUR_CALM
  kProtocol,        // what came is not HTTP: kInternal
  kTooLarge,        // the answer is over its limit: kTooLarge
  kCancelled,       // Cancel(), or the client is gone: kCancelled
};
// "dns", "connect", ...: for metrics.
std::string_view NameOf(OutgoingFailure failure);

struct OutgoingError : Error {
  OutgoingFailure failure = OutgoingFailure::kReset;
  // False: no byte of the request can have been processed by the peer.
  bool reached_peer = false;
};

using OutgoingResult = std::expected<OutgoingAnswer, OutgoingError>;
// Called once, on a loop thread. Must not block.
using OutgoingDone = std::function<void(OutgoingResult)>;

// What the caller holds of a request under way. Dropping it changes nothing.
class OutgoingCall {
 public:
  virtual ~OutgoingCall() = default;
  // Ends it with kCancelled, where it has not ended. Any thread; the callback still comes on the
  // loop thread.
  virtual void Cancel() = 0;
};
using OutgoingCallPtr = std::shared_ptr<OutgoingCall>;

}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
//
// One HTTP exchange as a handler sees it: the request, whole, and the door for the answer.
//
// Life of an exchange: head read -> RouteOptions::admit (may refuse before one body byte is read)
// -> body read up to body_bytes_max -> handler(request, exchange) -> Respond() once, or Start(),
// Write() many times, Finish(). Thread rule: an Exchange may be used from any thread, by one at a
// time; dropping the last reference without an answer sends 500. Request bodies are not
// decompressed here (wire/compression.h does).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weft::http {

// Names are lower case. Order is kept.
using Headers = std::vector<std::pair<std::string, std::string>>;
// The first value of `name` (lower case), or "".
std::string_view FindHeader(const Headers& headers, std::string_view name);

struct RequestHead {
  std::string method;  // "GET"
  std::string path;    // canonical: percent-decoded, "." and ".." resolved, starts with "/"
  std::string raw_path;
  std::string query;  // without "?", still encoded: ParseQuery() below
  // Of an absolute-form target, "localhost:4318"; "" of any other. It is what Host says.
  std::string authority;
  Headers headers;
  std::string peer;             // "127.0.0.1:51234"; "unix#7", the seventh over a path
  int64_t content_length = -1;  // -1: not declared
  bool http2 = false;
};
struct Request : RequestHead {
  std::string body;
};

// Who shares in what all peers may hold together: an address without its port; of connections over
// a path, each by itself.
std::string_view PeerAddress(const RequestHead& head);

// Decoded name/value pairs of a query string or form body, in order. Bad escapes stay as they are.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view query);

struct Response {
  int status = 200;
  std::string content_type;  // "" sends none
  Headers headers;
  std::string body;
};

enum class WriteState : uint8_t {
  kGo,      // written or buffered: go on
  kWait,    // buffered, but the peer reads slowly: wait for the OnWritable callback
  kClosed,  // the peer is gone: stop working
};

// An answer that http gives by itself, before or instead of a handler: credentials refused, path
// unknown, method wrong, body too large or too slow.
struct Refusal {
  int status = 400;
  std::string message;         // "no such path: /x"
  Headers headers = {};        // Allow, WWW-Authenticate
  uint32_t retry_after_s = 0;  // not 0: Retry-After, which http adds
};
// Gives it the body that the clients of a family of routes read.
using RefusalAnswer = std::function<Response(const RequestHead&, const Refusal&)>;

class Exchange {
 public:
  virtual ~Exchange() = default;
  // The whole answer. REQUIRES: nothing was sent yet.
  virtual void Respond(Response response) = 0;
  // A streamed answer: chunked on HTTP/1.1, DATA frames on HTTP/2.
  virtual void Start(int status, std::string content_type, Headers headers) = 0;
  virtual WriteState Write(std::string bytes) = 0;
  virtual void Finish() = 0;
  // `callback` runs once on the loop thread when Write() may go on or the peer has gone.
  virtual void OnWritable(std::function<void()> callback) = 0;
  // True once the peer has disconnected or reset: work for it may stop.
  virtual bool cancelled() const = 0;
  // The request's traceparent header (W3C Trace Context), "" without one: unchecked.
  virtual std::string_view traceparent() const { return {}; }
};
using ExchangePtr = std::shared_ptr<Exchange>;

using HttpHandler = std::function<void(Request, ExchangePtr)>;

// What admit() may say before a body byte is read. The token is kept until the exchange is gone:
// a memory reservation lives exactly as long as the request.
struct Admission {
  // Empty: go on. Otherwise sent as the answer.
  std::unique_ptr<Response> refusal;
  std::shared_ptr<void> token;
  // Told the size of the body as often as more of it has come. What it returns is sent as the
  // answer, and the body is dropped. Memory is charged here: what is only announced costs nothing.
  std::function<std::unique_ptr<Response>(const RequestHead&, uint64_t body_bytes)> grow = nullptr;
};
struct RouteOptions {
  uint64_t body_bytes_max = 1 << 20;  // over it: 413
  // Answered whoever asks, and under whatever name: probes, CORS preflights.
  bool open = false;
  std::function<Admission(const RequestHead&)> admit;
};

// 200 -> "OK".
std::string_view StatusText(int status);

}  // namespace weft::http

// SPDX-License-Identifier: Apache-2.0
#include "net/http1_parser.h"

#include <boost/beast/http/error.hpp>

#include "net/request_target.h"

namespace weft::net {
namespace http = boost::beast::http;

Http1Parser::Http1Parser(RequestHead* head, std::string* body, uint32_t header_bytes_max)
    : head_(head), body_(body) {
  header_limit(header_bytes_max);
  body_limit(boost::none);  // the session's limit depends on the route
  eager(false);
}

void Http1Parser::RefuseWith(int status, const char* text) {
  if (refusal_status_ != 0) return;
  refusal_status_ = status;
  refusal_text_ = text;
}

void Http1Parser::on_request_impl(http::verb, View method, View target, int version, ErrorCode&) {
  head_->method.assign(method.data(), method.size());
  version_ = version;
  std::string_view raw(target.data(), target.size());
  if (raw == "*" && head_->method == "OPTIONS") {
    head_->path = head_->raw_path = "*";
  } else if (!ParseTarget(raw, head_)) {
    RefuseWith(400, "malformed request target");
  }
}

void Http1Parser::on_field_impl(http::field field, View name, View value, ErrorCode&) {
  if (head_done_) return;  // trailers of a chunked body: nothing here reads them
  std::string key(name.data(), name.size());
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  if (field == http::field::host) ++hosts_;
  if (field == http::field::transfer_encoding) {
    ++transfer_encodings_;
    coding_known_ = boost::beast::iequals(value, "chunked");
  }
  if (field == http::field::expect) {
    expects_continue_ = boost::beast::iequals(value, "100-continue");
    bad_expectation_ = !expects_continue_;
  }
  head_->headers.emplace_back(std::move(key), std::string(value.data(), value.size()));
}

void Http1Parser::on_header_impl(ErrorCode&) {
  head_done_ = true;
  if (hosts_ > 1) RefuseWith(400, "more than one Host header");
  if (hosts_ == 0 && version_ >= 11) RefuseWith(400, "missing Host header");
  if (hosts_ == 1 && !head_->authority.empty() &&
      !SameAuthority(head_->authority, FindHeader(head_->headers, "host")))
    RefuseWith(400, "the request target names another server than the Host header");
  if (hosts_ == 0 && !head_->authority.empty())
    head_->headers.emplace_back("host", head_->authority);
  if (transfer_encodings_ > 0) {
    // RFC 9112 6.1: an unclear end of the body is how requests are smuggled.
    if (version_ < 11) RefuseWith(400, "Transfer-Encoding in an HTTP/1.0 request");
    if (transfer_encodings_ > 1) RefuseWith(400, "more than one Transfer-Encoding header");
    if (!coding_known_) RefuseWith(501, "unknown Transfer-Encoding, supported: [chunked]");
    if (!FindHeader(head_->headers, "content-length").empty()) {
      RefuseWith(400, "both Content-Length and Transfer-Encoding");
    }
  }
  if (bad_expectation_) RefuseWith(417, "unknown expectation, supported: [100-continue]");
}

void Http1Parser::on_chunk_header_impl(uint64_t size, View, ErrorCode& error) {
  if (size > body_bytes_max_ || body_->size() > body_bytes_max_ - size) {
    body_too_large_ = true;
    error = http::error::body_limit;
  }
}

size_t Http1Parser::on_chunk_body_impl(uint64_t, View body, ErrorCode&) {
  // The chunk header's size has been checked against the limit; memory grows with what has come.
  body_->append(body.data(), body.size());
  return body.size();
}

}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
//
// Boost.Beast's HTTP/1 grammar with our ears on it: the head lands in a RequestHead, chunks in a
// callback-free string with a limit. A body of declared length is not parsed here; the session
// reads it straight into place.
//
// Made by Http1Session, one per request. Thread rule: loop thread. Next: net/http1_session.h.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <string>

#include "net/http.h"

namespace weft::net {

class Http1Parser final : public boost::beast::http::basic_parser<true> {
 public:
  using ErrorCode = boost::beast::error_code;
  using View = boost::beast::string_view;

  Http1Parser(RequestHead* head, std::string* body, uint32_t header_bytes_max);

  void set_body_bytes_max(uint64_t bytes) { body_bytes_max_ = bytes; }
  bool body_too_large() const { return body_too_large_; }
  // Set when a head is well-formed but must not be served: what to answer.
  int refusal_status() const { return refusal_status_; }
  const char* refusal_text() const { return refusal_text_; }
  int http_version() const { return version_; }
  bool expects_continue() const { return expects_continue_; }

 private:
  void on_request_impl(boost::beast::http::verb, View method, View target, int version,
                       ErrorCode&) override;
  void on_response_impl(int, View, int, ErrorCode&) override {}
  void on_field_impl(boost::beast::http::field field, View name, View value, ErrorCode&) override;
  void on_header_impl(ErrorCode&) override;
  void on_body_init_impl(const boost::optional<uint64_t>&, ErrorCode&) override {}
  size_t on_body_impl(View body, ErrorCode&) override { return body.size(); }
  void on_chunk_header_impl(uint64_t size, View, ErrorCode&) override;
  size_t on_chunk_body_impl(uint64_t, View body, ErrorCode&) override;
  void on_finish_impl(ErrorCode&) override {}
  void RefuseWith(int status, const char* text);

  RequestHead* head_;
  std::string* body_;
  uint64_t body_bytes_max_ = 0;
  bool head_done_ = false;
  bool body_too_large_ = false;
  bool target_bad_ = false;
  bool expects_continue_ = false;
  bool bad_expectation_ = false;
  int hosts_ = 0;
  int transfer_encodings_ = 0;
  bool coding_known_ = true;
  int version_ = 11;
  int refusal_status_ = 0;
  const char* refusal_text_ = "";
};

}  // namespace weft::net

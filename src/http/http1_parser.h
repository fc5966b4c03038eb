// SPDX-License-Identifier: Apache-2.0
//
// Boost.Beast's HTTP/1 grammar with our ears on it: the head lands in a RequestHead, chunks in a
// callback-free string with a limit. A body of declared length is not parsed here; the session
// reads it straight into place.
//
// Nothing depends on how the bytes were cut on their way. Left to itself, Beast uses some of the
// bytes and asks for more in one call, and holds its limits against what one call brings; so it is
// given the request line, the fields and each chunk's frame only when they are whole, and the
// limits are ours.
//
// Made by Http1Session, one per request. Thread rule: loop thread. Next: http/http1_session.h.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <string>
#include <string_view>

#include "http/http.h"

namespace weft::http {

class Http1Parser final : public boost::beast::http::basic_parser<true> {
 public:
  using ErrorCode = boost::beast::error_code;
  using View = boost::beast::string_view;

  // `header_bytes_max` bounds the head, and each chunk's frame: its size and extensions, and the
  // trailers.
  Http1Parser(RequestHead* head, std::string* body, uint32_t header_bytes_max);

  // `in` is everything since the first byte of the request line, in each call. The bytes of the
  // head once it is whole, else 0. Errors: what Beast finds; header_limit; bad_line_ending.
  size_t PutHead(std::string_view in, ErrorCode& error);
  // `in` begins with what the last call did not use. Returns how much of it was used; is_done()
  // behind the trailers. Errors: what Beast finds; header_limit; body_limit.
  // REQUIRES: the head is whole.
  size_t PutChunked(std::string_view in, ErrorCode& error);

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
  // Gives Beast the request line or the fields. False: it did not use all of it.
  bool PutWhole(std::string_view part, ErrorCode& error);

  RequestHead* head_;
  std::string* body_;
  const size_t header_bytes_max_;
  size_t line_bytes_ = 0;    // of the request line, once it is parsed
  size_t looked_ = 0;        // the head's end is not before here
  uint64_t chunk_left_ = 0;  // of a chunk's data
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

}  // namespace weft::http

// SPDX-License-Identifier: Apache-2.0
#include "http/http1_parser.h"

#include <algorithm>
#include <boost/beast/http/error.hpp>

#include "http/http_text.h"
#include "http/request_target.h"

namespace weft::http {
namespace beast_http = boost::beast::http;

namespace {

// "0\r\n\r\n". Beast takes so many to be there when it goes on inside the last frame; no other is
// shorter together with what must follow it.
constexpr size_t kFrameBytesMin = 5;

// Behind the first empty line whose line before ends at `from` or later; npos while there is none.
// A line may end without CR here: that it must not is for the grammar to say.
size_t BehindEmptyLine(std::string_view in, size_t from) {
  for (size_t lf = in.find('\n', from); lf != in.npos; lf = in.find('\n', lf + 1)) {
    std::string_view next = in.substr(lf + 1);
    if (next.starts_with('\n')) return lf + 2;
    if (next.starts_with("\r\n")) return lf + 3;
  }
  return in.npos;
}

}  // namespace

Http1Parser::Http1Parser(RequestHead* head, std::string* body, uint32_t header_bytes_max)
    : head_(head), body_(body), header_bytes_max_(header_bytes_max) {
  header_limit(header_bytes_max);
  body_limit(boost::none);  // the session's limit depends on the route
  eager(false);
}

size_t Http1Parser::PutHead(std::string_view in, ErrorCode& error) {
  error = {};
  std::string_view head = in.substr(0, header_bytes_max_);
  if (line_bytes_ == 0) {
    // No line end may ever come from a peer that speaks something else, TLS for one.
    if (!head.empty() && !IsTokenChar(head[0])) {
      error = beast_http::error::bad_method;
      return 0;
    }
    size_t lf = head.find('\n', looked_);
    if (lf != head.npos) {
      line_bytes_ = lf + 1;
      looked_ = lf;
      if (!PutWhole(head.substr(0, line_bytes_), error) && !error)
        error = beast_http::error::bad_version;
      if (error) return 0;
    } else {
      looked_ = head.size();
    }
  }
  size_t end = line_bytes_ == 0 ? head.npos : BehindEmptyLine(head, looked_);
  if (end == head.npos) {
    // "\n\r" may be all that has come of the end.
    if (line_bytes_ > 0) looked_ = head.size() - std::min<size_t>(head.size(), 2);
    if (in.size() >= header_bytes_max_) error = beast_http::error::header_limit;
    return 0;
  }
  bool all = PutWhole(head.substr(line_bytes_, end - line_bytes_), error);
  if (!error && !(all && is_header_done())) error = beast_http::error::bad_line_ending;
  return error ? 0 : end;
}

bool Http1Parser::PutWhole(std::string_view part, ErrorCode& error) {
  size_t used = put(boost::asio::const_buffer(part.data(), part.size()), error);
  // Having used a request line, Beast asks for the fields.
  if (error == beast_http::error::need_more) error = {};
  return used == part.size();
}

size_t Http1Parser::PutChunked(std::string_view in, ErrorCode& error) {
  error = {};
  size_t used = 0;
  while (used < in.size() && !is_done()) {
    std::string_view rest = in.substr(used);
    if (chunk_left_ == 0) {
      if (rest.size() < kFrameBytesMin) break;
      rest = rest.substr(0, header_bytes_max_);
    }
    size_t step = put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    if (error == beast_http::error::need_more) {
      error = {};
      if (rest.size() == header_bytes_max_) error = beast_http::error::header_limit;
      break;
    }
    if (error) break;
    used += step;
  }
  return used;
}

void Http1Parser::RefuseWith(int status, const char* text) {
  if (refusal_status_ != 0) return;
  refusal_status_ = status;
  refusal_text_ = text;
}

void Http1Parser::on_request_impl(beast_http::verb, View method, View target, int version,
                                  ErrorCode&) {
  head_->method.assign(method.data(), method.size());
  version_ = version;
  std::string_view raw(target.data(), target.size());
  if (raw == "*" && head_->method == "OPTIONS") {
    head_->path = head_->raw_path = "*";
  } else if (!ParseTarget(raw, head_)) {
    RefuseWith(400, "malformed request target");
  }
}

void Http1Parser::on_field_impl(beast_http::field field, View name, View value, ErrorCode&) {
  if (head_done_) return;  // trailers of a chunked body: nothing here reads them
  std::string key(name.data(), name.size());
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  if (field == beast_http::field::host) ++hosts_;
  if (field == beast_http::field::transfer_encoding) {
    ++transfer_encodings_;
    coding_known_ = boost::beast::iequals(value, "chunked");
  }
  if (field == beast_http::field::expect) {
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
    error = beast_http::error::body_limit;
  }
  chunk_left_ = size;
}

size_t Http1Parser::on_chunk_body_impl(uint64_t, View body, ErrorCode&) {
  // The chunk header's size has been checked against the limit; memory grows with what has come.
  body_->append(body.data(), body.size());
  chunk_left_ -= body.size();
  return body.size();
}

}  // namespace weft::http

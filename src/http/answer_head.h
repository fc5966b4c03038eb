// SPDX-License-Identifier: Apache-2.0
//
// The text of an HTTP/1.1 answer head. Header values that handlers made from input lose their
// control characters here: no value can end its line and start another header.
//
// Thread rule: pure, but the date is cached per thread. Next: http/http1_session.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/http.h"

namespace weft::http {

struct AnswerHead {
  const Response* response = nullptr;
  bool chunked = false;
  int64_t content_length = -1;  // -1: none is sent
  bool keep_alive = true;
  bool http10 = false;
};
std::string FormatAnswerHead(const AnswerHead& head);

// "Sat, 21 Nov 2026 01:23:45 GMT", made once a second.
std::string_view HttpDate();

// True for bytes a header value may hold (RFC 9110 5.5).
inline bool IsHeaderValueByte(char c) {
  auto u = static_cast<unsigned char>(c);
  return u == '\t' || (u >= 0x20 && u != 0x7f);
}

}  // namespace weft::http

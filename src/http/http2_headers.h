// SPDX-License-Identifier: Apache-2.0
//
// A head as nghttp2 takes it: names in lower case, values without what could end them, and without
// the headers that speak about a connection, which have no place in HTTP/2 (RFC 9113 8.2.2).
//
// Thread rule: one thread. Next: http/http2_session.h, outgoing/outgoing_http2.h.
#pragma once

#include <nghttp2/nghttp2.h>

#include <string_view>
#include <vector>

#include "http/http.h"

namespace weft::http {

// Borrows both.
nghttp2_nv MakeHttp2Nv(std::string_view name, std::string_view value);

// Owns what the nghttp2_nv point to until nghttp2 has copied it.
class Http2Headers {
 public:
  void Add(std::string_view name, std::string_view value);
  // Leaves out what HTTP/2 cannot carry.
  void AddAll(const Headers& headers);
  const std::vector<nghttp2_nv>& Build();

 private:
  Headers storage_;
  std::vector<nghttp2_nv> nvs_;
};

}  // namespace weft::http

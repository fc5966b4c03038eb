// SPDX-License-Identifier: Apache-2.0
#include "http/http2_headers.h"

#include <algorithm>

#include "http/answer_head.h"
#include "http/http_text.h"

namespace weft::http {
namespace {

bool IsConnectionHeader(std::string_view name) {
  return name == "connection" || name == "transfer-encoding" || name == "keep-alive" ||
         name == "upgrade" || name == "proxy-connection";
}

}  // namespace

nghttp2_nv MakeHttp2Nv(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

void Http2Headers::Add(std::string_view name, std::string_view value) {
  std::string clean(value);
  for (char& c : clean) {
    if (!IsHeaderValueByte(c)) c = ' ';
  }
  // nghttp2 refuses values with white space around them.
  storage_.emplace_back(LowerCase(name), TrimmedField(clean));
}

void Http2Headers::AddAll(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    std::string lower = LowerCase(name);
    if (!IsConnectionHeader(lower) &&
        nghttp2_check_header_name(reinterpret_cast<const uint8_t*>(lower.data()), lower.size())) {
      Add(lower, value);
    }
  }
}

const std::vector<nghttp2_nv>& Http2Headers::Build() {
  nvs_.clear();
  for (const auto& [name, value] : storage_) nvs_.push_back(MakeHttp2Nv(name, value));
  return nvs_;
}

}  // namespace weft::http

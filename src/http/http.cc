// SPDX-License-Identifier: Apache-2.0
#include "http/http.h"

#include "http/http_text.h"
#include "http/request_target.h"

namespace weft::http {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string DecodeFormValue(std::string_view in) {
  std::string out;
  out.reserve(in.size());
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] == '+') {
      out.push_back(' ');
    } else if (in[i] == '%' && i + 2 < in.size() && HexValue(in[i + 1]) >= 0 &&
               HexValue(in[i + 2]) >= 0) {
      out.push_back(static_cast<char>(HexValue(in[i + 1]) * 16 + HexValue(in[i + 2])));
      i += 2;
    } else {
      out.push_back(in[i]);
    }
  }
  return out;
}

// Decodes every escape once. Empty optional: a broken escape or a control character.
std::optional<std::string> DecodePath(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      if (i + 2 >= raw.size()) return std::nullopt;
      int high = HexValue(raw[i + 1]);
      int low = HexValue(raw[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    out.push_back(c);
  }
  return out;
}

bool IsPlain(std::string_view path) {
  for (size_t i = 0; i < path.size(); ++i) {
    auto c = static_cast<unsigned char>(path[i]);
    if (c == '%' || c < 0x20 || c == 0x7f) return false;
    if (c == '/' && i + 1 < path.size() && (path[i + 1] == '/' || path[i + 1] == '.')) return false;
  }
  return true;
}

}  // namespace

std::string_view FindHeader(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!query.empty()) {
    size_t end = query.find('&');
    std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    size_t equals = pair.find('=');
    std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    out.emplace_back(DecodeFormValue(pair.substr(0, equals)), DecodeFormValue(value));
  }
  return out;
}

std::optional<std::string> CanonicalPath(std::string_view raw) {
  if (raw.empty() || raw.front() != '/') return std::nullopt;
  if (IsPlain(raw)) return std::string(raw);
  std::optional<std::string> decoded = DecodePath(raw);
  if (!decoded) return std::nullopt;
  std::string out;
  out.reserve(decoded->size());
  std::string_view rest = *decoded;
  // Each turn takes one "/segment". A final "." or ".." names a directory and leaves its slash.
  while (!rest.empty()) {
    rest.remove_prefix(1);
    size_t end = rest.find('/');
    std::string_view segment = rest.substr(0, end);
    bool last = end == std::string_view::npos;
    rest.remove_prefix(last ? rest.size() : end);
    if (segment == "..") {
      out.resize(out.empty() ? 0 : out.rfind('/'));
      if (last) out.push_back('/');
    } else if (segment == "." || segment.empty()) {
      if (last) out.push_back('/');
    } else {
      out.push_back('/');
      out.append(segment);
    }
  }
  if (out.empty()) out.push_back('/');
  return out;
}

namespace {

// "localhost:80" -> "localhost".
std::string WithoutDefaultPort(std::string_view authority) {
  for (std::string_view port : {":80", ":443", ":"})
    if (authority.ends_with(port))
      return LowerCase(authority.substr(0, authority.size() - port.size()));
  return LowerCase(authority);
}

// Takes "http://host:port" off an absolute-form target. A proxy would send it, and RFC 9112 3.2.2
// has every server accept it.
bool TakeAuthority(std::string_view* target, std::string* authority) {
  const size_t scheme = target->find("://");
  if (scheme == std::string_view::npos || scheme > 5) return false;
  const std::string name = LowerCase(target->substr(0, scheme));
  if (name != "http" && name != "https") return false;
  std::string_view rest = target->substr(scheme + 3);
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  *authority = rest.substr(0, end);
  *target = rest.substr(end);
  return !authority->empty() && authority->find('@') == std::string::npos;
}

}  // namespace

bool SameAuthority(std::string_view a, std::string_view b) {
  return WithoutDefaultPort(a) == WithoutDefaultPort(b);
}

bool ParseTarget(std::string_view target, RequestHead* head) {
  std::string rooted;
  head->authority.clear();
  if (!target.empty() && target.front() != '/') {
    if (!TakeAuthority(&target, &head->authority)) return false;
    if (!target.starts_with('/')) {
      rooted = "/" + std::string(target);
      target = rooted;
    }
  }
  size_t fragment = target.find('#');
  if (fragment != std::string_view::npos) return false;
  size_t question = target.find('?');
  std::string_view raw = target.substr(0, question);
  std::optional<std::string> path = CanonicalPath(raw);
  if (!path) return false;
  head->path = std::move(*path);
  head->raw_path = raw;
  head->query = question == std::string_view::npos ? "" : target.substr(question + 1);
  return true;
}

std::string_view StatusText(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

}  // namespace weft::http

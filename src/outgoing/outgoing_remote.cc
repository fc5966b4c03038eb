// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_remote.h"

#include <charconv>

#include "http/answer_head.h"
#include "outgoing/outgoing_tls.h"

namespace weft::outgoing {
namespace {

std::unexpected<Error> Wrong(std::string message) {
  return Fail(ErrorCode::kInvalidArgument, std::move(message));
}

// What must not stand in a host: it would end a line, or a name, in a request.
bool IsHostByte(char c) {
  auto u = static_cast<unsigned char>(c);
  return u > 0x20 && u != 0x7f &&
         std::string_view("/?#@\\\"<>[]").find(c) == std::string_view::npos;
}

Status CheckBounds(const OutgoingOptions& options) {
  if (options.http1_connections_max == 0 || options.http2_connections_max == 0)
    return Wrong("a client needs at least one connection");
  if (options.connect_timeout_ms <= 0 || options.timeout_ms <= 0 || options.idle_timeout_ms <= 0)
    return Wrong("timeouts are at least 1 ms");
  constexpr uint32_t kWindowMin = 65'535, kWindowMax = 0x7fff'ffff;  // RFC 9113 6.9.2
  for (uint32_t window : {options.stream_window_bytes, options.connection_window_bytes})
    if (window < kWindowMin || window > kWindowMax)
      return Wrong("an HTTP/2 window has 65535 to 2147483647 bytes");
  for (char c : options.user_agent)
    if (!http::IsHeaderValueByte(c)) return Wrong("the user agent holds a control character");
  return {};
}

}  // namespace

std::string HostPort::Text() const {
  bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<HostPort> ParseHostPort(std::string_view text, uint16_t default_port) {
  HostPort out{.host = {}, .port = default_port};
  std::string_view rest = text;
  if (text.starts_with('[')) {
    size_t end = text.find(']');
    if (end == text.npos) return Wrong("\"" + std::string(text) + "\" lacks a ]");
    out.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    size_t colon = std::min(text.find(':'), text.size());
    out.host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (out.host.empty()) return Wrong("\"" + std::string(text) + "\" names no host");
  for (char c : out.host)
    if (!IsHostByte(c)) return Wrong("\"" + std::string(text) + "\" is no host");
  if (rest.empty()) return out;
  const char* end = rest.data() + rest.size();
  auto [at, error] = std::from_chars(rest.data() + 1, end, out.port);
  if (rest[0] != ':' || error != std::errc() || at != end || out.port == 0)
    return Wrong("\"" + std::string(text) + "\" has no port from 1 to 65535 behind its host");
  return out;
}

Result<std::shared_ptr<const OutgoingRemote>> OutgoingRemote::Make(OutgoingOptions options) {
  auto remote = std::make_shared<OutgoingRemote>();
  std::string_view url = options.url;
  if (url.starts_with("https://")) {
    remote->tls = true;
    url.remove_prefix(8);
  } else if (url.starts_with("http://")) {
    url.remove_prefix(7);
  } else {
    return Wrong("\"" + options.url + "\" begins with neither http:// nor https://");
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  const uint16_t default_port = remote->tls ? 443 : 80;
  WEFT_ASSIGN(remote->address, ParseHostPort(url, default_port));
  WEFT_TRY(CheckBounds(options));
  remote->text = std::string(remote->scheme()) + "://" + remote->address.Text();
  remote->authority = remote->address.Text();
  if (remote->address.port == default_port) remote->authority.resize(remote->authority.rfind(':'));
  if (!options.unix_path.empty()) {
    remote->text += " at " + options.unix_path;
  } else {
    WEFT_ASSIGN(remote->proxy, ChooseProxy(options.proxy, remote->tls, remote->address.host,
                                           remote->address.port));
  }
  if (remote->tls) {
    WEFT_ASSIGN(remote->tls_context,
                OutgoingTlsContext::Make(options.tls, remote->address.host, options.protocol));
  }
  remote->options = std::move(options);
  return std::shared_ptr<const OutgoingRemote>(std::move(remote));
}

}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_proxy.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "http/http.h"
#include "http/http_text.h"
#include "outgoing/outgoing_remote.h"
#include "wire_core/base64.h"

namespace weft::outgoing {

using http::LowerCase;

namespace {

namespace ip = boost::asio::ip;
using AsioError = boost::system::error_code;

std::unexpected<Error> Wrong(std::string_view setting, std::string message) {
  return Fail(ErrorCode::kInvalidArgument, std::string(setting) + ": " + std::move(message));
}

// True where `block`, "10.0.0.0/8", is a CIDR block that holds `address`.
bool BlockHolds(const std::string& block, const ip::address& address) {
  AsioError error;
  if (address.is_v4()) {
    ip::network_v4 network = ip::make_network_v4(block, error);
    if (error) return false;
    ip::network_v4 host(address.to_v4(), network.prefix_length());
    return host.canonical() == network.canonical();
  }
  ip::network_v6 network = ip::make_network_v6(block, error);
  if (error) return false;
  ip::network_v6 host(address.to_v6(), network.prefix_length());
  return host.canonical() == network.canonical();
}

bool MatchesEntry(std::string_view entry, std::string_view host, uint16_t port) {
  if (entry == "*") return true;
  AsioError error;
  ip::address address = ip::make_address(std::string(host), error);
  bool is_address = !error;
  if (is_address && entry.find('/') != entry.npos) return BlockHolds(std::string(entry), address);
  // An IPv6 address without brackets has colons of its own.
  ip::make_address(std::string(entry), error);
  if (error) {
    Result<HostPort> named = ParseHostPort(entry, 0);
    if (!named || (named->port != 0 && named->port != port)) return false;
    return named->host.starts_with('.') ? host.ends_with(named->host)
                                        : host == named->host || host.ends_with("." + named->host);
  }
  return is_address && ip::make_address(std::string(entry)) == address;
}

// "%40" -> "@": user and password of a URL.
std::string Decoded(std::string_view text) {
  auto pairs = http::ParseQuery("x=" + std::string(text));
  return pairs.empty() ? std::string() : pairs[0].second;
}

}  // namespace

bool MatchesNoProxy(std::string_view no_proxy, std::string_view host, uint16_t port) {
  std::string name = LowerCase(host);
  std::string list = LowerCase(no_proxy);
  std::string_view rest = list;
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    std::string_view entry = http::TrimmedField(rest.substr(0, comma));
    rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    if (!entry.empty() && MatchesEntry(entry, name, port)) return true;
  }
  return false;
}

Result<OutgoingProxyRoute> ChooseProxy(const OutgoingProxy& proxy, bool tls, std::string_view host,
                                       uint16_t port) {
  OutgoingProxyRoute route;
  std::string_view url = http::TrimmedField(tls ? proxy.https_proxy : proxy.http_proxy);
  std::string_view setting = tls ? "https_proxy" : "http_proxy";
  if (url.empty() || MatchesNoProxy(proxy.no_proxy, host, port)) return route;
  if (size_t scheme = url.find("://"); scheme != url.npos) {
    std::string name = LowerCase(url.substr(0, scheme));
    if (name != "http")
      return Wrong(setting,
                   "\"" + name + "://\" is no kind of proxy that weft speaks with: http://");
    url.remove_prefix(scheme + 3);
  }
  url = url.substr(0, url.find('/'));
  if (size_t at = url.rfind('@'); at != url.npos) {
    std::string_view user = url.substr(0, at);
    size_t colon = user.find(':');
    std::string plain = Decoded(user.substr(0, colon)) + ":";
    if (colon != user.npos) plain += Decoded(user.substr(colon + 1));
    std::string header = "Basic ";
    AppendBase64(plain, &header);
    Secret::Wipe(&plain);
    route.authorization = Secret(std::move(header));
    url.remove_prefix(at + 1);
  }
  Result<HostPort> where = ParseHostPort(url, 80);
  if (!where) return Wrong(setting, where.error().message);
  route.used = true;
  route.host = where->host;
  route.port = where->port;
  route.text = "proxy " + where->Text();
  return route;
}

std::string ConnectRequest(const OutgoingProxyRoute& proxy, std::string_view authority,
                           std::string_view user_agent) {
  std::string head = "CONNECT ";
  head.append(authority).append(" HTTP/1.1\r\nHost: ").append(authority);
  if (!user_agent.empty()) head.append("\r\nUser-Agent: ").append(user_agent);
  if (!proxy.authorization.empty())
    head.append("\r\nProxy-Authorization: ").append(proxy.authorization.Reveal());
  return head.append("\r\n\r\n");
}

std::optional<int> ConnectStatus(std::string_view head) {
  constexpr std::string_view kVersion = "HTTP/1.";
  constexpr size_t kStatusAt = kVersion.size() + 2;
  std::string_view start = head.substr(0, kVersion.size());
  if (start != kVersion.substr(0, start.size())) return 0;
  if (head.find('\n') == head.npos) return std::nullopt;
  int status = 0;
  for (char c : head.substr(std::min(kStatusAt, head.size()), 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  if (status < 100) return 0;
  bool whole = head.ends_with("\r\n\r\n") || head.ends_with("\n\n");
  return whole ? std::optional(status) : std::nullopt;
}

}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
//
// One connection in the making: name -> addresses -> TCP -> proxy -> TLS. Started by OutgoingPool;
// ends once, with a stream that a session can speak over, or with the error that says where it
// broke.
//
// Addresses are tried in turn, IPv6 and IPv4 mixed, the next one when one has failed or has not
// answered for 250 ms; the first that stands wins (RFC 8305 without its DNS half). Names are
// resolved on the thread that Asio keeps for it: a slow name server delays other names of the same
// loop, never the loop.
//
// Thread rule: loop thread. Next: outgoing/outgoing_tls.h, outgoing/outgoing_proxy.h.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "net/loop.h"
#include "net/socket_stream.h"
#include "outgoing/outgoing_remote.h"
#include "outgoing/outgoing_request.h"
#include "outgoing/outgoing_tls.h"

namespace weft::outgoing {

struct OutgoingStream {
  std::variant<net::SocketStream, OutgoingTlsStream> stream;
  bool http2 = false;
};

class OutgoingConnect final : public net::LoopMember,
                              public std::enable_shared_from_this<OutgoingConnect> {
 public:
  using Endpoint = boost::asio::generic::stream_protocol::endpoint;
  using Done = std::function<void(OutgoingConnect*, std::expected<OutgoingStream, OutgoingError>)>;

  OutgoingConnect(std::shared_ptr<net::Loop> loop, std::shared_ptr<const OutgoingRemote> remote,
                  Done done);
  // `done` comes later, never inside.
  void Start();
  // `done` is not called any more.
  void Abandon();

  // ---- LoopMember
  int64_t deadline_ms() const override;
  void OnDeadline(int64_t now_ms) override;
  void BeginDrain() override {}
  void ForceClose() override { Abandon(); }

 private:
  struct Attempt {
    net::StreamSocket socket;
    std::string where;
  };

  void Resolve();
  void OnResolved(boost::system::error_code error,
                  const boost::asio::ip::tcp::resolver::results_type& results);
  void TryNext();
  void OnConnected(const std::shared_ptr<Attempt>& attempt, boost::system::error_code error);
  void OpenTunnel();
  void SendTunnelRequest();
  void ReadTunnelAnswer();
  void ShakeHands();
  void OnHands();
  void Fail(OutgoingFailure failure, std::string why);
  void Fail(OutgoingError error);
  void End(std::expected<OutgoingStream, OutgoingError> result);

  const std::shared_ptr<net::Loop> loop_;
  const std::shared_ptr<const OutgoingRemote> remote_;
  Done done_;
  boost::asio::ip::tcp::resolver resolver_;
  std::deque<std::pair<Endpoint, std::string>> addresses_;  // not tried yet, with their texts
  std::vector<std::shared_ptr<Attempt>> attempts_;          // under way
  std::unique_ptr<net::StreamSocket> socket_;               // that stands, until TLS takes it
  std::unique_ptr<OutgoingTlsStream> tls_;
  std::string tunnel_;        // what of the request for a tunnel is not sent, then its answer
  std::string last_failure_;  // of an address
  std::string stage_;         // for the message of a timeout
  bool timed_out_ = false;    // an address, by the system's own measure
  int64_t deadline_ms_ = net::kNever;
  int64_t next_try_ms_ = net::kNever;
};

}  // namespace weft::outgoing

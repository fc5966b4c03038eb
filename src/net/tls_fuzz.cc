// SPDX-License-Identifier: Apache-2.0
//
// HTTP wrapped in TLS, over a real pair of sockets. The first byte chooses: any bytes in place of a
// handshake; a true handshake whose records are damaged on their way; or a true handshake and any
// bytes as what it carries (HTTP/1.1 or HTTP/2), in several records. The next bytes choose how what
// the peer sends is cut. Invariants: no crash, no leak, no endless loop; the stream ends in kGone
// or kEof once the peer is gone; what goes in undamaged comes out the same; what is no TLS is
// answered the same however it was cut.
#include "base/check.h"
#include "http/fuzz_routes.h"
#include "http/tls_pair.h"
#include "testing/pieces.h"

namespace weft::net {
namespace {

constexpr int kTurnsMax = 10'000;
constexpr char kHandshakeRecord = 0x16;

// Pairs of (place, what to flip there).
void Damage(std::string_view damage, std::string* bytes) {
  for (size_t i = 0; i + 1 < damage.size() && !bytes->empty(); i += 2)
    (*bytes)[static_cast<unsigned char>(damage[i]) * 7u % bytes->size()] ^= damage[i + 1];
}

class Connection {
 public:
  explicit Connection(std::string_view plan) : plan_(plan) {
    http::ServerLimits limits;
    limits.header_bytes_max = 8192;
    driver_ = http::SessionDriver::Make(limits, routes_.router);
    auto [socket, fd] = http::MakeSocketPair(&io_);
    server_ = std::make_unique<http::TlsServerEnd>(std::move(socket), driver_);
    peer_ = std::make_unique<http::TlsPeerEnd>(fd);
  }
  ~Connection() {
    peer_->Hang();
    for (int i = 0; i < kTurnsMax && alive_; ++i) alive_ = server_->Turn();
    WEFT_CHECK(!alive_);
    routes_.AnswerHeld();
    server_->Close();
    driver_->Close();
    routes_.AnswerHeld();
    driver_->RunPosted();
  }

  // Sends it cut, the server reading in between.
  void Send(std::string_view bytes) {
    for (std::string_view piece : testing::CutByPlan(bytes, plan_)) {
      peer_->Send(piece);
      if (alive_) alive_ = server_->Turn();
    }
  }
  // True when it is open. `damage` is done to the flight of that number.
  bool Handshake(std::string_view damage, int flight) {
    bool open = false;
    for (int i = 0; i < 16 && alive_ && !open; ++i) {
      open = peer_->Turn();
      std::string out = peer_->Output();
      if (i == flight) Damage(damage, &out);
      Send(out);
    }
    return open;
  }
  void Carry(std::string_view bytes, size_t record_bytes) {
    while (alive_ && !bytes.empty()) {
      peer_->Encrypt(bytes.substr(0, record_bytes));
      bytes.remove_prefix(std::min(record_bytes, bytes.size()));
      Send(peer_->Output());
      peer_->Turn();
    }
  }
  bool alive() const { return alive_; }
  const std::string& carried() const { return server_->received(); }
  std::string Answer() { return peer_->Receive(); }

 private:
  const std::string_view plan_;
  http::FuzzRoutes routes_;
  boost::asio::io_context io_;
  std::shared_ptr<http::SessionDriver> driver_;
  std::unique_ptr<http::TlsServerEnd> server_;
  std::unique_ptr<http::TlsPeerEnd> peer_;
  bool alive_ = true;
};

void Run(unsigned char mode, std::string_view plan, std::string_view bytes) {
  Connection connection(plan);
  switch (mode & 3) {
    case 0: {
      connection.Send(bytes);
      std::string answer = connection.Answer();
      Connection whole("");
      whole.Send(bytes);
      if (!bytes.starts_with(kHandshakeRecord)) WEFT_CHECK(answer == whole.Answer());
      return;
    }
    case 1:
      connection.Handshake(bytes, mode >> 4 & 3);
      return;
    default:
      WEFT_CHECK(connection.Handshake("", -1) && connection.alive());
      connection.Carry(bytes, (mode & 0x0c) == 0 ? 65536 : (mode & 0x0c) * 11u);
      if (connection.alive()) WEFT_CHECK(connection.carried() == bytes);
      return;
  }
}

}  // namespace
}  // namespace weft::net

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  auto [plan, bytes] =
      weft::testing::PlanAndBytes({reinterpret_cast<const char*>(data) + 1, size - 1});
  weft::net::Run(data[0], plan, bytes);
  return 0;
}

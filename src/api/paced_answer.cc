// SPDX-License-Identifier: Apache-2.0
#include "api/paced_answer.h"

namespace weft::api {
namespace {

// What a worker sends before the questions that wait have their turn.
constexpr size_t kTurnBytes = 4 << 20;

http::WriteState Put(http::Exchange& exchange, std::string piece) {
  return exchange.Write(std::move(piece));
}
http::WriteState Put(http::GrpcCall& call, std::string piece) {
  return call.Send(std::move(piece));
}
void End(http::Exchange& exchange, const Pieces&) { exchange.Finish(); }
void End(http::GrpcCall& call, const Pieces& pieces) { call.Finish(pieces.status()); }

template <class Door>
class PacedAnswer : public std::enable_shared_from_this<PacedAnswer<Door>> {
 public:
  PacedAnswer(std::unique_ptr<Pieces> pieces, QueryRunner* runner, std::shared_ptr<Door> door)
      : pieces_(std::move(pieces)), runner_(runner), door_(std::move(door)) {}

  void Pump() {
    size_t sent = 0;
    while (std::optional<std::string> piece = pieces_->Next()) {
      sent += piece->size();
      switch (Put(*door_, std::move(*piece))) {
        case http::WriteState::kGo:
          if (sent < kTurnBytes) break;
          return runner_->Resume([self = this->shared_from_this()] { self->Pump(); });
        case http::WriteState::kClosed:
          return;
        case http::WriteState::kWait:
          return WaitForReader();
      }
    }
    End(*door_, *pieces_);
  }

 private:
  void WaitForReader() {
    door_->OnWritable([self = this->shared_from_this()] {
      self->runner_->Resume([self] {
        if (!self->door_->cancelled()) self->Pump();
      });
    });
  }

  const std::unique_ptr<Pieces> pieces_;
  QueryRunner* const runner_;
  const std::shared_ptr<Door> door_;
};

}  // namespace

void SendPieces(std::unique_ptr<Pieces> pieces, QueryRunner* runner, http::ExchangePtr exchange) {
  std::make_shared<PacedAnswer<http::Exchange>>(std::move(pieces), runner, std::move(exchange))
      ->Pump();
}
void SendPieces(std::unique_ptr<Pieces> pieces, QueryRunner* runner, http::GrpcCallPtr call) {
  std::make_shared<PacedAnswer<http::GrpcCall>>(std::move(pieces), runner, std::move(call))->Pump();
}

}  // namespace weft::api

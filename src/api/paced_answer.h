// SPDX-License-Identifier: Apache-2.0
//
// An answer made piece by piece at the pace at which its client reads: a slow client holds neither
// a worker nor more memory than one piece and what the pieces are made from, and a fast one with a
// long answer takes turns with the questions that wait. Nothing then caps the size of an answer.
//
// Thread rule: pieces are made by one worker at a time; between pieces nobody holds a thread.
// Next: api/trace_chunks.h.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/query_runner.h"
#include "http/grpc.h"
#include "http/http.h"

namespace weft::api {

// About what a piece of an answer without messages has.
inline constexpr size_t kPieceBytes = 256 << 10;

class Pieces {
 public:
  virtual ~Pieces() = default;
  // Bytes of the body, or one gRPC message. Nothing: the end.
  virtual std::optional<std::string> Next() = 0;
  // Of a gRPC call, after the end.
  virtual http::GrpcStatus status() const { return {}; }
};

// Sends every piece, then ends the answer. An HTTP exchange must have been started.
// `runner` is borrowed; an answer under way when it stops is dropped.
void SendPieces(std::unique_ptr<Pieces> pieces, QueryRunner* runner, http::ExchangePtr exchange);
void SendPieces(std::unique_ptr<Pieces> pieces, QueryRunner* runner, http::GrpcCallPtr call);

}  // namespace weft::api

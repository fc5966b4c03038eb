// SPDX-License-Identifier: Apache-2.0
#include "api/otlp_pieces.h"

#include <algorithm>

#include "base/check.h"

namespace weft::api {

std::optional<std::string> OtlpPieces::Next() {
  if (ended_) return std::nullopt;
  const bool first = next_ == 0;
  std::string piece;
  size_t taken = 0;
  for (;;) {
    taken = std::min(at_once_, count() - next_);
    piece = Encode(taken);
    const size_t fitting = std::max<size_t>(1, taken * kPieceBytes / (piece.size() + 1));
    const bool too_large = piece.size() > 2 * kPieceBytes && taken > 1;
    at_once_ = too_large ? std::min(fitting, taken / 2) : fitting;
    if (!too_large) break;
  }
  next_ += taken;
  ended_ = next_ == count();
  // Protobuf messages behind one another are one.
  if (format_ == codec::OtlpFormat::kProtobuf) return piece;
  // {"resourceSpans":[...]}: the pieces share the brackets.
  constexpr std::string_view kTail = "]}";
  if (!first) {
    const std::string_view head = logs_ ? "{\"resourceLogs\":[" : "{\"resourceSpans\":[";
    WEFT_CHECK(piece.starts_with(head));
    piece.replace(0, head.size(), ",");
  }
  if (!ended_) {
    WEFT_CHECK(piece.ends_with(kTail));
    piece.resize(piece.size() - kTail.size());
  }
  return piece;
}

std::string OtlpPieces::Encode(size_t count) const {
  SpanBatch part;  // views into batch_
  part.resources = batch_.resources;
  part.scopes = batch_.scopes;
  std::string text;
  if (logs_) {
    auto first = batch_.logs.begin() + static_cast<ptrdiff_t>(next_);
    part.logs.assign(first, first + static_cast<ptrdiff_t>(count));
    codec::EncodeOtlpLogs(format_, part, &text);
  } else {
    auto first = batch_.spans.begin() + static_cast<ptrdiff_t>(next_);
    part.spans.assign(first, first + static_cast<ptrdiff_t>(count));
    codec::EncodeOtlpTraces(format_, part, &text);
  }
  return text;
}

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
//
// One trace as one OTLP document, spans or log records, written piece by piece: what
// codec::EncodeOtlpTraces() would make of it, but that a resource or scope is begun anew where a
// piece begins, which OTLP allows.
//
// Thread rule: one thread at a time. Next: api/paced_answer.h, codec/otlp.h.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/paced_answer.h"
#include "codec/otlp.h"
#include "model/span_batch.h"

namespace weft::api {

class OtlpPieces final : public Pieces {
 public:
  // `charge`, which may be null, is kept as long as the batch is.
  OtlpPieces(codec::OtlpFormat format, bool logs, SpanBatch batch,
             std::shared_ptr<MemoryCharge> charge)
      : format_(format), logs_(logs), batch_(std::move(batch)), charge_(std::move(charge)) {}

  std::optional<std::string> Next() override;
  bool ended() const { return ended_; }

 private:
  size_t count() const { return logs_ ? batch_.logs.size() : batch_.spans.size(); }
  std::string Encode(size_t count) const;

  const codec::OtlpFormat format_;
  const bool logs_;
  const SpanBatch batch_;
  const std::shared_ptr<MemoryCharge> charge_;
  size_t next_ = 0;
  size_t at_once_ = 256;
  bool ended_ = false;
};

}  // namespace weft::api

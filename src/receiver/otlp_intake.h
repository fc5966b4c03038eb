// SPDX-License-Identifier: Apache-2.0
//
// What both of OTLP's transports share: may a request come in, decode it, hand it to the pipeline,
// say what was kept. Every span and log record that is not kept is counted with its reason.
//
// Thread rule: any thread; Take() decodes on the caller's, completions come on any.
// Next: receiver/otlp_http.h, receiver/otlp_grpc.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_budget.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/reason_counters.h"
#include "base/result.h"
#include "codec/otlp.h"
#include "pipeline/component_row.h"
#include "selftrace/tracer.h"

namespace weft::receiver {

enum class OtlpSignal : uint8_t { kTraces, kLogs, kMetrics };

// What a sender is told about a request that was taken.
struct OtlpAnswer {
  uint64_t rejected = 0;
  // Why, of the first that was rejected; what was left out or not understood, which rejects
  // nothing.
  std::string message;
};
using OtlpDone = std::move_only_function<void(Result<OtlpAnswer>)>;

class OtlpIntake {
 public:
  // A request under way: its share of the budget.
  struct Token;

  // What `deps` point to outlives this object. `receiver` is the component's id, `transport` "grpc"
  // or "http": labels of the metrics. `include_metadata`: batches carry the headers of their
  // request.
  OtlpIntake(std::string_view receiver, std::string_view transport, bool include_metadata,
             pipeline::Inputs inputs, const pipeline::Deps& deps);

  // True when a pipeline takes this signal. Metrics are always answered: where no pipeline takes
  // them, that they are not kept.
  bool Serves(OtlpSignal signal) const;
  // Before a body of about `bytes` is read. The token holds its share of the budget.
  Result<std::shared_ptr<Token>> Admit(OtlpSignal signal, uint64_t bytes);
  // A body of undeclared length has come to `bytes`, maybe more than Admit() was told.
  Status Grow(OtlpSignal signal, Token* token, uint64_t bytes);
  // A whole decompressed message. `wire_bytes` is what it was before, which its token covers.
  void Take(OtlpSignal signal, codec::OtlpFormat format, const net::RequestHead& head,
            std::string body, uint64_t wire_bytes, OtlpDone done);
  // A request that was refused before Take(): over a limit, undecodable, wrong type.
  void CountRefusal(OtlpSignal signal, const Error& error);

  // The name in ExportXServiceResponse.partial_success, in JSON.
  static std::string_view RejectedField(OtlpSignal signal);

 private:
  struct Counters {
    Counter* requests;
    Counter* bytes;
    Counter* received;
    Counter* accepted;
    Counter* warned;
    std::unique_ptr<ReasonCounters> refused_requests, refused_items;
  };
  pipeline::Consumer* Input(OtlpSignal signal) const;
  Result<OtlpAnswer> AnswerUnwantedMetrics(codec::OtlpFormat format, std::string_view body);
  std::shared_ptr<const ClientInfo> ClientOf(const net::RequestHead& head) const;
  void TakeMetrics(codec::OtlpFormat format, const net::RequestHead& head, std::string body,
                   std::shared_ptr<ByteBudget::Reservation> share, OtlpDone done);
  void TakeSpans(OtlpSignal signal, codec::OtlpFormat format, const net::RequestHead& head,
                 std::string body, uint64_t wire_bytes,
                 std::shared_ptr<ByteBudget::Reservation> share, OtlpDone done);
  void CountItems(OtlpSignal signal, const SpanBatch& batch);
  void CountPoints(const MetricBatch& batch);
  void CountLost(OtlpSignal signal, uint64_t items, const Error& error);
  void Refuse(OtlpSignal signal, const Error& error, OtlpDone done);
  // The pipeline's answer becomes the sender's.
  void Finish(OtlpSignal signal, uint64_t items, OtlpAnswer answer, pipeline::Outcome outcome,
              OtlpDone done);

  const std::string receiver_, transport_;
  const bool include_metadata_;
  const pipeline::Inputs inputs_;
  ByteBudget* const budget_;
  Metrics* const metrics_;
  Clock* const clock_;
  selftrace::Tracer* const tracer_;
  Counters counters_[3];
  Gauge* const in_flight_;
};

}  // namespace weft::receiver

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

#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/metrics.h"
#include "base/reason_counters.h"
#include "base/result.h"
#include "codec/otlp.h"
#include "http/http.h"
#include "pipeline/component_row.h"
#include "selftrace/tracer.h"
#include "wire/compression.h"

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
  // A request whose body comes: what is charged for it as it came.
  struct Token;
  // A whole message, decompressed.
  struct Message {
    std::string bytes;
    uint64_t wire_bytes = 0;  // as it came, which its token covers
    MemoryCharge charge;      // for what it became; of `bytes` at least where they are more
  };

  // What `deps` point to outlives this object. `receiver` is the component's id, `transport` "grpc"
  // or "http": labels of the metrics. `include_metadata`: batches carry the headers of their
  // request.
  OtlpIntake(std::string_view receiver, std::string_view transport, bool include_metadata,
             pipeline::Inputs inputs, const pipeline::Deps& deps);

  // True when a pipeline takes this signal. Metrics are always answered: where no pipeline takes
  // them, that they are not kept.
  bool Serves(OtlpSignal signal) const;
  // Before a body of about `bytes` is read: could it be kept? Nothing is charged yet: a peer that
  // announces much and sends little holds little.
  Result<std::shared_ptr<Token>> Admit(OtlpSignal signal, const http::RequestHead& head,
                                       uint64_t bytes);
  // The body has come to `bytes`.
  Status Grow(OtlpSignal signal, Token* token, uint64_t bytes);
  // `packed`, charged before it is unpacked, to the peer of `head`.
  Result<Message> Unpack(const http::RequestHead& head, wire::Compression kind, std::string packed,
                         uint64_t bytes_max);
  // The same for what a token knows; the token then covers it.
  Result<std::string> Unpack(Token* token, wire::Compression kind, std::string_view packed,
                             uint64_t bytes_max);
  void Take(OtlpSignal signal, const http::RequestHead& head, codec::OtlpFormat format,
            Message message, OtlpDone done);
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
  std::shared_ptr<const ClientInfo> ClientOf(const http::RequestHead& head) const;
  // `decoded`: charged for what the message becomes.
  void TakeMetrics(const http::RequestHead& head, codec::OtlpFormat format, Message message,
                   MemoryCharge decoded, OtlpDone done);
  void TakeSpans(OtlpSignal signal, const http::RequestHead& head, codec::OtlpFormat format,
                 Message message, MemoryCharge decoded, OtlpDone done);
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
  MemoryAccount* const memory_;
  Metrics* const metrics_;
  Clock* const clock_;
  selftrace::Tracer* const tracer_;
  Counters counters_[3];
  Gauge* const in_flight_;
};

}  // namespace weft::receiver

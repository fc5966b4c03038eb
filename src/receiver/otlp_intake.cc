// SPDX-License-Identifier: Apache-2.0
#include "receiver/otlp_intake.h"

#include <algorithm>

#include "base/log.h"

namespace weft::receiver {
namespace {

constexpr std::string_view kSignalNames[] = {"traces", "logs", "metrics"};
std::string_view NameOf(OtlpSignal signal) { return kSignalNames[static_cast<int>(signal)]; }

// A retry can help: the sender keeps what it sent.
bool IsRetryable(const Error& error) {
  return error.retry_after_s > 0 || error.code == ErrorCode::kUnavailable ||
         error.code == ErrorCode::kNoSpace;
}

// What a sender can be refused for: these counters exist before it happens.
constexpr std::initializer_list<ErrorCode> kRefusals = {
    ErrorCode::kInvalidArgument,   ErrorCode::kPermissionDenied, ErrorCode::kUnauthenticated,
    ErrorCode::kResourceExhausted, ErrorCode::kTooLarge,         ErrorCode::kUnavailable,
    ErrorCode::kUnimplemented,     ErrorCode::kNoSpace};
// What a store can say to a batch that was decoded, and the sender may send again.
constexpr std::initializer_list<ErrorCode> kItemRefusals = {ErrorCode::kUnavailable,
                                                            ErrorCode::kNoSpace};

// A protobuf request of another signal reads like one of broken items: then it says where it goes.
std::string_view OtherSignal(codec::OtlpFormat format, const SpanBatch& batch) {
  if (format != codec::OtlpFormat::kProtobuf || !batch.spans.empty() ||
      batch.rejected_spans.count == 0)
    return {};
  switch (codec::SignalOfRefused(batch.received)) {
    case codec::OtlpSignalKind::kLogs:
      return "these are log records: they go to /v1/logs (gRPC: LogsService)";
    case codec::OtlpSignalKind::kMetrics:
      return "these are metrics: they go to /v1/metrics (gRPC: MetricsService), and weft keeps "
             "none";
    default:
      return {};
  }
}

// What the sender is told: nothing when everything was understood and kept.
OtlpAnswer AnswerOf(OtlpSignal signal, codec::OtlpFormat format, const SpanBatch& batch) {
  const Rejection& rejected =
      signal == OtlpSignal::kTraces ? batch.rejected_spans : batch.rejected_logs;
  OtlpAnswer answer{rejected.count, rejected.message};
  auto more = [](uint64_t count) {
    return count > 1 ? " (and " + std::to_string(count - 1) + " more)" : std::string();
  };
  answer.message += more(rejected.count);
  auto add = [&](std::string_view text) {
    if (text.empty()) return;
    if (!answer.message.empty()) answer.message += "; ";
    answer.message += text;
  };
  if (signal == OtlpSignal::kTraces) add(OtherSignal(format, batch));
  if (batch.left_out.count > 0)
    add("left out: " + batch.left_out.message + more(batch.left_out.count));
  if (batch.not_understood.count > 0)
    add(batch.not_understood.message + more(batch.not_understood.count));
  return answer;
}

// One request as a trace of weft's own: decoding, and the wait for every exporter.
class IngestTrace {
 public:
  IngestTrace(selftrace::Tracer* tracer, Clock* clock)
      : tracer_(tracer), clock_(clock), place_(*tracer->Begin("")), began_ns_(clock->NowNs()) {}

  void Decoded(const SpanBatch& batch) {
    decoded_ns_ = clock_->NowNs();
    own_ = selftrace::IsOwn(batch);
    spans_ = batch.spans.size();
    logs_ = batch.logs.size();
  }
  void End(std::string_view receiver, std::string_view transport, uint64_t wire_bytes,
           const Status& status) {
    // Spans of weft's own that come by the network must not make others.
    if (own_) return;
    uint64_t end_ns = clock_->NowNs();
    selftrace::OwnSpan root = Make("ingest", began_ns_, end_ns);
    root.kind = SpanKind::kServer;
    root.attributes = {{"weft.receiver", std::string(receiver)},
                       {"weft.transport", std::string(transport)},
                       {"weft.bytes", static_cast<int64_t>(wire_bytes)},
                       {"weft.spans", static_cast<int64_t>(spans_)},
                       {"weft.logs", static_cast<int64_t>(logs_)}};
    if (!status) root.error = status.error().message;
    selftrace::OwnSpan decode = Make("decode", began_ns_, decoded_ns_);
    selftrace::OwnSpan commit = Make("commit", decoded_ns_, end_ns);
    decode.parent_span_id = commit.parent_span_id = root.span_id;
    tracer_->Record({std::move(root), std::move(decode), std::move(commit)});
  }

 private:
  selftrace::OwnSpan Make(std::string_view name, uint64_t start_ns, uint64_t end_ns) const {
    selftrace::OwnSpan span;
    span.trace_id = place_.trace_id;
    span.span_id = tracer_->NewSpanId();
    span.name = name;
    span.start_ns = start_ns;
    span.end_ns = end_ns;
    return span;
  }

  selftrace::Tracer* const tracer_;
  Clock* const clock_;
  const selftrace::TracePlace place_;
  const uint64_t began_ns_;
  uint64_t decoded_ns_ = 0;
  bool own_ = false;
  uint64_t spans_ = 0, logs_ = 0;
};

}  // namespace

struct OtlpIntake::Token {
  Token(MemoryCharge held, Gauge* in_flight) : charge(std::move(held)), gauge(in_flight) {
    gauge->Add(1);
  }
  ~Token() { gauge->Add(-1); }
  MemoryCharge charge;
  Gauge* const gauge;
};

OtlpIntake::OtlpIntake(std::string_view receiver, std::string_view transport,
                       pipeline::Inputs inputs, MemoryAccount* memory, Metrics* metrics,
                       Clock* clock, selftrace::Tracer* tracer)
    : receiver_(receiver),
      transport_(transport),
      inputs_(inputs),
      memory_(memory),
      metrics_(metrics),
      clock_(clock),
      tracer_(tracer),
      in_flight_(metrics->GetGauge("weft_receiver_requests_in_flight",
                                   "Requests that were let in and not yet answered.",
                                   {{"receiver", receiver_}, {"transport", transport_}})),
      dropped_points_(metrics->GetCounter("weft_dropped_metric_points_total",
                                          "Metric points that reached weft.",
                                          {{"room", "receiver"}, {"reason", "no_metrics_store"}})) {
  CountDroppedSpans(metrics, "receiver", "invalid", 0);
  CountDroppedSpans(metrics, "receiver", ErrorCodeName(ErrorCode::kInvalidArgument), 0);
  CountDroppedLogs(metrics, "receiver", "no_trace", 0);
  CountDroppedLogs(metrics, "receiver", "invalid", 0);
  CountDroppedLogs(metrics, "receiver", ErrorCodeName(ErrorCode::kInvalidArgument), 0);
  for (OtlpSignal signal : {OtlpSignal::kTraces, OtlpSignal::kLogs, OtlpSignal::kMetrics}) {
    Labels labels = {
        {"receiver", receiver_}, {"transport", transport_}, {"signal", NameOf(signal)}};
    counters_[static_cast<int>(signal)] = {
        metrics->GetCounter("weft_receiver_requests_total", "Requests whose body was read.",
                            labels),
        metrics->GetCounter("weft_receiver_bytes_total", "Bytes of request bodies, as sent.",
                            labels),
        metrics->GetCounter("weft_receiver_received_items_total",
                            "Spans, log records or metric points decoded, kept or not.", labels),
        metrics->GetCounter("weft_receiver_accepted_items_total",
                            "Spans or log records that every exporter has completed.", labels),
        metrics->GetCounter("weft_receiver_warned_requests_total",
                            "Requests of which something was left out or not understood that is "
                            "no item.",
                            labels),
        std::make_unique<ReasonCounters>(metrics, "weft_receiver_refused_requests_total",
                                         "Requests answered with an error.", labels, kRefusals),
        nullptr};
    if (signal == OtlpSignal::kMetrics) continue;
    counters_[static_cast<int>(signal)].refused_items = std::make_unique<ReasonCounters>(
        metrics, "weft_receiver_refused_items_total",
        "Spans or log records that the sender was asked to send again.", labels, kItemRefusals);
  }
}

std::string_view OtlpIntake::RejectedField(OtlpSignal signal) {
  static constexpr std::string_view kFields[] = {"rejectedSpans", "rejectedLogRecords",
                                                 "rejectedDataPoints"};
  return kFields[static_cast<int>(signal)];
}

pipeline::Consumer* OtlpIntake::Input(OtlpSignal signal) const {
  return signal == OtlpSignal::kTraces ? inputs_.traces : inputs_.logs;
}

bool OtlpIntake::Serves(OtlpSignal signal) const {
  return signal == OtlpSignal::kMetrics || Input(signal) != nullptr;
}

Result<std::shared_ptr<OtlpIntake::Token>> OtlpIntake::Admit(OtlpSignal signal,
                                                             const net::RequestHead& head,
                                                             uint64_t bytes) {
  const std::string_view peer = net::PeerAddress(head);
  Status status = memory_->Check(bytes, peer);
  if (status && signal != OtlpSignal::kMetrics) status = Input(signal)->Admit(bytes);
  Result<MemoryCharge> charge;
  if (status) charge = memory_->Take(0, peer);
  if (status && !charge) status = Fail(charge.error());
  if (!status) {
    CountRefusal(signal, status.error());
    return Fail(status.error());
  }
  return std::make_shared<Token>(std::move(*charge), in_flight_);
}

Status OtlpIntake::Grow(OtlpSignal signal, Token* token, uint64_t bytes) {
  Status status = token->charge.Cover(bytes);
  if (!status) CountRefusal(signal, status.error());
  return status;
}

void OtlpIntake::CountRefusal(OtlpSignal signal, const Error& error) {
  counters_[static_cast<int>(signal)].refused_requests->Of(error.code)->Add();
  // A sender that does what it should not may do it often: the log samples.
  Log(IsRetryable(error) ? LogLevel::kWarn : LogLevel::kDebug, "receiver", "refused a request",
      {{"receiver", receiver_},
       {"transport", transport_},
       {"signal", NameOf(signal)},
       {"reason", ErrorCodeName(error.code)},
       {"error", std::string_view(error.message).substr(0, 300)}});
}

void OtlpIntake::CountItems(OtlpSignal signal, const SpanBatch& batch) {
  const Rejection& rejected =
      signal == OtlpSignal::kTraces ? batch.rejected_spans : batch.rejected_logs;
  uint64_t kept = signal == OtlpSignal::kTraces ? batch.spans.size() : batch.logs.size();
  Counters& counters = counters_[static_cast<int>(signal)];
  counters.received->Add(kept + rejected.count);
  if (batch.left_out.count + batch.not_understood.count > 0) counters.warned->Add();
  if (rejected.count == 0) return;
  // Few senders look at a partial success.
  Log(LogLevel::kWarn, "receiver", "a request was taken without some of what it brought",
      {{"receiver", receiver_},
       {"rejected", rejected.count},
       {"of", kept + rejected.count},
       {"reason", rejected.message}});
  if (signal == OtlpSignal::kTraces) {
    CountDroppedSpans(metrics_, "receiver", "invalid", rejected.count);
    return;
  }
  if (rejected.no_trace > 0) CountDroppedLogs(metrics_, "receiver", "no_trace", rejected.no_trace);
  if (rejected.count > rejected.no_trace)
    CountDroppedLogs(metrics_, "receiver", "invalid", rejected.count - rejected.no_trace);
}

void OtlpIntake::CountLost(OtlpSignal signal, uint64_t items, const Error& error) {
  CountRefusal(signal, error);
  if (IsRetryable(error)) {
    counters_[static_cast<int>(signal)].refused_items->Of(error.code)->Add(items);
  } else if (signal == OtlpSignal::kTraces) {
    CountDroppedSpans(metrics_, "receiver", ErrorCodeName(error.code), items);
  } else {
    CountDroppedLogs(metrics_, "receiver", ErrorCodeName(error.code), items);
  }
}

Result<OtlpAnswer> OtlpIntake::AnswerMetrics(codec::OtlpFormat format, std::string_view body) {
  WEFT_ASSIGN(uint64_t points, codec::CountOtlpMetricPoints(format, body));
  if (points == 0) return OtlpAnswer{};
  counters_[static_cast<int>(OtlpSignal::kMetrics)].received->Add(points);
  dropped_points_->Add(points);
  return OtlpAnswer{points, "weft keeps traces and logs, no metrics: send them elsewhere"};
}

namespace {

// Unpacked bytes for each packed one that are taken at first: most requests have a tenth.
constexpr uint64_t kUsualRatio = 16;
constexpr uint64_t kUsualBytesMin = 64 << 10;
// Decoded bytes for each byte of a message, as most have them.
constexpr uint64_t kDecodedRatio = 2;

// Charges `charge`, which covers `covered` already, before what it is for is there.
Result<std::string> UnpackCharged(wire::Compression kind, std::string_view packed,
                                  uint64_t bytes_max, uint64_t covered, MemoryCharge* charge) {
  uint64_t expected = std::max<uint64_t>(kUsualBytesMin, packed.size() * kUsualRatio);
  for (;; expected *= 4) {
    expected = std::min(expected, bytes_max);
    WEFT_TRY(charge->Cover(covered + expected));
    Result<std::string> plain = wire::Decompress(kind, packed, expected);
    if (plain) charge->ShrinkTo(covered + plain->capacity());
    if (plain || expected == bytes_max || plain.error().code != ErrorCode::kTooLarge) return plain;
  }
}

}  // namespace

Result<OtlpIntake::Message> OtlpIntake::Unpack(const net::RequestHead& head, wire::Compression kind,
                                               std::string packed, uint64_t bytes_max) {
  Message message;
  message.wire_bytes = packed.size();
  WEFT_ASSIGN(message.charge, memory_->Take(0, net::PeerAddress(head)));
  if (kind == wire::Compression::kNone) {
    message.bytes = std::move(packed);
    return message;
  }
  bytes_max = std::min(bytes_max, memory_->bytes_max());
  WEFT_ASSIGN(message.bytes, UnpackCharged(kind, packed, bytes_max, 0, &message.charge));
  return message;
}

Result<std::string> OtlpIntake::Unpack(Token* token, wire::Compression kind,
                                       std::string_view packed, uint64_t bytes_max) {
  bytes_max = std::min(bytes_max, memory_->bytes_max());
  return UnpackCharged(kind, packed, bytes_max, token->charge.bytes(), &token->charge);
}

void OtlpIntake::Take(OtlpSignal signal, const net::RequestHead& head, codec::OtlpFormat format,
                      Message message, OtlpDone done) {
  const uint64_t wire_bytes = message.wire_bytes;
  std::string& body = message.bytes;
  Counters& counters = counters_[static_cast<int>(signal)];
  counters.requests->Add();
  counters.bytes->Add(wire_bytes);
  auto refuse = [&](const Error& error) {
    CountRefusal(signal, error);
    done(Fail(error));
  };
  if (signal == OtlpSignal::kMetrics) {
    Result<OtlpAnswer> answer = AnswerMetrics(format, body);
    if (!answer) return refuse(answer.error());
    return done(std::move(answer));
  }
  // What it will be when it is decoded: more than that is counted when it is known. The bytes of a
  // request that was let in are there, so only the process as a whole can refuse what they become.
  Result<MemoryCharge> share =
      memory_->TakeBeyond(body.size() * kDecodedRatio, net::PeerAddress(head));
  if (!share) return refuse(share.error());
  std::unique_ptr<IngestTrace> trace;
  if (tracer_ != nullptr && tracer_->TakeIngest())
    trace = std::make_unique<IngestTrace>(tracer_, clock_);
  Result<SpanBatch> batch = signal == OtlpSignal::kTraces
                                ? codec::DecodeOtlpTraces(format, std::move(body))
                                : codec::DecodeOtlpLogs(format, std::move(body));
  if (!batch) return refuse(batch.error());
  const uint64_t decoded = batch->arena.reserved_bytes() + batch->spans.size() * sizeof(Span) +
                           batch->logs.size() * sizeof(LogRecord);
  share->Settle(decoded);
  CountItems(signal, *batch);
  if (trace) trace->Decoded(*batch);
  batch->received_ns = clock_->NowNs();
  OtlpAnswer answer = AnswerOf(signal, format, *batch);
  if (!answer.message.empty())
    Log(LogLevel::kDebug, "receiver", "something of a request was not kept",
        {{"receiver", receiver_},
         {"transport", transport_},
         {"signal", NameOf(signal)},
         {"rejected", answer.rejected},
         {"error", std::string_view(answer.message).substr(0, 300)}});
  if (batch->empty()) return done(std::move(answer));
  uint64_t items = signal == OtlpSignal::kTraces ? batch->spans.size() : batch->logs.size();
  Input(signal)->Consume(
      std::move(*batch),
      [this, signal, items, wire_bytes, trace = std::move(trace), share = std::move(*share),
       unpacked = std::move(message.charge), answer = std::move(answer),
       done = std::move(done)](Status status) mutable {
        share.Release();
        unpacked.Release();
        if (trace) trace->End(receiver_, transport_, wire_bytes, status);
        if (!status) {
          CountLost(signal, items, status.error());
          return done(Fail(std::move(status).error()));
        }
        counters_[static_cast<int>(signal)].accepted->Add(items);
        done(std::move(answer));
      });
}

}  // namespace weft::receiver

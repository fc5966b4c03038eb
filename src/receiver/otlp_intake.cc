// SPDX-License-Identifier: Apache-2.0
#include "receiver/otlp_intake.h"

#include <algorithm>

#include "base/log.h"
#include "codec/otlp_metrics.h"

namespace weft::receiver {
namespace {

constexpr std::string_view kSignalNames[] = {"traces", "logs", "metrics"};
std::string_view NameOf(OtlpSignal signal) { return kSignalNames[static_cast<int>(signal)]; }

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
      return "these are metrics: they go to /v1/metrics (gRPC: MetricsService)";
    default:
      return {};
  }
}

std::string AndMore(uint64_t count) {
  return count > 1 ? " (and " + std::to_string(count - 1) + " more)" : std::string();
}

void AddText(std::string_view text, std::string* message) {
  if (text.empty()) return;
  if (!message->empty()) *message += "; ";
  *message += text;
}

// What the sender is told of the decoder's part: nothing when everything was understood. B is
// SpanBatch or MetricBatch.
template <class B>
OtlpAnswer AnswerOf(const Rejection& rejected, std::string_view other_signal, const B& batch) {
  OtlpAnswer answer{rejected.count, rejected.message};
  answer.message += AndMore(rejected.count);
  AddText(other_signal, &answer.message);
  if (batch.left_out.count > 0)
    AddText("left out: " + batch.left_out.message + AndMore(batch.left_out.count), &answer.message);
  if (batch.not_understood.count > 0)
    AddText(batch.not_understood.message + AndMore(batch.not_understood.count), &answer.message);
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

OtlpIntake::OtlpIntake(std::string_view receiver, std::string_view transport, bool include_metadata,
                       pipeline::Inputs inputs, const pipeline::Deps& deps)
    : receiver_(receiver),
      transport_(transport),
      include_metadata_(include_metadata),
      inputs_(inputs),
      memory_(deps.memory->requests),
      metrics_(deps.metrics),
      clock_(deps.clock),
      tracer_(deps.tracer),
      in_flight_(metrics_->GetGauge("weft_receiver_requests_in_flight",
                                    "Requests that were let in and not yet answered.",
                                    {{"receiver", receiver_}, {"transport", transport_}})) {
  Metrics* const metrics = metrics_;
  CountDroppedMetricPoints(metrics, "receiver", "no_metrics_store", 0);
  CountDroppedMetricPoints(metrics, "receiver", "invalid", 0);
  CountDroppedSpans(metrics, "receiver", "invalid", 0);
  CountDroppedSpans(metrics, "receiver", ErrorCodeName(ErrorCode::kInvalidArgument), 0);
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
                            "Spans, log records or metric points that the exporters took.", labels),
        metrics->GetCounter("weft_receiver_warned_requests_total",
                            "Requests of which something was left out or not understood that is "
                            "no item.",
                            labels),
        std::make_unique<ReasonCounters>(metrics, "weft_receiver_refused_requests_total",
                                         "Requests answered with an error.", labels, kRefusals),
        nullptr};
    counters_[static_cast<int>(signal)].refused_items = std::make_unique<ReasonCounters>(
        metrics, "weft_receiver_refused_items_total",
        "Spans, log records or metric points that the sender was asked to send again.", labels,
        kItemRefusals);
  }
}

std::string_view OtlpIntake::RejectedField(OtlpSignal signal) {
  static constexpr std::string_view kFields[] = {"rejectedSpans", "rejectedLogRecords",
                                                 "rejectedDataPoints"};
  return kFields[static_cast<int>(signal)];
}

pipeline::Consumer* OtlpIntake::Input(OtlpSignal signal) const {
  switch (signal) {
    case OtlpSignal::kTraces:
      return inputs_.traces;
    case OtlpSignal::kLogs:
      return inputs_.logs;
    case OtlpSignal::kMetrics:
      return inputs_.metrics;
  }
  return nullptr;
}

bool OtlpIntake::Serves(OtlpSignal signal) const {
  return signal == OtlpSignal::kMetrics || Input(signal) != nullptr;
}

Result<std::shared_ptr<OtlpIntake::Token>> OtlpIntake::Admit(OtlpSignal signal,
                                                             const http::RequestHead& head,
                                                             uint64_t bytes) {
  const std::string_view peer = http::PeerAddress(head);
  Status status = memory_->Check(bytes, peer);
  pipeline::Consumer* input = Input(signal);
  if (status && input != nullptr) status = input->Admit(bytes);
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
  Log(pipeline::IsRetryable(error) ? LogLevel::kWarn : LogLevel::kDebug, "receiver",
      "refused a request",
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
  CountDroppedLogs(metrics_, "receiver", "invalid", rejected.count);
}

void OtlpIntake::CountPoints(const MetricBatch& batch) {
  const Rejection& rejected = batch.rejected_points;
  const uint64_t points = batch.point_count();
  Counters& counters = counters_[static_cast<int>(OtlpSignal::kMetrics)];
  counters.received->Add(points + rejected.count);
  if (batch.left_out.count + batch.not_understood.count > 0) counters.warned->Add();
  if (rejected.count == 0) return;
  Log(LogLevel::kWarn, "receiver", "a request was taken without some of what it brought",
      {{"receiver", receiver_},
       {"rejected", rejected.count},
       {"of", points + rejected.count},
       {"reason", rejected.message}});
  CountDroppedMetricPoints(metrics_, "receiver", "invalid", rejected.count);
}

void OtlpIntake::CountLost(OtlpSignal signal, uint64_t items, const Error& error) {
  CountRefusal(signal, error);
  if (pipeline::IsRetryable(error)) {
    counters_[static_cast<int>(signal)].refused_items->Of(error.code)->Add(items);
    return;
  }
  const std::string_view reason = ErrorCodeName(error.code);
  switch (signal) {
    case OtlpSignal::kTraces:
      return CountDroppedSpans(metrics_, "receiver", reason, items);
    case OtlpSignal::kLogs:
      return CountDroppedLogs(metrics_, "receiver", reason, items);
    case OtlpSignal::kMetrics:
      return CountDroppedMetricPoints(metrics_, "receiver", reason, items);
  }
}

Result<OtlpAnswer> OtlpIntake::AnswerUnwantedMetrics(codec::OtlpFormat format,
                                                     std::string_view body) {
  WEFT_ASSIGN(uint64_t points, codec::CountOtlpMetricPoints(format, body));
  if (points == 0) return OtlpAnswer{};
  counters_[static_cast<int>(OtlpSignal::kMetrics)].received->Add(points);
  CountDroppedMetricPoints(metrics_, "receiver", "no_metrics_store", points);
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

Result<OtlpIntake::Message> OtlpIntake::Unpack(const http::RequestHead& head,
                                               wire::Compression kind, std::string packed,
                                               uint64_t bytes_max) {
  Message message;
  message.wire_bytes = packed.size();
  WEFT_ASSIGN(message.charge, memory_->Take(0, http::PeerAddress(head)));
  if (kind == wire::Compression::kNone) {
    message.bytes = std::move(packed);
    return message;
  }
  bytes_max = std::min(bytes_max, memory_->holder_max());
  WEFT_ASSIGN(message.bytes, UnpackCharged(kind, packed, bytes_max, 0, &message.charge));
  return message;
}

Result<std::string> OtlpIntake::Unpack(Token* token, wire::Compression kind,
                                       std::string_view packed, uint64_t bytes_max) {
  const uint64_t covered = token->charge.bytes(), most = memory_->holder_max();
  bytes_max = std::min(bytes_max, most - std::min(most, covered));
  return UnpackCharged(kind, packed, bytes_max, covered, &token->charge);
}

void OtlpIntake::Refuse(OtlpSignal signal, const Error& error, OtlpDone done) {
  CountRefusal(signal, error);
  done(Fail(error));
}

void OtlpIntake::Finish(OtlpSignal signal, uint64_t items, OtlpAnswer answer,
                        pipeline::Outcome outcome, OtlpDone done) {
  if (!outcome.status) {
    CountLost(signal, items, outcome.status.error());
    return done(Fail(std::move(outcome.status).error()));
  }
  counters_[static_cast<int>(signal)].accepted->Add(items - std::min(items, outcome.rejected));
  answer.rejected += outcome.rejected;
  AddText(outcome.message, &answer.message);
  if (!answer.message.empty())
    Log(LogLevel::kDebug, "receiver", "something of a request was not kept",
        {{"receiver", receiver_},
         {"transport", transport_},
         {"signal", NameOf(signal)},
         {"rejected", answer.rejected},
         {"error", std::string_view(answer.message).substr(0, 300)}});
  done(std::move(answer));
}

std::shared_ptr<const ClientInfo> OtlpIntake::ClientOf(const http::RequestHead& head) const {
  auto client = std::make_shared<ClientInfo>();
  client->address = head.peer;
  if (include_metadata_) client->metadata = head.headers;
  return client;
}

void OtlpIntake::Take(OtlpSignal signal, const http::RequestHead& head, codec::OtlpFormat format,
                      Message message, OtlpDone done) {
  Counters& counters = counters_[static_cast<int>(signal)];
  counters.requests->Add();
  counters.bytes->Add(message.wire_bytes);
  if (signal == OtlpSignal::kMetrics && inputs_.metrics == nullptr) {
    Result<OtlpAnswer> answer = AnswerUnwantedMetrics(format, message.bytes);
    if (!answer) return Refuse(signal, answer.error(), std::move(done));
    return done(std::move(answer));
  }
  // What it will be when it is decoded: more than that is counted when it is known. The bytes of a
  // request that was let in are there, so only the process as a whole can refuse what they become.
  Result<MemoryCharge> decoded =
      memory_->TakeBeyond(message.bytes.size() * kDecodedRatio, http::PeerAddress(head));
  if (!decoded) return Refuse(signal, decoded.error(), std::move(done));
  if (signal == OtlpSignal::kMetrics)
    return TakeMetrics(head, format, std::move(message), std::move(*decoded), std::move(done));
  TakeSpans(signal, head, format, std::move(message), std::move(*decoded), std::move(done));
}

void OtlpIntake::TakeMetrics(const http::RequestHead& head, codec::OtlpFormat format,
                             Message message, MemoryCharge decoded, OtlpDone done) {
  constexpr OtlpSignal kSignal = OtlpSignal::kMetrics;
  Result<MetricBatch> batch = codec::DecodeOtlpMetrics(format, std::move(message.bytes));
  if (!batch) return Refuse(kSignal, batch.error(), std::move(done));
  decoded.Settle(batch->arena.reserved_bytes() + batch->metrics.size() * sizeof(Metric));
  CountPoints(*batch);
  batch->received_ns = clock_->NowNs();
  batch->client = ClientOf(head);
  OtlpAnswer answer = AnswerOf(batch->rejected_points, "", *batch);
  if (batch->empty()) return Finish(kSignal, 0, std::move(answer), {}, std::move(done));
  const uint64_t points = batch->point_count();
  inputs_.metrics->Consume(
      std::move(*batch),
      pipeline::Ack([this, points, decoded = std::move(decoded),
                     unpacked = std::move(message.charge), answer = std::move(answer),
                     done = std::move(done)](pipeline::Outcome outcome) mutable {
        decoded.Release();
        unpacked.Release();
        Finish(kSignal, points, std::move(answer), std::move(outcome), std::move(done));
      }));
}

void OtlpIntake::TakeSpans(OtlpSignal signal, const http::RequestHead& head,
                           codec::OtlpFormat format, Message message, MemoryCharge decoded,
                           OtlpDone done) {
  std::unique_ptr<IngestTrace> trace;
  if (tracer_ != nullptr && tracer_->TakeIngest())
    trace = std::make_unique<IngestTrace>(tracer_, clock_);
  const bool spans = signal == OtlpSignal::kTraces;
  Result<SpanBatch> batch = spans ? codec::DecodeOtlpTraces(format, std::move(message.bytes))
                                  : codec::DecodeOtlpLogs(format, std::move(message.bytes));
  if (!batch) return Refuse(signal, batch.error(), std::move(done));
  decoded.Settle(batch->arena.reserved_bytes() + batch->spans.size() * sizeof(Span) +
                 batch->logs.size() * sizeof(LogRecord));
  CountItems(signal, *batch);
  if (trace) trace->Decoded(*batch);
  batch->received_ns = clock_->NowNs();
  batch->client = ClientOf(head);
  OtlpAnswer answer = AnswerOf(spans ? batch->rejected_spans : batch->rejected_logs,
                               spans ? OtherSignal(format, *batch) : "", *batch);
  if (batch->empty()) return Finish(signal, 0, std::move(answer), {}, std::move(done));
  const uint64_t items = spans ? batch->spans.size() : batch->logs.size();
  Input(signal)->Consume(
      std::move(*batch),
      pipeline::Ack([this, signal, items, wire_bytes = message.wire_bytes, trace = std::move(trace),
                     decoded = std::move(decoded), unpacked = std::move(message.charge),
                     answer = std::move(answer),
                     done = std::move(done)](pipeline::Outcome outcome) mutable {
        decoded.Release();
        unpacked.Release();
        if (trace) trace->End(receiver_, transport_, wire_bytes, outcome.status);
        Finish(signal, items, std::move(answer), std::move(outcome), std::move(done));
      }));
}

}  // namespace weft::receiver

// SPDX-License-Identifier: Apache-2.0
#include "testing/random_batch.h"

#include <array>
#include <bit>
#include <limits>
#include <random>
#include <vector>

namespace weft::testing {
namespace {

constexpr std::array<std::string_view, 12> kKeys = {"http.request.method",
                                                    "http.route",
                                                    "http.response.status_code",
                                                    "db.system",
                                                    "db.statement",
                                                    "server.address",
                                                    "service.version",
                                                    "messaging.destination",
                                                    "rpc.method",
                                                    "thread.id",
                                                    "",
                                                    "ключ"};
constexpr std::array<std::string_view, 10> kTexts = {"",
                                                     "GET",
                                                     "/cart/{id}",
                                                     "SELECT * FROM products WHERE id = ?",
                                                     "žluťoučký kůň",
                                                     "日本語",
                                                     "\t\n\"\\/",
                                                     "emoji \xF0\x9F\x98\x80",
                                                     "a",
                                                     "checkout-7f9c"};

class Generator {
 public:
  Generator(const RandomBatchOptions& options, SpanBatch* batch)
      : options_(options), batch_(batch), random_(options.seed) {}

  void Run() {
    for (uint64_t i = 0; i < 1 + Below(4); ++i) batch_->resources.push_back(NewResource(i));
    for (uint64_t i = 0; i < 1 + Below(4); ++i) batch_->scopes.push_back(NewScope());
    for (size_t i = 0; i < options_.traces; ++i) traces_.push_back({NewId<TraceId>(), {}});
    for (size_t i = 0; i < options_.spans; ++i) batch_->spans.push_back(NewSpan());
    for (size_t i = 0; i < options_.logs; ++i) batch_->logs.push_back(NewLog());
  }

 private:
  struct Trace {
    TraceId id;
    std::vector<SpanId> spans;
  };

  // std distributions differ between libraries; this does not.
  uint64_t Below(uint64_t bound) { return bound == 0 ? 0 : random_() % bound; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  template <class AnyId>
  AnyId NewId() {
    AnyId id;
    for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random_());
    id.bytes[0] |= 1;  // never all zero
    return id;
  }
  std::string_view Text() {
    if (OneIn(40)) return batch_->arena.Copy(std::string(1000 + Below(20000), 'x'));
    if (OneIn(10) && !options_.json_safe) {
      std::string bytes(Below(20), '\0');
      for (char& c : bytes) c = static_cast<char>(random_());
      return batch_->arena.Copy(bytes);
    }
    if (OneIn(3)) return batch_->arena.Copy("value-" + std::to_string(Below(1000)));
    return kTexts[Below(kTexts.size())];
  }
  uint32_t Count() { return OneIn(4) ? static_cast<uint32_t>(random_()) : 0; }
  uint64_t Time() {
    if (OneIn(20)) return 0;
    if (OneIn(20)) return std::numeric_limits<uint64_t>::max() - Below(3);
    return 1'700'000'000'000'000'000u + Below(86'400'000'000'000u);
  }
  double Real() {
    if (OneIn(8)) return std::numeric_limits<double>::quiet_NaN();
    if (OneIn(8)) return OneIn(2) ? -0.0 : -std::numeric_limits<double>::infinity();
    if (OneIn(2)) return static_cast<double>(Below(1000)) / 8;
    double real = std::bit_cast<double>(random_());
    return options_.json_safe && real != real ? 0.1 : real;
  }
  Value NewValue(int depth) {
    switch (Below(depth < 4 ? 10 : 8)) {
      case 0:
        return {};
      case 1:
        return Value::Bool(OneIn(2));
      case 2:
        return Value::Int(static_cast<int64_t>(Below(1000)));
      case 3:
        return Value::Int(static_cast<int64_t>(random_()));
      case 4:
        return Value::Double(Real());
      case 5: {
        std::string bytes(Below(12), '\0');
        for (char& c : bytes) c = static_cast<char>(random_());
        return Value::Bytes(batch_->arena.Copy(bytes));
      }
      case 8: {
        std::span<Value> items = batch_->arena.NewArray<Value>(Below(4));
        for (Value& item : items) item = NewValue(depth + 1);
        return Value::Array(items);
      }
      case 9:
        return Value::Map(NewAttributes(depth + 1));
      default:
        return Value::String(Text());
    }
  }
  Attributes NewAttributes(int depth) {
    std::span<KeyValue> entries = batch_->arena.NewArray<KeyValue>(Below(depth == 1 ? 12 : 4));
    for (KeyValue& entry : entries) {
      entry.key = OneIn(10) ? Text() : kKeys[Below(kKeys.size())];
      entry.value = NewValue(depth);
    }
    return entries;
  }

  // One EntityRef as Resource's field 3: schema_url, type, two id keys, one description key.
  static std::string_view EntityRefs() {
    static constexpr std::string_view kEncoded =
        "\x1a\x23\x0a\x08https://\x12\x07service\x1a\x04name\x1a\x02ns\x22\x04vers"
        "\x1a\x06\x12\x04host";
    return kEncoded;
  }
  Resource NewResource(uint64_t index) {
    Resource resource;
    std::vector<KeyValue> entries;
    if (!OneIn(4)) {
      entries.push_back(
          {"service.name", Value::String(batch_->arena.Copy("service-" + std::to_string(index)))});
    }
    for (const KeyValue& entry : NewAttributes(1)) entries.push_back(entry);
    std::span<KeyValue> kept = batch_->arena.NewArray<KeyValue>(entries.size());
    std::copy(entries.begin(), entries.end(), kept.begin());
    resource.attributes = kept;
    resource.dropped_attributes = Count();
    if (OneIn(2)) resource.schema_url = "https://opentelemetry.io/schemas/1.27.0";
    if (OneIn(2)) resource.entity_refs = EntityRefs();
    return resource;
  }
  Scope NewScope() {
    Scope scope;
    scope.name = Text();
    scope.version = OneIn(2) ? "1.2.3" : "";
    scope.attributes = NewAttributes(1);
    scope.dropped_attributes = Count();
    if (OneIn(2)) scope.schema_url = "https://opentelemetry.io/schemas/1.26.0";
    return scope;
  }
  Span NewSpan() {
    Trace& trace = traces_[Below(traces_.size())];
    Span span;
    span.trace_id = trace.id;
    span.span_id = NewId<SpanId>();
    if (OneIn(10)) {
      span.parent_span_id = NewId<SpanId>();
    } else if (!trace.spans.empty()) {
      span.parent_span_id = trace.spans[Below(trace.spans.size())];
    }
    trace.spans.push_back(span.span_id);
    span.flags = OneIn(3) ? static_cast<uint32_t>(random_()) : 0x101;
    span.start_ns = Time();
    span.end_ns = OneIn(8) ? Time() : span.start_ns + Below(5'000'000'000u);
    span.name = Text();
    span.trace_state = OneIn(3) ? "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE" : "";
    span.status_message = OneIn(4) ? Text() : "";
    span.kind = static_cast<SpanKind>(OneIn(20) ? random_() : Below(6));
    span.status = static_cast<StatusCode>(OneIn(20) ? random_() : Below(3));
    span.dropped_attributes = Count();
    span.dropped_events = Count();
    span.dropped_links = Count();
    span.resource = static_cast<uint32_t>(Below(batch_->resources.size()));
    span.scope = static_cast<uint32_t>(Below(batch_->scopes.size()));
    span.attributes = NewAttributes(1);
    std::span<Event> events = batch_->arena.NewArray<Event>(OneIn(3) ? Below(4) : 0);
    for (Event& event : events) event = {Time(), Text(), NewAttributes(1), Count()};
    span.events = events;
    std::span<Link> links = batch_->arena.NewArray<Link>(OneIn(4) ? Below(3) : 0);
    for (Link& link : links) {
      link.trace_id = OneIn(5) ? TraceId{} : NewId<TraceId>();
      link.span_id = OneIn(5) ? SpanId{} : NewId<SpanId>();
      link.flags = Count();
      link.dropped_attributes = Count();
      link.trace_state = OneIn(3) ? "a=b" : "";
      link.attributes = NewAttributes(1);
    }
    span.links = links;
    return span;
  }
  LogRecord NewLog() {
    const Trace& trace = traces_[Below(traces_.size())];
    LogRecord log;
    log.trace_id = trace.id;
    if (!trace.spans.empty() && !OneIn(5)) log.span_id = trace.spans[Below(trace.spans.size())];
    log.flags = Count();
    log.severity_number = static_cast<uint32_t>(OneIn(20) ? random_() : Below(25));
    log.time_ns = Time();
    log.observed_ns = Time();
    log.severity_text = OneIn(2) ? "ERROR" : "";
    log.event_name = OneIn(4) ? Text() : "";
    log.body = NewValue(1);
    log.dropped_attributes = Count();
    log.resource = static_cast<uint32_t>(Below(batch_->resources.size()));
    log.scope = static_cast<uint32_t>(Below(batch_->scopes.size()));
    log.attributes = NewAttributes(1);
    return log;
  }

  RandomBatchOptions options_;
  SpanBatch* batch_;
  std::mt19937_64 random_;
  std::vector<Trace> traces_;
};

}  // namespace

SpanBatch RandomBatch(const RandomBatchOptions& options) {
  SpanBatch batch;
  Generator(options, &batch).Run();
  return batch;
}

std::string BatchDifference(const SpanBatch& a, const SpanBatch& b) {
  if (a.spans.size() != b.spans.size()) {
    return std::to_string(a.spans.size()) + " spans against " + std::to_string(b.spans.size());
  }
  if (a.logs.size() != b.logs.size()) {
    return std::to_string(a.logs.size()) + " logs against " + std::to_string(b.logs.size());
  }
  for (size_t i = 0; i < a.spans.size(); ++i) {
    if (HashSpan(a, a.spans[i]) != HashSpan(b, b.spans[i])) {
      return "span " + std::to_string(i) + " (id " + a.spans[i].span_id.ToHex() + " against " +
             b.spans[i].span_id.ToHex() + ") differs";
    }
  }
  for (size_t i = 0; i < a.logs.size(); ++i) {
    if (HashLog(a, a.logs[i]) != HashLog(b, b.logs[i])) {
      return "log " + std::to_string(i) + " differs";
    }
  }
  return "";
}

}  // namespace weft::testing

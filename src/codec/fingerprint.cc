// SPDX-License-Identifier: Apache-2.0
#include "codec/fingerprint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "codec/jaeger_json_encode.h"
#include "codec/otlp.h"
#include "codec/span_list.h"
#include "codec/zipkin_json_encode.h"

namespace weft::codec {
namespace {

constexpr uint64_t kNsPerUs = 1000;
constexpr std::string_view kAbsentStart = "otel.zipkin.absentField.startTime";
constexpr std::string_view kReferenceType = "opentracing.ref_type";

// Where an attribute stands; equal for all places that the format does not tell apart.
enum Place : uint64_t { kSpan = 1, kResource = 2, kScope = 3, kEvent = 4, kLink = 5 };

uint64_t HashText(std::string_view text, uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

uint64_t HashNumber(uint64_t number, uint64_t seed) {
  return XXH3_64bits_withSeed(&number, sizeof number, seed);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return lower;
}

uint64_t HashValue(const Value& value, uint64_t seed) {
  seed = HashNumber(static_cast<uint64_t>(value.type), seed);
  switch (value.type) {
    case ValueType::kEmpty:
      return seed;
    case ValueType::kString:
    case ValueType::kBytes:
      return HashText(value.string(), seed);
    case ValueType::kBool:
      return HashNumber(value.boolean, seed);
    case ValueType::kInt:
    case ValueType::kDouble:
      return HashNumber(static_cast<uint64_t>(value.integer), seed);
    default: {
      std::string bytes;
      EncodeOtlpValue(value, &bytes);
      return HashText(bytes, seed);
    }
  }
}

// ---- times

bool IsMicroseconds(uint64_t ns) { return ns % kNsPerUs == 0; }
uint64_t Cut(uint64_t ns) { return ns - ns % kNsPerUs; }
uint64_t Rounded(uint64_t ns) { return Cut(ns) + (ns % kNsPerUs >= kNsPerUs / 2 ? kNsPerUs : 0); }

// What JSON.stringify() of a browser leaves of a whole number.
uint64_t AsScriptNumber(uint64_t number) {
  // The shortest digits that read back the same, then zeros.
  char digits[32];
  const auto [digits_end, error] = std::to_chars(
      digits, digits + sizeof digits, static_cast<double>(number), std::chars_format::scientific);
  if (error != std::errc()) return number;
  uint64_t value = 0;
  int count = 0;
  const std::string_view scientific(digits, static_cast<size_t>(digits_end - digits));
  const size_t exponent_at = scientific.find('e');
  for (char c : scientific.substr(0, exponent_at)) {
    if (c == '.') continue;
    value = value * 10 + static_cast<uint64_t>(c - '0');
    ++count;
  }
  int exponent = 0;
  std::string_view power = scientific.substr(exponent_at + 1);
  if (power.starts_with('+')) power.remove_prefix(1);
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  for (; count <= exponent; ++count) value *= 10;
  return value;
}

// Takes the numbers of the spans of one batch.
class Printer {
 public:
  Printer(TraceFormat format, const SpanBatch& batch) : format_(format) {
    for (const Resource& resource : batch.resources) resources_.push_back(Of(resource));
    for (const Scope& scope : batch.scopes) scopes_.push_back(Of(scope));
  }

  Fingerprint Of(const Span& span) {
    Fingerprint print;
    const Part& resource = resources_[span.resource];
    const Part& scope = scopes_[span.scope];
    print.start_ns = span.start_ns;
    print.end_ns = span.end_ns;
    print.start_is_absent = format_ == TraceFormat::kZipkin &&
                            std::ranges::any_of(span.attributes, [](const KeyValue& entry) {
                              return entry.key == kAbsentStart;
                            });
    uint64_t hash = HashText(Name(span.name), static_cast<uint64_t>(span.kind));
    hash = HashNumber(static_cast<uint64_t>(span.status), hash);
    hash = HashText(span.status_message, hash);
    hash = HashText(span.trace_state, hash);
    hash = HashNumber(resource.names, HashNumber(scope.names, hash));
    // A sum: attributes come in any order.
    hash = HashNumber(resource.attributes + scope.attributes + Bag(span.attributes, kSpan), hash);
    print.content = HashNumber(References(span), hash);
    AddExtras(span, &print.extras);
    for (uint64_t more : {resource.extras, scope.extras})
      if (more != 0) print.extras = HashNumber(more, print.extras);
    for (const Event& event : span.events)
      print.events.Add(Of(event, event.time_ns, &print.extras));
    return print;
  }

  // The event at this time.
  EventPrint Of(const Event& event, uint64_t time_ns, uint64_t* extras) const {
    NoteExtra(event.dropped_attributes, extras);
    const uint64_t hash = HashNumber(Bag(event.attributes, kEvent), HashText(event.name, kEvent));
    return {.exact = HashNumber(time_ns, hash),
            .cut = HashNumber(Cut(time_ns), hash),
            .rounded = HashNumber(Rounded(time_ns), hash),
            .script = HashNumber(is_otlp() ? AsScriptNumber(time_ns) : time_ns, hash),
            .count = 1};
  }

 private:
  // Of a resource or scope, which many spans share.
  struct Part {
    uint64_t names = 0, attributes = 0, extras = 0;
  };

  bool is_otlp() const { return format_ == TraceFormat::kOtlp; }
  std::string Name(std::string_view name) const {
    return format_ == TraceFormat::kZipkin ? Lower(name) : std::string(name);
  }
  static void NoteExtra(uint64_t number, uint64_t* extras) {
    if (number != 0) *extras = HashNumber(number, *extras + 1);
  }
  static void NoteExtra(std::string_view text, uint64_t* extras) {
    if (!text.empty()) *extras = HashText(text, *extras + 1);
  }

  // Jaeger and Zipkin know one kind of tag; only which of its copies carries it differs.
  uint64_t Bag(Attributes attributes, Place place) const {
    const bool one_kind = !is_otlp() && (place == kResource || place == kScope);
    uint64_t sum = 0;
    for (const KeyValue& entry : attributes) {
      if (IsElsewhere(entry.key, place)) continue;
      const uint64_t seed = HashText(entry.key, one_kind ? kSpan : place);
      const bool peer = format_ == TraceFormat::kZipkin && entry.key == "peer.service" &&
                        entry.value.type == ValueType::kString;
      sum += peer ? HashValue(Value::String(Lower(entry.value.string())), seed)
                  : HashValue(entry.value, seed);
    }
    return sum;
  }

  // In another of the numbers, or a note of a system about its own storing.
  bool IsElsewhere(std::string_view key, Place place) const {
    if (is_otlp()) return false;
    switch (place) {
      case kResource:
        return key == "service.name";
      case kSpan:
        return key == kAbsentStart || key == "internal.span.format";
      case kLink:
        return key == kReferenceType;
      default:
        return false;
    }
  }

  Part Of(const Resource& resource) {
    Part part;
    part.attributes = Bag(resource.attributes, kResource);
    if (!is_otlp())
      part.names = HashText(Name(FindString(resource.attributes, "service.name")), kResource);
    NoteExtra(resource.dropped_attributes, &part.extras);
    NoteExtra(resource.schema_url, &part.extras);
    NoteExtra(resource.entity_refs, &part.extras);
    return part;
  }

  Part Of(const Scope& scope) {
    Part part;
    part.attributes = Bag(scope.attributes, kScope);
    part.names = HashText(scope.version, HashText(scope.name, kScope));
    NoteExtra(scope.dropped_attributes, &part.extras);
    NoteExtra(scope.schema_url, &part.extras);
    return part;
  }

  // Jaeger's first reference is the parent, whatever its type, and may be a link as well: as a set
  // they are the same before and after. A reference to no trace or no span is none.
  uint64_t References(const Span& span) {
    references_.clear();
    uint64_t sum = 0;
    auto add = [&](const TraceId& trace, const SpanId& to) {
      if (is_otlp() || (!trace.empty() && !to.empty()))
        references_.push_back(HashText(to.view(), HashText(trace.view(), kLink)));
    };
    if (is_otlp()) {
      sum = HashText(span.parent_span_id.view(), kSpan);
    } else {
      add(span.trace_id, span.parent_span_id);
    }
    for (const Link& link : span.links) {
      add(link.trace_id, link.span_id);
      const uint64_t more = Bag(link.attributes, kLink);
      if (more != 0 || !link.trace_state.empty()) sum += HashText(link.trace_state, more);
    }
    std::ranges::sort(references_);
    if (!is_otlp()) references_.erase(std::ranges::unique(references_).begin(), references_.end());
    for (uint64_t reference : references_) sum += HashNumber(reference, kLink);
    return sum;
  }

  void AddExtras(const Span& span, uint64_t* extras) const {
    NoteExtra(span.flags, extras);
    NoteExtra(span.dropped_attributes, extras);
    NoteExtra(span.dropped_events, extras);
    NoteExtra(span.dropped_links, extras);
    for (const Link& link : span.links) {
      NoteExtra(link.flags, extras);
      NoteExtra(link.dropped_attributes, extras);
    }
  }

  const TraceFormat format_;
  std::vector<Part> resources_, scopes_;
  std::vector<uint64_t> references_;  // of one span
};

// ---- trips

// Borrows the spans [begin, end).
SpanBatch Some(const SpanBatch& batch, size_t begin, size_t end) {
  SpanBatch some;
  some.resources = batch.resources;
  some.scopes = batch.scopes;
  some.spans.assign(batch.spans.begin() + static_cast<ptrdiff_t>(begin),
                    batch.spans.begin() + static_cast<ptrdiff_t>(end));
  return some;
}

Result<SpanBatch> Travel(TraceFormat format, const SpanBatch& batch) {
  std::string text;
  wire::JsonWriter json(&text);
  switch (format) {
    case TraceFormat::kJaeger:
      json.BeginArray();
      WriteJaegerTrace(batch.spans.empty() ? TraceId{} : batch.spans[0].trace_id, batch, &json);
      json.EndArray();
      return DecodeJaegerJson(JaegerItem::kTrace, std::move(text));
    case TraceFormat::kZipkin:
      json.BeginArray();
      WriteZipkinSpans(batch, &json);
      json.EndArray();
      return DecodeZipkinJson(std::move(text));
    default:
      EncodeOtlpTraces(OtlpFormat::kJson, batch, &text);
      return DecodeOtlpTraces(OtlpFormat::kJson, std::move(text), OtlpSource::kStored);
  }
}

// Nothing where not each span came back: which did is not known then.
std::optional<SpanBatch> TravelWhole(TraceFormat format, const SpanBatch& batch) {
  Result<SpanBatch> there = Travel(format, batch);
  if (!there || there->spans.size() != batch.spans.size()) return std::nullopt;
  return std::move(*there);
}

// Times are those before the trip. An event that did not come back is seen by the count; where the
// format orders events in another way, their times are those behind it.
void TakeTimes(const Printer& printer, const Span& there, const Span& span, Fingerprint* print) {
  print->start_ns = span.start_ns;
  print->end_ns = span.end_ns;
  const bool aligned = std::ranges::equal(
      there.events, span.events,
      [](const Event& a, const Event& b) { return Cut(a.time_ns) == Cut(b.time_ns); });
  if (!aligned) return;
  print->events = {};
  for (size_t i = 0; i < there.events.size(); ++i) {
    uint64_t extras = 0;
    print->events.Add(printer.Of(there.events[i], span.events[i].time_ns, &extras));
  }
}

bool TimeIsKept(TraceFormat format, uint64_t fine, uint64_t coarse) {
  if (fine == coarse) return true;
  if (IsMicroseconds(coarse) && (coarse == Cut(fine) || coarse == Rounded(fine))) return true;
  return format == TraceFormat::kOtlp && AsScriptNumber(fine) == coarse;
}

bool DurationIsKept(const Fingerprint& fine, const Fingerprint& coarse) {
  const uint64_t whole = fine.end_ns > fine.start_ns ? fine.end_ns - fine.start_ns : 0;
  const uint64_t kept = coarse.end_ns > coarse.start_ns ? coarse.end_ns - coarse.start_ns : 0;
  if (kept == whole) return true;
  if (!IsMicroseconds(kept)) return false;
  // Some take the difference of two cut times, some make the shortest spans one microsecond long.
  return kept == Cut(whole) || kept == Rounded(whole) ||
         (whole > 0 && kept == kNsPerUs && whole < kNsPerUs) ||
         (whole > 0 && kept == Cut(fine.end_ns) - Cut(fine.start_ns));
}

bool TimesAreKept(TraceFormat format, const Fingerprint& fine, const Fingerprint& coarse) {
  const bool absent = fine.start_is_absent || coarse.start_is_absent;
  if (!absent && !TimeIsKept(format, fine.start_ns, coarse.start_ns)) return false;
  if (DurationIsKept(fine, coarse)) return true;
  // Behind a start that was taken from another span it may not fit.
  if (absent && coarse.end_ns == coarse.start_ns &&
      fine.end_ns - fine.start_ns > UINT64_MAX - coarse.start_ns)
    return true;
  return format == TraceFormat::kOtlp && !absent && TimeIsKept(format, fine.end_ns, coarse.end_ns);
}

bool EventsAreKept(const EventPrint& fine, const EventPrint& coarse) {
  return fine.count == coarse.count &&
         (fine.exact == coarse.exact || fine.cut == coarse.exact || fine.rounded == coarse.exact ||
          fine.script == coarse.exact);
}

}  // namespace

void EventPrint::Add(const EventPrint& more) {
  exact += more.exact;
  cut += more.cut;
  rounded += more.rounded;
  script += more.script;
  count += more.count;
}

std::vector<Fingerprint> FingerprintSpans(TraceFormat format, const SpanBatch& batch) {
  Printer printer(format, batch);
  std::vector<Fingerprint> prints;
  prints.reserve(batch.spans.size());
  for (const Span& span : batch.spans) prints.push_back(printer.Of(span));
  return prints;
}

std::vector<std::optional<Fingerprint>> FingerprintTrips(TraceFormat format,
                                                         const SpanBatch& batch) {
  std::vector<std::optional<Fingerprint>> prints(batch.spans.size());
  auto take = [&](const SpanBatch& there, size_t first) {
    Printer printer(format, there);
    for (size_t i = 0; i < there.spans.size(); ++i) {
      const Span& span = there.spans[i];
      TakeTimes(printer, span, batch.spans[first + i],
                &prints[first + i].emplace(printer.Of(span)));
    }
  };
  if (auto there = TravelWhole(format, Some(batch, 0, batch.spans.size()))) {
    take(*there, 0);
    return prints;
  }
  for (size_t i = 0; i < batch.spans.size(); ++i)
    if (auto there = TravelWhole(format, Some(batch, i, i + 1))) take(*there, i);
  return prints;
}

std::vector<EventPrint> FingerprintLogTrips(TraceFormat format, const SpanBatch& batch) {
  std::vector<EventPrint> prints(batch.logs.size());
  if (format == TraceFormat::kOtlp || batch.logs.empty()) return prints;
  // One span for each, by number, so that it is seen which became what.
  SpanBatch carriers;
  carriers.resources.emplace_back();
  carriers.scopes.emplace_back();
  for (uint64_t i = 0; i < batch.logs.size(); ++i) {
    const uint64_t number = i + 1;
    Span span;
    span.trace_id.bytes[0] = 1;
    std::copy_n(reinterpret_cast<const uint8_t*>(&number), sizeof number,
                span.span_id.bytes.data());
    span.start_ns = kNsPerUs;
    span.end_ns = kNsPerUs;
    LogRecord log = batch.logs[i];
    log.span_id = span.span_id;
    carriers.spans.push_back(span);
    carriers.logs.push_back(log);
  }
  auto there = TravelWhole(format, carriers);
  if (!there) return prints;
  Printer printer(format, *there);
  for (size_t i = 0; i < prints.size(); ++i) {
    const LogRecord& log = batch.logs[i];
    for (const Event& event : there->spans[i].events) {
      uint64_t extras = 0;
      prints[i].Add(printer.Of(event, log.time_ns != 0 ? log.time_ns : log.observed_ns, &extras));
    }
  }
  return prints;
}

std::vector<ContentHash> HashLogTrips(const SpanBatch& batch) {
  std::string text;
  EncodeOtlpLogs(OtlpFormat::kJson, batch, &text);
  const Result<SpanBatch> there =
      DecodeOtlpLogs(OtlpFormat::kJson, std::move(text), OtlpSource::kStored);
  std::vector<ContentHash> hashes;
  if (!there) return hashes;
  for (const LogRecord& log : there->logs) hashes.push_back(HashLog(*there, log));
  return hashes;
}

bool IsAllThatIsKept(TraceFormat format, const Fingerprint& fine, const EventPrint& logs,
                     const Fingerprint& coarse) {
  if (fine.content != coarse.content) return false;
  if (coarse.extras != 0 && coarse.extras != fine.extras) return false;
  if (!TimesAreKept(format, fine, coarse)) return false;
  if (EventsAreKept(fine.events, coarse.events)) return true;
  EventPrint all = fine.events;
  all.Add(logs);
  return logs.count > 0 && EventsAreKept(all, coarse.events);
}

}  // namespace weft::codec

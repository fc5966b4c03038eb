// SPDX-License-Identifier: Apache-2.0
#include "testing/numbered_spans.h"

#include <cstring>
#include <future>
#include <numeric>
#include <utility>
#include <vector>

#include "testing/wild_batch.h"

namespace weft::testing {
namespace {

// What every record carries, so that its content can be made anew from it alone.
constexpr std::string_view kNumber = "number", kPerTrace = "per_trace", kStart = "start";

SpanId NumberedSpanId(uint64_t number) {
  const uint64_t id = number + 1;
  SpanId out;
  std::memcpy(out.bytes.data(), &id, sizeof id);
  return out;
}

Attributes NumberedAttributes(uint64_t number, uint64_t per_trace, uint64_t start_ns,
                              Arena* arena) {
  auto own = arena->NewArray<KeyValue>(5);
  own[0] = {kNumber, Value::Int(static_cast<int64_t>(number))};
  own[1] = {kPerTrace, Value::Int(static_cast<int64_t>(per_trace))};
  own[2] = {kStart, Value::Int(static_cast<int64_t>(start_ns))};
  own[3] = {"text", Value::String(arena->Copy("value of " + std::to_string(number)))};
  // One key with several types.
  own[4] = {"mixed", number % 3 == 0   ? Value::Bool(number % 2 == 0)
                     : number % 3 == 1 ? Value::Double(static_cast<double>(number) / 8)
                                       : Value::String(arena->Copy(std::to_string(number % 11)))};
  return own;
}

// Every seventh span has one of each of the rarer parts.
void AddRareParts(uint64_t number, uint64_t per_trace, Span* span, Arena* arena) {
  span->trace_state = "vendor=numbered";
  span->status = StatusCode::kError;
  span->status_message = arena->Copy("failed " + std::to_string(number));
  span->dropped_attributes = static_cast<uint32_t>(number % 5);
  auto event = arena->NewArray<KeyValue>(1);
  event[0] = {"reason", Value::String(arena->Copy("reason " + std::to_string(number % 13)))};
  auto events = arena->NewArray<Event>(1);
  events[0].time_ns = span->start_ns + 1;
  events[0].name = "exception";
  events[0].attributes = event;
  span->events = events;
  auto links = arena->NewArray<Link>(1);
  links[0].trace_id = NumberedTrace(number / per_trace + 1);
  links[0].span_id = NumberedSpanId(number + 1);
  span->links = links;
}

Span NumberedSpan(uint64_t number, uint64_t per_trace, uint64_t start_ns, Arena* arena) {
  Span span;
  span.trace_id = NumberedTrace(number / per_trace);
  span.span_id = NumberedSpanId(number);
  // The first span of a trace is the parent of the others.
  if (number % per_trace != 0) span.parent_span_id = NumberedSpanId(number - number % per_trace);
  span.name = number % 3 == 0 ? "checkout" : "pay";
  span.kind = number % 2 == 0 ? SpanKind::kServer : SpanKind::kClient;
  span.start_ns = start_ns + number * 1000;
  span.end_ns = span.start_ns + 500;
  span.attributes = NumberedAttributes(number, per_trace, start_ns, arena);
  if (number % 7 == 0) AddRareParts(number, per_trace, &span, arena);
  return span;
}

LogRecord NumberedLog(uint64_t number, uint64_t per_trace, uint64_t start_ns, Arena* arena) {
  LogRecord log;
  log.trace_id = NumberedTrace(number / per_trace);
  log.span_id = NumberedSpanId(number);
  log.time_ns = log.observed_ns = start_ns + number * 1000;
  log.attributes = NumberedAttributes(number, per_trace, start_ns, arena);
  log.body = Value::String(arena->Copy("said " + std::to_string(number)));
  return log;
}

SpanBatch WithResource() {
  SpanBatch batch;
  auto attributes = batch.arena.NewArray<KeyValue>(1);
  attributes[0] = {"service.name", Value::String("shop")};
  batch.resources.push_back({attributes, 0, {}, {}});
  batch.scopes.push_back({"numbered", "1", {}, 0, {}});
  return batch;
}

struct Recipe {
  uint64_t number, per_trace, start_ns;
};

Recipe RecipeOf(Attributes attributes) {
  auto number = [&](std::string_view key) {
    const Value* value = Find(attributes, key);
    return value == nullptr || value->type != ValueType::kInt
               ? ~uint64_t{0}
               : static_cast<uint64_t>(value->integer);
  };
  return {number(kNumber), number(kPerTrace), number(kStart)};
}

// Counts the numbers of one segment's rows, and compares each row with what its number says.
void Count(const SpanBatch& rows, StoredNumbers* found) {
  auto compare = [&](uint64_t number, const std::string& stored, const std::string& expected) {
    if (stored != expected && found->wrong.empty())
      found->wrong = std::to_string(number) + " is\n" + stored + "and was sent as\n" + expected;
  };
  for (const Span& span : rows.spans) {
    const Recipe recipe = RecipeOf(span.attributes);
    ++found->spans[recipe.number];
    SpanBatch expected = WithResource();
    expected.spans.push_back(
        NumberedSpan(recipe.number, recipe.per_trace, recipe.start_ns, &expected.arena));
    compare(recipe.number, DescribeSpan(rows, span), DescribeSpan(expected, expected.spans[0]));
  }
  for (const LogRecord& log : rows.logs) {
    const Recipe recipe = RecipeOf(log.attributes);
    ++found->logs[recipe.number];
    SpanBatch expected = WithResource();
    expected.logs.push_back(
        NumberedLog(recipe.number, recipe.per_trace, recipe.start_ns, &expected.arena));
    compare(recipe.number, DescribeLog(rows, log), DescribeLog(expected, expected.logs[0]));
  }
}

std::string CheckOnce(std::string_view what, const std::map<uint64_t, int>& found,
                      const std::set<uint64_t>& acknowledged, const std::set<uint64_t>& issued) {
  auto name = [what](uint64_t number) { return std::string(what) + " " + std::to_string(number); };
  for (const uint64_t number : acknowledged)
    if (!found.contains(number)) return name(number) + " was acknowledged and is lost";
  for (const auto& [number, count] : found) {
    if (!issued.contains(number)) return name(number) + " was never sent";
    if (count != 1) return name(number) + " is there " + std::to_string(count) + " times";
  }
  return {};
}

}  // namespace

TraceId NumberedTrace(uint64_t number) {
  TraceId id;
  id.bytes[0] = 0x7E;
  std::memcpy(id.bytes.data() + 8, &number, sizeof number);
  return id;
}

SpanBatch NumberedBatch(uint64_t first, uint64_t count, uint64_t spans_per_trace,
                        uint64_t start_ns) {
  SpanBatch batch = WithResource();
  for (uint64_t number = first; number < first + count; ++number)
    batch.spans.push_back(NumberedSpan(number, spans_per_trace, start_ns, &batch.arena));
  batch.logs.push_back(NumberedLog(first, spans_per_trace, start_ns, &batch.arena));
  return batch;
}

Status AppendAndWait(store::Store* store, SpanBatch batch) {
  std::promise<Status> done;
  store->Append(std::move(batch), [&](Status status) { done.set_value(std::move(status)); });
  return done.get_future().get();
}

void Numbers::Add(uint64_t first, uint64_t count) {
  for (uint64_t number = first; number < first + count; ++number) spans.insert(number);
  logs.insert(first);
}

uint64_t NumberOf(Attributes attributes) { return RecipeOf(attributes).number; }

StoredNumbers ReadNumbers(store::Store* store, std::string_view tenant) {
  StoredNumbers found;
  const auto snapshot = store->TakeSnapshot(tenant);
  for (const auto& segment : snapshot->segments()) {
    SpanBatch out;
    std::vector<segment::Row> rows(segment->spans().row_count());
    std::iota(rows.begin(), rows.end(), 0);
    Status status = segment->ReadSpans(rows, &out);
    rows.resize(segment->table(segment::TableId::kLogs).row_count());
    std::iota(rows.begin(), rows.end(), 0);
    if (status) status = segment->ReadLogs(rows, &out);
    if (!status && found.error.empty()) found.error = status.error().message;
    Count(out, &found);
  }
  return found;
}

std::string CheckNumbers(const StoredNumbers& found, const Numbers& acknowledged,
                         const Numbers& issued) {
  if (!found.error.empty()) return found.error;
  if (!found.wrong.empty()) return found.wrong;
  std::string problem = CheckOnce("span", found.spans, acknowledged.spans, issued.spans);
  if (problem.empty())
    problem = CheckOnce("log record", found.logs, acknowledged.logs, issued.logs);
  return problem;
}

}  // namespace weft::testing

// SPDX-License-Identifier: Apache-2.0
#include "testing/span_text.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "traceql/literals.h"
#include "traceql/vocabulary.h"

namespace weft::testing {
namespace {

// The words of one line: `name`, `key=value`, quoted texts, and ':' before the attributes.
class LineReader {
 public:
  LineReader(std::string_view rest, Arena* arena) : rest_(rest), arena_(arena) { Skip(); }

  bool AtEnd() const { return rest_.empty(); }
  std::string_view Word() {
    size_t end = std::min(rest_.find_first_of(" ="), rest_.size());
    std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (!rest_.starts_with('=')) Skip();
    return word;
  }
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    Skip();
    return true;
  }
  Result<std::string_view> Quoted() {
    if (!rest_.starts_with('"'))
      return Fail(ErrorCode::kInvalidArgument,
                  "expected a text in quotes at: " + std::string(rest_));
    traceql::StringScan scan = traceql::ScanString(rest_);
    if (!scan.error.empty()) return Fail(ErrorCode::kInvalidArgument, std::string(scan.error));
    rest_.remove_prefix(scan.bytes);
    if (!rest_.starts_with('=')) Skip();
    return arena_->Copy(scan.value);
  }
  Result<std::string_view> Key() {
    if (rest_.starts_with('"')) return Quoted();
    return arena_->Copy(Word());
  }
  // A duration with an optional minus.
  Result<int64_t> Duration() {
    bool negative = rest_.starts_with('-');
    if (negative) rest_.remove_prefix(1);
    WEFT_ASSIGN(traceql::Literal literal, Number());
    if (literal.type != traceql::Type::kDuration)
      return Fail(ErrorCode::kInvalidArgument, "expected a duration such as 5ms");
    return negative ? -literal.integer : literal.integer;
  }
  Result<Value> AnyValue();
  Result<std::vector<KeyValue>> Attributes() {
    std::vector<KeyValue> out;
    while (!AtEnd()) {
      WEFT_ASSIGN(std::string_view key, Key());
      if (!Take('=')) return Fail(ErrorCode::kInvalidArgument, "expected key=value");
      WEFT_ASSIGN(Value value, AnyValue());
      out.push_back({key, value});
    }
    return out;
  }

 private:
  void Skip() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  Result<traceql::Literal> Number() {
    if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9')
      return Fail(ErrorCode::kInvalidArgument, "expected a value at: " + std::string(rest_));
    traceql::NumberScan scan = traceql::ScanNumber(rest_);
    if (!scan.error.empty()) return Fail(ErrorCode::kInvalidArgument, std::string(scan.error));
    rest_.remove_prefix(scan.bytes);
    Skip();
    return std::move(scan.value);
  }
  bool TakeWord(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    Skip();
    return true;
  }

  std::string_view rest_;
  Arena* arena_;
};

Result<Value> LineReader::AnyValue() {
  if (rest_.starts_with('"')) {
    WEFT_ASSIGN(std::string_view text, Quoted());
    return Value::String(text);
  }
  if (TakeWord("true")) return Value::Bool(true);
  if (TakeWord("false")) return Value::Bool(false);
  if (TakeWord("empty")) return Value{};
  if (TakeWord("bytes:")) {
    WEFT_ASSIGN(std::string_view text, Quoted());
    return Value::Bytes(text);
  }
  if (Take('[')) {
    std::vector<Value> items;
    while (!Take(']')) {
      WEFT_ASSIGN(Value item, AnyValue());
      items.push_back(item);
      if (!Take(',') && !rest_.starts_with(']'))
        return Fail(ErrorCode::kInvalidArgument, "expected , or ] in an array");
    }
    std::span<Value> kept = arena_->NewArray<Value>(items.size());
    std::ranges::copy(items, kept.begin());
    return Value::Array(kept);
  }
  if (Take('{')) {
    std::vector<KeyValue> entries;
    while (!Take('}')) {
      WEFT_ASSIGN(std::string_view key, Key());
      if (!Take('=')) return Fail(ErrorCode::kInvalidArgument, "expected key=value in a map");
      WEFT_ASSIGN(Value value, AnyValue());
      entries.push_back({key, value});
      Take(',');
    }
    std::span<KeyValue> kept = arena_->NewArray<KeyValue>(entries.size());
    std::ranges::copy(entries, kept.begin());
    return Value::Map(kept);
  }
  bool negative = rest_.starts_with('-');
  if (negative) rest_.remove_prefix(1);
  WEFT_ASSIGN(traceql::Literal literal, Number());
  int64_t sign = negative ? -1 : 1;
  if (literal.type == traceql::Type::kFloat)
    return Value::Double(static_cast<double>(sign) * literal.real);
  return Value::Int(sign * literal.integer);
}

Result<int64_t> EnumNumber(traceql::Type type, std::string_view word) {
  for (const traceql::EnumWord& known : traceql::EnumWords())
    if (known.type == type && known.word == word) return known.number;
  return Fail(ErrorCode::kInvalidArgument, "unknown word " + std::string(word));
}

}  // namespace

TraceId TextTraceId(std::string_view digits) { return ParseTraceId(digits).value_or(TraceId{}); }

SpanId TextSpanId(std::string_view label) {
  SpanId id;
  size_t length = std::min(label.size(), id.bytes.size());
  std::memcpy(id.bytes.data() + id.bytes.size() - length, label.data(), length);
  return id;
}

std::string TextSpanLabel(const SpanId& id) {
  std::string label(id.view());
  label.erase(0, std::min(label.find_first_not_of('\0'), label.size()));
  return label;
}

SpanTextReader::SpanTextReader(size_t batches) : batches_(batches) {}

Result<bool> SpanTextReader::TakeLine(std::string_view line) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  std::string_view word = line.substr(0, line.find(' '));
  std::string_view rest = line.substr(word.size());
  Status status = {};
  if (word == "trace") {
    status = TakeTrace(rest);
  } else if (word == "resource") {
    status = TakeResource(rest);
  } else if (word == "scope") {
    status = TakeScope(rest);
  } else if (word == "span") {
    status = TakeSpan(rest);
  } else if (word == "event") {
    status = TakeEvent(rest);
  } else if (word == "link") {
    status = TakeLink(rest);
  } else {
    return false;
  }
  WEFT_TRY(std::move(status));
  return true;
}

Status SpanTextReader::TakeTrace(std::string_view rest) {
  CloseSpan();
  LineReader line(rest, &arena_);
  auto id = ParseTraceId(line.Word());
  if (!id || !line.AtEnd()) return Fail(ErrorCode::kInvalidArgument, "expected: trace HEXDIGITS");
  trace_ = *id;
  return {};
}

Status SpanTextReader::TakeResource(std::string_view rest) {
  CloseSpan();
  LineReader line(rest, &arena_);
  WEFT_ASSIGN(resource_, line.Attributes());
  return {};
}

Status SpanTextReader::TakeScope(std::string_view rest) {
  CloseSpan();
  LineReader line(rest, &arena_);
  scope_name_.clear();
  scope_version_.clear();
  while (!line.AtEnd() && !line.Take(':')) {
    std::string_view word = line.Word();
    if ((word != "name" && word != "version") || !line.Take('='))
      return Fail(ErrorCode::kInvalidArgument, "expected: scope name=\"..\" version=\"..\" : ...");
    WEFT_ASSIGN(std::string_view text, line.Quoted());
    (word == "name" ? scope_name_ : scope_version_) = text;
  }
  WEFT_ASSIGN(scope_attributes_, line.Attributes());
  return {};
}

Status SpanTextReader::TakeSpan(std::string_view rest) {
  CloseSpan();
  LineReader line(rest, &arena_);
  span_ = Span{};
  span_.trace_id = trace_;
  span_.span_id = TextSpanId(line.Word());
  span_.start_ns = span_.end_ns = kTextEpochNs;
  while (!line.AtEnd() && !line.Take(':')) {
    std::string_view word = line.Word();
    if (!line.Take('=')) return Fail(ErrorCode::kInvalidArgument, "expected key=value or :");
    if (word == "parent") {
      span_.parent_span_id = TextSpanId(line.Word());
    } else if (word == "name" || word == "message" || word == "state") {
      WEFT_ASSIGN(std::string_view text, line.Quoted());
      (word == "name"    ? span_.name
       : word == "state" ? span_.trace_state
                         : span_.status_message) = text;
    } else if (word == "start" || word == "for") {
      WEFT_ASSIGN(int64_t ns, line.Duration());
      if (word == "start") span_.start_ns = kTextEpochNs + static_cast<uint64_t>(ns);
      span_.end_ns = span_.start_ns + (word == "for" ? static_cast<uint64_t>(ns) : 0);
    } else if (word == "kind") {
      WEFT_ASSIGN(int64_t kind, EnumNumber(traceql::Type::kKind, line.Word()));
      span_.kind = static_cast<SpanKind>(kind);
    } else if (word == "status") {
      WEFT_ASSIGN(int64_t status, EnumNumber(traceql::Type::kStatus, line.Word()));
      span_.status = static_cast<StatusCode>(status);
    } else {
      return Fail(ErrorCode::kInvalidArgument, "a span has no " + std::string(word));
    }
  }
  WEFT_ASSIGN(std::vector<KeyValue> attributes, line.Attributes());
  span_.attributes = CopyAttributes(attributes, &arena_);
  open_ = true;
  return {};
}

Status SpanTextReader::TakeEvent(std::string_view rest) {
  LineReader line(rest, &arena_);
  Event event;
  event.time_ns = span_.start_ns;
  WEFT_ASSIGN(event.name, line.Quoted());
  while (!line.AtEnd() && !line.Take(':')) {
    if (line.Word() != "at" || !line.Take('='))
      return Fail(ErrorCode::kInvalidArgument, "expected: event \"name\" at=1ms : ...");
    WEFT_ASSIGN(int64_t ns, line.Duration());
    event.time_ns = span_.start_ns + static_cast<uint64_t>(ns);
  }
  WEFT_ASSIGN(std::vector<KeyValue> attributes, line.Attributes());
  event.attributes = CopyAttributes(attributes, &arena_);
  events_.push_back(event);
  return {};
}

Status SpanTextReader::TakeLink(std::string_view rest) {
  LineReader line(rest, &arena_);
  Link link;
  while (!line.AtEnd() && !line.Take(':')) {
    std::string_view word = line.Word();
    if ((word != "trace" && word != "span") || !line.Take('='))
      return Fail(ErrorCode::kInvalidArgument, "expected: link trace=1 span=a : ...");
    if (word == "trace") {
      link.trace_id = TextTraceId(line.Word());
    } else {
      link.span_id = TextSpanId(line.Word());
    }
  }
  WEFT_ASSIGN(std::vector<KeyValue> attributes, line.Attributes());
  link.attributes = CopyAttributes(attributes, &arena_);
  links_.push_back(link);
  return {};
}

void SpanTextReader::CloseSpan() {
  if (!open_) return;
  open_ = false;
  span_.events = events_;
  span_.links = links_;
  SpanBatch& batch = batches_[next_batch_++ % batches_.size()];
  Resource resource{.attributes = resource_};
  Scope scope{.name = scope_name_, .version = scope_version_, .attributes = scope_attributes_};
  span_.resource = static_cast<uint32_t>(batch.resources.size());
  span_.scope = static_cast<uint32_t>(batch.scopes.size());
  batch.resources.push_back(CopyResource(resource, &batch.arena));
  batch.scopes.push_back(CopyScope(scope, &batch.arena));
  batch.spans.push_back(CopySpan(span_, &batch.arena));
  events_.clear();
  links_.clear();
}

std::vector<SpanBatch> SpanTextReader::Finish() {
  CloseSpan();
  return std::move(batches_);
}

}  // namespace weft::testing

// SPDX-License-Identifier: Apache-2.0
#include "codec/json_runs.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weft::codec {
namespace {

constexpr size_t kRunBytes = 4 << 20;
constexpr size_t kItemBytesMax = 1 << 30;
constexpr size_t kDepthMax = 16;  // of lists in lists around items

// Keys that tell what a document or an item is, and those whose value holds items.
enum Key : uint32_t {
  kNoKey = 0,
  kResourceSpans = 1 << 0,
  kResourceLogs = 1 << 1,
  kResourceMetrics = 1 << 2,
  kData = 1 << 3,
  kAround = 1 << 4,  // an object around one of the above
  kTraceId = 1 << 5,
  kSpanId = 1 << 6,
  kId = 1 << 7,
  kSpans = 1 << 8,
  kOperation = 1 << 9,
  kBulkAction = 1 << 10,
};
struct KeyName {
  std::string_view name;
  Key key;
};
constexpr KeyName kKeys[] = {{"resourceSpans", kResourceSpans},
                             {"resource_spans", kResourceSpans},
                             {"batches", kResourceSpans},
                             {"resourceLogs", kResourceLogs},
                             {"resource_logs", kResourceLogs},
                             {"resourceMetrics", kResourceMetrics},
                             {"resource_metrics", kResourceMetrics},
                             {"data", kData},
                             {"result", kAround},
                             {"trace", kAround},
                             {"traceID", kTraceId},
                             {"traceId", kTraceId},
                             {"spanID", kSpanId},
                             {"spanId", kSpanId},
                             {"id", kId},
                             {"spans", kSpans},
                             {"operationName", kOperation},
                             {"index", kBulkAction},
                             {"create", kBulkAction}};
constexpr uint32_t kListKeys = kResourceSpans | kResourceLogs | kResourceMetrics | kData;
constexpr uint32_t kOtlpKeys = kResourceSpans | kResourceLogs | kResourceMetrics;

Key KeyOf(std::string_view name) {
  for (const KeyName& one : kKeys)
    if (one.name == name) return one.key;
  return kNoKey;
}

std::string_view ListName(uint32_t key) {
  for (const KeyName& one : kKeys)
    if (one.key == key && (key & kListKeys) != 0) return one.name;
  return {};
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

// ---- looking ahead

// False at the end of the file.
bool JsonRuns::SkipSpace(size_t* at, bool commas) {
  while (true) {
    std::string_view text = window_->text();
    while (*at < text.size() && (IsSpace(text[*at]) || (commas && text[*at] == ','))) ++*at;
    if (*at < text.size()) return true;
    if (!window_->More()) return false;
  }
}

// Behind the quote that ends the string opened at `quote`.
std::optional<size_t> JsonRuns::EndOfString(size_t quote) {
  size_t from = quote + 1;
  while (true) {
    std::string_view text = window_->text();
    size_t at = text.find('"', from);
    if (at == text.npos) {
      // An odd number of backslashes may end here and count for what comes.
      from = text.size();
      if (from - quote > kItemBytesMax || !window_->More()) return std::nullopt;
      continue;
    }
    size_t slashes = at;
    while (slashes > quote + 1 && text[slashes - 1] == '\\') --slashes;
    if ((at - slashes) % 2 == 0) return at + 1;
    from = at + 1;
  }
}

Result<JsonRuns::Object> JsonRuns::ScanObject(size_t start, bool may_open) {
  Object object;
  size_t depth = 0;
  for (size_t at = start;;) {
    std::string_view text = window_->text();
    if (at == text.size()) {
      if (at - start > kItemBytesMax)
        return Fail(ErrorCode::kTooLarge,
                    "line " + std::to_string(window_->line()) + ": one item is larger than 1 GiB");
      if (!window_->More()) return CutOff();
      continue;
    }
    char c = text[at];
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) {
        object.end = at + 1;
        return object;
      }
    } else if (c == '"') {
      std::optional<size_t> end = EndOfString(at);
      if (!end) return CutOff();
      size_t value = *end;
      if (depth == 1 && SkipSpace(&value, false) && window_->text()[value] == ':') {
        uint32_t key = KeyOf(window_->text().substr(at + 1, *end - at - 2));
        object.keys |= key;
        ++value;
        if (may_open && (key & (kListKeys | kAround)) != 0 && SkipSpace(&value, false) &&
            window_->text()[value] == (key == kAround ? '{' : '[')) {
          object.opens = key;
          object.opens_at = value;
          return object;
        }
      }
      at = *end;
      continue;
    }
    ++at;
  }
}

// Behind the value at `at`, whatever it is; nothing of it is kept.
Result<size_t> JsonRuns::SkipValue(size_t at) {
  size_t depth = 0;
  while (true) {
    if (!SkipSpace(&at, depth > 0)) return CutOff();
    char c = window_->text()[at];
    if (c == '"') {
      std::optional<size_t> end = EndOfString(at);
      if (!end) return CutOff();
      at = *end;
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      --depth;
      ++at;
    } else {
      // A number or a word, or the colon behind a key.
      do {
        ++at;
      } while (at < window_->text().size() &&
               std::string_view(",]}[{\": \t\r\n").find(window_->text()[at]) ==
                   std::string_view::npos);
    }
    if (depth == 0) return at;
    if (at > kRunBytes) {
      window_->Consume(at);
      at = 0;
    }
  }
}

// ---- the levels around items

RunKind JsonRuns::KindOf(uint32_t keys) const {
  switch (list_key_) {
    case kResourceSpans:
      return RunKind::kOtlpTraces;
    case kResourceLogs:
      return RunKind::kOtlpLogs;
    case kResourceMetrics:
      return RunKind::kOtlpMetrics;
    default:
      break;
  }
  if ((keys & kOtlpKeys) != 0 && levels_.empty()) return RunKind::kOtlpDocument;
  if ((keys & kSpans) != 0 && (keys & kTraceId) != 0) return RunKind::kJaegerTraces;
  if ((keys & kOperation) != 0 && (keys & (kTraceId | kSpanId)) != 0) return RunKind::kJaegerSpans;
  if (list_key_ == kData) return (keys & kSpanId) != 0 ? RunKind::kJaegerSpans : RunKind::kUnknown;
  if ((keys & kTraceId) != 0 && (keys & kId) != 0) return RunKind::kZipkinSpans;
  return RunKind::kUnknown;
}

void JsonRuns::OpenValue(uint32_t key, size_t at) {
  window_->Consume(at + 1);
  levels_.push_back(key == kAround ? Level::kObject : Level::kList);
  list_key_ = key == kAround ? kNoKey : key;
  index_ = 0;
}

std::unexpected<Error> JsonRuns::CutOff() const {
  if (!window_->status()) return Fail(window_->status().error());
  return Fail(ErrorCode::kInvalidArgument, "line " + std::to_string(document_line_) + " (byte " +
                                               std::to_string(document_offset_) +
                                               "): the file ends inside this document");
}

// A member of an object around items, at its key. The window begins behind it afterwards.
Result<bool> JsonRuns::Member(size_t at) {
  std::string_view text = window_->text();
  if (text[at] != '"') {  // no key: stray text, a value without one
    WEFT_ASSIGN(size_t end, SkipValue(at));
    window_->Consume(std::max(end, at + 1));
    return true;
  }
  std::optional<size_t> end = EndOfString(at);
  if (!end) return CutOff();
  uint32_t key = KeyOf(window_->text().substr(at + 1, *end - at - 2));
  size_t value = *end;
  if (!SkipSpace(&value, false)) return CutOff();
  if (window_->text()[value] != ':') {
    window_->Consume(value);
    return true;
  }
  ++value;
  if (!SkipSpace(&value, false)) return CutOff();
  char c = window_->text()[value];
  if (((key & kListKeys) != 0 && c == '[') || (key == kAround && c == '{')) {
    if (levels_.size() < kDepthMax) {
      OpenValue(key, value);
      return true;
    }
  }
  WEFT_ASSIGN(size_t behind, SkipValue(value));
  window_->Consume(behind);
  return true;
}

// The object at *at as one more item of the run. False when the run ends before it.
Result<bool> JsonRuns::TakeObject(size_t* at, JsonRun* run) {
  const bool document = levels_.empty();
  if (document && run->items.empty()) {
    document_offset_ = window_->offset();
    document_line_ = window_->line();
  }
  WEFT_ASSIGN(Object object, ScanObject(*at, document));
  if (object.opens != kNoKey) {
    if (!run->items.empty()) return false;
    levels_.push_back(Level::kObject);
    OpenValue(object.opens, object.opens_at);
    *at = 0;
    return true;
  }
  // The line before each document of a bulk file.
  if (document && object.keys == kBulkAction) {
    if (run->items.empty()) {
      window_->Consume(object.end);
      *at = 0;
    } else {
      *at = object.end;
    }
    return true;
  }
  RunKind kind = KindOf(object.keys);
  bool first = run->items.empty();
  if (!first && (kind != run->kind || kind == RunKind::kUnknown)) return false;
  // Documents are joined by a comma in place of the space between them: there must be one.
  if (!first && document && run->items.back().end == *at) return false;
  if (first) {
    run->kind = kind;
    run->separate = document;
    run->offset = window_->offset();
    run->line = window_->line();
    run->document_offset = document_offset_;
    run->document_line = document_line_;
    run->first = document ? 0 : index_;
    run->list = ListName(list_key_);
  }
  run->items.push_back({*at, object.end});
  if (!document) ++index_;
  *at = object.end;
  return true;
}

JsonRun JsonRuns::BadLine() {
  JsonRun run;
  run.line = run.document_line = window_->line();
  run.offset = run.document_offset = window_->offset();
  run.problem = "not a JSON document";
  size_t end;
  while ((end = window_->text().find('\n')) == std::string_view::npos) {
    window_->Consume(window_->text().size());
    if (!window_->More()) return run;
  }
  window_->Consume(end);
  return run;
}

Result<std::optional<JsonRun>> JsonRuns::Next() {
  window_->Consume(std::exchange(used_, 0));
  JsonRun run;
  auto finish = [&]() -> Result<std::optional<JsonRun>> {
    used_ = run.items.back().end;
    run.text = window_->text().substr(0, used_);
    if (run.kind == RunKind::kUnknown)
      run.problem = "no spans of OTLP, Jaeger or Zipkin in this JSON";
    return std::optional(std::move(run));
  };
  for (size_t at = 0;;) {
    const bool more = SkipSpace(&at, !levels_.empty());
    if (run.items.empty()) {
      window_->Consume(at);
      at = 0;
    } else if (!more || at > kRunBytes) {
      return finish();
    }
    if (!more) {
      if (!levels_.empty() || !window_->status()) return CutOff();
      return std::nullopt;
    }
    char c = window_->text()[at];
    const bool in_object = !levels_.empty() && levels_.back() == Level::kObject;
    if (c == '{' && !in_object) {
      Result<bool> taken = TakeObject(&at, &run);
      // What was read before a cut-off item is handed out first.
      if (!taken && run.items.empty()) return Fail(taken.error());
      if (!taken || !*taken) return finish();
      continue;
    }
    if (!run.items.empty()) return finish();
    if (c == '[' && !in_object && levels_.size() < kDepthMax) {
      if (levels_.empty()) {
        document_offset_ = window_->offset();
        document_line_ = window_->line();
        list_key_ = kNoKey;
        index_ = 0;
      }
      window_->Consume(1);
      levels_.push_back(Level::kList);
    } else if (levels_.empty()) {
      return std::optional(BadLine());
    } else if (c == '}' || c == ']') {
      window_->Consume(1);
      levels_.pop_back();
      if (levels_.empty() || levels_.back() == Level::kObject) list_key_ = kNoKey;
    } else if (in_object) {
      WEFT_TRY(Member(at));
    } else {
      WEFT_ASSIGN(size_t end, SkipValue(at));
      window_->Consume(std::max(end, at + 1));
    }
  }
}

}  // namespace weft::codec

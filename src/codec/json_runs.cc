// SPDX-License-Identifier: Apache-2.0
#include "codec/json_runs.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "wire/json_scan.h"

namespace weft::codec {
namespace {

constexpr size_t kRunBytes = 4 << 20;
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

std::string BytesText(uint64_t bytes) {
  constexpr uint64_t kMiB = 1 << 20;
  return bytes % kMiB == 0 ? std::to_string(bytes / kMiB) + " MiB"
                           : std::to_string(bytes) + " bytes";
}

// What the parser notes a place for, which takes memory: real items have one in three bytes or
// more.
constexpr size_t kBytesPerPart = 2;
constexpr auto kMarks = [] {
  std::array<uint8_t, 256> marks{};
  for (char c : std::string_view("{}[],:\"")) marks[static_cast<uint8_t>(c)] = 1;
  return marks;
}();

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

// ---- looking ahead

bool JsonRuns::SkipSpace(size_t* at, bool commas, size_t limit) {
  while (true) {
    std::string_view text = window_->text();
    while (*at < text.size() && (IsSpace(text[*at]) || (commas && text[*at] == ','))) ++*at;
    if (*at < text.size()) return true;
    if (*at > limit || !window_->More()) return false;
  }
}

// Byte order marks stand where files were joined.
bool JsonRuns::DropSpace() {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const bool commas = !levels_.empty() && levels_.back() == Level::kList;
  while (true) {
    size_t at = 0;
    const bool more = SkipSpace(&at, commas, 0);
    window_->Consume(at);
    if (!more) {
      if (window_->text().empty() && !window_->More()) return false;
      continue;
    }
    const bool mark = levels_.empty() && window_->text()[0] == kByteOrderMark[0] &&
                      window_->Has(kByteOrderMark.size()) &&
                      window_->text().starts_with(kByteOrderMark);
    if (!mark) return true;
    window_->Consume(kByteOrderMark.size());
  }
}

// Behind the quote that ends the string opened at `quote`.
std::optional<size_t> JsonRuns::EndOfString(size_t quote, size_t limit) {
  size_t from = quote + 1;
  while (true) {
    std::string_view text = window_->text();
    size_t at = text.find('"', from);
    if (at == text.npos) {
      // An odd number of backslashes may end here and count for what comes.
      from = text.size();
      if (from > limit || !window_->More()) return std::nullopt;
      continue;
    }
    size_t slashes = at;
    while (slashes > quote + 1 && text[slashes - 1] == '\\') --slashes;
    if ((at - slashes) % 2 == 0) return at + 1;
    from = at + 1;
  }
}

Result<JsonRuns::Object> JsonRuns::ScanObject(size_t start, bool may_open) {
  const size_t limit = start + item_bytes_max_;
  Object object;
  size_t depth = 0, parts = 0;
  for (size_t at = start;;) {
    std::string_view text = window_->text();
    if (at == text.size()) {
      if (at > limit) return Stopped(at, limit);
      if (parts > item_bytes_max_ / kBytesPerPart) return Crowded();
      if (!window_->More()) return CutOff();
      continue;
    }
    char c = text[at];
    parts += kMarks[static_cast<uint8_t>(c)];
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) {
        object.end = at + 1;
        if (object.end > limit) return Stopped(object.end, limit);
        if (parts > item_bytes_max_ / kBytesPerPart) return Crowded();
        return object;
      }
    } else if (c == '"') {
      std::optional<size_t> end = EndOfString(at, limit);
      if (!end) return Stopped(window_->text().size(), limit);
      size_t value = *end;
      if (depth == 1) {
        if (!SkipSpace(&value, false, limit)) return Stopped(value, limit);
        if (window_->text()[value] == ':') {
          uint32_t key = KeyOf(window_->text().substr(at + 1, *end - at - 2));
          object.keys |= key;
          ++value;
          if (may_open && (key & (kListKeys | kAround)) != 0) {
            if (!SkipSpace(&value, false, limit)) return Stopped(value, limit);
            if (window_->text()[value] == (key == kAround ? '{' : '[')) {
              object.opens = key;
              object.opens_at = value;
              return object;
            }
          }
        }
      }
      at = *end;
      continue;
    }
    ++at;
  }
}

// ---- stepping over

// The string that begins at the window's front.
bool JsonRuns::DropString() {
  size_t at = 1;
  while (true) {
    std::string_view text = window_->text();
    while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
    if (at < text.size()) {
      window_->Consume(at + 1);
      return true;
    }
    // An escape may reach beyond what is there.
    window_->Consume(text.size());
    at -= text.size();
    if (!window_->More()) return false;
  }
}

Status JsonRuns::DropValue() {
  size_t depth = 0;
  while (true) {
    size_t at = 0;
    std::string_view text = window_->text();
    // What is no quote and no bracket, as long as it is inside of something.
    while (at < text.size() && depth > 0 && std::string_view("\"{[}]").find(text[at]) == text.npos)
      ++at;
    window_->Consume(at);
    if (window_->text().empty()) {
      if (!window_->More()) return CutOff();
      continue;
    }
    char c = window_->text()[0];
    if (c == '"') {
      if (!DropString()) return CutOff();
    } else if (c == '{' || c == '[') {
      ++depth;
      window_->Consume(1);
    } else if (c == '}' || c == ']') {
      if (depth == 0) return {};
      --depth;
      window_->Consume(1);
    } else {
      DropWord();
    }
    if (depth == 0) return {};
  }
}

// A number or a word, or the colon behind a key.
void JsonRuns::DropWord() {
  constexpr std::string_view kEnds = ",]}[{\": \t\r\n";
  do {
    std::string_view text = window_->text();
    size_t end = std::min(text.find_first_of(kEnds, 1), text.size());
    window_->Consume(end);
    if (end < text.size()) return;
  } while (window_->More() && kEnds.find(window_->text()[0]) == kEnds.npos);
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
  strays_ = 0;
}

std::unexpected<Error> JsonRuns::CutOff() const {
  if (!window_->status()) return Fail(window_->status().error());
  return Fail(ErrorCode::kInvalidArgument, "line " + std::to_string(document_line_) + " (byte " +
                                               std::to_string(document_offset_) +
                                               "): the file ends inside this document");
}

std::unexpected<Error> JsonRuns::Stopped(size_t at, size_t limit) const {
  if (at <= limit || !window_->status()) return CutOff();
  return Fail(ErrorCode::kTooLarge,
              "larger than " + BytesText(item_bytes_max_) + ", the most that one item may be");
}

std::unexpected<Error> JsonRuns::Crowded() const {
  return Fail(ErrorCode::kTooLarge, "more parts than an item of " + BytesText(item_bytes_max_) +
                                        " may have: one in " + std::to_string(kBytesPerPart) +
                                        " bytes");
}

// A member of an object around items, at its key. The window begins behind it afterwards.
Status JsonRuns::Member() {
  if (window_->text()[0] != '"') {  // no key: stray text, a value without one
    const uint64_t before = window_->offset();
    WEFT_TRY(DropValue());
    if (window_->offset() == before) window_->Consume(1);
    return {};
  }
  std::optional<size_t> end = EndOfString(0, item_bytes_max_);
  if (!end)
    return Fail(Stopped(window_->text().size(), item_bytes_max_)
                    .error()
                    .WithPrefix("the key at byte " + std::to_string(window_->offset())));
  uint32_t key = KeyOf(window_->text().substr(1, *end - 2));
  window_->Consume(*end);
  if (!DropSpace()) return CutOff();
  if (window_->text()[0] != ':') return {};
  window_->Consume(1);
  if (!DropSpace()) return CutOff();
  char c = window_->text()[0];
  const bool opens = ((key & kListKeys) != 0 && c == '[') || (key == kAround && c == '{');
  if (!opens || levels_.size() >= kDepthMax) return DropValue();
  OpenValue(key, 0);
  return {};
}

// The object at the window's front, which is too large to be looked at.
JsonRun JsonRuns::Oversized(const std::string& why) {
  JsonRun run;
  run.offset = window_->offset();
  run.line = window_->line();
  if (levels_.empty()) {
    document_offset_ = run.offset;
    document_line_ = run.line;
  }
  run.document_offset = document_offset_;
  run.document_line = document_line_;
  if (!levels_.empty())
    run.problem = std::string(ListName(list_key_)) + "[" + std::to_string(index_++) + "] at byte " +
                  std::to_string(run.offset) + ": ";
  run.problem += why;
  // Where the file ends inside of it, the next call finds that out.
  (void)DropValue();
  return run;
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

// What tells the reader of a message which file this is.
std::string JsonRuns::FieldsOf(std::string_view object) {
  constexpr size_t kNamesMax = 5, kNameBytesMax = 40;
  std::string names;
  size_t count = 0;
  wire::ForEachTopLevelKey(object, [&](std::string_view name) {
    if (++count <= kNamesMax)
      names += (names.empty() ? "\"" : ", \"") + std::string(name.substr(0, kNameBytesMax)) + "\"";
  });
  return count > kNamesMax ? names + " and others" : names;
}

JsonRun JsonRuns::Finish(JsonRun run) {
  used_ = run.items.back().end;
  run.text = window_->text().substr(0, used_);
  if (run.kind != RunKind::kUnknown) return run;
  if (std::string fields = FieldsOf(run.text); !fields.empty()) {
    run.problem = "no spans of OTLP, Jaeger or Zipkin in this JSON: found " + fields;
  } else if (run.separate) {
    run.kind = RunKind::kOtlpDocument;  // {}: a request that holds nothing
  } else {
    run.problem = "no spans of OTLP, Jaeger or Zipkin in this JSON: it is empty";
  }
  return run;
}

Result<std::optional<JsonRun>> JsonRuns::Next() {
  window_->Consume(std::exchange(used_, 0));
  JsonRun run;
  for (size_t at = 0;;) {
    if (!run.items.empty()) {
      if (!SkipSpace(&at, !levels_.empty(), kRunBytes) || at > kRunBytes)
        return Finish(std::move(run));
    } else if (at = 0; !DropSpace()) {
      if (!levels_.empty() || !window_->status()) return CutOff();
      return std::nullopt;
    }
    char c = window_->text()[at];
    const bool in_object = !levels_.empty() && levels_.back() == Level::kObject;
    if (c == '{' && !in_object) {
      Result<bool> taken = TakeObject(&at, &run);
      if (taken && *taken) continue;
      // What was read before this item is handed out first.
      if (!run.items.empty()) return Finish(std::move(run));
      if (!taken && taken.error().code == ErrorCode::kTooLarge && window_->status())
        return Oversized(taken.error().message);
      if (!taken) return Fail(taken.error());
      continue;
    }
    if (!run.items.empty()) return Finish(std::move(run));
    if (levels_.empty() && c != '[') return BadLine();
    if (c == ']' && strays_ > 0) return Strays();
    WEFT_TRY(AroundItems(c, in_object));
  }
}

// At the end of a list that holds what is no object.
JsonRun JsonRuns::Strays() {
  JsonRun run;
  run.offset = window_->offset();
  run.line = window_->line();
  run.document_offset = document_offset_;
  run.document_line = document_line_;
  run.problem = "no spans of OTLP, Jaeger or Zipkin in this JSON: " +
                std::to_string(std::exchange(strays_, 0)) + " values in its list are no objects";
  return run;
}

// What is not an item, at the window's front.
Status JsonRuns::AroundItems(char c, bool in_object) {
  if (c == '[' && !in_object && levels_.size() < kDepthMax) {
    if (levels_.empty()) {
      document_offset_ = window_->offset();
      document_line_ = window_->line();
      list_key_ = kNoKey;
      index_ = 0;
    }
    window_->Consume(1);
    levels_.push_back(Level::kList);
    strays_ = 0;
    return {};
  }
  if (c == '}' || c == ']') {
    window_->Consume(1);
    levels_.pop_back();
    if (levels_.empty() || levels_.back() == Level::kObject) list_key_ = kNoKey;
    return {};
  }
  if (in_object && c == ',') {
    window_->Consume(1);
    return {};
  }
  if (in_object) return Member();
  ++strays_;
  const uint64_t before = window_->offset();
  WEFT_TRY(DropValue());
  if (window_->offset() == before) window_->Consume(1);
  return {};
}

}  // namespace weft::codec

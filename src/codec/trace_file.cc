// SPDX-License-Identifier: Apache-2.0
#include "codec/trace_file.h"

#include <algorithm>
#include <utility>

#include "codec/otlp.h"
#include "codec/otlp_fields.h"
#include "codec/otlp_json_decode.h"
#include "codec/span_list.h"
#include "wire/compression.h"
#include "wire/decompress_source.h"
#include "wire/protobuf_reader.h"

namespace weft::codec {
namespace {

constexpr std::string_view kJsonSpace = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kHeadBytes = 64 << 10, kPrefixBytes = 4, kMessagePieceBytes = 4 << 20;
constexpr char kResourcesTag = static_cast<char>(wire::LengthTag(request::kResources));

// ---- telling files apart

// Nothing that is text has a byte below the tab.
bool IsText(std::string_view head) {
  return std::ranges::none_of(head, [](char c) { return c >= 0 && c < '\t'; });
}

// One field of a protobuf message, when `text` begins with its tag: {bytes before the content,
// bytes of the content}. Nothing when it does not, or is too short to tell.
std::optional<std::pair<size_t, uint64_t>> ResourcesField(std::string_view text) {
  if (!text.starts_with(kResourcesTag)) return std::nullopt;
  uint64_t length = 0;
  for (size_t i = 1; i < text.size() && i <= 5; ++i) {
    auto byte = static_cast<uint8_t>(text[i]);
    length |= static_cast<uint64_t>(byte & 0x7F) << (7 * (i - 1));
    if (byte < 0x80) return std::pair(i + 1, length);
  }
  return std::nullopt;
}

// Requests of all signals hold nothing but their field 1, and those a resource, scopes and a
// schema.
bool LooksLikeRequest(std::string_view head) {
  auto field = ResourcesField(head);
  if (!field) return false;
  std::string_view content = head.substr(field->first);
  if (field->second == 0) return head.size() == field->first || LooksLikeRequest(content);
  if (content.empty()) return false;
  uint32_t number = static_cast<uint8_t>(content[0]) >> 3, type = content[0] & 7;
  if (type != 2 || number < resource_items::kResource || number > resource_items::kSchemaUrl)
    return false;
  // More than one: the next must be one too.
  if (content.size() <= field->second)
    return content.size() == field->second || head.size() >= kHeadBytes - kPrefixBytes;
  return content[field->second] == kResourcesTag;
}

// Big-endian, as the Collector writes it.
uint64_t PrefixedLength(std::string_view bytes) {
  uint64_t length = 0;
  for (char c : bytes.substr(0, kPrefixBytes)) length = length << 8 | static_cast<uint8_t>(c);
  return length;
}

// A message that is a file by itself: compressed, or JSON.
bool IsFile(std::string_view message) {
  if (wire::SniffCompression(message) != wire::Compression::kNone) return true;
  // The tag is a line feed to JSON.
  if (message.starts_with(kResourcesTag)) return false;
  if (message.starts_with(kByteOrderMark)) message.remove_prefix(kByteOrderMark.size());
  const size_t first = message.find_first_not_of(kJsonSpace);
  return first != message.npos && (message[first] == '{' || message[first] == '[');
}

// The first message decides: a file that was cut off while it was written is still such a file.
bool LooksLengthPrefixed(std::string_view head) {
  constexpr uint64_t kPlausibleMax = 1 << 30;
  if (head.size() < kPrefixBytes) return false;
  uint64_t length = PrefixedLength(head);
  if (length == 0 || length > kPlausibleMax) return false;
  head.remove_prefix(kPrefixBytes);
  if (IsFile(head.substr(0, std::min<uint64_t>(head.size(), length)))) return true;
  auto field = ResourcesField(head);
  return field && field->first + field->second <= length &&
         LooksLikeRequest(head.substr(0, std::min<uint64_t>(head.size(), length)));
}

// ---- decoding

// The three requests look alike from outside: one all of whose spans are refused counts as traces
// only when it is nothing else.
Result<TracePiece> DecodeMessage(std::string_view bytes) {
  TracePiece piece;
  WEFT_ASSIGN(piece.traces, DecodeOtlpTraces(OtlpFormat::kProtobuf, std::string(bytes)));
  if (!piece.traces.spans.empty() || piece.traces.rejected_spans.count == 0) return piece;
  switch (SignalOfRefused(bytes)) {
    case OtlpSignalKind::kLogs: {
      piece.traces = {};
      WEFT_ASSIGN(piece.logs, DecodeOtlpLogs(OtlpFormat::kProtobuf, std::string(bytes)));
      RejectTracelessLogs(&piece.logs);
      return piece;
    }
    case OtlpSignalKind::kMetrics: {
      piece.traces = {};
      WEFT_ASSIGN(piece.metric_points, CountOtlpMetricPoints(OtlpFormat::kProtobuf, bytes));
      return piece;
    }
    default:
      return piece;
  }
}

// Says where in the file it was: of what the batch tells about its items, and of what nobody
// understands in it.
void NamePlace(const std::string& place, TracePiece* piece) {
  for (SpanBatch* batch : {&piece->traces, &piece->logs}) {
    for (Rejection* one : {&batch->rejected_spans, &batch->rejected_logs, &batch->left_out})
      if (one->count > 0) one->message = place + ": " + one->message;
    if (batch->not_understood.count > 0 && piece->problem.empty())
      piece->problem = place + ": " + batch->not_understood.message;
  }
}

std::string DocumentPlace(const JsonRun& run) {
  return "document at line " + std::to_string(run.document_line) + ", byte " +
         std::to_string(run.document_offset);
}

std::string_view RequestName(RunKind kind) {
  switch (kind) {
    case RunKind::kOtlpLogs:
      return kLogSignal.request[0].json;
    case RunKind::kOtlpMetrics:
      return kMetricSignal.request[0].json;
    default:
      return kTraceSignal.request[0].json;
  }
}

// Items of a list are made a request again.
Result<TracePiece> DecodeOtlp(const JsonRun& run) {
  TracePiece piece;
  std::string body;
  int64_t base = static_cast<int64_t>(run.offset);
  if (run.kind == RunKind::kOtlpDocument) {
    body = run.text;
  } else {
    body = "{\"" + std::string(RequestName(run.kind)) + "\":[";
    base -= static_cast<int64_t>(body.size());
    body += run.text;
    body += "]}";
  }
  if (run.kind == RunKind::kOtlpMetrics) {
    WEFT_ASSIGN(piece.metric_points, CountOtlpMetricPoints(OtlpFormat::kJson, body));
    return piece;
  }
  SpanBatch& batch = run.kind == RunKind::kOtlpLogs ? piece.logs : piece.traces;
  const DecodeBudget budget = DecodeBudget::OfJson(body.size());
  const OtlpJsonPlace place = {.offset_base = base, .first = run.first};
  batch.received = std::move(body);
  WEFT_TRY(run.kind == RunKind::kOtlpLogs ? DecodeLogsJson(&batch, budget, place)
                                          : DecodeTracesJson(&batch, budget, place));
  RejectTracelessLogs(&batch);
  NamePlace(DocumentPlace(run), &piece);
  return piece;
}

// The items as one list: where they are documents, a comma takes the place of a space, and what
// stands between them (the lines of a bulk file) goes.
std::string ListOf(const JsonRun& run) {
  std::string body = "[" + std::string(run.text) + "]";
  if (!run.separate) return body;
  for (size_t i = 1; i < run.items.size(); ++i) {
    size_t from = run.items[i - 1].end + 1, to = run.items[i].begin + 1;
    std::fill(body.begin() + static_cast<ptrdiff_t>(from),
              body.begin() + static_cast<ptrdiff_t>(to), ' ');
    body[from] = ',';
  }
  return body;
}

constexpr std::string_view kFormatNames[] = {"auto", "otlp", "jaeger", "zipkin"};

}  // namespace

std::string_view NameOf(TraceFormat format) { return kFormatNames[static_cast<size_t>(format)]; }

std::optional<TraceFormat> ParseTraceFormat(std::string_view name) {
  const auto* found = std::ranges::find(kFormatNames, name);
  if (found == std::end(kFormatNames)) return std::nullopt;
  return static_cast<TraceFormat>(found - std::begin(kFormatNames));
}

bool TraceFileReader::Wanted(RunKind kind) const {
  switch (only_) {
    case TraceFormat::kOtlp:
      return kind == RunKind::kOtlpTraces || kind == RunKind::kOtlpLogs ||
             kind == RunKind::kOtlpMetrics || kind == RunKind::kOtlpDocument;
    case TraceFormat::kJaeger:
      return kind == RunKind::kJaegerTraces || kind == RunKind::kJaegerSpans;
    case TraceFormat::kZipkin:
      return kind == RunKind::kZipkinSpans;
    default:
      return true;
  }
}

Result<TracePiece> TraceFileReader::Decode(const JsonRun& run) const {
  JsonPlace place{.line = run.line,
                  .offset = run.offset,
                  .first = run.first,
                  .list = run.list,
                  .text = run.text};
  TracePiece piece;
  switch (run.kind) {
    case RunKind::kJaegerTraces: {
      WEFT_ASSIGN(piece.traces, DecodeJaegerJson(JaegerItem::kTrace, ListOf(run), place));
      piece.format = TraceFormat::kJaeger;
      return piece;
    }
    case RunKind::kJaegerSpans: {
      WEFT_ASSIGN(piece.traces, DecodeJaegerJson(JaegerItem::kSpan, ListOf(run), place));
      piece.format = TraceFormat::kJaeger;
      return piece;
    }
    case RunKind::kZipkinSpans: {
      WEFT_ASSIGN(piece.traces, DecodeZipkinJson(ListOf(run), place));
      piece.format = TraceFormat::kZipkin;
      return piece;
    }
    default:
      break;
  }
  Result<TracePiece> otlp = DecodeOtlp(run);
  if (!otlp) return Fail(otlp.error().WithPrefix(DocumentPlace(run)));
  return otlp;
}

// Cuts the item off the front of what failed.
JsonRun TraceFileReader::NextFailedItem() {
  JsonRun::Item item = failed_items_[next_item_];
  const size_t gone = static_cast<size_t>(failed_.text.data() - failed_text_);
  std::string_view before = failed_.text.substr(0, item.begin - gone);
  failed_.line += static_cast<uint64_t>(std::ranges::count(before, '\n'));
  failed_.offset += before.size();
  failed_.text.remove_prefix(before.size());
  JsonRun run = failed_;
  run.text = failed_.text.substr(0, item.end - item.begin);
  run.items = {{0, run.text.size()}};
  if (failed_.separate) {
    run.document_line = run.line;
    run.document_offset = run.offset;
  } else {
    run.first = failed_.first + next_item_;
  }
  ++next_item_;
  return run;
}

Result<std::optional<TracePiece>> TraceFileReader::NextJson() {
  JsonRun run;
  if (next_item_ < failed_items_.size()) {
    run = NextFailedItem();
  } else {
    WEFT_ASSIGN(std::optional<JsonRun> next, runs_.Next());
    if (!next) return std::nullopt;
    run = std::move(*next);
  }
  TracePiece piece;
  // A line that is no JSON has no text here, but it is there.
  piece.end = run.offset + std::max<size_t>(run.text.size(), 1);
  if (piece.end <= skip_to_) return piece;
  if (run.problem.empty() && !Wanted(run.kind)) run.problem = "not of the format asked for";
  if (!run.problem.empty()) {
    piece.problem = DocumentPlace(run) + ": " + run.problem;
    return piece;
  }
  Result<TracePiece> decoded = Decode(run);
  if (decoded) {
    decoded->end = piece.end;
    return std::move(*decoded);
  }
  if (run.items.size() > 1) {
    failed_items_ = std::exchange(run.items, {});
    next_item_ = 0;
    failed_text_ = run.text.data();
    failed_ = std::move(run);
    return NextJson();
  }
  piece.problem = decoded.error().message;
  return piece;
}

TracePiece TraceFileReader::MessagePiece(uint64_t offset, std::string_view message) const {
  TracePiece piece;
  const uint64_t end = offset + message.size();
  if (end > skip_to_) {
    const std::string place = "message at byte " + std::to_string(offset);
    if (Result<TracePiece> decoded = DecodeMessage(message); decoded) {
      piece = std::move(*decoded);
      NamePlace(place, &piece);
    } else {
      piece.problem = decoded.error().WithPrefix(place).message;
    }
  }
  piece.end = end;
  return piece;
}

// One message for the whole file: its fields, some megabytes at a time, are messages too.
Result<std::optional<TracePiece>> TraceFileReader::NextMessage() {
  size_t at = 0;
  const uint64_t offset = window_.offset();
  while (at < kMessagePieceBytes && window_.Has(at + 1)) {
    (void)window_.Has(at + 8);
    auto field = ResourcesField(window_.text().substr(at));
    if (!field)
      return Fail(ErrorCode::kInvalidArgument,
                  "byte " + std::to_string(offset + at) + ": not a field of an OTLP message");
    if (field->second > item_bytes_max_) {
      if (at > 0) break;
      return SkipMessage(field->first, field->second);
    }
    size_t end = at + field->first + field->second;
    if (!window_.Has(end)) {
      WEFT_TRY(window_.status());
      if (at > 0) break;  // what is whole comes first
      return Fail(ErrorCode::kInvalidArgument,
                  "byte " + std::to_string(offset + at) + ": the file ends inside a message");
    }
    at = end;
  }
  WEFT_TRY(window_.status());
  if (at == 0) return std::nullopt;
  used_ = at;
  return MessagePiece(offset, window_.text().substr(0, at));
}

Result<std::optional<TracePiece>> TraceFileReader::SkipMessage(size_t prefix, uint64_t bytes) {
  TracePiece piece;
  piece.problem = "message at byte " + std::to_string(window_.offset() + prefix) + ": " +
                  std::to_string(bytes) + " bytes, more than the " +
                  std::to_string(item_bytes_max_) + " that one item may have";
  if (!window_.Skip(prefix + bytes)) {
    WEFT_TRY(window_.status());
    piece.problem += ", and the file ends inside it";
  }
  piece.end = window_.offset();
  return piece;
}

// A message that is a file by itself, of which pieces are read until it ends.
struct TraceFileReader::Inner {
  explicit Inner(std::string_view message) : bytes(message) {}
  wire::MemorySource bytes;
  std::unique_ptr<wire::ByteSource> plain;
  std::unique_ptr<TraceFileReader> reader;
  uint64_t begin = 0, end = 0;  // of the message, in the file
};

TraceFileReader::TraceFileReader(wire::ByteSource* from, TraceFormat only, uint64_t skip_to,
                                 uint64_t item_bytes_max)
    : window_(from),
      runs_(&window_, item_bytes_max),
      only_(only),
      skip_to_(skip_to),
      item_bytes_max_(item_bytes_max) {}
TraceFileReader::~TraceFileReader() = default;

// REQUIRES: the window stays as it is until inner_ is gone.
Status TraceFileReader::OpenInner(std::string_view message) {
  auto inner = std::make_unique<Inner>(message);
  WEFT_ASSIGN(inner->plain, wire::OpenDecompressed(&inner->bytes));
  inner->reader = std::make_unique<TraceFileReader>(inner->plain.get(), only_, 0, item_bytes_max_);
  inner->reader->is_inner_ = true;
  inner_ = std::move(inner);
  return {};
}

// The last piece is empty: only then everything of the message has been handed out.
TracePiece TraceFileReader::NextInner() {
  Result<std::optional<TracePiece>> next = inner_->reader->Next();
  TracePiece piece;
  if (next && *next) {
    piece = std::move(**next);
    piece.end = inner_->begin;
  } else {
    if (!next) piece.problem = next.error().message;
    piece.end = inner_->end;
  }
  const std::string place = "message at byte " + std::to_string(inner_->begin);
  if (!piece.problem.empty()) piece.problem = place + ": " + piece.problem;
  for (SpanBatch* batch : {&piece.traces, &piece.logs})
    for (Rejection* one : {&batch->rejected_spans, &batch->rejected_logs, &batch->left_out})
      if (one->count > 0) one->message = place + ": " + one->message;
  if (!next || !*next) inner_.reset();
  return piece;
}

Result<std::optional<TracePiece>> TraceFileReader::NextPrefixed() {
  const uint64_t offset = window_.offset();
  if (!window_.Has(1)) {
    WEFT_TRY(window_.status());
    return std::nullopt;
  }
  uint64_t length = window_.Has(kPrefixBytes) ? PrefixedLength(window_.text()) : 0;
  if (length > item_bytes_max_) return SkipMessage(kPrefixBytes, length);
  if (!window_.Has(kPrefixBytes + length)) {
    WEFT_TRY(window_.status());
    return Fail(ErrorCode::kInvalidArgument,
                "byte " + std::to_string(offset) + ": the file ends inside a message");
  }
  used_ = kPrefixBytes + length;
  const std::string_view message = window_.text().substr(kPrefixBytes, length);
  if (offset + used_ <= skip_to_ || !IsFile(message))
    return MessagePiece(offset + kPrefixBytes, message);
  if (Status opened = OpenInner(message); !opened) {
    TracePiece piece;
    piece.problem = opened.error()
                        .WithPrefix("message at byte " + std::to_string(offset + kPrefixBytes))
                        .message;
    piece.end = offset + used_;
    return piece;
  }
  inner_->begin = offset + kPrefixBytes;
  inner_->end = offset + used_;
  return NextInner();
}

Status TraceFileReader::Sniff() {
  (void)window_.Has(kHeadBytes);
  WEFT_TRY(window_.status());
  std::string_view head = window_.text().substr(0, kHeadBytes);
  if (head.starts_with(kByteOrderMark)) {
    window_.Consume(kByteOrderMark.size());
    (void)window_.Has(kHeadBytes);
    WEFT_TRY(window_.status());
    head = window_.text().substr(0, kHeadBytes);
  }
  size_t first = head.find_first_not_of(kJsonSpace);
  // Protobuf may begin as JSON does; JSON may have raw control characters, where a writer is
  // broken.
  bool opens = first == head.npos || head[first] == '{' || head[first] == '[';
  bool json = opens && IsText(head);
  bool allowed = only_ == TraceFormat::kAny || only_ == TraceFormat::kOtlp;
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF"))
    return Fail(ErrorCode::kInvalidArgument, "UTF-16 text: weft reads JSON in UTF-8");
  if (!json && allowed && !is_inner_ && LooksLengthPrefixed(head)) {
    container_ = Container::kPrefixedMessages;
  } else if (!json && allowed && LooksLikeRequest(head)) {
    container_ = Container::kMessage;
  } else if (opens || IsText(head.substr(0, 256))) {
    container_ = Container::kJson;
  } else {
    return Fail(ErrorCode::kInvalidArgument, "neither JSON nor OTLP protobuf");
  }
  return {};
}

Result<std::optional<TracePiece>> TraceFileReader::Next() {
  if (inner_) return NextInner();
  window_.Consume(std::exchange(used_, 0));
  if (container_ == Container::kUnknown) WEFT_TRY(Sniff());
  switch (container_) {
    case Container::kMessage:
      return NextMessage();
    case Container::kPrefixedMessages:
      return NextPrefixed();
    default:
      return NextJson();
  }
}

}  // namespace weft::codec

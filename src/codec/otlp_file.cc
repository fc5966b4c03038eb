// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp_file.h"

#include <algorithm>

#include "codec/otlp_fields.h"
#include "wire/compression.h"
#include "wire/json_scan.h"
#include "wire/protobuf_reader.h"

namespace weft::codec {
namespace {

constexpr std::string_view kJsonSpace = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kPrefixBytes = 4;

// Big-endian, as the Collector writes it.
uint64_t PrefixedLength(std::string_view bytes) {
  uint64_t length = 0;
  for (char c : bytes.substr(0, kPrefixBytes)) length = length << 8 | static_cast<uint8_t>(c);
  return length;
}

// Requests of all signals hold nothing but their field 1.
bool LooksLikeRequest(std::string_view bytes) {
  wire::ProtoReader in(bytes);
  while (in.Next()) {
    if (in.tag() != wire::LengthTag(request::kResources)) return false;
  }
  return in.error() == wire::ProtoError::kNone;
}

// The first message decides: a file that was cut off while it was written is still such a file.
bool LooksLengthPrefixed(std::string_view bytes) {
  if (bytes.size() < kPrefixBytes) return false;
  uint64_t length = PrefixedLength(bytes);
  bytes.remove_prefix(kPrefixBytes);
  return length > 0 && length <= bytes.size() && LooksLikeRequest(bytes.substr(0, length));
}

void NoteSignals(OtlpDocument* document) {
  wire::ForEachTopLevelKey(document->bytes, [document](std::string_view key) {
    document->has_traces |= OtlpFieldNumber(kTraceSignal.request, key) != 0;
    document->has_logs |= OtlpFieldNumber(kLogSignal.request, key) != 0;
    document->has_metrics |= OtlpFieldNumber(kMetricSignal.request, key) != 0;
  });
}

Result<OtlpContent> DecodeJson(const OtlpDocument& document) {
  OtlpContent content;
  std::string body(document.bytes);
  if (!document.has_traces && !document.has_logs && !document.has_metrics) {
    return Fail(ErrorCode::kInvalidArgument,
                document.bytes.starts_with('{')
                    ? "no resourceSpans, resourceLogs or resourceMetrics in this JSON document"
                    : "not a JSON document");
  }
  if (document.has_metrics) {
    WEFT_ASSIGN(content.metric_points, CountOtlpMetricPoints(OtlpFormat::kJson, body));
  }
  if (document.has_logs) {
    WEFT_ASSIGN(content.logs, DecodeOtlpLogs(OtlpFormat::kJson, body));
  }
  if (document.has_traces) {
    WEFT_ASSIGN(content.traces, DecodeOtlpTraces(OtlpFormat::kJson, std::move(body)));
  }
  return content;
}

// The three requests look alike from outside; inside, a field with a wire type that only another
// signal has gives them away. A gauge can pass for a span with bad ids, so a message all of whose
// spans are refused counts as traces only when it is nothing else.
Result<OtlpContent> DecodeProtobuf(std::string_view bytes) {
  OtlpContent content;
  auto traces = DecodeOtlpTraces(OtlpFormat::kProtobuf, std::string(bytes));
  if (!traces || (traces->spans.empty() && traces->rejected_spans.count > 0)) {
    if (auto logs = DecodeOtlpLogs(OtlpFormat::kProtobuf, std::string(bytes)); logs) {
      content.logs = std::move(*logs);
      return content;
    }
    if (auto points = CountOtlpMetricPoints(OtlpFormat::kProtobuf, bytes); points) {
      content.metric_points = *points;
      return content;
    }
  }
  if (!traces) return Fail(std::move(traces).error());
  content.traces = std::move(*traces);
  return content;
}

}  // namespace

OtlpFileReader::OtlpFileReader(std::string bytes) : bytes_(std::move(bytes)) {
  std::string_view text = bytes_;
  if (text.starts_with(kByteOrderMark)) position_ = kByteOrderMark.size();
  bool blank = text.find_first_not_of(kJsonSpace, position_) == text.npos;
  length_prefixed_ = LooksLengthPrefixed(text);
  if (length_prefixed_ || (!blank && LooksLikeRequest(text))) format_ = OtlpFormat::kProtobuf;
}

Result<OtlpFileReader> OtlpFileReader::Open(std::string bytes, uint64_t bytes_max) {
  if (auto kind = wire::SniffCompression(bytes); kind != wire::Compression::kNone) {
    WEFT_ASSIGN(bytes, wire::DecompressTrusted(kind, bytes, bytes_max));
  } else if (bytes.size() > bytes_max) {
    return Fail(ErrorCode::kTooLarge,
                "larger than the limit of " + std::to_string(bytes_max) + " bytes");
  }
  OtlpFileReader reader(std::move(bytes));
  if (reader.format_ == OtlpFormat::kJson) {
    // Nothing that is text has a byte below the tab.
    std::string_view head = std::string_view(reader.bytes_).substr(0, 256);
    if (std::ranges::any_of(head, [](char c) { return c >= 0 && c < '\t'; })) {
      return Fail(ErrorCode::kInvalidArgument, "not OTLP: neither protobuf nor JSON");
    }
  }
  return reader;
}

Result<std::optional<OtlpDocument>> OtlpFileReader::Next() {
  return format_ == OtlpFormat::kJson ? NextJson() : NextProtobuf();
}

Result<std::optional<OtlpDocument>> OtlpFileReader::NextProtobuf() {
  if (position_ == bytes_.size()) return std::nullopt;
  OtlpDocument document;
  std::string_view rest = std::string_view(bytes_).substr(position_);
  if (!length_prefixed_) {
    document.bytes = rest;
  } else {
    uint64_t length = PrefixedLength(rest);
    if (rest.size() < kPrefixBytes || length > rest.size() - kPrefixBytes) {
      uint64_t offset = std::exchange(position_, bytes_.size());
      return Fail(ErrorCode::kInvalidArgument,
                  "byte " + std::to_string(offset) + ": the file ends inside a message");
    }
    position_ += kPrefixBytes;
    document.bytes = rest.substr(kPrefixBytes, length);
  }
  document.offset = position_;
  document.has_traces = document.has_logs = document.has_metrics = true;
  position_ += document.bytes.size();
  return document;
}

Result<std::optional<OtlpDocument>> OtlpFileReader::NextJson() {
  std::string_view text = bytes_;
  size_t start = std::min(text.find_first_not_of(kJsonSpace, position_), text.size());
  auto lines = [&](size_t from, size_t to) {
    return static_cast<uint64_t>(std::count(text.begin() + from, text.begin() + to, '\n'));
  };
  line_ += lines(position_, start);
  position_ = start;
  if (start == text.size()) return std::nullopt;
  OtlpDocument document;
  document.offset = start;
  document.line = line_;
  if (text[start] == '{') {
    size_t bytes = wire::JsonDocumentBytes(text.substr(start));
    if (bytes == text.npos) {
      position_ = text.size();
      return Fail(ErrorCode::kInvalidArgument, "line " + std::to_string(document.line) + " (byte " +
                                                   std::to_string(start) +
                                                   "): the file ends inside this document");
    }
    document.bytes = text.substr(start, bytes);
    NoteSignals(&document);
  } else {
    // No document: the line is handed out as it is, and Decode says so.
    document.bytes = text.substr(start, text.find('\n', start) - start);
  }
  position_ = start + document.bytes.size();
  line_ += lines(start, position_);
  return document;
}

Result<OtlpContent> OtlpFileReader::Decode(const OtlpDocument& document) const {
  Result<OtlpContent> content =
      format_ == OtlpFormat::kJson ? DecodeJson(document) : DecodeProtobuf(document.bytes);
  if (content) return content;
  std::string place = "document at ";
  if (document.line > 0) place += "line " + std::to_string(document.line) + ", ";
  place += "byte " + std::to_string(document.offset);
  return Fail(content.error().WithPrefix(place));
}

}  // namespace weft::codec

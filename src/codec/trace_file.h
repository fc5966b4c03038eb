// SPDX-License-Identifier: Apache-2.0
//
// Files of traces as people have them, read piece by piece in bounded memory (one piece, and at
// most the largest item of the file): OTLP as one protobuf message, as JSON in every arrangement of
// codec/json_runs.h; Jaeger's and Zipkin's JSON; any of them, each also compressed, as messages
// with a 4-byte length before each (the Collector's file exporter). The content tells which.
// Compression and archives around the file are taken off before (wire/decompress_source.h,
// wire/tar_source.h).
//
// What cannot be read costs the smallest item around it: a piece then says where and why. An item
// beyond the limit is stepped over, and never held.
//
//   TraceFileReader reader(&source);
//   while (true) {
//     WEFT_ASSIGN(auto piece, reader.Next());  // error: the rest of the file has no structure
//     if (!piece) break;
//   }
//
// Thread rule: one thread at a time. Next: codec/span_list.h, codec/otlp.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json_runs.h"
#include "codec/source_window.h"
#include "model/span_batch.h"

namespace weft::codec {

enum class TraceFormat : uint8_t { kAny, kOtlp, kJaeger, kZipkin };
// "auto", "otlp", "jaeger", "zipkin": the names that people use; nothing for another one.
std::string_view NameOf(TraceFormat format);
std::optional<TraceFormat> ParseTraceFormat(std::string_view name);

// One item of a file: a resource with its spans, a Jaeger trace, a Zipkin span, a message.
inline constexpr uint64_t kItemBytesMax = 256 << 20;

struct TracePiece {
  SpanBatch traces, logs;
  uint64_t metric_points = 0;
  TraceFormat format = TraceFormat::kOtlp;  // what it was written in
  // Not empty: an item could not be read, or nothing in it was understood; with its place.
  std::string problem;
  uint64_t end = 0;  // in the decompressed file: everything before it has been handed out
};

class TraceFileReader {
 public:
  // A file that is not of the format named here is a problem of each of its items. Pieces that end
  // at `skip_to` or before are handed out empty: an earlier reader had them.
  explicit TraceFileReader(wire::ByteSource* from, TraceFormat only = TraceFormat::kAny,
                           uint64_t skip_to = 0, uint64_t item_bytes_max = kItemBytesMax);
  ~TraceFileReader();

  // Nothing at the end of the file.
  Result<std::optional<TracePiece>> Next();
  // The most of the file that was held at once.
  size_t peak_bytes() const { return window_.peak_bytes(); }

 private:
  enum class Container : uint8_t { kUnknown, kJson, kMessage, kPrefixedMessages };
  struct Inner;

  Status Sniff();
  Result<std::optional<TracePiece>> NextJson();
  JsonRun NextFailedItem();
  Result<std::optional<TracePiece>> NextMessage();
  Result<std::optional<TracePiece>> NextPrefixed();
  Status OpenInner(std::string_view message);
  TracePiece NextInner();
  // A message that is too large, behind `prefix` bytes at the window's front.
  Result<std::optional<TracePiece>> SkipMessage(size_t prefix, uint64_t bytes);
  TracePiece MessagePiece(uint64_t offset, std::string_view message) const;
  Result<TracePiece> Decode(const JsonRun& run) const;
  bool Wanted(RunKind kind) const;

  SourceWindow window_;
  JsonRuns runs_;
  const TraceFormat only_;
  const uint64_t skip_to_;
  const uint64_t item_bytes_max_;
  Container container_ = Container::kUnknown;
  size_t used_ = 0;               // of the window, by the message handed out last
  std::unique_ptr<Inner> inner_;  // the message that is being read as a file of its own
  bool is_inner_ = false;
  // A run that failed as a whole is read item by item.
  JsonRun failed_;
  std::vector<JsonRun::Item> failed_items_;
  const char* failed_text_ = nullptr;  // where its first item began
  size_t next_item_ = 0;
};

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
//
// Files of traces as people have them, read piece by piece in bounded memory (one piece, and at
// most the largest item of the file): OTLP as one protobuf message, as messages with a 4-byte
// length before each (the Collector's file exporter), as JSON in every arrangement of
// codec/json_runs.h; Jaeger's and Zipkin's JSON. The content tells which. Compression and archives
// are taken off before (wire/decompress_source.h, wire/tar_source.h).
//
// What cannot be read costs the smallest item around it: a piece then says where and why.
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

struct TracePiece {
  SpanBatch traces, logs;
  uint64_t metric_points = 0;
  std::string problem;  // not empty: an item could not be read; with its place
  uint64_t end = 0;     // in the decompressed file: everything before it has been handed out
};

class TraceFileReader {
 public:
  // A file that is not of the format named here is a problem of each of its items. Pieces that end
  // at `skip_to` or before are handed out empty: an earlier reader had them.
  explicit TraceFileReader(wire::ByteSource* from, TraceFormat only = TraceFormat::kAny,
                           uint64_t skip_to = 0)
      : window_(from), runs_(&window_), only_(only), skip_to_(skip_to) {}

  // Nothing at the end of the file.
  Result<std::optional<TracePiece>> Next();

 private:
  enum class Container : uint8_t { kUnknown, kJson, kMessage, kPrefixedMessages };

  Status Sniff();
  Result<std::optional<TracePiece>> NextJson();
  JsonRun NextFailedItem();
  Result<std::optional<TracePiece>> NextMessage();
  Result<std::optional<TracePiece>> NextPrefixed();
  TracePiece MessagePiece(uint64_t offset, std::string_view message) const;
  Result<TracePiece> Decode(const JsonRun& run) const;
  bool Wanted(RunKind kind) const;

  SourceWindow window_;
  JsonRuns runs_;
  const TraceFormat only_;
  const uint64_t skip_to_;
  Container container_ = Container::kUnknown;
  size_t used_ = 0;  // of the window, by the message handed out last
  // A run that failed as a whole is read item by item.
  JsonRun failed_;
  std::vector<JsonRun::Item> failed_items_;
  const char* failed_text_ = nullptr;  // where its first item began
  size_t next_item_ = 0;
};

}  // namespace weft::codec

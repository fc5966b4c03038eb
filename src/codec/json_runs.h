// SPDX-License-Identifier: Apache-2.0
//
// JsonRuns cuts a file of JSON into runs of items that are decoded together, without ever holding
// more than one run: the elements of the list that the format puts its spans into, wherever that
// list stands, or documents one after the other. It looks at brackets, strings and keys only. An
// item that is larger than it may be is stepped over and named; space between items, and values
// that nobody wants, are never held.
//
//   {"resourceSpans": [ITEM, ITEM]}        OTLP; also resourceLogs, resourceMetrics, Tempo's
//   batches,
//   {"result": {"resourceSpans": [ITEM]}}  and inside "result" or "trace", as APIs answer
//   {"data": [ITEM, ITEM]}                 Jaeger
//   [ITEM, ITEM]   [[ITEM], [ITEM]]        Zipkin; a list of Jaeger's traces or spans
//   ITEM ITEM                              one a line, or just one after the other
//
// Thread rule: one thread at a time. Source: RFC 8259. Next: codec/trace_file.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/source_window.h"

namespace weft::codec {

enum class RunKind : uint8_t {
  kUnknown,       // `problem` says why
  kOtlpTraces,    // items of resourceSpans
  kOtlpLogs,      // items of resourceLogs
  kOtlpMetrics,   // items of resourceMetrics
  kOtlpDocument,  // a whole document with a key of OTLP's, whose value is no list
  kJaegerTraces,
  kJaegerSpans,
  kZipkinSpans,
};

struct JsonRun {
  struct Item {
    size_t begin, end;  // in text
  };
  RunKind kind = RunKind::kUnknown;
  std::string_view text;  // from the first item to the last; valid until Next()
  std::vector<Item> items;
  bool separate = false;  // items are documents: no comma stands between them
  uint64_t offset = 0;    // of the first item, in the file
  uint64_t line = 0;      // of the first item
  uint64_t document_offset = 0, document_line = 0;  // where the document around it begins
  uint64_t first = 0;                               // the first item's index in its list
  std::string_view list;  // "data", "resourceSpans"; empty for a list without a name
  std::string problem;    // not empty: there is nothing to decode here
};

class JsonRuns {
 public:
  JsonRuns(SourceWindow* window, uint64_t item_bytes_max)
      : window_(window), item_bytes_max_(item_bytes_max) {}
  // Nothing at the end of the file; an error when the source fails or the file ends inside a
  // document.
  Result<std::optional<JsonRun>> Next();

 private:
  enum class Level : uint8_t { kList, kObject };
  struct Object {
    size_t end = 0;
    uint32_t keys = 0;    // bits, by the table of keys
    uint32_t opens = 0;   // the key whose value is a list of items or an object around one
    size_t opens_at = 0;  // where that value begins
  };

  // To the next byte that is no space. False at the end of the file, and beyond `limit`.
  bool SkipSpace(size_t* at, bool commas, size_t limit);
  // The same at the window's front, which gives up what is skipped.
  bool DropSpace();
  std::optional<size_t> EndOfString(size_t quote, size_t limit);
  // The object at `at`. With `may_open`, stops at the first key that holds items.
  Result<Object> ScanObject(size_t at, bool may_open);
  bool DropString();
  // The value at the window's front, whatever it is.
  Status DropValue();
  void DropWord();
  Status AroundItems(char c, bool in_object);
  Status Member();
  JsonRun Oversized(const std::string& why);
  JsonRun Strays();
  Result<bool> TakeObject(size_t* at, JsonRun* run);
  void OpenValue(uint32_t key, size_t at);
  RunKind KindOf(uint32_t keys) const;
  static std::string FieldsOf(std::string_view object);
  JsonRun Finish(JsonRun run);
  JsonRun BadLine();
  // In the middle of what is kept: the file ends, or there is too much of it.
  std::unexpected<Error> Stopped(size_t at, size_t limit) const;
  std::unexpected<Error> Crowded() const;
  std::unexpected<Error> CutOff() const;

  SourceWindow* const window_;
  const uint64_t item_bytes_max_;
  std::vector<Level> levels_;
  uint32_t list_key_ = 0;  // of the list that is open; 0: it has none
  uint64_t index_ = 0;     // of the next item in it
  uint64_t strays_ = 0;    // values in it that are none
  uint64_t document_offset_ = 0, document_line_ = 1;
  size_t used_ = 0;  // of the window, by the run handed out last
};

}  // namespace weft::codec

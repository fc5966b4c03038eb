// SPDX-License-Identifier: Apache-2.0
//
// Spans written as text, one line each, for tests that people read and write. The form is described
// in docs/query_tests.md; test/query/*.test is full of it.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/span_batch.h"

namespace weft::testing {

// Times in the text count from here: 2023-11-14T22:13:20Z.
inline constexpr uint64_t kTextEpochNs = 1'700'000'000'000'000'000;

class SpanTextReader {
 public:
  // Lines are dealt out to this many batches span by span, so that traces come in fragments.
  explicit SpanTextReader(size_t batches);

  // Takes one line; kInvalidArgument says what is wrong with it. False: not a line about spans.
  Result<bool> TakeLine(std::string_view line);
  // Ends the text. The reader is empty afterwards.
  std::vector<SpanBatch> Finish();

 private:
  struct PendingSpan;
  Status TakeTrace(std::string_view rest);
  Status TakeResource(std::string_view rest);
  Status TakeScope(std::string_view rest);
  Status TakeSpan(std::string_view rest);
  Status TakeEvent(std::string_view rest);
  Status TakeLink(std::string_view rest);
  void CloseSpan();

  std::vector<SpanBatch> batches_;
  size_t next_batch_ = 0;
  TraceId trace_;
  bool open_ = false;
  Span span_;
  std::vector<KeyValue> resource_, scope_attributes_;
  std::string scope_name_, scope_version_;
  Arena arena_;  // of texts that all batches copy
  std::vector<Event> events_;
  std::vector<Link> links_;
};

// `12` is ...0012; a span's label is its id in ASCII: `a` is 0000000000000061.
TraceId TextTraceId(std::string_view digits);
SpanId TextSpanId(std::string_view label);
std::string TextSpanLabel(const SpanId& id);

}  // namespace weft::testing

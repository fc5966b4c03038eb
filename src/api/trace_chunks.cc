// SPDX-License-Identifier: Apache-2.0
#include "api/trace_chunks.h"

#include <algorithm>

#include "api/stored_trace.h"
#include "query/partial_answer.h"

namespace weft::api {

Result<std::optional<std::string>> TraceChunks::Next() {
  while (next_span_ == trace_.spans.size()) {
    if (next_id_ == ids_.size()) return std::nullopt;
    WEFT_TRY(ReadNextTrace());
  }
  return EncodeSome();
}

Status TraceChunks::ReadNextTrace() {
  next_span_ = 0;
  trace_ = {};
  const TraceId& id = ids_[next_id_++];
  WEFT_TRY(hold_.Cover(*snapshot_, id));
  Result<StoredTrace> stored = ReadStoredTrace(*snapshot_, id);
  if (!stored && stored.error().code == ErrorCode::kNotFound) return {};
  if (!stored) return Fail(std::move(stored).error());
  query::NoteGaps(stored->partial, &partial_);
  trace_ = std::move(stored->batch);
  hold_.Settle(MemoryOf(trace_));
  // Every change of resource or scope from span to span writes both again.
  std::ranges::stable_sort(trace_.spans, [](const Span& a, const Span& b) {
    return std::pair(a.resource, a.scope) < std::pair(b.resource, b.scope);
  });
  return {};
}

std::string TraceChunks::EncodeSome() {
  for (;;) {
    size_t count = std::min(spans_at_once_, trace_.spans.size() - next_span_);
    std::string message = Encode(count);
    size_t fitting = std::max<size_t>(1, count * kBytesWanted / (message.size() + 1));
    bool too_large = message.size() > 2 * kBytesWanted && count > 1;
    spans_at_once_ = too_large ? std::min(fitting, count / 2) : fitting;
    if (too_large) continue;
    next_span_ += count;
    return message;
  }
}

std::string TraceChunks::Encode(size_t count) const {
  SpanBatch part;  // views into trace_
  part.resources = trace_.resources;
  part.scopes = trace_.scopes;
  auto first = trace_.spans.begin() + static_cast<ptrdiff_t>(next_span_);
  part.spans.assign(first, first + static_cast<ptrdiff_t>(count));
  std::string message;
  codec::EncodeSoundOtlpTraces(format_, part, &message);
  return message;
}

}  // namespace weft::api

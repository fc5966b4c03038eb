// SPDX-License-Identifier: Apache-2.0
//
// TraceDocument: one whole trace as the trace endpoints show it. Rows are the spans in depth-first
// pre-order, numbered from 0; a log record hangs on the row of its span, or on the root's row when
// it names none that is here.
//
// Thread rule: immutable once built. Next: api/trace_cache.h, api/trace_stream.h, api/trace_rows.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/query_runner.h"
#include "base/memory_budget.h"
#include "model/span_batch.h"
#include "trace/trace_view.h"

namespace weft::api {

class TraceDocument {
 public:
  // For each row, what is held beside the batch.
  static constexpr uint64_t kViewBytesPerRow = 192;
  // Errors as of ReadStoredTrace(). The document keeps `charge` as long as it lives, corrected to
  // what it holds; null: it is not charged.
  static Result<std::shared_ptr<const TraceDocument>> Read(
      const store::Snapshot& snapshot, const TraceId& id,
      std::shared_ptr<MemoryCharge> charge = nullptr);
  static std::shared_ptr<const TraceDocument> FromBatch(const TraceId& id, SpanBatch batch,
                                                        const trace::ClockRule& rule = {});

  const TraceId& id() const { return id_; }
  const SpanBatch& batch() const { return batch_; }
  const trace::TraceView& view() const { return view_; }
  uint32_t row_count() const { return static_cast<uint32_t>(batch_.spans.size()); }
  const Span& span(uint32_t row) const { return batch_.spans[view_.tree.node[row]]; }
  // Indexes into batch().logs, by time.
  std::span<const uint32_t> logs(uint32_t row) const {
    return {log_indexes_.data() + log_starts_[row], log_starts_[row + 1] - log_starts_[row]};
  }
  uint64_t duplicates() const { return duplicates_; }
  // True if reading from this snapshot would give the same document. False in doubt.
  bool HoldsFor(const store::Snapshot& snapshot) const;
  uint64_t memory_bytes() const;  // about
  // Charges it to `account` from now on. One thread at a time.
  void ChargeTo(MemoryAccount* account) const {
    if (charge_) charge_->MoveTo(account);
  }
  const std::vector<std::string>& warnings() const { return warnings_; }
  // Why spans may be missing, naming the blocks; empty: it is whole.
  const std::string& partial() const { return partial_; }

 private:
  // Where a snapshot has rows of the trace. Segments are immutable and known by their address; the
  // weak pointers keep an address from being used again, and no file from being removed.
  struct Sources {
    std::vector<std::weak_ptr<const segment::Segment>> segments;
    uint64_t spans = 0;
    bool whole = true;  // every segment could be asked
  };
  static Sources FindSources(const store::Snapshot& snapshot, const TraceId& id);

  TraceDocument(const TraceId& id, SpanBatch batch, const trace::ClockRule& rule);
  void PlaceLogs();

  TraceId id_;
  SpanBatch batch_;
  trace::TraceView view_;
  std::vector<uint32_t> log_starts_, log_indexes_;
  std::shared_ptr<MemoryCharge> charge_;
  Sources sources_;
  std::string partial_;
  uint64_t duplicates_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace weft::api

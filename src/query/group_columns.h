// SPDX-License-Identifier: Apache-2.0
//
// GroupColumns: the columns of one row group of the span table, read when first asked for and kept
// until the scan moves to the next group. Late materialisation starts here: a query pays only for
// the columns that its conditions touch. What one group needed the next one will need as a rule:
// its pages are read together.
//
// Thread rule: one thread at a time. Next: query/segment_scan.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "query/scalar.h"
#include "segment/segment.h"
#include "store/store.h"
#include "traceql/tree.h"

namespace weft::query {

class GroupColumns {
 public:
  GroupColumns(const store::Snapshot& snapshot, const segment::Segment& segment)
      : snapshot_(snapshot), segment_(segment) {}

  void Open(uint32_t group);
  uint32_t group() const { return group_; }
  uint32_t rows() const { return rows_; }
  segment::Row first_row() const { return segment_.spans().groups().first_row(group_); }

  Result<std::span<const uint64_t>> Numbers(segment::FixedColumn column);
  Result<std::span<const uint32_t>> Ids(segment::ColumnRef column);
  Result<std::span<const int64_t>> Durations();

  // Says that this group comes after the one at hand: the disk may fetch what will be asked for.
  void WillNeed(uint32_t group) const {
    if (AnyLast()) segment_.spans().WillNeed(group, last_columns_, last_numbers_);
  }
  // Says that these will be asked for: their pages may be read together.
  void Prefetch(std::span<const segment::ColumnRef> columns,
                std::span<const segment::FixedColumn> numbers) const {
    segment_.spans().Prefetch(group_, columns, numbers);
  }

  // The traces with rows in this group, in ordinal order, and for each row which of them it is.
  struct Traces {
    std::vector<uint32_t> ordinals;
    std::vector<segment::TraceEntry> entries;
    std::vector<uint32_t> of_row;  // index into the arrays above
  };
  Result<const Traces*> traces();
  // MayBeSplit() of traces()->entries[index]. REQUIRES: traces() was read.
  bool IsSplit(uint32_t index);

  // One value a row, of a field that lies in the span table's columns.
  Result<std::vector<Scalar>> Values(const traceql::Field& field);

 private:
  Status AppendValues(const traceql::Field& field, segment::AttributeScope scope,
                      std::string_view key, std::vector<Scalar>* out);
  bool AnyLast() const { return !last_columns_.empty() || !last_numbers_.empty(); }
  Status ReadBlockTraces();
  Status ReadChunkTraces();

  const store::Snapshot& snapshot_;
  const segment::Segment& segment_;
  uint32_t group_ = 0;
  uint32_t rows_ = 0;

  static constexpr size_t kFixedColumns = 24;
  std::array<std::vector<uint64_t>, kFixedColumns> numbers_;
  std::array<bool, kFixedColumns> has_numbers_{};
  std::unordered_map<uint32_t, std::vector<uint32_t>> ids_;  // by column index
  std::vector<int64_t> durations_;
  bool has_durations_ = false;
  // Read in the group at hand, and in the one before it.
  std::vector<segment::ColumnRef> used_columns_, last_columns_;
  std::vector<segment::FixedColumn> used_numbers_, last_numbers_;
  Traces traces_;
  bool has_traces_ = false;
  enum class Split : uint8_t { kUnknown, kNo, kYes };
  std::vector<Split> split_;  // of traces_, as far as it was asked

  Arena arena_;  // texts of Values()
};

// Where the span table keeps a text or enum intrinsic; empty for other fields.
std::string_view IntrinsicColumn(traceql::Intrinsic intrinsic);
// Absent rows of these columns are empty texts.
bool IsEmptyWhenAbsent(traceql::Intrinsic intrinsic);
// The scope of an attribute's column; kAny and kSpan are the span's.
segment::AttributeScope ColumnScope(traceql::Scope scope);

}  // namespace weft::query

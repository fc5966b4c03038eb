// SPDX-License-Identifier: Apache-2.0
#include "block/derived_values.h"

#include <algorithm>

#include "block/node_reader.h"

namespace weft::block {

using segment::FixedColumn;
using segment::Row;

Result<DerivedValues> FindDerived(const trace::Tree& tree, std::span<trace::Node> nodes,
                                  const trace::ClockRule& rule, const ReadEvidence& evidence) {
  DerivedValues out;
  out.error_origins = trace::ErrorOrigins(tree, nodes);
  if (trace::MayNeedCorrection(tree, nodes)) {
    WEFT_ASSIGN(std::span<const trace::ClockName> names, evidence(nodes));
    const trace::Correction correction = trace::CorrectClocks(tree, nodes, names, rule);
    if (!correction.shift_ns.empty()) {
      const std::vector<trace::Node> moved = trace::Corrected(tree, nodes, correction);
      out.self_ns = trace::SelfTimes(tree, moved);
      out.critical_ns = trace::CriticalTimes(tree, moved);
      return out;
    }
  }
  out.self_ns = trace::SelfTimes(tree, nodes);
  out.critical_ns = trace::CriticalTimes(tree, nodes);
  return out;
}

Result<std::shared_ptr<const OldDerivedValues::OfTrace>> OldDerivedValues::Compute(
    uint32_t ordinal, NodeReader* reader, segment::RowCursor* cursor) const {
  WEFT_ASSIGN(segment::Segment::TraceRows rows, cursor->ReadTraceRows(ordinal));
  const size_t count = rows.spans.size();
  std::vector<segment::SpanNumbers> numbers(count);
  std::vector<trace::Node> nodes(count);
  WEFT_TRY(cursor->ReadSpanNumbers(rows.spans, numbers));
  WEFT_TRY(reader->Read(rows.spans, numbers, nodes));
  std::vector<trace::ClockName> names;
  auto evidence = [&](std::span<trace::Node> all) -> Result<std::span<const trace::ClockName>> {
    trace::ClockNames numbered;
    names.resize(source_->stored_row_count(segment::StoredTable::kResources));
    std::vector<bool> known(names.size());
    std::vector<trace::Node*> pointers;
    for (trace::Node& node : all) {
      pointers.push_back(&node);
      if (node.resource >= names.size())
        return Fail(ErrorCode::kCorruption, "row names a resource that is not there");
      if (known[node.resource]) continue;
      known[node.resource] = true;
      WEFT_ASSIGN(names[node.resource], reader->ClockOf(node.resource, &numbered));
    }
    WEFT_TRY(reader->ReadFailures(rows.spans, pointers));
    return std::span<const trace::ClockName>(names);
  };
  const trace::Tree tree = trace::BuildTree(nodes);
  WEFT_ASSIGN(DerivedValues values, FindDerived(tree, nodes, rule_, evidence));
  // Rows lie in pre-order, as this program's trees have them too unless the file was made by hand.
  auto out = std::make_shared<OfTrace>();
  out->first_row = count == 0 ? 0 : rows.spans.front();
  out->values.self_ns.resize(count);
  out->values.critical_ns.resize(count);
  out->values.error_origins.resize(count);
  for (uint32_t p = 0; p < count; ++p) {
    const uint32_t row = tree.node[p];
    out->values.self_ns[row] = values.self_ns[p];
    out->values.critical_ns[row] = values.critical_ns[p];
    out->values.error_origins[row] = values.error_origins[p];
  }
  return std::shared_ptr<const OfTrace>(std::move(out));
}

Status OldDerivedValues::Read(FixedColumn column, uint32_t group, std::span<uint64_t> out) {
  const Row first = groups_.first_row(group), end = first + static_cast<Row>(out.size());
  std::unique_ptr<segment::RowCursor> cursor = source_->NewCursor(true);
  NodeReader reader(source_, cursor.get());
  WEFT_TRY(reader.Begin());
  std::lock_guard lock(mutex_);
  for (Row row = first; row < end;) {
    const bool is_last =
        last_ && row >= last_->first_row && row - last_->first_row < last_->values.self_ns.size();
    if (!is_last) {
      segment::SpanNumbers numbers;
      WEFT_TRY(cursor->ReadSpanNumbers({&row, 1}, {&numbers, 1}));
      WEFT_ASSIGN(last_, Compute(numbers.trace, &reader, cursor.get()));
      if (row < last_->first_row || row - last_->first_row >= last_->values.self_ns.size())
        return Fail(ErrorCode::kCorruption, "row of a trace that does not have it");
    }
    const DerivedValues& values = last_->values;
    for (size_t p = row - last_->first_row; p < values.self_ns.size() && row < end; ++p, ++row) {
      out[row - first] = column == FixedColumn::kSelfTime       ? values.self_ns[p]
                         : column == FixedColumn::kCriticalTime ? values.critical_ns[p]
                                                                : values.error_origins[p];
    }
  }
  return {};
}

}  // namespace weft::block

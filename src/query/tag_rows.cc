// SPDX-License-Identifier: Apache-2.0
#include "query/tag_rows.h"

#include <algorithm>

namespace weft::query {

bool TagRows::CoversSegment() const {
  auto [first, last] = segment_.time_range();
  return plan_.TakesEverySpan() && plan_.InWindow(first) && plan_.InWindow(last);
}

Status TagRows::Prepare(const BudgetMeter& meter, TraceSet* undecided) {
  const segment::Table& spans = segment_.spans();
  every_ = CoversSegment();
  none_ = !every_;
  auto [first, last] = segment_.time_range();
  if (every_ || !plan_.Overlaps(first, last)) return {};
  SegmentScan scan(snapshot_, segment_, plan_);
  WEFT_TRY(scan.Prepare());
  WEFT_TRY(scan.PrepareRows());
  std::vector<uint8_t> answers;
  spans_.resize(spans.row_count());
  for (uint32_t group = 0; group < spans.group_count(); ++group) {
    auto [group_first, group_last] = spans.TimeRange(group);
    if (!plan_.Overlaps(group_first, group_last) || !scan.MayMatchAny(group)) continue;
    WEFT_TRY(
        meter.Check(spans_.size() / 8 + scan.bytes() + undecided->size() * 4 * sizeof(TraceId)));
    WEFT_TRY(scan.Answer(group, &answers, undecided));
    spans_inspected_ += spans.rows_in_group(group);
    for (uint32_t i = 0; i < answers.size(); ++i) {
      if (!answers[i]) continue;
      spans_[size_t{spans.groups().first_row(group)} + i] = true;
      none_ = false;
    }
  }
  return {};
}

Result<bool> TagRows::Select(segment::TableId table_id, uint32_t group,
                             std::vector<uint8_t>* rows) const {
  const segment::Table& table = segment_.table(table_id);
  rows->assign(table.rows_in_group(group), every_);
  if (every_ || none_) return every_;
  size_t first = table.groups().first_row(group);
  if (table_id == segment::TableId::kSpans) {
    for (size_t i = 0; i < rows->size(); ++i) (*rows)[i] = spans_[first + i];
  } else {
    std::vector<uint64_t> parents(rows->size());
    WEFT_TRY(table.ReadNumbers(segment::FixedColumn::kParentRow, group, parents));
    // A log record may name no span.
    for (size_t i = 0; i < rows->size(); ++i)
      (*rows)[i] = parents[i] < spans_.size() && spans_[parents[i]];
  }
  return std::ranges::find(*rows, 1) != rows->end();
}

}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
#include "block/node_reader.h"

#include <algorithm>

namespace weft::block {

namespace span_column = segment::span_column;
using segment::ColumnName;
using segment::Row;
using segment::RowView;

namespace {

using enum segment::StoredTable;

// Values of a column of 32-bit numbers, by dictionary id.
Result<std::vector<uint32_t>> SmallNumbers(const segment::StoredRows& source, uint32_t column) {
  Arena arena;
  std::vector<uint32_t> numbers(source.value_count(kSpans, column));
  for (uint32_t id = 0; id < numbers.size(); ++id) {
    WEFT_ASSIGN(Value value, source.ReadValue(kSpans, column, id, &arena));
    numbers[id] = static_cast<uint32_t>(value.integer);
  }
  return numbers;
}

uint32_t NumberOf(uint32_t id, const std::vector<uint32_t>& numbers) {
  return id < numbers.size() ? numbers[id] : 0;
}

}  // namespace

Status NodeReader::Begin() {
  WEFT_ASSIGN(kinds_, SmallNumbers(*source_, span_column::kKind));
  WEFT_ASSIGN(statuses_, SmallNumbers(*source_, span_column::kStatus));
  for (uint32_t c = segment::link_column::kCount; c < source_->stored_column_count(kLinks); ++c) {
    const ColumnName name = source_->stored_column(kLinks, c);
    if (name.key != kReferenceTypeKey || name.type != ValueType::kString) continue;
    auto values = source_->SortedValues(kLinks, c);
    for (;;) {
      WEFT_ASSIGN(bool more, values->Next());
      if (!more) break;
      if (values->text != kFollowsFromType) continue;
      reference_column_ = c;
      follows_id_ = values->id;
    }
  }
  return {};
}

Status NodeReader::Read(std::span<const Row> rows, std::span<const segment::SpanNumbers> numbers,
                        std::span<trace::Node> out) {
  views_.resize(rows.size());
  WEFT_TRY(cursor_->ReadRows(kSpans, rows, views_));
  for (size_t i = 0; i < rows.size(); ++i) {
    trace::Node& node = out[i];
    node = {.span_id = numbers[i].span_id,
            .parent_span_id = numbers[i].parent_span_id,
            .start_ns = numbers[i].start_ns,
            .end_ns = trace::EndOf(numbers[i].start_ns, numbers[i].end_ns)};
    const RowView& view = views_[i];
    for (size_t s = 0; s < view.slots.size(); ++s) {
      const uint32_t column = view.slots[s].column();
      if (column == span_column::kKind) {
        node.kind = static_cast<SpanKind>(NumberOf(view.ids[s], kinds_));
      } else if (column == span_column::kStatus) {
        node.error = NumberOf(view.ids[s], statuses_) == static_cast<uint32_t>(StatusCode::kError);
      } else if (column == span_column::kResource) {
        node.resource = view.ids[s];
      } else if (column >= span_column::kCount) {
        break;  // intrinsic columns come first
      }
    }
    if (reference_column_ && numbers[i].link_count > 0) WEFT_TRY(ReadFollows(numbers[i], &node));
  }
  return {};
}

Status NodeReader::ReadFollows(const segment::SpanNumbers& numbers, trace::Node* node) {
  if (node->parent_span_id.empty()) return {};
  WEFT_ASSIGN(const TraceId own_trace, cursor_->ReadTraceId(numbers.trace));
  for (Row row = numbers.first_link; row < numbers.first_link + numbers.link_count; ++row) {
    RowView view;
    segment::LinkNumbers link;
    WEFT_TRY(cursor_->ReadRows(kLinks, {&row, 1}, {&view, 1}));
    WEFT_TRY(cursor_->ReadLinkNumbers({&row, 1}, {&link, 1}));
    if (link.trace_id != own_trace || link.span_id != node->parent_span_id) continue;
    // As columns do, the first of repeated keys counts.
    for (size_t s = 0; s < view.slots.size(); ++s)
      node->follows |=
          view.slots[s] == segment::Slot::Of(*reference_column_) && view.ids[s] == follows_id_;
  }
  return {};
}

Status NodeReader::ReadFailures(std::span<const Row> rows, std::span<trace::Node* const> nodes) {
  Arena arena;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (nodes[i]->kind != SpanKind::kClient || nodes[i]->error) continue;
    RowView view;
    WEFT_TRY(cursor_->ReadRows(kSpans, rows.subspan(i, 1), {&view, 1}));
    for (size_t s = 0; s < view.slots.size(); ++s) {
      const uint32_t column = view.slots[s].column();
      if (column < span_column::kCount) continue;
      const ColumnName name = source_->stored_column(kSpans, column);
      if (!trace::MaySayFailure(name.key)) continue;
      WEFT_ASSIGN(Value value, source_->ReadValue(kSpans, column, view.ids[s], &arena));
      nodes[i]->failed |= trace::SaysFailure({name.key, value});
    }
  }
  return {};
}

Result<trace::ClockName> NodeReader::ClockOf(uint32_t resource_row, trace::ClockNames* names) {
  if (resource_row >= source_->stored_row_count(kResources))
    return Fail(ErrorCode::kCorruption, "row names a resource that is not there");
  Arena arena;
  RowView view;
  WEFT_TRY(cursor_->ReadRows(kResources, {&resource_row, 1}, {&view, 1}));
  std::vector<KeyValue> attributes;
  for (size_t s = 0; s < view.slots.size(); ++s) {
    const uint32_t column = view.slots[s].column();
    if (column < segment::resource_column::kCount) continue;
    const ColumnName name = source_->stored_column(kResources, column);
    if (name.type != ValueType::kString) continue;
    WEFT_ASSIGN(Value value, source_->ReadValue(kResources, column, view.ids[s], &arena));
    attributes.push_back({name.key, value});
  }
  return names->Of(Resource{.attributes = attributes});
}

}  // namespace weft::block

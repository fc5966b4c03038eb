// SPDX-License-Identifier: Apache-2.0
#include "segment/composed_table.h"

#include <algorithm>

namespace weft::segment {
namespace {

// Over so many referred rows, asking the index for each costs more than it saves.
constexpr size_t kReferredRowsMax = 256;

uint32_t RowsInGroup(const ColumnSource& source, uint32_t group) {
  return source.groups().rows_in(group, source.row_count());
}

}  // namespace

ComposedTable::ComposedTable(const ColumnSource* own, const ColumnSource* resources,
                             const ColumnSource* scopes)
    : Table(own->groups()), own_(own) {
  parts_.push_back({own, 0, kAbsent});
  uint32_t first = own->column_count();
  if (resources != nullptr) {
    parts_.push_back({resources, first, span_column::kResource});
    first += resources->column_count();
  }
  if (scopes != nullptr) parts_.push_back({scopes, first, span_column::kScope});
}

std::vector<ColumnName> ComposedTable::columns() const {
  std::vector<ColumnName> names;
  for (const Part& part : parts_)
    for (uint32_t i = 0; i < part.source->column_count(); ++i)
      if (ColumnName name = part.source->column(i); name.scope != kInternal) names.push_back(name);
  return names;
}

std::vector<ColumnRef> ComposedTable::FindColumns(AttributeScope scope,
                                                  std::string_view key) const {
  std::vector<ColumnRef> found;
  for (const Part& part : parts_) {
    for (uint8_t type = 0; type < 8; ++type) {
      uint32_t column = part.source->FindColumn(scope, key, static_cast<ValueType>(type));
      if (column != kAbsent) found.push_back({part.first + column, static_cast<ValueType>(type)});
    }
  }
  return found;
}

Result<ComposedTable::Place> ComposedTable::Find(ColumnRef column) const {
  for (const Part& part : parts_)
    if (column.index >= part.first && column.index - part.first < part.source->column_count())
      return Place{&part, column.index - part.first};
  return Fail(ErrorCode::kInvalidArgument, "no such column in this table");
}

uint32_t ComposedTable::OwnColumn(ColumnRef column) const {
  const Result<Place> place = Find(column);
  if (!place) return kAbsent;
  return place->part->reference == kAbsent ? place->column : place->part->reference;
}

Result<std::shared_ptr<const Dictionary>> ComposedTable::OpenDictionary(ColumnRef column) const {
  WEFT_ASSIGN(Place place, Find(column));
  return place.part->source->OpenDictionary(place.column);
}

Status ComposedTable::ReadIds(ColumnRef column, uint32_t group, std::span<uint32_t> out) const {
  WEFT_ASSIGN(Place place, Find(column));
  if (group >= group_count() || out.size() != rows_in_group(group))
    return Fail(ErrorCode::kInvalidArgument, "no such row group");
  if (place.part->reference == kAbsent) return own_->ReadIds(place.column, group, out);
  return ReadReferredIds(place, group, out);
}

// Each row names a referred row; the referred table's ids are read once per group of it that is
// named, as a rule one.
Status ComposedTable::ReadReferredIds(const Place& place, uint32_t group,
                                      std::span<uint32_t> out) const {
  const ColumnSource& referred = *place.part->source;
  std::vector<uint32_t> rows(out.size());
  WEFT_TRY(own_->ReadIds(place.part->reference, group, rows));
  const uint32_t referred_rows = referred.row_count();
  if (std::ranges::any_of(rows, [&](uint32_t row) { return row >= referred_rows; }))
    return Fail(ErrorCode::kCorruption, "row names a resource or scope that is not there");
  std::vector<uint32_t> ids;
  const RowGroups& groups = referred.groups();
  if (referred_rows <= groups.rows()) {
    ids.resize(referred_rows);
    WEFT_TRY(referred.ReadIds(place.column, 0, ids));
    for (size_t i = 0; i < rows.size(); ++i) out[i] = ids[rows[i]];
    return {};
  }
  std::vector<bool> named(referred.group_count());
  for (uint32_t row : rows) named[groups.group_of(row)] = true;
  for (uint32_t g = 0; g < named.size(); ++g) {
    if (!named[g]) continue;
    ids.resize(RowsInGroup(referred, g));
    WEFT_TRY(referred.ReadIds(place.column, g, ids));
    for (size_t i = 0; i < rows.size(); ++i)
      if (groups.group_of(rows[i]) == g) out[i] = ids[groups.place_of(rows[i])];
  }
  return {};
}

Result<std::vector<bool>> ComposedTable::GroupsWith(ColumnRef column, uint32_t id) const {
  WEFT_ASSIGN(Place place, Find(column));
  const ColumnSource& source = *place.part->source;
  if (place.part->reference == kAbsent) return source.GroupsWith(place.column, id);
  WEFT_ASSIGN(std::vector<bool> candidates, source.GroupsWith(place.column, id));
  std::vector<uint32_t> rows, ids;
  for (uint32_t g = 0; g < candidates.size(); ++g) {
    if (!candidates[g]) continue;
    ids.resize(RowsInGroup(source, g));
    WEFT_TRY(source.ReadIds(place.column, g, ids));
    for (uint32_t i = 0; i < ids.size(); ++i)
      if (ids[i] == id) rows.push_back(source.groups().first_row(g) + i);
  }
  if (rows.size() > kReferredRowsMax) return std::vector<bool>(group_count(), true);
  std::vector<bool> groups(group_count());
  for (uint32_t row : rows) {
    WEFT_ASSIGN(std::vector<bool> with, own_->GroupsWith(place.part->reference, row));
    for (size_t g = 0; g < groups.size(); ++g)
      if (with[g]) groups[g] = true;
  }
  return groups;
}

}  // namespace weft::segment

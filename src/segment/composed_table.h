// SPDX-License-Identifier: Apache-2.0
//
// ComposedTable: Table as queries see it, put together from stored tables: the rows' own columns
// and, for spans and logs, the columns of the resource and scope rows that they name. Column
// indexes run over the own columns, then the resource's, then the scope's.
//
// Thread rule: as Segment. Made by: chunk/chunk.cc, block/block_reader.cc.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "segment/segment.h"
#include "segment/stored_rows.h"

namespace weft::segment {

// The columns of one stored table.
class ColumnSource {
 public:
  virtual ~ColumnSource() = default;
  virtual uint32_t row_count() const = 0;
  // Internal columns included.
  virtual uint32_t column_count() const = 0;
  virtual ColumnName column(uint32_t index) const = 0;
  // kAbsent when there is none.
  virtual uint32_t FindColumn(AttributeScope scope, std::string_view key, ValueType type) const = 0;
  virtual Result<std::shared_ptr<const Dictionary>> OpenDictionary(uint32_t column) const = 0;
  virtual Status ReadIds(uint32_t column, uint32_t group, std::span<uint32_t> out) const = 0;
  // For a reference column, `id` is the row referred to.
  virtual Result<std::vector<bool>> GroupsWith(uint32_t column, uint32_t id) const = 0;

  const RowGroups& groups() const { return groups_; }
  uint32_t group_count() const { return groups_.count(row_count()); }

 protected:
  explicit ColumnSource(RowGroups groups = {}) : groups_(groups) {}

 private:
  const RowGroups groups_;
};

class ComposedTable : public Table {
 public:
  // `resources` and `scopes` are null for tables that have none. All outlive this.
  ComposedTable(const ColumnSource* own, const ColumnSource* resources, const ColumnSource* scopes);

  uint32_t row_count() const override { return own_->row_count(); }
  std::vector<ColumnName> columns() const override;
  std::vector<ColumnRef> FindColumns(AttributeScope scope, std::string_view key) const override;
  Result<std::shared_ptr<const Dictionary>> OpenDictionary(ColumnRef column) const override;
  Status ReadIds(ColumnRef column, uint32_t group, std::span<uint32_t> out) const override;
  Result<std::vector<bool>> GroupsWith(ColumnRef column, uint32_t id) const override;

 protected:
  // The own column that ReadIds() reads; kAbsent where there is no such column.
  uint32_t OwnColumn(ColumnRef column) const;

 private:
  struct Part {
    const ColumnSource* source = nullptr;
    uint32_t first = 0;      // index of its first column in the composed table
    uint32_t reference = 0;  // own column that names its rows
  };
  struct Place {
    const Part* part = nullptr;
    uint32_t column = 0;
  };
  Result<Place> Find(ColumnRef column) const;
  Status ReadReferredIds(const Place& place, uint32_t group, std::span<uint32_t> out) const;

  const ColumnSource* own_;
  std::vector<Part> parts_;  // own, resources, scopes
};

}  // namespace weft::segment

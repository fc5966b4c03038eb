// SPDX-License-Identifier: Apache-2.0
//
// ColumnWriter: one column of the block being written: its dictionary pages, its value index, and
// what the footer says about it.
//
// Thread rule: one thread at a time. Next: docs/format_block.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "block/file_writer.h"
#include "column/page.h"
#include "column/text_page.h"
#include "segment/segment.h"

namespace weft::block {

class ColumnWriter {
 public:
  ColumnWriter(segment::AttributeScope scope, std::string_view key, ValueType type)
      : scope_(scope), key_(key), type_(type) {}

  // Dictionary. REQUIRES: ascending. Returns the id.
  uint32_t AddNumber(uint64_t number, FileWriter* file, column::PageSealer* sealer);
  uint32_t AddText(std::string_view text, FileWriter* file, column::PageSealer* sealer);
  void FinishDictionary(FileWriter* file, column::PageSealer* sealer);
  // A column whose ids are rows of another table.
  void SetReferences(uint32_t rows) {
    count_ = rows;
    parts_.resize(rows);
  }

  // Value index: id occurs in this part of the table.
  void Occurs(uint32_t id, uint32_t part) { parts_[id] |= uint64_t{1} << part; }
  void FinishIndex(uint32_t part_count, FileWriter* file, column::PageSealer* sealer);

  void AddRows(uint64_t rows) { rows_ += rows; }
  uint32_t value_count() const { return count_; }
  // The column's entry in section kColumns.
  void AppendMeta(std::string* out) const;

 private:
  struct Page {
    uint64_t offset = 0;
    uint32_t bytes = 0;
    uint32_t values = 0;  // 0 for index pages
    uint64_t number = 0;  // first value, or
    std::string fence;    // what separates it from the page before
  };
  void ClosePage(FileWriter* file, column::PageSealer* sealer);

  segment::AttributeScope scope_;
  std::string key_;
  ValueType type_;
  uint64_t rows_ = 0;
  uint32_t count_ = 0;
  std::vector<Page> pages_;
  std::vector<Page> index_pages_;
  std::vector<uint64_t> parts_;  // by id
  // The open page.
  std::vector<uint64_t> numbers_;
  column::TextPageBuilder text_;
  std::string fence_, last_;
};

}  // namespace weft::block

// SPDX-License-Identifier: Apache-2.0
//
// BlockDictionary: the distinct values of one column of a block, read page by page. For a key of
// the overflow column it is the part of that column's dictionary which begins with the key's
// prefix.
//
// Thread rule: immutable; lives no longer than the block.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "block/block_file.h"
#include "segment/segment.h"
#include "segment/stored_rows.h"

namespace weft::block {

class BlockDictionary : public segment::Dictionary {
 public:
  BlockDictionary(const BlockFile* file, const ColumnMeta* column);
  BlockDictionary(const BlockFile* file, const ColumnMeta* overflow, const OverflowKey& key);

  uint32_t count() const override { return end_ - first_; }
  Status ForEach(const std::function<void(uint32_t, const Value&)>& visit) const override;
  Result<uint32_t> Find(const Value& value) const override;
  Result<Value> Get(uint32_t id, Arena* arena) const override;
  Status GetEach(std::span<const uint32_t> ids, Arena* arena,
                 const VisitValue& visit) const override;

  // The keys of one page (segment/value_bytes.h), without the prefix of an overflow key; ids count
  // from the dictionary's own first value. Views die with the call.
  using VisitKey = std::function<void(uint32_t id, uint64_t number, std::string_view text)>;
  Status ForEachKey(uint32_t page, const VisitKey& visit) const;
  uint32_t page_count() const { return static_cast<uint32_t>(column_->pages.size()); }

 private:
  Status VisitAll(const std::function<void(uint32_t, const Value&)>& visit) const;
  Result<uint32_t> FindValue(const Value& value) const;
  Status VisitEach(std::span<const uint32_t> ids, Arena* arena, const VisitValue& visit) const;
  const DictionaryPage& PageOf(uint32_t id) const;
  // Of ids that all lie in the page.
  Status GetOfPage(const DictionaryPage& page, std::span<const uint32_t> ids, Arena* arena,
                   const VisitValue& visit) const;
  Result<uint32_t> FindNumber(uint64_t number) const;
  Result<uint32_t> FindText(std::string_view text) const;
  Result<std::vector<uint64_t>> ReadNumbers(const DictionaryPage& page) const;
  Status SplitOverflow(std::string_view text, uint64_t* number, std::string_view* rest) const;

  const BlockFile* file_;
  const ColumnMeta* column_;
  ValueType type_;
  uint32_t first_ = 0, end_ = 0;  // ids of the column that belong to this dictionary
  std::string prefix_;
  bool stored_as_numbers_;
};

std::unique_ptr<segment::ValueCursor> NewValueCursor(
    std::shared_ptr<const BlockDictionary> dictionary);

}  // namespace weft::block

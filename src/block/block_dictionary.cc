// SPDX-License-Identifier: Apache-2.0
#include "block/block_dictionary.h"

#include <algorithm>

#include "block/block_format.h"
#include "block/table_merge.h"
#include "column/numbers.h"
#include "column/text_page.h"
#include "segment/value_bytes.h"

namespace weft::block {

using segment::IsNumber;
using segment::kAbsent;
using segment::ValueOfNumber;

namespace {

constexpr size_t kScratchBytes = 1 << 20;

// Keys of one page at a time.
class PagedValues : public segment::ValueCursor {
 public:
  explicit PagedValues(std::shared_ptr<const BlockDictionary> dictionary)
      : dictionary_(std::move(dictionary)) {}

  Result<bool> Next() override {
    while (next_ == keys_.size()) {
      if (page_ == dictionary_->page_count()) return false;
      keys_.clear();
      text_.clear();
      next_ = 0;
      WEFT_TRY(dictionary_->ForEachKey(
          page_++, [&](uint32_t key_id, uint64_t key_number, std::string_view key_text) {
            keys_.push_back({key_id, key_number, text_.size(), key_text.size()});
            text_.append(key_text);
          }));
    }
    const Key& key = keys_[next_++];
    id = key.id;
    number = key.number;
    text = std::string_view(text_).substr(key.first, key.bytes);
    return true;
  }

 private:
  struct Key {
    uint32_t id = 0;
    uint64_t number = 0;
    size_t first = 0, bytes = 0;  // in text_
  };
  std::shared_ptr<const BlockDictionary> dictionary_;
  uint32_t page_ = 0;
  std::vector<Key> keys_;
  std::string text_;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<segment::ValueCursor> NewValueCursor(
    std::shared_ptr<const BlockDictionary> dictionary) {
  return std::make_unique<PagedValues>(std::move(dictionary));
}

BlockDictionary::BlockDictionary(const BlockFile* file, const ColumnMeta* column)
    : file_(file),
      column_(column),
      type_(column->type),
      end_(column->pages.empty() ? 0 : column->values),
      stored_as_numbers_(IsNumber(column->type)) {}

BlockDictionary::BlockDictionary(const BlockFile* file, const ColumnMeta* overflow,
                                 const OverflowKey& key)
    : file_(file),
      column_(overflow),
      type_(key.type),
      first_(key.first_id),
      end_(key.end_id),
      stored_as_numbers_(false) {
  AppendOverflowPrefix(key.key, key.type, &prefix_);
}

const DictionaryPage& BlockDictionary::PageOf(uint32_t id) const {
  auto after = std::ranges::upper_bound(column_->pages, id, {}, &DictionaryPage::first_id);
  return *std::prev(after);
}

Result<std::vector<uint64_t>> BlockDictionary::ReadNumbers(const DictionaryPage& page) const {
  WEFT_ASSIGN(BlockFile::Page payload, file_->ReadPage(page.place, "dictionary"));
  // A number takes at least a 256th of a block of two bytes, so the count is bounded by the page,
  // except in constant and run-length pages; distinct values are neither.
  if (page.values > format::kNumbersPerPage) return file_->Corrupt("malformed dictionary page");
  std::vector<uint64_t> numbers(page.values);
  column::ByteReader reader(*payload);
  WEFT_TRY(column::DecodeNumbers(&reader, numbers));
  return numbers;
}

// Values of the overflow column: the prefix, then the text, or a number with its high byte first.
Status BlockDictionary::SplitOverflow(std::string_view text, uint64_t* number,
                                      std::string_view* rest) const {
  if (!text.starts_with(prefix_)) return file_->Corrupt("overflow value of another key");
  *rest = text.substr(prefix_.size());
  if (prefix_.empty() || !IsNumber(type_)) return {};
  if (rest->size() != sizeof *number) return file_->Corrupt("malformed overflow value");
  std::memcpy(number, rest->data(), sizeof *number);
  *number = __builtin_bswap64(*number);
  return {};
}

Status BlockDictionary::ForEachKey(uint32_t index, const VisitKey& visit) const {
  const DictionaryPage& page = column_->pages[index];
  if (page.first_id >= end_ || page.first_id + page.values <= first_) return {};
  if (stored_as_numbers_) {
    WEFT_ASSIGN(std::vector<uint64_t> numbers, ReadNumbers(page));
    for (uint32_t i = 0; i < numbers.size(); ++i) visit(page.first_id + i, numbers[i], {});
    return {};
  }
  WEFT_ASSIGN(BlockFile::Page payload, file_->ReadPage(page.place, "dictionary"));
  WEFT_ASSIGN(column::TextPage text_page, column::TextPage::Open(*payload));
  if (text_page.count() != page.values) return file_->Corrupt("malformed dictionary page");
  Status inner;
  WEFT_TRY(text_page.ForEach([&](uint32_t i, std::string_view text) {
    const uint32_t id = page.first_id + i;
    if (id < first_ || id >= end_ || !inner.has_value()) return;
    uint64_t number = 0;
    std::string_view rest;
    inner = SplitOverflow(text, &number, &rest);
    if (inner.has_value()) visit(id - first_, number, rest);
  }));
  return inner;
}

Status BlockDictionary::ForEach(const std::function<void(uint32_t, const Value&)>& visit) const {
  return file_->Named(VisitAll(visit));
}
Result<uint32_t> BlockDictionary::Find(const Value& value) const {
  return file_->Named(FindValue(value));
}
Result<Value> BlockDictionary::Get(uint32_t id, Arena* arena) const {
  Value out;
  WEFT_TRY(GetEach(std::span(&id, 1), arena, [&](size_t, const Value& value) { out = value; }));
  return out;
}
Status BlockDictionary::GetEach(std::span<const uint32_t> ids, Arena* arena,
                                const VisitValue& visit) const {
  return file_->Named(VisitEach(ids, arena, visit));
}

Status BlockDictionary::VisitAll(const std::function<void(uint32_t, const Value&)>& visit) const {
  Arena arena;
  for (uint32_t page = 0; page < page_count(); ++page) {
    Status inner;
    WEFT_TRY(ForEachKey(page, [&](uint32_t id, uint64_t number, std::string_view text) {
      if (!inner.has_value()) return;
      if (IsNumber(type_)) return visit(id, ValueOfNumber(type_, number));
      Result<Value> value = segment::ValueOfBytes(type_, text, &arena);
      if (value) {
        visit(id, *value);
      } else {
        inner = Fail(std::move(value).error());
      }
      if (arena.reserved_bytes() > kScratchBytes) arena.Reset();
    }));
    WEFT_TRY(inner);
  }
  return {};
}

Result<uint32_t> BlockDictionary::FindNumber(uint64_t number) const {
  auto after = std::ranges::upper_bound(column_->pages, number, {}, &DictionaryPage::number);
  if (after == column_->pages.begin()) return kAbsent;
  const DictionaryPage& page = *std::prev(after);
  WEFT_ASSIGN(std::vector<uint64_t> numbers, ReadNumbers(page));
  auto at = std::ranges::lower_bound(numbers, number);
  if (at == numbers.end() || *at != number) return kAbsent;
  return page.first_id + static_cast<uint32_t>(at - numbers.begin());
}

// A fence is the start of its page's first value, long enough to be greater than the value before,
// unless it was cut at kFenceBytesMax: then the value may also lie in the page before.
Result<uint32_t> BlockDictionary::FindText(std::string_view text) const {
  auto page = std::ranges::upper_bound(column_->pages, text, {}, &DictionaryPage::fence);
  while (page != column_->pages.begin()) {
    --page;
    WEFT_ASSIGN(BlockFile::Page payload, file_->ReadPage(page->place, "dictionary"));
    WEFT_ASSIGN(column::TextPage text_page, column::TextPage::Open(*payload));
    if (text_page.count() != page->values) return file_->Corrupt("malformed dictionary page");
    WEFT_ASSIGN(uint32_t index, text_page.Find(text));
    if (index < page->values) return page->first_id + index;
    if (page->fence.size() < format::kFenceBytesMax) break;
  }
  return kAbsent;
}

Result<uint32_t> BlockDictionary::FindValue(const Value& value) const {
  if (value.type != type_ || count() == 0) return kAbsent;
  if (stored_as_numbers_) return FindNumber(segment::NumberKey(value));
  std::string scratch, text = prefix_;
  if (IsNumber(type_)) {
    const uint64_t ordered = __builtin_bswap64(segment::NumberKey(value));
    text.append(reinterpret_cast<const char*>(&ordered), sizeof ordered);
  } else {
    text.append(segment::BytesKey(value, &scratch));
  }
  WEFT_ASSIGN(uint32_t id, FindText(text));
  return id == kAbsent || id < first_ || id >= end_ ? kAbsent : id - first_;
}

Status BlockDictionary::VisitEach(std::span<const uint32_t> ids, Arena* arena,
                                  const VisitValue& visit) const {
  for (size_t first = 0, next; first < ids.size(); first = next) {
    if (ids[first] >= count()) return Fail(ErrorCode::kInvalidArgument, "no such dictionary id");
    const DictionaryPage& page = PageOf(first_ + ids[first]);
    const uint64_t end = uint64_t{page.first_id} + page.values;
    for (next = first + 1; next < ids.size() && uint64_t{first_} + ids[next] < end; ++next)
      if (ids[next] >= count()) return Fail(ErrorCode::kInvalidArgument, "no such dictionary id");
    WEFT_TRY(GetOfPage(page, ids.subspan(first, next - first), arena,
                       [&](size_t i, const Value& value) { visit(first + i, value); }));
  }
  return {};
}

Status BlockDictionary::GetOfPage(const DictionaryPage& page, std::span<const uint32_t> ids,
                                  Arena* arena, const VisitValue& visit) const {
  if (stored_as_numbers_) {
    WEFT_ASSIGN(std::vector<uint64_t> numbers, ReadNumbers(page));
    for (size_t i = 0; i < ids.size(); ++i)
      visit(i, ValueOfNumber(type_, numbers[first_ + ids[i] - page.first_id]));
    return {};
  }
  WEFT_ASSIGN(BlockFile::Page payload, file_->ReadPage(page.place, "dictionary"));
  WEFT_ASSIGN(column::TextPage text_page, column::TextPage::Open(*payload));
  if (text_page.count() != page.values) return file_->Corrupt("malformed dictionary page");
  for (size_t i = 0; i < ids.size(); ++i) {
    WEFT_ASSIGN(std::string text, text_page.Get(first_ + ids[i] - page.first_id));
    uint64_t number = 0;
    std::string_view rest;
    WEFT_TRY(SplitOverflow(text, &number, &rest));
    if (IsNumber(type_)) {
      visit(i, ValueOfNumber(type_, number));
      continue;
    }
    WEFT_ASSIGN(Value value, segment::ValueOfBytes(type_, arena->Copy(rest), arena));
    visit(i, value);
  }
  return {};
}

}  // namespace weft::block

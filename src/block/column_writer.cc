// SPDX-License-Identifier: Apache-2.0
#include "block/column_writer.h"

#include <algorithm>

#include "block/block_format.h"
#include "column/byte_cursor.h"
#include "column/numbers.h"
#include "column/value_index.h"
#include "segment/value_bytes.h"

namespace weft::block {
namespace {

// The shortest start of `text` that is greater than `before`.
std::string Fence(std::string_view before, std::string_view text) {
  size_t shared = static_cast<size_t>(std::ranges::mismatch(text, before).in1 - text.begin());
  return std::string(text.substr(0, std::min<size_t>(shared + 1, format::kFenceBytesMax)));
}

}  // namespace

uint32_t ColumnWriter::AddNumber(uint64_t number, FileWriter* file, column::PageSealer* sealer) {
  if (numbers_.size() == format::kNumbersPerPage) ClosePage(file, sealer);
  numbers_.push_back(number);
  return count_++;
}

// A value larger than a page gets a page of its own.
uint32_t ColumnWriter::AddText(std::string_view text, FileWriter* file,
                               column::PageSealer* sealer) {
  if (text_.count() > 0 && text_.raw_bytes() + text.size() > format::kTextPageBytes)
    ClosePage(file, sealer);
  if (text_.count() == 0) fence_ = pages_.empty() ? std::string() : Fence(last_, text);
  text_.Add(text);
  last_.assign(text);
  return count_++;
}

void ColumnWriter::ClosePage(FileWriter* file, column::PageSealer* sealer) {
  Page page;
  page.offset = file->offset();
  std::string_view sealed;
  if (segment::IsNumber(type_)) {
    page.values = static_cast<uint32_t>(numbers_.size());
    page.number = numbers_.front();
    sealed = sealer->SealNumbers({}, numbers_);
    numbers_.clear();
  } else {
    page.values = text_.count();
    page.fence = std::move(fence_);
    sealed = sealer->Seal(text_.Finish());
  }
  page.bytes = static_cast<uint32_t>(sealed.size());
  file->Append(sealed);
  pages_.push_back(std::move(page));
}

void ColumnWriter::FinishDictionary(FileWriter* file, column::PageSealer* sealer) {
  if (!numbers_.empty() || text_.count() > 0) ClosePage(file, sealer);
  last_ = {};
  numbers_ = {};
  parts_.resize(count_);
}

void ColumnWriter::FinishIndex(uint32_t part_count, FileWriter* file, column::PageSealer* sealer) {
  if (part_count <= 1) return;
  std::string payload;
  for (size_t first = 0; first < parts_.size(); first += column::kIndexIdsPerPage) {
    std::span<const uint64_t> parts(parts_);
    parts = parts.subspan(first, std::min<size_t>(column::kIndexIdsPerPage, parts.size() - first));
    payload.clear();
    column::EncodeValueIndex(parts, part_count, &payload);
    Page& page = index_pages_.emplace_back();
    if (payload.empty()) continue;
    std::string_view sealed = sealer->Seal(payload);
    page.offset = file->offset();
    page.bytes = static_cast<uint32_t>(sealed.size());
    file->Append(sealed);
  }
  if (std::ranges::all_of(index_pages_, [](const Page& page) { return page.bytes == 0; }))
    index_pages_.clear();
  parts_ = {};
}

void ColumnWriter::AppendMeta(std::string* out) const {
  column::ByteWriter writer(out);
  writer.Fixed(static_cast<uint8_t>(scope_));
  writer.Text(key_);
  writer.Fixed(static_cast<uint8_t>(type_));
  writer.Varint(rows_);
  writer.Varint(count_);
  writer.Varint(pages_.size());
  for (const Page& page : pages_) {
    writer.Varint(page.offset);
    writer.Varint(page.bytes);
    writer.Varint(page.values);
    if (segment::IsNumber(type_)) {
      writer.Fixed(page.number);
    } else {
      writer.Text(page.fence);
    }
  }
  writer.Varint(index_pages_.size());
  for (const Page& page : index_pages_) {
    writer.Varint(page.bytes);
    if (page.bytes > 0) writer.Varint(page.offset);
  }
}

}  // namespace weft::block

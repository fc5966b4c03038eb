// SPDX-License-Identifier: Apache-2.0
#include "column/text_page.h"

#include <algorithm>

#include "column/byte_cursor.h"

namespace weft::column {
namespace {

constexpr uint32_t kRestart = 16;

uint32_t RestartCount(uint32_t count) { return (count + kRestart - 1) / kRestart; }

std::unexpected<Error> Malformed() {
  return Fail(ErrorCode::kCorruption, "malformed dictionary page");
}

}  // namespace

void TextPageBuilder::Add(std::string_view text) {
  size_t shared = 0;
  if (count_ % kRestart == 0) {
    restarts_.push_back(static_cast<uint32_t>(entries_.size()));
  } else {
    shared = static_cast<size_t>(std::ranges::mismatch(text, last_).in1 - text.begin());
  }
  ByteWriter writer(&entries_);
  writer.Varint(shared);
  writer.Text(text.substr(shared));
  last_.assign(text);
  ++count_;
  raw_bytes_ += text.size();
}

std::string TextPageBuilder::Finish() {
  std::string payload;
  ByteWriter writer(&payload);
  writer.Varint(count_);
  for (uint32_t offset : restarts_) writer.Fixed(offset);
  writer.Bytes(entries_);
  entries_.clear();
  last_.clear();
  restarts_.clear();
  count_ = 0;
  raw_bytes_ = 0;
  return payload;
}

Result<TextPage> TextPage::Open(std::string_view payload) {
  TextPage page;
  ByteReader reader(payload);
  page.count_ = static_cast<uint32_t>(reader.VarintUpTo(UINT32_MAX));
  page.restarts_ = reader.Bytes(uint64_t{RestartCount(page.count_)} * sizeof(uint32_t));
  page.entries_ = reader.Rest();
  if (!reader.ok() || page.count_ > page.entries_.size()) return Malformed();
  return page;
}

uint32_t TextPage::RestartOffset(uint32_t restart) const {
  uint32_t offset;
  std::memcpy(&offset, restarts_.data() + restart * sizeof offset, sizeof offset);
  return offset;
}

Result<std::string_view> TextPage::Restart(uint32_t restart) const {
  const uint32_t offset = RestartOffset(restart);
  if (offset > entries_.size()) return Malformed();
  ByteReader reader(entries_.substr(offset));
  reader.VarintUpTo(0);
  std::string_view text = reader.Text();
  if (!reader.ok()) return Malformed();
  return text;
}

template <class Visit>
Status TextPage::Walk(uint32_t restart, Visit visit) const {
  if (count_ == 0) return {};
  const uint32_t offset = RestartOffset(restart);
  if (offset > entries_.size()) return Malformed();
  ByteReader reader(entries_.substr(offset));
  std::string text;
  for (uint32_t index = restart * kRestart; index < count_; ++index) {
    const uint64_t shared = reader.VarintUpTo(text.size());
    const std::string_view rest = reader.Text();
    if (!reader.ok()) return Malformed();
    text.resize(shared);
    text.append(rest);
    if (!visit(index, std::string_view(text))) return {};
  }
  return {};
}

Result<std::string> TextPage::Get(uint32_t index) const {
  std::string found;
  WEFT_TRY(Walk(index / kRestart, [&](uint32_t at, std::string_view text) {
    if (at == index) found.assign(text);
    return at < index;
  }));
  return found;
}

Result<uint32_t> TextPage::Find(std::string_view text) const {
  if (count_ == 0) return count_;
  uint32_t low = 0, high = RestartCount(count_);  // the last restart that is not greater
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    WEFT_ASSIGN(std::string_view first, Restart(middle));
    (first <= text ? low : high) = middle;
  }
  uint32_t found = count_;
  WEFT_TRY(Walk(low, [&](uint32_t at, std::string_view candidate) {
    if (candidate == text) found = at;
    return candidate < text && at + 1 < (low + 1) * kRestart;
  }));
  return found;
}

Status TextPage::ForEach(const std::function<void(uint32_t, std::string_view)>& visit) const {
  return Walk(0, [&](uint32_t index, std::string_view text) {
    visit(index, text);
    return true;
  });
}

}  // namespace weft::column

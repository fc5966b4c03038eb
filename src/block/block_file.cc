// SPDX-License-Identifier: Apache-2.0
#include "block/block_file.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "block/block_format.h"
#include "column/page.h"
#include "segment/value_bytes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::block {

using segment::Row;
using segment::StoredTable;

namespace {

using column::ByteReader;

std::atomic<uint64_t> next_cache_id{1};

// Reading so many bytes for nothing takes no longer than another read.
constexpr uint64_t kPrefetchGapBytes = 32 << 10;
constexpr uint64_t kPrefetchBytesMax = 1 << 20;

uint64_t EndOf(std::span<const PagePlace> places) {
  uint64_t end = 0;
  for (PagePlace place : places) end = std::max(end, place.offset + place.bytes);
  return end;
}

ByteReader& Break(ByteReader* reader) {
  reader->Bytes(UINT64_MAX);
  return *reader;
}

}  // namespace

BlockFile::~BlockFile() {
  if (cache_) cache_->Drop(cache_id_);
}

std::unexpected<Error> BlockFile::Corrupt(std::string_view what) const {
  return Fail(ErrorCode::kCorruption, path_ + ": " + std::string(what));
}

void BlockFile::NoteDamage(const Error& error) const {
  if (on_damage_) on_damage_(error);
}

Error BlockFile::NamedError(Error error) const {
  if (error.code != ErrorCode::kCorruption && error.code != ErrorCode::kIo) return error;
  if (!error.message.starts_with(path_)) error = error.WithPrefix(path_);
  NoteDamage(error);
  return error;
}

Result<std::string> BlockFile::ReadBytes(PagePlace place) const {
  std::string bytes;
  Status status;
  // Written by the read alone: zeros first would be a second pass over fresh memory. (The library
  // of GCC 12 hands over more room than was asked for.)
  bytes.resize_and_overwrite(place.bytes, [&](char* out, size_t) {
    status = file_->ReadAt(place.offset, std::span(out, place.bytes));
    return place.bytes;
  });
  WEFT_TRY(status);
  return bytes;
}

Result<BlockFile::Page> BlockFile::ReadPage(PagePlace place, std::string_view what) const {
  if (cache_)
    if (Page page = cache_->Find(cache_id_, place.offset)) return page;
  auto context = [&](Error error) {
    error = error.WithPrefix(path_ + ": " + std::string(what) + " page at " +
                             std::to_string(place.offset));
    NoteDamage(error);
    return Fail(std::move(error));
  };
  Result<std::string> bytes = ReadBytes(place);
  if (!bytes) return context(std::move(bytes).error());
  Result<std::string> payload = column::OpenPage(*bytes, verify_);
  if (!payload) return context(std::move(payload).error());
  Page page = std::make_shared<const std::string>(std::move(*payload));
  if (cache_) cache_->Add(cache_id_, place.offset, page);
  return page;
}

Result<BlockFile::Page> BlockFile::ReadGroupPage(const TableMeta& table, uint32_t group,
                                                 uint32_t key) const {
  const std::vector<GroupPage>& pages = table.groups[group].pages;
  auto at = std::ranges::lower_bound(pages, key, {}, &GroupPage::key);
  if (at == pages.end() || at->key != key) return Page();
  return ReadPage({at->offset, at->bytes}, "row group");
}

// Of the pages that are not in the cache those that are best read at once, ordered by offset.
std::vector<std::span<const PagePlace>> BlockFile::Neighbours(
    std::vector<PagePlace>* places) const {
  std::erase_if(*places, [&](PagePlace place) {
    return place.bytes == 0 || cache_->Contains(cache_id_, place.offset);
  });
  std::ranges::sort(*places, {}, &PagePlace::offset);
  std::vector<std::span<const PagePlace>> runs;
  for (size_t first = 0, next; first < places->size(); first = next) {
    const uint64_t start = (*places)[first].offset;
    uint64_t end = start + (*places)[first].bytes;
    for (next = first + 1; next < places->size(); ++next) {
      const PagePlace place = (*places)[next];
      const uint64_t longer = std::max(end, place.offset + place.bytes);
      if (place.offset > end + kPrefetchGapBytes || longer - start > kPrefetchBytesMax) break;
      end = longer;
    }
    runs.push_back(std::span(*places).subspan(first, next - first));
  }
  return runs;
}

void BlockFile::Prefetch(std::vector<PagePlace> places) const {
  if (!cache_) return;
  // A page alone is read when it is needed.
  for (std::span<const PagePlace> run : Neighbours(&places))
    if (run.size() > 1) ReadTogether(run);
}

void BlockFile::WillNeed(std::vector<PagePlace> places) const {
  if (!cache_) return;
  for (std::span<const PagePlace> run : Neighbours(&places))
    file_->WillNeed(run.front().offset, EndOf(run) - run.front().offset);
}

void BlockFile::ReadTogether(std::span<const PagePlace> places) const {
  const uint64_t start = places.front().offset;
  Result<std::string> bytes = ReadBytes({start, static_cast<uint32_t>(EndOf(places) - start)});
  if (!bytes) return;
  for (PagePlace place : places) {
    const std::string_view page =
        std::string_view(*bytes).substr(place.offset - start, place.bytes);
    Result<std::string> payload = column::OpenPage(page, verify_);
    if (!payload) continue;
    cache_->AddAhead(cache_id_, place.offset,
                     std::make_shared<const std::string>(std::move(*payload)));
  }
}

PagePlace BlockFile::CheckPlace(PagePlace place, ByteReader* reader) const {
  if (place.offset > bytes_ || place.bytes > bytes_ - place.offset) Break(reader);
  return place;
}

PagePlace BlockFile::ParsePlace(ByteReader* reader) const {
  PagePlace place;
  place.offset = reader->Varint();
  place.bytes = static_cast<uint32_t>(reader->VarintUpTo(UINT32_MAX));
  return CheckPlace(place, reader);
}

Result<std::unique_ptr<BlockFile>> BlockFile::OpenFile(Env* env, const std::string& path,
                                                       bool verify) {
  std::unique_ptr<BlockFile> block(new BlockFile());
  block->path_ = path;
  block->cache_id_ = next_cache_id.fetch_add(1);
  block->verify_ = verify;
  WEFT_ASSIGN(block->file_, env->OpenRead(path));
  block->bytes_ = block->file_->bytes();
  for (uint32_t t = 0; t < segment::kStoredTables; ++t)
    block->tables_[t].id = StoredTable{static_cast<uint8_t>(t)};
  return block;
}

Result<std::unique_ptr<BlockFile>> BlockFile::Open(Env* env, const std::string& path,
                                                   std::shared_ptr<PageCache> cache, bool verify,
                                                   OnDamage on_damage) {
  WEFT_ASSIGN(std::unique_ptr<BlockFile> block, OpenFile(env, path, verify));
  WEFT_ASSIGN(const std::vector<Section> sections, block->ReadFooter());
  WEFT_TRY(block->ReadSections(sections));
  // Sections were read once and are kept parsed: only now do pages go through the cache.
  block->cache_ = std::move(cache);
  block->on_damage_ = std::move(on_damage);
  return block;
}

Result<std::string> BlockFile::ReadFilter(Env* env, const std::string& path,
                                          const BlockIdentity& expected) {
  WEFT_ASSIGN(const std::unique_ptr<BlockFile> block, OpenFile(env, path, true));
  WEFT_ASSIGN(const std::vector<Section> sections, block->ReadFooter());
  for (const Section& section : sections) {
    const auto tag = static_cast<format::Section>(section.tag);
    if (tag != format::Section::kSummary && tag != format::Section::kTraceFilter) continue;
    WEFT_TRY(block->ReadSection(section));
  }
  if (block->identity() != expected) return block->Corrupt("another block's file");
  if (block->trace_filter_.empty()) return block->Corrupt("no trace filter");
  return std::move(block->trace_filter_);
}

Result<PagePlace> BlockFile::ReadTrailer() {
  if (bytes_ < format::kMagic.size() + format::kTrailerBytes)
    return Corrupt("too short to be a block");
  WEFT_ASSIGN(std::string magic, ReadBytes({0, static_cast<uint32_t>(format::kMagic.size())}));
  WEFT_ASSIGN(std::string trailer,
              ReadBytes({bytes_ - format::kTrailerBytes, format::kTrailerBytes}));
  ByteReader reader(trailer);
  PagePlace place;
  place.offset = reader.Fixed<uint64_t>();
  place.bytes = reader.Fixed<uint32_t>();
  reader.Fixed<uint32_t>();
  const bool sum_matches = reader.Fixed<uint64_t>() == XXH3_64bits(trailer.data(), 16);
  if (magic != format::kMagic || reader.Rest() != format::kMagic)
    return Corrupt("not a block of a version that this program reads");
  if (verify_ && !sum_matches) return Corrupt("trailer checksum differs");
  if (place.offset > bytes_ || place.bytes > bytes_ - place.offset)
    return Corrupt("footer lies outside of the file");
  identity_bytes_ = std::move(trailer);
  return place;
}

Result<std::vector<BlockFile::Section>> BlockFile::ReadFooter() {
  WEFT_ASSIGN(const PagePlace place, ReadTrailer());
  WEFT_ASSIGN(const std::string bytes, ReadBytes(place));
  WEFT_ASSIGN(const Page footer, ReadPage(place, "footer"));
  identity_bytes_ += bytes;
  sections_.push_back(place);
  ByteReader entries(*footer);
  std::vector<Section> sections;
  for (uint64_t left = entries.VarintUpTo(entries.left()); left > 0 && entries.ok(); --left) {
    const uint64_t tag = entries.Varint();
    sections.push_back({tag, ParsePlace(&entries)});
  }
  if (!entries.ok()) return Corrupt("malformed footer");
  return sections;
}

Status BlockFile::ReadSections(const std::vector<Section>& sections) {
  uint32_t seen = 0;
  for (const Section& section : sections) {
    sections_.push_back(section.place);
    if (section.tag == 0 || section.tag > static_cast<uint64_t>(format::Section::kGroupRows))
      continue;
    if (section.tag == static_cast<uint64_t>(format::Section::kGroupRows) &&
        (seen & 1u << static_cast<uint32_t>(format::Section::kGroups)) != 0)
      return Corrupt("malformed footer");
    seen |= 1u << section.tag;
    WEFT_TRY(ReadSection(section));
  }
  // Summary, columns, groups, traces and the index are in every block; the others may not be.
  constexpr uint32_t kNeeded = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 6;
  if ((seen & kNeeded) != kNeeded) return Corrupt("malformed footer");
  return CheckTables();
}

Status BlockFile::ReadSection(const Section& section) {
  WEFT_ASSIGN(const Page payload, ReadPage(section.place, "section"));
  switch (static_cast<format::Section>(section.tag)) {
    case format::Section::kSummary: {
      WEFT_ASSIGN(const std::string bytes, ReadBytes(section.place));
      identity_bytes_ += bytes;
      summary_checksum_ = XXH3_64bits(identity_bytes_.data(), identity_bytes_.size());
      return ParseSummary(*payload);
    }
    case format::Section::kColumns:
      columns_payload_ = *payload;
      return ParseColumns(columns_payload_);
    case format::Section::kGroups:
      return ParseGroups(*payload);
    case format::Section::kTraces:
      return ParseTraces(*payload);
    case format::Section::kTraceFilter:
      trace_filter_ = *payload;
      return {};
    case format::Section::kTraceIndex:
      return ParseTraceIndex(*payload);
    case format::Section::kOverflow:
      overflow_payload_ = *payload;
      return ParseOverflow(overflow_payload_);
    case format::Section::kDerived:
      return ParseDerived(*payload);
    case format::Section::kGroupRows:
      return ParseGroupRows(*payload);
  }
  return {};
}

Status BlockFile::ParseSummary(std::string_view payload) {
  ByteReader reader(payload);
  traces_ = static_cast<uint32_t>(reader.VarintUpTo(UINT32_MAX));
  time_range_.first = reader.Varint();
  time_range_.second = reader.Varint();
  received_range_.first = reader.Varint();
  received_range_.second = reader.Varint();
  content_checksum_ = reader.Fixed<uint64_t>();
  content_bytes_ = reader.VarintUpTo(bytes_);
  if (!reader.ok()) return Corrupt("malformed summary");
  return {};
}

Status BlockFile::ParseDerived(std::string_view payload) {
  ByteReader reader(payload);
  rule_version_ = reader.Varint();
  shift_max_ns_ = reader.Varint();
  if (!reader.ok()) return Corrupt("malformed section of derived columns");
  return {};
}

Status BlockFile::ParseColumn(ByteReader* reader, ColumnMeta* column) {
  column->scope = segment::AttributeScope{reader->Fixed<uint8_t>()};
  column->key = reader->Text();
  const uint8_t type = reader->Fixed<uint8_t>();
  column->type = ValueType{type};
  column->rows = reader->Varint();
  column->values = static_cast<uint32_t>(reader->VarintUpTo(UINT32_MAX));
  if (type > static_cast<uint8_t>(ValueType::kBytes)) return Corrupt("column of an unknown type");
  uint64_t values = 0;
  for (uint64_t left = reader->VarintUpTo(reader->left()); left > 0 && reader->ok(); --left) {
    DictionaryPage& page = column->pages.emplace_back();
    page.place = ParsePlace(reader);
    page.first_id = static_cast<uint32_t>(values);
    page.values = static_cast<uint32_t>(reader->VarintUpTo(UINT32_MAX));
    values += page.values;
    if (segment::IsNumber(column->type)) {
      page.number = reader->Fixed<uint64_t>();
    } else {
      page.fence = reader->Text();
    }
    if (page.values == 0 || values > column->values) return Corrupt("malformed dictionary");
  }
  for (uint64_t left = reader->VarintUpTo(reader->left()); left > 0 && reader->ok(); --left) {
    PagePlace& place = column->index.emplace_back();
    place.bytes = static_cast<uint32_t>(reader->VarintUpTo(UINT32_MAX));
    if (place.bytes > 0) place.offset = reader->Varint();
    CheckPlace(place, reader);
  }
  if (!reader->ok()) return Corrupt("malformed columns section");
  if (!column->pages.empty() && values != column->values) return Corrupt("malformed dictionary");
  return {};
}

Status BlockFile::ParseColumns(std::string_view payload) {
  ByteReader reader(payload);
  for (TableMeta& table : tables_) {
    const uint64_t count = reader.VarintUpTo(reader.left());
    for (uint64_t i = 0; i < count && reader.ok(); ++i) {
      WEFT_TRY(ParseColumn(&reader, &table.columns.emplace_back()));
      const ColumnMeta& column = table.columns.back();
      if (column.scope == segment::kInternal && column.key == format::kOverflowKey)
        table.overflow_column = static_cast<uint32_t>(i);
    }
    std::span<const segment::IntrinsicColumn> intrinsic = segment::IntrinsicColumns(table.id);
    bool same = table.columns.size() >= intrinsic.size();
    for (size_t i = 0; same && i < intrinsic.size(); ++i)
      same = table.columns[i].scope == intrinsic[i].scope &&
             table.columns[i].key == intrinsic[i].key && table.columns[i].type == intrinsic[i].type;
    if (!reader.ok() || !same) return Corrupt("malformed columns section");
  }
  return {};
}

Status BlockFile::ParseGroup(ByteReader* reader, TableMeta* table) {
  GroupMeta& group = table->groups.emplace_back();
  uint64_t offset = reader->Varint();
  group.time_min_ns = reader->Varint();
  group.time_max_ns = group.time_min_ns + reader->Varint();
  if (table->id == StoredTable::kSpans) {
    group.first_event = static_cast<Row>(reader->VarintUpTo(UINT32_MAX));
    group.first_link = static_cast<Row>(reader->VarintUpTo(UINT32_MAX));
  }
  uint64_t key = 0;
  for (uint64_t left = reader->VarintUpTo(reader->left()); left > 0 && reader->ok(); --left) {
    GroupPage& page = group.pages.emplace_back();
    key += reader->VarintUpTo(UINT32_MAX);
    page.key = static_cast<uint32_t>(key);
    page.bytes = static_cast<uint32_t>(reader->VarintUpTo(UINT32_MAX));
    page.offset = offset;
    offset += page.bytes;
    if (offset > bytes_ || key > UINT32_MAX) return Corrupt("row group lies outside of the file");
  }
  if (!reader->ok()) return Corrupt("malformed groups section");
  return {};
}

Status BlockFile::ParseGroupRows(std::string_view payload) {
  ByteReader reader(payload);
  const uint64_t rows = reader.Varint();
  if (!reader.ok() || !segment::RowGroups::IsValid(rows))
    return Corrupt("malformed size of row groups");
  for (TableMeta& table : tables_)
    table.row_groups = segment::RowGroups(static_cast<uint32_t>(rows));
  return {};
}

Status BlockFile::ParseGroups(std::string_view payload) {
  ByteReader reader(payload);
  for (TableMeta& table : tables_) {
    table.rows = static_cast<uint32_t>(reader.VarintUpTo(UINT32_MAX - 1));
    table.groups_per_part = static_cast<uint32_t>(reader.VarintUpTo(UINT32_MAX));
    const uint64_t groups = reader.VarintUpTo(reader.left());
    if (!reader.ok() || table.groups_per_part == 0 || groups != table.row_groups.count(table.rows))
      return Corrupt("malformed groups section");
    for (uint64_t i = 0; i < groups; ++i) WEFT_TRY(ParseGroup(&reader, &table));
  }
  return {};
}

Status BlockFile::ParseTraces(std::string_view payload) {
  ByteReader reader(payload);
  uint64_t ordinal = 0;
  while (reader.ok() && reader.left() > 0) {
    TracePage& page = trace_pages_.emplace_back();
    page.first_ordinal = static_cast<uint32_t>(ordinal);
    page.traces = static_cast<uint32_t>(reader.VarintUpTo(format::kTracesPerPage));
    ordinal += page.traces;
    page.first_span = static_cast<Row>(reader.VarintUpTo(UINT32_MAX));
    page.first_log = static_cast<Row>(reader.VarintUpTo(UINT32_MAX));
    uint64_t offset = reader.Varint();
    for (PagePlace* place :
         {&page.ids, &page.starts, &page.durations, &page.first_spans, &page.first_logs}) {
      place->offset = offset;
      place->bytes = static_cast<uint32_t>(reader.VarintUpTo(UINT32_MAX));
      CheckPlace(*place, &reader);
      offset += place->bytes;
    }
    if (page.traces == 0 || ordinal > UINT32_MAX) Break(&reader);
    if (trace_pages_.size() > 1) {
      const TracePage& before = trace_pages_[trace_pages_.size() - 2];
      if (before.first_span > page.first_span || before.first_log > page.first_log ||
          before.traces != format::kTracesPerPage)
        Break(&reader);
    }
  }
  if (!reader.ok()) return Corrupt("malformed traces section");
  return {};
}

Status BlockFile::ParseTraceIndex(std::string_view payload) {
  ByteReader reader(payload);
  while (reader.ok() && reader.left() > 0) {
    TraceIndexPage& page = trace_index_.emplace_back();
    page.entries = static_cast<uint32_t>(reader.VarintUpTo(format::kTracesPerPage));
    page.first_hash = reader.Fixed<uint32_t>();
    page.place = ParsePlace(&reader);
  }
  if (!reader.ok()) return Corrupt("malformed trace index section");
  return {};
}

Status BlockFile::ParseOverflow(std::string_view payload) {
  ByteReader reader(payload);
  for (TableMeta& table : tables_) {
    for (uint64_t left = reader.VarintUpTo(reader.left()); left > 0 && reader.ok(); --left) {
      OverflowKey key;
      key.scope = segment::AttributeScope{reader.Fixed<uint8_t>()};
      key.key = reader.Text();
      const uint8_t type = reader.Fixed<uint8_t>();
      key.type = ValueType{type};
      key.first_id = static_cast<uint32_t>(reader.VarintUpTo(UINT32_MAX));
      const bool ascends = table.overflow.empty() ? key.first_id == 0
                                                  : table.overflow.back().first_id < key.first_id;
      if (!reader.ok() || !ascends || type > static_cast<uint8_t>(ValueType::kBytes))
        return Corrupt("malformed overflow section");
      if (!table.overflow.empty()) table.overflow.back().end_id = key.first_id;
      table.overflow.push_back(key);
    }
  }
  if (!reader.ok()) return Corrupt("malformed overflow section");
  return {};
}

// What must agree between sections.
Status BlockFile::CheckTables() {
  uint64_t in_pages = 0;
  for (const TracePage& page : trace_pages_) in_pages += page.traces;
  if (in_pages != traces_) return Corrupt("traces and summary contradict each other");
  for (TableMeta& table : tables_) {
    if (!table.overflow.empty() && table.overflow_column == segment::kAbsent)
      return Corrupt("overflow keys without their column");
    if (table.overflow_column != segment::kAbsent) {
      const ColumnMeta& column = table.columns[table.overflow_column];
      const uint32_t values = column.values;
      if (column.type != ValueType::kBytes) return Corrupt("malformed overflow column");
      if (table.overflow.empty() ? values > 0 : table.overflow.back().first_id >= values)
        return Corrupt("overflow keys and column contradict each other");
      if (!table.overflow.empty()) table.overflow.back().end_id = values;
    }
    for (uint32_t c = 0; c < table.columns.size(); ++c) {
      const ColumnMeta& column = table.columns[c];
      if (segment::IsReference(table.id, c)) {
        const StoredTable referred =
            c == segment::span_column::kResource ? StoredTable::kResources : StoredTable::kScopes;
        if (column.values != this->table(referred).rows || !column.pages.empty())
          return Corrupt("reference column and its table contradict each other");
      } else if (column.pages.empty() && column.values > 0) {
        return Corrupt("dictionary without pages");
      }
    }
  }
  return {};
}

std::vector<PagePlace> BlockFile::AllPages() const {
  std::vector<PagePlace> places = sections_;
  for (const TableMeta& table : tables_) {
    for (const GroupMeta& group : table.groups)
      for (const GroupPage& page : group.pages) places.push_back({page.offset, page.bytes});
    for (const ColumnMeta& column : table.columns) {
      for (const DictionaryPage& page : column.pages) places.push_back(page.place);
      for (const PagePlace& place : column.index)
        if (place.bytes > 0) places.push_back(place);
    }
  }
  for (const TracePage& page : trace_pages_)
    places.insert(places.end(),
                  {page.ids, page.starts, page.durations, page.first_spans, page.first_logs});
  for (const TraceIndexPage& page : trace_index_) places.push_back(page.place);
  return places;
}

}  // namespace weft::block

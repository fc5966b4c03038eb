// SPDX-License-Identifier: Apache-2.0
#include "block/table_merge.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "block/block_format.h"
#include "column/byte_cursor.h"
#include "segment/value_bytes.h"

namespace weft::block {

using segment::ColumnName;
using segment::kAbsent;
using segment::StoredRows;

namespace {

// One source's dictionary in a merge.
struct Stream {
  std::unique_ptr<segment::ValueCursor> cursor;
  std::vector<uint32_t>* ids = nullptr;
  bool more = true;
};

// Smallest key among the streams: linear, there are few.
Stream* Smallest(std::vector<Stream>& streams, bool is_number) {
  Stream* smallest = nullptr;
  for (Stream& stream : streams) {
    if (!stream.more) continue;
    if (smallest == nullptr || (is_number ? stream.cursor->number < smallest->cursor->number
                                          : stream.cursor->text < smallest->cursor->text))
      smallest = &stream;
  }
  return smallest;
}

Status Advance(Stream* stream) {
  WEFT_ASSIGN(stream->more, stream->cursor->Next());
  if (stream->more && stream->cursor->id >= stream->ids->size())
    return Fail(ErrorCode::kCorruption, "dictionary has more values than it says");
  return {};
}

auto NameOf(const ColumnName& column) { return std::tuple(column.scope, column.key, column.type); }

}  // namespace

void AppendOverflowPrefix(std::string_view key, ValueType type, std::string* out) {
  column::ByteWriter writer(out);
  writer.Text(key);
  writer.Fixed(static_cast<uint8_t>(type));
}

// Intrinsic columns first and in their order, then the others in order of first appearance.
std::vector<TableMerge::Merged> TableMerge::CollectColumns(
    std::span<const StoredRows* const> sources) {
  std::vector<Merged> merged;
  std::map<std::tuple<segment::AttributeScope, std::string_view, ValueType>, size_t> index;
  auto find = [&](segment::AttributeScope scope, std::string_view key, ValueType type) -> Merged& {
    auto [at, added] = index.try_emplace({scope, key, type}, merged.size());
    if (added) merged.push_back({.name = {scope, key, type}});
    return merged[at->second];
  };
  for (const segment::IntrinsicColumn& column : segment::IntrinsicColumns(table_))
    find(column.scope, column.key, column.type);
  for (uint32_t s = 0; s < sources.size(); ++s) {
    std::vector<uint64_t> use = sources[s]->ColumnUse(table_);
    for (uint32_t c = 0; c < sources[s]->stored_column_count(table_); ++c) {
      ColumnName name = sources[s]->stored_column(table_, c);
      // A block shows the keys that share its overflow column as columns of their own.
      if (name.scope == segment::kInternal && name.key == format::kOverflowKey) continue;
      Merged& column = find(name.scope, name.key, name.type);
      column.use += use[c];
      column.members.push_back({s, c});
    }
  }
  return merged;
}

Status TableMerge::Build(segment::StoredTable table, std::span<const StoredRows* const> sources,
                         uint32_t columns_max, FileWriter* file, column::PageSealer* sealer) {
  table_ = table;
  sources_.resize(sources.size());
  for (size_t s = 0; s < sources.size(); ++s)
    sources_[s].resize(sources[s]->stored_column_count(table));
  std::vector<Merged> merged = CollectColumns(sources);
  const size_t intrinsic = segment::IntrinsicColumns(table).size();
  size_t kept = merged.size();
  if (merged.size() > columns_max) {
    kept = std::max<size_t>(intrinsic, columns_max - 1);
    std::stable_sort(merged.begin() + static_cast<ptrdiff_t>(intrinsic), merged.end(),
                     [](const Merged& a, const Merged& b) {
                       if (a.use != b.use) return a.use > b.use;
                       return NameOf(a.name) < NameOf(b.name);
                     });
  }
  RankColumns(std::span(merged).first(kept));
  for (size_t c = 0; c < kept; ++c) WEFT_TRY(MergeColumn(merged[c], sources, file, sealer));
  if (kept == merged.size()) return {};
  return MergeOverflow(std::span(merged).subspan(kept), sources, file, sealer);
}

void TableMerge::RankColumns(std::span<const Merged> kept) {
  std::vector<uint32_t> order(kept.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](uint32_t c) { return NameOf(kept[c].name); });
  ranks_.assign(kept.size() + 1, static_cast<uint32_t>(kept.size()));
  for (uint32_t place = 0; place < order.size(); ++place) ranks_[order[place]] = place;
}

Status TableMerge::MergeColumn(const Merged& merged, std::span<const StoredRows* const> sources,
                               FileWriter* file, column::PageSealer* sealer) {
  const uint32_t column = static_cast<uint32_t>(columns_.size());
  ColumnWriter& writer =
      columns_.emplace_back(merged.name.scope, merged.name.key, merged.name.type);
  const bool is_number = segment::IsNumber(merged.name.type);
  std::vector<Stream> streams;
  for (const Member& member : merged.members) {
    SourceColumn& of_source = sources_[member.source][member.column];
    of_source.column = column;
    if (segment::IsReference(table_, column)) continue;
    of_source.ids.resize(sources[member.source]->value_count(table_, member.column));
    streams.push_back(
        {sources[member.source]->SortedValues(table_, member.column), &of_source.ids});
    WEFT_TRY(Advance(&streams.back()));
  }
  std::string last;
  uint64_t last_number = 0;
  uint32_t id = kAbsent;
  while (Stream* stream = Smallest(streams, is_number)) {
    const segment::ValueCursor& cursor = *stream->cursor;
    const bool same =
        id != kAbsent && (is_number ? cursor.number == last_number : cursor.text == last);
    if (!same && is_number) {
      last_number = cursor.number;
      id = writer.AddNumber(cursor.number, file, sealer);
    } else if (!same) {
      last.assign(cursor.text);
      id = writer.AddText(cursor.text, file, sealer);
    }
    (*stream->ids)[cursor.id] = id;
    WEFT_TRY(Advance(stream));
  }
  writer.FinishDictionary(file, sealer);
  return file->status();
}

// The values of rare columns, prefixed, sorted together. They are few bytes each by nature: a
// column with many values has many rows and is not rare.
Status TableMerge::MergeOverflow(std::span<const Merged> rare,
                                 std::span<const StoredRows* const> sources, FileWriter* file,
                                 column::PageSealer* sealer) {
  struct Entry {
    std::string bytes;
    uint32_t* id = nullptr;
    uint32_t key = 0;
  };
  overflow_ = static_cast<uint32_t>(columns_.size());
  ColumnWriter& writer =
      columns_.emplace_back(segment::kInternal, format::kOverflowKey, ValueType::kBytes);
  std::vector<Entry> entries;
  for (uint32_t r = 0; r < rare.size(); ++r) {
    const ColumnName& name = rare[r].name;
    std::string prefix;
    AppendOverflowPrefix(name.key, name.type, &prefix);
    for (const Member& member : rare[r].members) {
      SourceColumn& of_source = sources_[member.source][member.column];
      of_source.column = overflow_;
      of_source.ids.resize(sources[member.source]->value_count(table_, member.column));
      Stream stream{sources[member.source]->SortedValues(table_, member.column), &of_source.ids};
      WEFT_TRY(Advance(&stream));
      while (stream.more) {
        Entry& entry = entries.emplace_back(Entry{prefix, &of_source.ids[stream.cursor->id], r});
        if (segment::IsNumber(name.type)) {
          const uint64_t ordered = __builtin_bswap64(stream.cursor->number);
          entry.bytes.append(reinterpret_cast<const char*>(&ordered), sizeof ordered);
        } else {
          entry.bytes.append(stream.cursor->text);
        }
        WEFT_TRY(Advance(&stream));
      }
    }
  }
  std::ranges::sort(entries, {}, &Entry::bytes);
  column::ByteWriter keys(&overflow_keys_);
  uint32_t id = kAbsent;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i == 0 || entries[i].bytes != entries[i - 1].bytes)
      id = writer.AddText(entries[i].bytes, file, sealer);
    *entries[i].id = id;
    if (i > 0 && entries[i].key == entries[i - 1].key) continue;
    const ColumnName& name = rare[entries[i].key].name;
    keys.Fixed(static_cast<uint8_t>(name.scope));
    keys.Text(name.key);
    keys.Fixed(static_cast<uint8_t>(name.type));
    keys.Varint(id);
    ++overflow_key_count_;
  }
  writer.FinishDictionary(file, sealer);
  return file->status();
}

void TableMerge::SetReferences(uint32_t column, uint32_t row_count,
                               const std::vector<std::vector<uint32_t>>& rows) {
  columns_[column].SetReferences(row_count);
  for (size_t s = 0; s < sources_.size(); ++s) sources_[s][column].ids = rows[s];
}

Result<TableMerge::MappedRow> TableMerge::Map(uint32_t source, const segment::RowView& row) {
  slots_.resize(row.slots.size());
  ids_.resize(row.slots.size());
  const std::vector<SourceColumn>& columns = sources_[source];
  for (size_t i = 0; i < row.slots.size(); ++i) {
    const uint32_t column = row.slots[i].column();
    if (column >= columns.size() || row.ids[i] >= columns[column].ids.size())
      return Fail(ErrorCode::kCorruption, "row names a value that is not in its dictionary");
    slots_[i] = segment::Slot::Of(columns[column].column, row.slots[i].repeated());
    ids_[i] = columns[column].ids[row.ids[i]];
  }
  return MappedRow{slots_, ids_};
}

}  // namespace weft::block

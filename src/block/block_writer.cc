// SPDX-License-Identifier: Apache-2.0
#include "block/block_writer.h"

#include <algorithm>
#include <optional>

#include "block/block_format.h"
#include "block/block_merge.h"
#include "block/file_writer.h"
#include "block/trace_directory_writer.h"
#include "column/byte_cursor.h"
#include "segment/stored_rows.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::block {

using segment::kStoredTables;
using segment::Segment;
using segment::StoredRows;
using segment::StoredTable;

namespace {

class Writing {
 public:
  Writing(std::unique_ptr<WritableFile> file,
          std::span<const std::shared_ptr<const Segment>> segments,
          const WriteBlockOptions& options)
      : segments_(segments),
        options_(options),
        file_(std::move(file)),
        sealer_(options.zstd_level),
        sources_(RowsOfAll(segments)),
        merge_(sources_, &file_, &sealer_, options.columns_max,
               segment::RowGroups(options.group_rows), options.clock_rule, options.hold),
        traces_(&file_, &sealer_) {}

  Result<BlockSummary> Run();

 private:
  static std::vector<const StoredRows*> RowsOfAll(
      std::span<const std::shared_ptr<const Segment>> segments) {
    std::vector<const StoredRows*> rows;
    for (const auto& segment : segments) rows.push_back(&segment->stored_rows());
    return rows;
  }
  Status CollectFragments();
  Status AddTraces();
  void Summarize();
  void WriteSection(format::Section tag, std::string_view payload);
  void WriteFooter();
  std::string SummaryPayload() const;
  std::string ColumnsPayload();
  std::string GroupsPayload();
  std::string OverflowPayload();
  std::string DerivedPayload() const;

  std::span<const std::shared_ptr<const Segment>> segments_;
  const WriteBlockOptions& options_;
  FileWriter file_;
  column::PageSealer sealer_;
  std::vector<const StoredRows*> sources_;
  BlockMerge merge_;
  TraceDirectoryWriter traces_;
  std::vector<TraceFragment> fragments_;  // those of one trace side by side
  std::vector<uint32_t> order_;           // first fragment of each trace, by trace start
  BlockSummary summary_;
  std::string footer_, summary_page_;
  uint32_t sections_ = 0;
};

Status Writing::CollectFragments() {
  std::vector<segment::TraceEntry> entries;
  for (uint32_t s = 0; s < segments_.size(); ++s) {
    entries.resize(segments_[s]->trace_count());
    WEFT_TRY(segments_[s]->ReadTraces(0, entries));
    for (uint32_t i = 0; i < entries.size(); ++i)
      fragments_.push_back({entries[i].id, s, i, entries[i].start_ns});
  }
  std::ranges::sort(fragments_, [](const TraceFragment& a, const TraceFragment& b) {
    return std::tie(a.id, a.source, a.ordinal) < std::tie(b.id, b.source, b.ordinal);
  });
  for (uint32_t i = 0; i < fragments_.size(); ++i) {
    if (i > 0 && fragments_[i].id == fragments_[i - 1].id) {
      TraceFragment& first = fragments_[order_.back()];
      first.start_ns = std::min(first.start_ns, fragments_[i].start_ns);
    } else {
      order_.push_back(i);
    }
  }
  std::ranges::sort(order_, [&](uint32_t a, uint32_t b) {
    return std::tie(fragments_[a].start_ns, fragments_[a].id) <
           std::tie(fragments_[b].start_ns, fragments_[b].id);
  });
  return {};
}

Status Writing::AddTraces() {
  for (uint32_t first : order_) {
    uint32_t end = first + 1;
    while (end < fragments_.size() && fragments_[end].id == fragments_[first].id) ++end;
    WEFT_ASSIGN(
        BlockMerge::TraceRows rows,
        merge_.AddTrace(std::span(fragments_).subspan(first, end - first), options_.cancelled));
    traces_.Add(fragments_[first].id, rows);
  }
  return {};
}

void Writing::Summarize() {
  summary_.spans = merge_.groups(StoredTable::kSpans).row_count();
  summary_.logs = merge_.groups(StoredTable::kLogs).row_count();
  summary_.traces = traces_.count();
  summary_.duplicate_spans = merge_.duplicate_spans;
  summary_.duplicate_logs = merge_.duplicate_logs;
  std::optional<std::pair<uint64_t, uint64_t>> starts, received;
  auto cover = [](auto& range, std::pair<uint64_t, uint64_t> more) {
    if (!range) range = more;
    range = {std::min(range->first, more.first), std::max(range->second, more.second)};
  };
  // Log records count for the time range only where there is no span at all.
  for (size_t s = 0; s < segments_.size(); ++s) {
    const bool spans = sources_[s]->stored_row_count(StoredTable::kSpans) > 0;
    const bool logs = sources_[s]->stored_row_count(StoredTable::kLogs) > 0;
    if (!spans && !logs) continue;
    cover(received, segments_[s]->received_range());
    if (spans || summary_.spans == 0) cover(starts, segments_[s]->time_range());
  }
  if (starts) std::tie(summary_.start_min_ns, summary_.start_max_ns) = *starts;
  if (received) std::tie(summary_.received_min_ns, summary_.received_max_ns) = *received;
}

std::string Writing::SummaryPayload() const {
  std::string payload;
  column::ByteWriter writer(&payload);
  writer.Varint(summary_.traces);
  for (uint64_t time : {summary_.start_min_ns, summary_.start_max_ns, summary_.received_min_ns,
                        summary_.received_max_ns})
    writer.Varint(time);
  writer.Fixed(file_.checksum());
  writer.Varint(file_.offset());
  return payload;
}

std::string Writing::ColumnsPayload() {
  std::string payload;
  column::ByteWriter writer(&payload);
  for (uint32_t t = 0; t < kStoredTables; ++t) {
    TableMerge& merge = merge_.merge(StoredTable{uint8_t(t)});
    writer.Varint(merge.columns().size());
    for (const ColumnWriter& column : merge.columns()) column.AppendMeta(&payload);
  }
  return payload;
}

std::string Writing::GroupsPayload() {
  std::string payload;
  for (uint32_t t = 0; t < kStoredTables; ++t)
    merge_.groups(StoredTable{uint8_t(t)}).AppendMeta(&payload);
  return payload;
}

// Nothing where no table has an overflow column.
std::string Writing::OverflowPayload() {
  std::string payload;
  column::ByteWriter writer(&payload);
  bool any = false;
  for (uint32_t t = 0; t < kStoredTables; ++t) {
    TableMerge& merge = merge_.merge(StoredTable{uint8_t(t)});
    any = any || merge.overflow_column() != segment::kAbsent;
    writer.Varint(merge.overflow_key_count());
    writer.Bytes(merge.overflow_keys());
  }
  return any ? payload : std::string();
}

std::string Writing::DerivedPayload() const {
  std::string payload;
  column::ByteWriter writer(&payload);
  writer.Varint(trace::kRuleVersion);
  writer.Varint(options_.clock_rule.shift_max_ns);
  return payload;
}

void Writing::WriteSection(format::Section tag, std::string_view payload) {
  std::string_view page = sealer_.Seal(payload);
  if (tag == format::Section::kSummary) summary_page_ = page;
  column::ByteWriter writer(&footer_);
  writer.Varint(static_cast<uint32_t>(tag));
  writer.Varint(file_.offset());
  writer.Varint(page.size());
  file_.Append(page);
  ++sections_;
}

void Writing::WriteFooter() {
  const std::string summary = SummaryPayload();
  WriteSection(format::Section::kSummary, summary);
  WriteSection(format::Section::kColumns, ColumnsPayload());
  if (options_.group_rows != segment::RowGroups::kRowsMax) {
    std::string rows;
    column::ByteWriter(&rows).Varint(options_.group_rows);
    WriteSection(format::Section::kGroupRows, rows);
  }
  WriteSection(format::Section::kGroups, GroupsPayload());
  WriteSection(format::Section::kTraces, traces_.directory());
  WriteSection(format::Section::kTraceFilter, traces_.filter());
  WriteSection(format::Section::kTraceIndex, traces_.index());
  WriteSection(format::Section::kDerived, DerivedPayload());
  if (std::string overflow = OverflowPayload(); !overflow.empty())
    WriteSection(format::Section::kOverflow, overflow);
  std::string footer;
  column::ByteWriter(&footer).Varint(sections_);
  footer.append(footer_);
  const uint64_t offset = file_.offset();
  const std::string footer_page(sealer_.SealStored(footer));
  file_.Append(footer_page);
  std::string trailer;
  column::ByteWriter writer(&trailer);
  writer.Fixed(offset);
  writer.Fixed(static_cast<uint32_t>(footer_page.size()));
  writer.Fixed(uint32_t{0});
  writer.Fixed(static_cast<uint64_t>(XXH3_64bits(trailer.data(), trailer.size())));
  writer.Bytes(format::kMagic);
  const std::string identity = trailer + footer_page + summary_page_;
  summary_.summary_checksum = XXH3_64bits(identity.data(), identity.size());
  file_.Append(trailer);
}

Result<BlockSummary> Writing::Run() {
  file_.Append(format::kMagic);
  WEFT_TRY(CollectFragments());
  WEFT_TRY(merge_.Begin());
  WEFT_TRY(AddTraces());
  WEFT_TRY(merge_.Finish());
  traces_.Finish();
  Summarize();
  WriteFooter();
  summary_.bytes = file_.offset();
  summary_.file_checksum = file_.checksum();
  WEFT_TRY(file_.Finish());
  return summary_;
}

}  // namespace

Result<BlockSummary> WriteBlock(Env* env, const std::string& path,
                                std::span<const std::shared_ptr<const Segment>> sources,
                                const WriteBlockOptions& options) {
  WEFT_ASSIGN(auto file, env->Create(path));
  Result<BlockSummary> summary = Writing(std::move(file), sources, options).Run();
  // A file that is not complete is of no use; failing to remove it changes nothing about the error.
  if (!summary) (void)env->Remove(path);
  return summary;
}

}  // namespace weft::block

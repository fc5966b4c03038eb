// SPDX-License-Identifier: Apache-2.0
#include "store/manifest_format.h"

#include <cstring>

#include "base/check.h"
#include "store/little_endian.h"

namespace weft::store {
namespace {

// Numbered for good. A reader skips what it does not know from kOptionalTags on and refuses the
// rest.
enum class Tag : uint8_t {
  kAdded = 1,
  kRemoved = 2,
  kGone = 3,
  kFlushedThrough = 4,
  kSplit = 5,
  kWhole = 6,
  kWalFreedThrough = 7,
  kNextBlock = 8,
  kLoggedThrough = 9,
  kSplitsUnsure = 10,
  kBlocksHoldBelow = 128,
};
constexpr uint8_t kOptionalTags = 128;
constexpr size_t kHeaderFieldsBytes = 8 + 4 + 4 + 8 + 16;

void PutItem(Tag tag, std::string_view body, std::string* out) {
  PutNumber(static_cast<uint8_t>(tag), out);
  PutNumber(static_cast<uint32_t>(body.size()), out);
  out->append(body);
}

void PutNumberItem(Tag tag, uint64_t number, std::string* out) {
  std::string body;
  PutNumber(number, &body);
  PutItem(tag, body, out);
}

void PutText(std::string_view text, std::string* out) {
  PutNumber(static_cast<uint32_t>(text.size()), out);
  out->append(text);
}

std::string BlockBody(const BlockMeta& block) {
  std::string body;
  PutText(block.tenant, &body);
  PutNumber(block.name.number, &body);
  PutNumber(block.name.first_sequence, &body);
  PutNumber(block.name.last_sequence, &body);
  PutNumber(block.level, &body);
  PutNumber(block.bytes, &body);
  PutNumber(block.spans, &body);
  PutNumber(block.logs, &body);
  PutNumber(block.traces, &body);
  PutNumber(block.start_min_ns, &body);
  PutNumber(block.start_max_ns, &body);
  PutNumber(block.received_min_ns, &body);
  PutNumber(block.received_max_ns, &body);
  PutNumber(block.file_checksum, &body);
  PutNumber(block.summary_checksum, &body);
  return body;
}

std::optional<BlockMeta> ParseBlock(std::string_view body) {
  BoundedReader reader(body);
  BlockMeta block;
  block.tenant = reader.Block();
  block.name.number = reader.Number<uint64_t>();
  block.name.first_sequence = reader.Number<uint64_t>();
  block.name.last_sequence = reader.Number<uint64_t>();
  block.level = reader.Number<uint32_t>();
  block.bytes = reader.Number<uint64_t>();
  block.spans = reader.Number<uint32_t>();
  block.logs = reader.Number<uint32_t>();
  block.traces = reader.Number<uint32_t>();
  block.start_min_ns = reader.Number<uint64_t>();
  block.start_max_ns = reader.Number<uint64_t>();
  block.received_min_ns = reader.Number<uint64_t>();
  block.received_max_ns = reader.Number<uint64_t>();
  block.file_checksum = reader.Number<uint64_t>();
  if (!reader.done()) block.summary_checksum = reader.Number<uint64_t>();
  if (!reader.ok() || block.name.number == 0) return std::nullopt;
  return block;
}

// One item for each run of traces of one tenant.
void PutTraces(Tag tag, const std::vector<TenantTrace>& traces, std::string* out) {
  for (size_t i = 0; i < traces.size();) {
    std::string body;
    PutText(traces[i].tenant, &body);
    const size_t first = i;
    for (; i < traces.size() && traces[i].tenant == traces[first].tenant; ++i) {
      body.append(traces[i].id.view());
    }
    PutItem(tag, body, out);
  }
}

bool ParseTraces(std::string_view body, std::vector<TenantTrace>* traces) {
  BoundedReader reader(body);
  const std::string tenant(reader.Block());
  if (!reader.ok() || reader.remaining() % TraceId::kSize != 0) return false;
  while (!reader.done()) {
    traces->push_back({tenant, *TraceId::FromBytes(reader.Bytes(TraceId::kSize))});
  }
  return true;
}

std::string EncodeEdit(const ManifestEdit& edit) {
  std::string out;
  for (const BlockMeta& block : edit.added) PutItem(Tag::kAdded, BlockBody(block), &out);
  for (const uint64_t number : edit.removed) PutNumberItem(Tag::kRemoved, number, &out);
  for (const uint64_t number : edit.gone) PutNumberItem(Tag::kGone, number, &out);
  for (const auto& [tenant, sequence] : edit.flushed_through) {
    std::string body;
    PutNumber(sequence, &body);
    body.append(tenant);
    PutItem(Tag::kFlushedThrough, body, &out);
  }
  PutTraces(Tag::kSplit, edit.split, &out);
  PutTraces(Tag::kWhole, edit.whole, &out);
  if (edit.splits_unsure) PutItem(Tag::kSplitsUnsure, {}, &out);
  if (edit.wal_freed_through != 0) {
    PutNumberItem(Tag::kWalFreedThrough, edit.wal_freed_through, &out);
  }
  if (edit.logged_through != 0) PutNumberItem(Tag::kLoggedThrough, edit.logged_through, &out);
  if (edit.next_block != 0) PutNumberItem(Tag::kNextBlock, edit.next_block, &out);
  if (edit.blocks_hold_below != 0) {
    PutNumberItem(Tag::kBlocksHoldBelow, edit.blocks_hold_below, &out);
  }
  return out;
}

bool ParseItem(uint8_t tag, std::string_view body, ManifestEdit* edit) {
  BoundedReader reader(body);
  switch (static_cast<Tag>(tag)) {
    case Tag::kAdded: {
      auto block = ParseBlock(body);
      if (block) edit->added.push_back(std::move(*block));
      return block.has_value();
    }
    case Tag::kRemoved:
      edit->removed.push_back(reader.Number<uint64_t>());
      return reader.ok();
    case Tag::kGone:
      edit->gone.push_back(reader.Number<uint64_t>());
      return reader.ok();
    case Tag::kFlushedThrough: {
      const auto sequence = reader.Number<uint64_t>();
      edit->flushed_through.emplace_back(std::string(reader.Bytes(reader.remaining())), sequence);
      return reader.ok();
    }
    case Tag::kSplit:
      return ParseTraces(body, &edit->split);
    case Tag::kWhole:
      return ParseTraces(body, &edit->whole);
    case Tag::kSplitsUnsure:
      edit->splits_unsure = true;
      return body.empty();
    case Tag::kWalFreedThrough:
      edit->wal_freed_through = reader.Number<uint64_t>();
      return reader.ok();
    case Tag::kNextBlock:
      edit->next_block = reader.Number<uint64_t>();
      return reader.ok();
    case Tag::kLoggedThrough:
      edit->logged_through = reader.Number<uint64_t>();
      return reader.ok();
    case Tag::kBlocksHoldBelow:
      edit->blocks_hold_below = reader.Number<uint64_t>();
      return reader.ok();
  }
  return tag >= kOptionalTags;
}

}  // namespace

std::string EncodeManifestHeader(const ManifestHeader& header) {
  std::string out(kManifestMagic);
  PutNumber(kManifestVersion, &out);
  PutNumber(static_cast<uint32_t>(kManifestHeaderBytes), &out);
  PutNumber(header.number, &out);
  out.append(reinterpret_cast<const char*>(header.uuid.data()), header.uuid.size());
  WEFT_CHECK(out.size() == kHeaderFieldsBytes);
  PutNumber(Crc32c(0, out), &out);
  out.resize(kManifestHeaderBytes, '\0');
  return out;
}

Result<ManifestHeader> ParseManifestHeader(std::string_view bytes) {
  BoundedReader reader(bytes);
  const std::string_view magic = reader.Bytes(kManifestMagic.size());
  const auto version = reader.Number<uint32_t>();
  const auto header_bytes = reader.Number<uint32_t>();
  ManifestHeader header;
  header.number = reader.Number<uint64_t>();
  const std::string_view uuid = reader.Bytes(header.uuid.size());
  const auto crc = reader.Number<uint32_t>();
  if (!reader.ok() || magic != kManifestMagic ||
      crc != Crc32c(0, bytes.substr(0, kHeaderFieldsBytes))) {
    return Fail(ErrorCode::kCorruption, "the manifest's header is damaged");
  }
  if (version != kManifestVersion || header_bytes != kManifestHeaderBytes) {
    return Fail(ErrorCode::kUnimplemented,
                "manifest format version " + std::to_string(version) + " is newer than this weft");
  }
  std::memcpy(header.uuid.data(), uuid.data(), uuid.size());
  return header;
}

uint32_t ManifestSeed(const ManifestHeader& header) {
  return Crc32c(WalSeed(header.number, header.uuid), kManifestMagic);
}

void AppendManifestRecord(uint32_t seed, uint64_t ordinal, const ManifestEdit& edit,
                          std::string* out) {
  const size_t start = out->size();
  const std::string payload = EncodeEdit(edit);
  PutNumber(uint32_t{0}, out);
  PutNumber(static_cast<uint32_t>(kManifestRecordHeaderBytes + payload.size()), out);
  PutNumber(ordinal, out);
  out->append(payload);
  const uint32_t crc = Crc32c(seed, std::string_view(*out).substr(start + 4));
  StoreNumber(crc, out->data() + start);
  out->resize(start + WalAligned(out->size() - start), '\0');
}

std::optional<ManifestRecord> ParseManifestRecord(uint32_t seed, std::string_view bytes) {
  if (bytes.size() < kManifestRecordHeaderBytes) return std::nullopt;
  const uint64_t length = LoadNumber<uint32_t>(bytes.data() + 4);
  if (length < kManifestRecordHeaderBytes || length > bytes.size()) return std::nullopt;
  const std::string_view covered = bytes.substr(4, length - 4);
  if (LoadNumber<uint32_t>(bytes.data()) != Crc32c(seed, covered)) return std::nullopt;
  return ManifestRecord{
      LoadNumber<uint64_t>(bytes.data() + 8), std::min<uint64_t>(WalAligned(length), bytes.size()),
      bytes.substr(kManifestRecordHeaderBytes, length - kManifestRecordHeaderBytes)};
}

Result<ManifestEdit> ParseManifestEdit(std::string_view payload) {
  BoundedReader reader(payload);
  ManifestEdit edit;
  while (!reader.done()) {
    const auto tag = reader.Number<uint8_t>();
    const std::string_view body = reader.Block();
    if (!reader.ok() || !ParseItem(tag, body, &edit)) {
      return Fail(ErrorCode::kCorruption, "a manifest edit does not parse");
    }
  }
  return edit;
}

}  // namespace weft::store

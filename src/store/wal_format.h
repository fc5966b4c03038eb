// SPDX-License-Identifier: Apache-2.0
//
// The bytes of the write-ahead log, for its writer (store/wal.h) and its reader
// (store/wal_replay.h): docs/format_wal.md says what every field is for. All numbers are
// little-endian; a record starts at a multiple of 8.
//
// Thread rule: pure functions.
// Next: store/wal.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::store {

using StoreUuid = std::array<uint8_t, 16>;

inline constexpr std::string_view kWalMagic = "WEFTWAL1";
inline constexpr uint32_t kWalVersion = 1;
inline constexpr uint64_t kWalHeaderBytes = 4096;  // a page of its own: records never share it
inline constexpr uint64_t kWalRecordHeaderBytes = 40;
inline constexpr uint64_t kWalAlignment = 8;
// One part of a record's payload; far above what any request may carry.
inline constexpr uint64_t kWalPartBytesMax = uint64_t{1} << 30;

// Numbered for good.
enum class WalRecordType : uint8_t {
  kBatch = 1,  // payload: store/wal_batch.h
  kMark = 2,   // no payload: written by a clean close, calls everything before it durable
};

struct WalSegmentHeader {
  uint64_t number = 0;
  StoreUuid uuid{};
  uint64_t previous = 0;        // number of the segment before; 0 for the first
  uint64_t first_sequence = 0;  // of this segment's first record; all before it are durable
  uint64_t created_ns = 0;
};

struct WalRecord {
  uint64_t sequence = 0;
  uint64_t durable_sequence = 0;  // the last one known durable when this was written
  uint64_t received_ns = 0;
  WalRecordType type = WalRecordType::kBatch;
  uint32_t items = 0;  // spans and log records in the payload
  std::string_view tenant;
  std::string_view payload;
};

// CRC-32C (Castagnoli, reflected, inverted in and out) continued from `crc`; 0 starts one.
uint32_t Crc32c(uint32_t crc, std::string_view bytes);
// What every record checksum of this segment starts from, so that bytes left over from a recycled
// file or another store never pass.
uint32_t WalSeed(uint64_t segment, const StoreUuid& uuid);

// "0000000012.wal" and back; nothing for other names.
std::string WalFileName(uint64_t number);
std::optional<uint64_t> ParseWalFileName(std::string_view name);

// Exactly kWalHeaderBytes.
std::string EncodeWalHeader(const WalSegmentHeader& header);
Result<WalSegmentHeader> ParseWalHeader(std::string_view bytes);

inline uint64_t WalAligned(uint64_t bytes) {
  return (bytes + kWalAlignment - 1) & ~(kWalAlignment - 1);
}
inline uint64_t WalRecordBytes(uint64_t tenant_bytes, uint64_t payload_bytes) {
  return WalAligned(kWalRecordHeaderBytes + tenant_bytes + payload_bytes);
}
// Appends the record, padded to the alignment.
void AppendWalRecord(uint32_t seed, const WalRecord& record, std::string* out);

// The record length that the header at the start of `bytes` states, if its fields can be true of a
// record within `available` bytes; nothing otherwise. The checksum is not looked at.
std::optional<uint64_t> PlausibleWalRecord(std::string_view bytes, uint64_t available);
// Checks and splits one record of exactly the stated length. Views point into `bytes`.
std::optional<WalRecord> ParseWalRecord(uint32_t seed, std::string_view bytes);

}  // namespace weft::store

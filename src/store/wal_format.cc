// SPDX-License-Identifier: Apache-2.0
#include "store/wal_format.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/check.h"
#include "store/little_endian.h"

namespace weft::store {
namespace {

// Header fields, in order, before the checksum.
constexpr size_t kHeaderFieldsBytes = 8 + 4 + 4 + 8 + 16 + 8 + 8 + 8;

}  // namespace

uint32_t Crc32c(uint32_t crc, std::string_view bytes) {
  // ISA-L's function neither inverts its start value nor its result.
  crc = ~crc;
  while (!bytes.empty()) {
    const size_t piece = std::min<size_t>(bytes.size(), 1u << 30);
    // It takes a pointer to mutable bytes and only reads them.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    crc = crc32_iscsi(data, static_cast<int>(piece), crc);
    bytes.remove_prefix(piece);
  }
  return ~crc;
}

uint32_t WalSeed(uint64_t segment, const StoreUuid& uuid) {
  std::string bytes;
  PutNumber(segment, &bytes);
  bytes.append(reinterpret_cast<const char*>(uuid.data()), uuid.size());
  return Crc32c(0, bytes);
}

std::string WalFileName(uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(digits.size() < 10 ? 10 - digits.size() : 0, '0') + digits + ".wal";
}

std::optional<uint64_t> ParseWalFileName(std::string_view name) {
  if (!name.ends_with(".wal")) return std::nullopt;
  name.remove_suffix(4);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number == 0) return std::nullopt;
  return number;
}

std::string EncodeWalHeader(const WalSegmentHeader& header) {
  std::string out(kWalMagic);
  PutNumber(kWalVersion, &out);
  PutNumber(static_cast<uint32_t>(kWalHeaderBytes), &out);
  PutNumber(header.number, &out);
  out.append(reinterpret_cast<const char*>(header.uuid.data()), header.uuid.size());
  PutNumber(header.previous, &out);
  PutNumber(header.first_sequence, &out);
  PutNumber(header.created_ns, &out);
  WEFT_CHECK(out.size() == kHeaderFieldsBytes);
  PutNumber(Crc32c(0, out), &out);
  out.resize(kWalHeaderBytes, '\0');
  return out;
}

Result<WalSegmentHeader> ParseWalHeader(std::string_view bytes) {
  BoundedReader reader(bytes);
  const std::string_view magic = reader.Bytes(kWalMagic.size());
  const auto version = reader.Number<uint32_t>();
  const auto header_bytes = reader.Number<uint32_t>();
  WalSegmentHeader header;
  header.number = reader.Number<uint64_t>();
  const std::string_view uuid = reader.Bytes(header.uuid.size());
  header.previous = reader.Number<uint64_t>();
  header.first_sequence = reader.Number<uint64_t>();
  header.created_ns = reader.Number<uint64_t>();
  const auto crc = reader.Number<uint32_t>();
  if (!reader.ok() || magic != kWalMagic) {
    return Fail(ErrorCode::kCorruption, "not a log segment");
  }
  if (crc != Crc32c(0, bytes.substr(0, kHeaderFieldsBytes))) {
    return Fail(ErrorCode::kCorruption, "the segment header fails its checksum");
  }
  if (version != kWalVersion || header_bytes != kWalHeaderBytes) {
    return Fail(ErrorCode::kUnimplemented,
                "log format version " + std::to_string(version) + " is newer than this weft");
  }
  std::memcpy(header.uuid.data(), uuid.data(), uuid.size());
  return header;
}

void AppendWalRecord(uint32_t seed, const WalRecord& record, std::string* out) {
  const uint64_t length = kWalRecordHeaderBytes + record.tenant.size() + record.payload.size();
  WEFT_CHECK(length <= UINT32_MAX && record.tenant.size() <= UINT16_MAX);
  const size_t start = out->size();
  char header[kWalRecordHeaderBytes] = {};
  StoreNumber(static_cast<uint32_t>(length), header + 4);
  StoreNumber(record.sequence, header + 8);
  StoreNumber(record.durable_sequence, header + 16);
  StoreNumber(record.received_ns, header + 24);
  StoreNumber(static_cast<uint8_t>(record.type), header + 32);
  StoreNumber(static_cast<uint16_t>(record.tenant.size()), header + 34);
  StoreNumber(record.items, header + 36);
  out->append(header, sizeof header);
  out->append(record.tenant).append(record.payload);
  const std::string_view covered = std::string_view(*out).substr(start + 4, length - 4);
  StoreNumber(Crc32c(seed, covered), out->data() + start);
  out->resize(start + WalAligned(length), '\0');
}

std::optional<uint64_t> PlausibleWalRecord(std::string_view bytes, uint64_t available) {
  if (bytes.size() < kWalRecordHeaderBytes) return std::nullopt;
  const uint64_t length = LoadNumber<uint32_t>(bytes.data() + 4);
  const auto type = LoadNumber<uint8_t>(bytes.data() + 32);
  const auto tenant_bytes = LoadNumber<uint16_t>(bytes.data() + 34);
  if (length < kWalRecordHeaderBytes + tenant_bytes || length > available) return std::nullopt;
  if (type != static_cast<uint8_t>(WalRecordType::kBatch) &&
      type != static_cast<uint8_t>(WalRecordType::kMark)) {
    return std::nullopt;
  }
  if (LoadNumber<uint64_t>(bytes.data() + 16) >= LoadNumber<uint64_t>(bytes.data() + 8)) {
    return std::nullopt;
  }
  return length;
}

std::optional<WalRecord> ParseWalRecord(uint32_t seed, std::string_view bytes) {
  const std::optional<uint64_t> length = PlausibleWalRecord(bytes, bytes.size());
  if (!length || *length != bytes.size()) return std::nullopt;
  if (LoadNumber<uint32_t>(bytes.data()) != Crc32c(seed, bytes.substr(4))) return std::nullopt;
  WalRecord record;
  record.sequence = LoadNumber<uint64_t>(bytes.data() + 8);
  record.durable_sequence = LoadNumber<uint64_t>(bytes.data() + 16);
  record.received_ns = LoadNumber<uint64_t>(bytes.data() + 24);
  record.type = static_cast<WalRecordType>(LoadNumber<uint8_t>(bytes.data() + 32));
  record.items = LoadNumber<uint32_t>(bytes.data() + 36);
  const auto tenant_bytes = LoadNumber<uint16_t>(bytes.data() + 34);
  record.tenant = bytes.substr(kWalRecordHeaderBytes, tenant_bytes);
  record.payload = bytes.substr(kWalRecordHeaderBytes + tenant_bytes);
  return record;
}

}  // namespace weft::store

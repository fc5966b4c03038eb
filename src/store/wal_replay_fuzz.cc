// SPDX-License-Identifier: Apache-2.0
//
// A log directory from a broken disk. Strategy: the input is one or two segment files as they are,
// and once more with valid checksums put where records claim to be, so that the payload decoder is
// reached. Invariants: no crash, no growth beyond the input; sequences are visited in order, once.
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "store/wal_batch.h"
#include "store/wal_replay.h"
#include "testing/sim_env.h"

namespace weft::store {
namespace {

constexpr StoreUuid kUuid = {7};

// Gives every record that a walk over the lengths meets the checksum that it should have.
void Repair(uint64_t number, std::string* bytes) {
  if (bytes->size() < kWalHeaderBytes) return;
  std::string header = EncodeWalHeader({number, kUuid, number - 1, number * 10, 0});
  std::memcpy(bytes->data(), header.data(), header.size());
  for (uint64_t at = kWalHeaderBytes; at + kWalRecordHeaderBytes <= bytes->size();) {
    const std::string_view rest = std::string_view(*bytes).substr(at);
    const auto length = PlausibleWalRecord(rest, rest.size());
    if (!length) return;
    const uint32_t crc = Crc32c(WalSeed(number, kUuid), rest.substr(4, *length - 4));
    std::memcpy(bytes->data() + at, &crc, sizeof crc);
    at += WalAligned(*length);
  }
}

void Replay(const std::string& first, const std::string& second) {
  testing::SimEnv env;
  WEFT_CHECK(env.MakeDirs("/wal"));
  env.SetContents("/wal/" + WalFileName(1), first);
  if (!second.empty()) env.SetContents("/wal/" + WalFileName(2), second);
  uint64_t last = 0;
  const auto report = ReplayWal(&env, {"/wal", kUuid, 0, 0}, [&](const WalRecord& record) {
    WEFT_CHECK(record.sequence > last);
    last = record.sequence;
    auto batches = DecodeWalBatch(record.payload, record.items);
    return batches ? Status() : Fail(batches.error());
  });
  if (report) WEFT_CHECK(report->start.next_sequence > last);
}

}  // namespace
}  // namespace weft::store

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::store;
  // The header page is mostly zero: the input starts behind its fields.
  std::string first(reinterpret_cast<const char*>(data), std::min<size_t>(size, 72));
  first.resize(kWalHeaderBytes);
  const size_t rest = size - std::min<size_t>(size, 72);
  const size_t half = rest / 2 / kWalAlignment * kWalAlignment;
  first.append(reinterpret_cast<const char*>(data) + (size - rest), half);
  std::string second(kWalHeaderBytes, '\0');
  second.append(reinterpret_cast<const char*>(data) + (size - rest) + half, rest - half);
  Replay(first, second);
  Repair(1, &first);
  Replay(first, {});
  Repair(2, &second);
  Replay(first, second);
  return 0;
}

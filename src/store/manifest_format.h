// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a manifest file: docs/format_manifest.md. Numbers are little-endian.
//
// Thread rule: pure functions.
// Next: store/manifest.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/manifest.h"

namespace weft::store {

inline constexpr std::string_view kManifestMagic = "WEFTMAN1";
inline constexpr uint32_t kManifestVersion = 1;
inline constexpr uint64_t kManifestHeaderBytes = 48;
inline constexpr uint64_t kManifestRecordHeaderBytes = 16;

struct ManifestHeader {
  uint64_t number = 0;
  StoreUuid uuid{};
};
std::string EncodeManifestHeader(const ManifestHeader& header);
Result<ManifestHeader> ParseManifestHeader(std::string_view bytes);
uint32_t ManifestSeed(const ManifestHeader& header);

void AppendManifestRecord(uint32_t seed, uint64_t ordinal, const ManifestEdit& edit,
                          std::string* out);
struct ManifestRecord {
  uint64_t ordinal = 0;
  uint64_t bytes = 0;  // to the next record
  std::string_view payload;
};
// The record at the start of `bytes`, if its checksum holds.
std::optional<ManifestRecord> ParseManifestRecord(uint32_t seed, std::string_view bytes);
Result<ManifestEdit> ParseManifestEdit(std::string_view payload);

}  // namespace weft::store

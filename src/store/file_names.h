// SPDX-License-Identifier: Apache-2.0
//
// Names of the store's files and directories, and what they say. A block's name holds the range of
// log sequences that it covers for its tenant, so that the set of live blocks can be told from the
// directory alone when the manifest cannot be read: a block whose range lies within another's was
// merged into that one.
//
// Thread rule: pure functions.
// Next: store/manifest.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::store {

inline constexpr size_t kTenantBytesMax = 80;  // its directory's name then fits any file system
inline constexpr std::string_view kDefaultTenant = "default";

// The empty name is the default tenant's.
inline std::string_view CanonicalTenant(std::string_view tenant) {
  return tenant.empty() ? kDefaultTenant : tenant;
}
// A directory name below data/ that no tenant name can escape from: letters, digits, '-', '_' and
// inner dots stay, other bytes become %XX, and so does the start of a name that the store uses.
std::string TenantDirectory(std::string_view tenant);
// The tenant of a directory, or nothing when it is none's.
std::optional<std::string> TenantOfDirectory(std::string_view directory);

struct BlockName {
  uint64_t number = 0;  // unique in the store
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;

  bool operator==(const BlockName&) const = default;
};
// "0000000007-12-90.block" and back.
std::string BlockFileName(const BlockName& name);
std::optional<BlockName> ParseBlockFileName(std::string_view file);
// While it is written.
inline std::string TemporaryName(const std::string& path) { return path + ".tmp"; }

// "MANIFEST-0000000003" and back.
std::string ManifestFileName(uint64_t number);
std::optional<uint64_t> ParseManifestFileName(std::string_view file);

}  // namespace weft::store

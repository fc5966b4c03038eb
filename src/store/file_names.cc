// SPDX-License-Identifier: Apache-2.0
#include "store/file_names.h"

#include <charconv>

namespace weft::store {
namespace {

constexpr std::string_view kBlockSuffix = ".block";
constexpr std::string_view kManifestPrefix = "MANIFEST-";
constexpr size_t kDigits = 10;

std::string Padded(uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(digits.size() < kDigits ? kDigits - digits.size() : 0, '0') + digits;
}

// Takes a decimal number off the front of `text`.
std::optional<uint64_t> TakeNumber(std::string_view* text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc()) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return number;
}

bool Take(std::string_view prefix, std::string_view* text) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

// Names that stand beside the tenants' in the store's directory.
bool IsReserved(std::string_view name) {
  return name == "wal" || name == "quarantine" || name == "LOCK" || name.starts_with("CURRENT") ||
         name.starts_with("MANIFEST");
}

}  // namespace

std::string TenantDirectory(std::string_view tenant) {
  tenant = CanonicalTenant(tenant);
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (size_t i = 0; i < tenant.size(); ++i) {
    const char c = tenant[i];
    const bool starts_name = i == 0 && (c == '.' || IsReserved(tenant));
    if (IsPlain(c) && !starts_name) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<uint8_t>(c);
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return out;
}

std::optional<std::string> TenantOfDirectory(std::string_view directory) {
  std::string tenant;
  for (size_t i = 0; i < directory.size(); ++i) {
    if (directory[i] != '%') {
      tenant.push_back(directory[i]);
      continue;
    }
    uint8_t byte = 0;
    if (i + 2 >= directory.size()) return std::nullopt;
    const char* digits = directory.data() + i + 1;
    if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) return std::nullopt;
    tenant.push_back(static_cast<char>(byte));
    i += 2;
  }
  // Only what TenantDirectory() makes.
  if (tenant.empty() || TenantDirectory(tenant) != directory) return std::nullopt;
  return tenant;
}

std::string BlockFileName(const BlockName& name) {
  return Padded(name.number) + "-" + std::to_string(name.first_sequence) + "-" +
         std::to_string(name.last_sequence) + std::string(kBlockSuffix);
}

std::optional<BlockName> ParseBlockFileName(std::string_view file) {
  const auto number = TakeNumber(&file);
  if (!number || !Take("-", &file)) return std::nullopt;
  const auto first = TakeNumber(&file);
  if (!first || !Take("-", &file)) return std::nullopt;
  const auto last = TakeNumber(&file);
  if (!last || file != kBlockSuffix || *first > *last || *number == 0) return std::nullopt;
  return BlockName{*number, *first, *last};
}

std::string ManifestFileName(uint64_t number) {
  return std::string(kManifestPrefix) + Padded(number);
}

std::optional<uint64_t> ParseManifestFileName(std::string_view file) {
  if (!Take(kManifestPrefix, &file)) return std::nullopt;
  const auto number = TakeNumber(&file);
  if (!number || !file.empty() || *number == 0) return std::nullopt;
  return number;
}

}  // namespace weft::store

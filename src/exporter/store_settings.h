// SPDX-License-Identifier: Apache-2.0
//
// Settings of exporters::store, with their defaults.
//
// Thread rule: plain values. Next: exporter/store_exporter.h; every key: docs/config.md.
#pragma once

#include <any>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/section.h"

namespace weft::exporter {

struct StoreSettings {
  std::string directory;  // empty: $XDG_DATA_HOME/weft
  enum class Durability : uint8_t { kDurable, kRelaxed, kMemory } durability = Durability::kDurable;
  uint64_t retention_age_ns = 14ull * 24 * 3600 * 1'000'000'000;
  uint64_t retention_bytes = 20ull << 30;
  uint64_t max_clock_shift_ns = 3600ull * 1'000'000'000;
  // Absent: the store's own defaults (store/store.h).
  std::optional<uint64_t> head_bytes_max, flush_bytes, flush_age_ns, page_cache_bytes,
      free_bytes_min, scrub_bytes_per_s, scrub_interval_ns;
};

// The key of one that only a start can change and that differs; "" when there is none.
std::string_view FixedSettingThatDiffers(const StoreSettings& now, const StoreSettings& next);

// Gives StoreSettings.
std::any ReadStoreSettings(config::Section section);

}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
#include "exporter/store_settings.h"

#include <algorithm>

namespace weft::exporter {
namespace {

void ReadOptionalBytes(config::Section* section, std::string_view key,
                       std::optional<uint64_t>* out) {
  if (section->Get(key) == nullptr) return;
  out->emplace(0);
  section->ReadBytes(key, &**out);
}

// The value under both keys; the section where it is not written.
const config::Node& PlaceOf(const config::Section& section, std::string_view outer,
                            std::string_view inner) {
  const config::Node* node = section.node().Find(outer);
  if (node != nullptr) node = node->Find(inner);
  return node == nullptr ? section.node() : *node;
}

}  // namespace

std::string_view FixedSettingThatDiffers(const StoreSettings& now, const StoreSettings& next) {
  if (now.directory != next.directory) return "directory";
  if (now.durability != next.durability) return "durability";
  if (now.max_clock_shift_ns != next.max_clock_shift_ns) return "max_clock_shift";
  if (now.head_bytes_max != next.head_bytes_max) return "memory::head";
  if (now.page_cache_bytes != next.page_cache_bytes) return "memory::page_cache";
  if (now.flush_bytes != next.flush_bytes) return "flush::bytes";
  if (now.flush_age_ns != next.flush_age_ns) return "flush::age";
  if (now.free_bytes_min != next.free_bytes_min) return "free_bytes_min";
  if (now.scrub_bytes_per_s != next.scrub_bytes_per_s) return "scrub::bytes_per_second";
  if (now.scrub_interval_ns != next.scrub_interval_ns) return "scrub::interval";
  return "";
}

std::any ReadStoreSettings(config::Section section) {
  StoreSettings settings;
  section.Read("directory", &settings.directory);
  int durability = static_cast<int>(settings.durability);
  section.ReadChoice("durability", {"durable", "relaxed", "memory"}, &durability);
  settings.durability = static_cast<StoreSettings::Durability>(durability);
  if (std::optional<config::Section> retention = section.Sub("retention")) {
    retention->ReadDuration("age", &settings.retention_age_ns);
    retention->ReadBytes("bytes", &settings.retention_bytes);
    retention->Finish();
  }
  if (std::optional<config::Section> scrub = section.Sub("scrub")) {
    ReadOptionalBytes(&*scrub, "bytes_per_second", &settings.scrub_bytes_per_s);
    if (scrub->Get("interval") != nullptr)
      scrub->ReadDuration("interval", &settings.scrub_interval_ns.emplace());
    scrub->Finish();
  }
  if (std::optional<config::Section> memory = section.Sub("memory")) {
    ReadOptionalBytes(&*memory, "head", &settings.head_bytes_max);
    ReadOptionalBytes(&*memory, "page_cache", &settings.page_cache_bytes);
    memory->Finish();
  }
  if (std::optional<config::Section> flush = section.Sub("flush")) {
    ReadOptionalBytes(&*flush, "bytes", &settings.flush_bytes);
    if (flush->Get("age") != nullptr) flush->ReadDuration("age", &settings.flush_age_ns.emplace());
    flush->Finish();
  }
  ReadOptionalBytes(&section, "free_bytes_min", &settings.free_bytes_min);
  section.ReadDuration("max_clock_shift", &settings.max_clock_shift_ns);
  section.Finish();
  if (!section.IsSound()) return {};
  uint64_t head = settings.head_bytes_max.value_or(64ull << 20);
  uint64_t flush = settings.flush_bytes.value_or(std::min<uint64_t>(24ull << 20, head / 2));
  constexpr uint64_t kHeadLeast = 4ull << 20;
  if (head < kHeadLeast)
    section.Error(PlaceOf(section, "memory", "head"), "memory::head", "must be 4MiB or more");
  else if (flush > head)
    section.Error(PlaceOf(section, "flush", "bytes"), "flush::bytes",
                  "must not be larger than memory::head");
  else if (settings.head_bytes_max && !settings.flush_bytes)
    settings.flush_bytes = flush;
  return settings;
}

}  // namespace weft::exporter

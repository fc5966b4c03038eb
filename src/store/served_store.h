// SPDX-License-Identifier: Apache-2.0
//
// ServedStore: a store that a component keeps open for others (the query server asks it), with what
// the status page and start-up say of it. Offered by its exporter under the exporter's id.
//
// Lifetime: as the exporter's. Thread rule: `store` changes at start and stop alone; the limits at
// a reload.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "store/store.h"

namespace weft::store {

struct ServedStore {
  Store* store = nullptr;  // null before it is opened
  Durability durability = Durability::kDurable;
  std::string directory;
  std::atomic<uint64_t> retention_age_ns = 0;  // 0: no limit
  std::atomic<uint64_t> retention_bytes = 0;   // 0: no limit
};
// Other limits from now on, 0 for none; what they no longer allow goes within a minute.
// REQUIRES: Store::Open() made the store, not read-only.
void ChangeRetention(Store* store, uint64_t age_ns, uint64_t bytes);
// "durable", "relaxed", "memory".
std::string_view DurabilityName(Durability durability);

}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
//
// ServedStore: a store that a component keeps open for others (the query server asks it), with what
// the status page and start-up say of it. Offered by its exporter under the exporter's id.
//
// Lifetime: as the exporter's. Thread rule: `store` changes at start and stop alone.
#pragma once

#include <cstdint>
#include <string>

#include "store/store.h"

namespace weft::store {

struct ServedStore {
  Store* store = nullptr;  // null before it is opened
  Durability durability = Durability::kDurable;
  std::string directory;
  uint64_t retention_age_ns = 0;  // 0: no limit
  uint64_t retention_bytes = 0;   // 0: no limit
};
// "durable", "relaxed", "memory".
std::string_view DurabilityName(Durability durability);

}  // namespace weft::store

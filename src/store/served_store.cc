// SPDX-License-Identifier: Apache-2.0
#include "store/served_store.h"

namespace weft::store {

std::string_view DurabilityName(Durability durability) {
  static constexpr std::string_view kNames[] = {"durable", "relaxed", "memory"};
  return kNames[static_cast<int>(durability)];
}

}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
//
// The print of a component's settings: by it a reload sees which of them have changed. It is taken
// of the expanded section and of what stands in the files that it names, such as certificates, and
// shows nothing of either.
//
// Thread rule: pure function but for what `surroundings` reads. Next: config/config.h.
#pragma once

#include <string>
#include <vector>

#include "config/node.h"
#include "config/sources.h"

namespace weft::config {

// Maps in another order have the same print. A file that cannot be read counts as such.
std::string PrintOf(const Node& section, const std::vector<std::string>& files,
                    const Surroundings& surroundings);

}  // namespace weft::config

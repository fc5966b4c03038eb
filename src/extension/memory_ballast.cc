// SPDX-License-Identifier: Apache-2.0
#include "extension/memory_ballast.h"

namespace weft::extension {

const pipeline::ComponentRow kMemoryBallast = {
    .type = {.kind = config::ComponentKind::kExtension,
             .name = "memory_ballast",
             .summary = "does nothing",
             .warning = "memory_ballast does nothing any more: ignored",
             .read = [](config::Section) { return std::any(true); }}};

}  // namespace weft::extension

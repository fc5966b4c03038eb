// SPDX-License-Identifier: Apache-2.0
//
// The one list of all components. A new one is its own files and a line here.
//
// Thread rule: a constant, made at first use. Next: pipeline/component_row.h.
#pragma once

#include "pipeline/component_row.h"

namespace weft::server {

const pipeline::ComponentTable& Components();

}  // namespace weft::server

// SPDX-License-Identifier: Apache-2.0
//
// The merged and expanded tree of a configuration, read into a typed Config: components, then the
// service that runs them, then what does not fit together. A mistake that only follows from another
// is not reported: a component with wrong settings is still configured, a list that could not be
// had may name anything.
//
// Thread rule: pure function. Used by config/config.h. Next: config/component_type.h,
// config/section.h.
#pragma once

#include "config/config.h"
#include "config/node.h"

namespace weft::config {

// Files that settings name are read through `surroundings`. Of worth where `problems` has no error;
// its pointers are into `tree`.
Config CheckConfig(const Node& tree, const ComponentTypes& types, const Surroundings& surroundings,
                   Problems* problems);

}  // namespace weft::config

// SPDX-License-Identifier: Apache-2.0
//
// What is said about a component that weft does not have: whether the name is right, what there is
// in its place, and what to do.
//
// Thread rule: pure function. Source: the components of the Collector and its contrib repository.
// Used by config/config_check.h.
#pragma once

#include <string_view>

#include "config/component_type.h"

namespace weft::config {

// Reports it at `at` under the section's path.
void ReportMissing(const ComponentTypes& all, ComponentKind kind, std::string_view type,
                   const Section& section, const Node& at);

}  // namespace weft::config

// SPDX-License-Identifier: Apache-2.0
//
// YAML text <-> Node. Anchors and aliases are resolved, `<<` merges a map below its own keys, a key
// that stands twice in one map is an error, as in the Collector. The tree is bounded: aliases
// cannot blow it up.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/node.h"

namespace weft::config {

// kInvalidArgument with file, line and column. An empty text is a null node.
Result<Node> ParseYaml(std::string_view text, const std::string& file);
// The tree as YAML that ParseYaml() reads back to the same values.
std::string WriteYaml(const Node& node);

// What an unquoted scalar means in YAML 1.2's core schema, as the Collector reads it.
enum class ScalarType : uint8_t { kNull, kBool, kInt, kFloat, kString };
ScalarType TypeOfScalar(const Node& scalar);

}  // namespace weft::config

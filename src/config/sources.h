// SPDX-License-Identifier: Apache-2.0
//
// Where configuration comes from: files and other URIs in the order given, then --set, merged as
// the Collector merges (later wins, maps deep, lists replaced, a null section deletes), then ${...}
// expanded.
//
// Expansion: ${env:X}, ${X}, ${env:X:-default}, ${file:path}, ${yaml:text}; `$$` is a literal `$`.
// A value that is one ${...} as a whole takes the type that its text has in YAML, but gives a
// string field the text itself; inside a longer text it is always text.
//
// Thread rule: pure functions but for what `Surroundings` reads.
// Source: facts on Collector confmap; docs/config.md says the same for users.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/node.h"

namespace weft::config {

// The outside world of a configuration, replaced by tests.
struct Surroundings {
  std::function<std::optional<std::string>(const std::string& name)> env;
  std::function<Result<std::string>(const std::string& path)> read_file;
};
// The process's environment and file system. Files over 16 MiB are refused.
Surroundings RealSurroundings();

// `later` over `*base`.
void MergeNode(Node* base, Node later);
// "a.b.c=v" or "a::b::c=v": v is YAML.
Result<Node> ParseSetting(std::string_view setting);
// Expands every value of the tree. Names what is unset in `problems`.
void ExpandNode(Node* node, const Surroundings& surroundings, Problems* problems);
// uri: a path, "file:path", "yaml:a::b: v" or "env:NAME".
Result<Node> LoadUri(const std::string& uri, const Surroundings& surroundings);

}  // namespace weft::config

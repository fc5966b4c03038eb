// SPDX-License-Identifier: Apache-2.0
#include "config/node.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/edit_distance.h"

namespace weft::config {

const Node* Node::Find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}
Node* Node::Find(std::string_view key) {
  for (Entry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

std::string Node::Where() const {
  return line == 0 ? fmt::format("{}: ", file) : fmt::format("{}:{}: ", file, line);
}

void Problems::Error(const Node& at, std::string_view path, std::string_view message) {
  errors.push_back(fmt::format("{}{}{}{}", at.Where(), path, path.empty() ? "" : ": ", message));
}
void Problems::Warn(const Node& at, std::string_view path, std::string_view message) {
  warnings.push_back(fmt::format("{}{}{}{}", at.Where(), path, path.empty() ? "" : ": ", message));
}

std::string JoinPath(std::string_view path, std::string_view key) {
  if (path.empty() || key.empty()) return std::string(path.empty() ? key : path);
  return fmt::format("{}::{}", path, key);
}

std::string NearestWord(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr size_t kWordMax = 64;  // the distance is quadratic, and no key is longer
  if (word.size() > kWordMax) return "";
  std::string nearest;
  size_t least = std::max<size_t>(2, word.size() * 2 / 5) + 1;
  for (const std::string& candidate : candidates) {
    size_t distance = EditDistance(word, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string Suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  std::string nearest = NearestWord(word, candidates);
  if (!nearest.empty()) return fmt::format("did you mean \"{}\"?", nearest);
  if (candidates.empty()) return "none is known here";
  return fmt::format("known are: {}", fmt::join(candidates, ", "));
}

}  // namespace weft::config

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

bool Node::HoldsUnknown() const {
  return is_unknown || std::ranges::any_of(items, &Node::HoldsUnknown) ||
         std::ranges::any_of(entries,
                             [](const Entry& entry) { return entry.value.HoldsUnknown(); });
}

std::string Node::Where() const {
  return line == 0 ? fmt::format("{}: ", file) : fmt::format("{}:{}: ", file, line);
}

namespace {
Problem MakeProblem(const Node& at, std::string_view path, std::string_view message) {
  return {at.file, at.line,
          fmt::format("{}{}{}{}", at.Where(), path, path.empty() ? "" : ": ", message)};
}
}  // namespace

void Problems::Error(const Node& at, std::string_view path, std::string_view message) {
  errors.push_back(MakeProblem(at, path, message));
  if (!at.unset.empty())
    errors.back().text += fmt::format(" (not set in the environment: {})", at.unset);
}
void Problems::Warn(const Node& at, std::string_view path, std::string_view message) {
  warnings.push_back(MakeProblem(at, path, message));
}

std::vector<std::string> InLineOrder(std::vector<Problem> problems,
                                     const std::vector<std::string>& files) {
  auto place = [&files](const Problem& problem) {
    return std::pair(std::ranges::find(files, problem.file) - files.begin(), problem.line);
  };
  std::ranges::stable_sort(problems, {}, place);
  std::vector<std::string> texts;
  for (Problem& problem : problems) texts.push_back(std::move(problem.text));
  return texts;
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

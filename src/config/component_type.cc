// SPDX-License-Identifier: Apache-2.0
#include "config/component_type.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace weft::config {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

Result<ComponentId> ParseComponentId(std::string_view text) {
  static const RE2 kType("[a-zA-Z][0-9a-zA-Z_]{0,62}");
  static const RE2 kName("[^\\pS\\pZ\\pC]+");
  ComponentId id;
  size_t slash = text.find('/');
  id.type = std::string(Trim(text.substr(0, slash)));
  if (id.type.empty())
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("\"{}\": the part before / must not be empty", text));
  if (!RE2::FullMatch(id.type, kType))
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("invalid component type \"{}\": it must match {}", id.type, kType.pattern()));
  if (slash == std::string_view::npos) return id;
  id.name = std::string(Trim(text.substr(slash + 1)));
  if (id.name.empty())
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("\"{}\": the part after / must not be empty", text));
  constexpr size_t kNameMax = 1024;
  if (id.name.size() > kNameMax || !RE2::FullMatch(id.name, kName))
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("invalid component name \"{}\": 1 to 1024 characters without spaces, "
                            "control characters and symbols",
                            id.name));
  return id;
}

std::string_view SignalName(Signal signal) {
  static constexpr std::string_view kNames[] = {"traces", "logs", "metrics"};
  return kNames[static_cast<int>(signal)];
}

std::string_view KindName(ComponentKind kind) {
  static constexpr std::string_view kNames[] = {"receiver", "processor", "exporter", "connector",
                                                "extension"};
  return kNames[static_cast<int>(kind)];
}

std::string_view StabilityName(Stability stability) {
  static constexpr std::string_view kNames[] = {"development", "alpha", "beta", "stable"};
  return kNames[static_cast<int>(stability)];
}

ComponentTypes::Found ComponentTypes::Find(ComponentKind kind, std::string_view name) const {
  for (const ComponentType* type : types_) {
    if (type->kind != kind) continue;
    if (type->name == name) return {type, nullptr};
    auto alias = std::ranges::find(type->aliases, name, &ComponentType::Alias::name);
    if (alias != type->aliases.end()) return {type, &*alias};
  }
  return {};
}

std::vector<std::string> ComponentTypes::NamesOf(ComponentKind kind) const {
  std::vector<std::string> names;
  for (const ComponentType* type : types_)
    if (type->kind == kind && type->warning.empty()) names.emplace_back(type->name);
  return names;
}

std::vector<std::string> ComponentTypes::NamesOf(ComponentKind kind, std::string_view role) const {
  std::vector<std::string> names;
  for (const ComponentType* type : types_)
    if (type->kind == kind && type->role == role) names.emplace_back(type->name);
  return names;
}

}  // namespace weft::config

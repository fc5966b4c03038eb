// SPDX-License-Identifier: Apache-2.0
#include "trace/trace_clock.h"

#include <algorithm>
#include <numeric>

namespace weft::trace {
namespace {

// Union of sets of resources; a set knows which levels its members name.
class ClockSets {
 public:
  explicit ClockSets(std::span<const ClockName> names) : parent_(names.size()) {
    std::iota(parent_.begin(), parent_.end(), 0);
    for (const ClockName& name : names) {
      uint32_t named = 0;
      for (size_t level = 0; level < kClockLevels; ++level)
        named |= uint32_t{name.at[level] != 0} << level;
      named_.push_back(named);
    }
  }
  uint32_t Find(uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void Join(uint32_t a, uint32_t b) {
    a = Find(a);
    b = Find(b);
    if (a == b) return;
    parent_[std::max(a, b)] = std::min(a, b);
    named_[std::min(a, b)] |= named_[std::max(a, b)];
  }
  uint32_t named(uint32_t set) const { return named_[set]; }

 private:
  std::vector<uint32_t> parent_;
  std::vector<uint32_t> named_;  // bit a level
};

// `sets` have one name at `level`. Those that name nothing finer are of one clock. They are of that
// of the others if these can be one: no two of them name the same finer level, where they differ.
void JoinLevel(size_t level, std::vector<uint32_t>& sets, ClockSets* all) {
  // A set of an earlier name may have joined another one.
  for (uint32_t& set : sets) set = all->Find(set);
  std::ranges::sort(sets);
  sets.erase(std::ranges::unique(sets).begin(), sets.end());
  const uint32_t finer = (uint32_t{1} << level) - 1;
  uint32_t seen = 0, plain = UINT32_MAX;
  bool several = false;
  for (uint32_t set : sets) {
    const uint32_t named = all->named(set) & finer;
    several |= (named & seen) != 0;
    seen |= named;
  }
  for (uint32_t set : sets) {
    if (several && (all->named(set) & finer) != 0) continue;
    if (plain == UINT32_MAX) plain = set;
    all->Join(plain, set);
  }
}

}  // namespace

ClockVerdict CompareClocks(const ClockName& a, const ClockName& b) {
  for (size_t level = 0; level < kClockLevels; ++level) {
    if (a.at[level] == 0 || b.at[level] == 0) continue;
    if (a.at[level] == b.at[level]) return ClockVerdict::kSame;
    return level < kHostLevels ? ClockVerdict::kOtherHost : ClockVerdict::kOther;
  }
  return ClockVerdict::kSame;
}

uint32_t ClockNames::Number(std::string_view name) {
  const uint32_t next = static_cast<uint32_t>(numbers_.size()) + 1;
  return numbers_.try_emplace(std::string(name), next).first->second;
}

ClockName ClockNames::Of(const Resource& resource) {
  ClockName out;
  auto name = [&](ClockLevel level, std::string_view value, std::string_view within = {}) {
    if (value.empty()) return;
    std::string key(1, static_cast<char>('0' + level));
    key.append(within).append(1, '\0').append(value);
    out.at[level] = Number(key);
  };
  auto text = [&](std::string_view key) { return FindString(resource.attributes, key); };
  name(kHostId, text("host.id"));
  name(kNodeName, text("k8s.node.name"));
  // "hostname" is what Jaeger's own clients write.
  name(kHostName, text("host.name").empty() ? text("hostname") : text("host.name"));
  name(kPodId, text("k8s.pod.uid"));
  name(kPodName, text("k8s.pod.name"), text("k8s.namespace.name"));
  name(kInstanceId, text("service.instance.id"), text("service.name"));
  name(kServiceName, text("service.name"));
  return out;
}

std::string_view HostText(const Resource& resource) {
  for (std::string_view key : {"host.name", "hostname", "k8s.node.name", "host.id"})
    if (std::string_view host = FindString(resource.attributes, key); !host.empty()) return host;
  return {};
}

std::vector<uint32_t> GroupClocks(std::span<const ClockName> names) {
  const uint32_t count = static_cast<uint32_t>(names.size());
  ClockSets all(names);
  std::vector<std::pair<uint32_t, uint32_t>> by_name;  // (name at the level, set)
  std::vector<uint32_t> sets;
  for (size_t level = 0; level < kClockLevels; ++level) {
    by_name.clear();
    for (uint32_t i = 0; i < count; ++i)
      if (names[i].at[level] != 0) by_name.emplace_back(names[i].at[level], all.Find(i));
    std::ranges::sort(by_name);
    for (size_t i = 0; i < by_name.size();) {
      sets.clear();
      const uint32_t name = by_name[i].first;
      for (; i < by_name.size() && by_name[i].first == name; ++i) sets.push_back(by_name[i].second);
      JoinLevel(level, sets, &all);
    }
  }
  std::vector<uint32_t> clock(count), number(count, UINT32_MAX);
  uint32_t next = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t& of_set = number[all.Find(i)];
    if (of_set == UINT32_MAX) of_set = next++;
    clock[i] = of_set;
  }
  return clock;
}

}  // namespace weft::trace

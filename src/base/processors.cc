// SPDX-License-Identifier: Apache-2.0
#include "base/processors.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>
#include <thread>

namespace weft {
namespace {

std::optional<uint64_t> NumberIn(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

std::optional<uint32_t> Quota(std::optional<uint64_t> used_us, std::optional<uint64_t> period_us) {
  if (!used_us || !period_us || *period_us == 0) return std::nullopt;
  const uint64_t whole = *used_us / *period_us + (*used_us % *period_us != 0);
  return static_cast<uint32_t>(std::clamp<uint64_t>(whole, 1, UINT32_MAX));
}

// Version 2: "QUOTA PERIOD" or "max PERIOD".
std::optional<uint32_t> QuotaOfGroup(const std::string& group, const ReadText& read) {
  if (const auto text = read(group + "/cpu.max")) {
    const size_t space = text->find(' ');
    if (space == std::string::npos) return std::nullopt;
    return Quota(NumberIn(*text), NumberIn(std::string_view(*text).substr(space + 1)));
  }
  const auto used = read(group + "/cpu.cfs_quota_us"), period = read(group + "/cpu.cfs_period_us");
  if (!used || !period) return std::nullopt;
  return Quota(NumberIn(*used), NumberIn(*period));  // -1 is no number: there is no quota
}

// Where version 1 mounts the controllers of a line of /proc/self/cgroup; empty: not that of CPUs.
std::optional<std::string> MountOf(std::string_view controllers) {
  if (controllers.empty()) return "";
  for (size_t first = 0; first <= controllers.size();) {
    const size_t end = std::min(controllers.find(',', first), controllers.size());
    if (controllers.substr(first, end - first) == "cpu") return "/" + std::string(controllers);
    first = end + 1;
  }
  return std::nullopt;
}

std::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

std::optional<uint32_t> ProcessorsOfQuota(const std::string& groups, const std::string& root,
                                          const ReadText& read) {
  std::optional<uint32_t> least;
  const auto limit = [&](std::optional<uint32_t> quota) {
    if (quota) least = least ? std::min(*least, *quota) : quota;
  };
  for (size_t first = 0; first < groups.size();) {
    const size_t end = std::min(groups.find('\n', first), groups.size());
    const std::string_view line = std::string_view(groups).substr(first, end - first);
    first = end + 1;
    const size_t id = line.find(':');
    const size_t controllers = id == line.npos ? line.npos : line.find(':', id + 1);
    if (controllers == line.npos) continue;
    const auto mount = MountOf(line.substr(id + 1, controllers - id - 1));
    if (!mount) continue;
    // A quota binds all groups below it. In a container the path may be one of the host.
    std::string path(line.substr(controllers + 1));
    while (!path.empty() && path != "/") {
      limit(QuotaOfGroup(root + *mount + path, read));
      path.resize(path.rfind('/') == path.npos ? 0 : path.rfind('/'));
    }
    limit(QuotaOfGroup(root + *mount, read));
  }
  return least;
}

uint32_t AvailableProcessors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  uint32_t count = std::thread::hardware_concurrency();
  // It fails where there are more processors than the set has room for.
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0)
    count = static_cast<uint32_t>(CPU_COUNT(&allowed));
  if (const auto groups = ReadFile("/proc/self/cgroup"))
    count = std::min(count,
                     ProcessorsOfQuota(*groups, "/sys/fs/cgroup", ReadFile).value_or(UINT32_MAX));
  return std::max(count, 1u);
}

}  // namespace weft

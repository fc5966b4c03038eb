// SPDX-License-Identifier: Apache-2.0
#include "server/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>

#include "config/section.h"

namespace weft::server {
namespace {

constexpr uint64_t kMiB = 1 << 20;
// Code, stacks, tables, the allocator's holes: what a process has that does nothing yet.
constexpr uint64_t kBase = 32 * kMiB;
// Less than this does not answer a question, take a request or merge two blocks.
constexpr uint64_t kQueryMin = 8 * kMiB;
constexpr uint64_t kRequestsMin = 16 * kMiB;
constexpr uint64_t kMergesMin = 16 * kMiB;
constexpr uint64_t kMergesReserveMax = 48 * kMiB;
constexpr uint64_t kTraceCache = 64 * kMiB;
constexpr uint64_t kBytesPerMergedValue = 16;

bool Runs(const config::Config& config, const config::Component& component) {
  const auto has = [&](const std::vector<config::ComponentId>& ids) {
    return std::ranges::find(ids, component.id) != ids.end();
  };
  switch (component.kind()) {
    case config::ComponentKind::kExtension:
      return has(config.extensions);
    case config::ComponentKind::kReceiver:
      return std::ranges::any_of(config.pipelines, [&](auto& each) { return has(each.receivers); });
    case config::ComponentKind::kProcessor:
      return std::ranges::any_of(config.pipelines,
                                 [&](auto& each) { return has(each.processors); });
    case config::ComponentKind::kExporter:
      return std::ranges::any_of(config.pipelines, [&](auto& each) { return has(each.exporters); });
    case config::ComponentKind::kConnector:
      return false;
  }
  return false;
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// "/system.slice/weft.service" from the line "ID:CONTROLLERS:PATH" of /proc/self/cgroup that has
// `controller` (version 2 has none: ""); "" for the root, and where there is no such line.
std::string GroupOf(const std::string& groups, std::string_view controller) {
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (names.find("," + std::string(controller) + ",") == names.npos) continue;
    const std::string path = line.substr(second + 1);
    return path.starts_with("/") && path.size() > 1 ? path : "";
  }
  return "";
}

}  // namespace

pipeline::MemoryNeed NeedOf(const config::Config& config, const pipeline::ComponentTable& table) {
  pipeline::MemoryNeed sum;
  for (const config::Component& component : config.components) {
    const auto memory = table.RowOf(component).memory;
    if (memory == nullptr || !Runs(config, component)) continue;
    const pipeline::MemoryNeed need = memory(component);
    sum.head += need.head;
    sum.flushes += need.flushes;
    sum.page_cache += need.page_cache;
    sum.workers += need.workers;
    sum.query = std::max(sum.query, need.query);
  }
  return sum;
}

Result<MemoryPlan> PlanMemory(const pipeline::MemoryNeed& has, uint64_t requests_max,
                              uint64_t limit) {
  const uint64_t least =
      kBase + has.head + has.flushes + has.workers * kQueryMin + kRequestsMin + kMergesMin;
  // A whole number of MiB, so that the value that is named works when it is copied.
  const uint64_t least_shown = (least + kMiB - 1) / kMiB * kMiB;
  if (limit < least)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("the memory limit is {}: this configuration needs {} at least ({} of "
                            "heads, {} to flush them, {} for requests, {} for {} query workers, "
                            "{} for the rest)",
                            config::ByteCountText(limit), config::ByteCountText(least_shown),
                            config::ByteCountText(has.head), config::ByteCountText(has.flushes),
                            config::ByteCountText(kRequestsMin),
                            config::ByteCountText(has.workers * kQueryMin), has.workers,
                            config::ByteCountText(kBase + kMergesMin)));
  // What is not kept for heads and flushes is what the others meet in.
  const uint64_t open = limit - kBase - has.head - has.flushes;
  MemoryPlan plan;
  plan.limit = limit;
  plan.head = has.head;
  plan.flushes = has.flushes;
  plan.requests = std::clamp(requests_max, kRequestsMin, std::max(kRequestsMin, open / 3));
  plan.query =
      has.workers == 0 ? 0 : std::min(has.query, std::max(kQueryMin, open / 3 / has.workers));
  plan.queries = plan.query * has.workers;
  plan.answers = open * 2 / 3;
  plan.queues = open / 3;
  plan.merges = std::max(kMergesMin, open / 3);
  plan.merges_reserve = std::clamp(open / 8, kMergesMin, kMergesReserveMax);
  plan.merge_values = plan.merges / 2 / kBytesPerMergedValue;
  plan.page_cache = std::min(has.page_cache, open / 4);
  plan.trace_cache = std::min(kTraceCache, open / 8);
  return plan;
}

std::optional<std::string> ReadRealText(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

uint64_t AvailableMemory(const ReadText& read) {
  uint64_t least = UINT64_MAX;
  if (std::optional<std::string> info = read("/proc/meminfo")) {
    const size_t at = info->find("MemTotal:");
    const size_t digits = at == info->npos ? at : info->find_first_of("0123456789", at);
    if (digits != info->npos)
      if (auto kib = Number(std::string_view(*info).substr(digits))) least = *kib << 10;
  }
  // Every group above may have a limit too; in a container the own group is the root that is seen.
  const auto look = [&](std::string_view controller, const std::string& root, const char* limit) {
    std::string group;
    if (std::optional<std::string> own = read("/proc/self/cgroup"))
      group = GroupOf(*own, controller);
    while (true) {
      if (auto text = read(root + group + "/" + limit))
        if (auto bytes = Number(*text)) least = std::min(least, *bytes);
      if (group.empty()) return;
      group.resize(group.rfind('/'));
    }
  };
  look("", "/sys/fs/cgroup", "memory.max");
  look("memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes");  // version 1
  return least;
}

uint64_t DefaultMemoryLimit(uint64_t available) {
  return std::min(std::max(available / 4, 256 * kMiB), available / 2);
}

}  // namespace weft::server

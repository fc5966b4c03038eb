// SPDX-License-Identifier: Apache-2.0
//
// How many processors this process may use at once: those its affinity allows, and no more than the
// CPU quotas of its control groups pay for. How many threads do the work follows from it.
//
// Nothing fails: what cannot be read limits nothing. Thread rule: any thread.
// Source of formats: the kernel's Documentation/admin-guide/cgroup-v2.rst (cpu.max) and
// cgroup-v1 (cpu.cfs_quota_us).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace weft {

// At least 1.
uint32_t AvailableProcessors();

// The content of a file; nothing where there is none.
using ReadText = std::function<std::optional<std::string>(const std::string& path)>;
// What the quotas of a process with this /proc/self/cgroup pay for, rounded up; nothing where there
// is no quota. `root`: where control groups are mounted.
std::optional<uint32_t> ProcessorsOfQuota(const std::string& groups, const std::string& root,
                                          const ReadText& read);

}  // namespace weft

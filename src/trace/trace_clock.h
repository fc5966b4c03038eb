// SPDX-License-Identifier: Apache-2.0
//
// Which clock stamped which spans of a trace. A resource names its machine, its instance and its
// service, each under several keys or not at all; two resources are compared at the finest level
// that both name, and what one of them does not name is unknown, never another one. Used by
// trace/correction.h; docs/clock_skew.md has it with pictures.
//
// Thread rule: one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/span_batch.h"

namespace weft::trace {

// Finest first; the first kHostLevels of them name a machine.
enum ClockLevel : uint8_t {
  kHostId,
  kNodeName,  // k8s.node.name: before host.name, which is the pod's in a pod
  kHostName,
  kPodId,
  kPodName,
  kInstanceId,
  kServiceName,
  kClockLevels
};
inline constexpr size_t kHostLevels = kPodId;

// What a resource names: a number for each level, equal for equal names; 0: not named.
struct ClockName {
  std::array<uint32_t, kClockLevels> at{};
};

enum class ClockVerdict : uint8_t {
  kSame,       // the finest level that both name is equal, or there is none
  kOther,      // it differs, and is no host
  kOtherHost,  // both name a host, and they differ
};
ClockVerdict CompareClocks(const ClockName& a, const ClockName& b);

// Gives the names of resources their numbers.
class ClockNames {
 public:
  ClockName Of(const Resource& resource);

 private:
  uint32_t Number(std::string_view name);
  std::unordered_map<std::string, uint32_t> numbers_;
};

// "host.name" and its kin, else empty: what a reader calls the machine.
std::string_view HostText(const Resource& resource);

// The clock of each of these resources, numbered from 0 in their order. Resources with the same
// verdict of a level have one clock; one that names less joins the clock of those that name more if
// that is a single one, and has its own where it could be several.
std::vector<uint32_t> GroupClocks(std::span<const ClockName> names);

}  // namespace weft::trace

// SPDX-License-Identifier: Apache-2.0
//
// DemoTraffic: what the demo's shop has to send, and when. Visits begin at random moments of a past
// that is sent at once, then of the present; a visit is due when its last span has ended, so
// nothing arrives before it happened.
//
// Thread rule: one thread at a time. Time is given, never read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load/demo_shop.h"

namespace weft::load {

// One or more visits as OTLP requests.
struct DemoRequest {
  std::string traces;
  std::string logs;  // empty: none
  uint32_t visits = 0;
  uint32_t spans = 0;
  uint64_t due_ns = 0;
};

class DemoTraffic {
 public:
  // Visits begin at start_ns: what lies before the first call of Due() is history.
  DemoTraffic(DemoFaults faults, uint64_t seed, double visits_per_second, uint64_t start_ns);

  // Requests due at now_ns, oldest first; at most about 50 visits in one.
  std::vector<DemoRequest> Due(uint64_t now_ns);
  // When Due() should be asked again.
  uint64_t NextDueNs() const;

 private:
  DemoRequest Make(std::span<const uint64_t> starts);
  void Advance();

  DemoShop shop_;
  double mean_gap_ns_;
  uint64_t next_visit_ns_;
  std::vector<DemoRequest> pending_;  // by due_ns, latest first
};

}  // namespace weft::load

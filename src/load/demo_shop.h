// SPDX-License-Identifier: Apache-2.0
//
// The demo's shop: gateway, checkout, inventory, pricing, payment, stripe-api, fraud, notification.
// It makes up the traces and log lines of visits as instrumented services would send them, with
// retries, declined cards and, now and then, a checkout that hangs in stripe-api for 4.2 s. A fault
// moves the time to another culprit:
//   slow-stripe         stripe-api answers a charge after seconds
//   fraud-900ms         fraud takes 900 ms to score a transaction
//   missing-index       inventory's SELECT reads the whole table
//   cache-miss-retries  pricing asks a cache that times out, three times for every article
//
// Thread rule: one thread at a time. Next: cli/demo_command.h, which sends it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "load/dice.h"
#include "load/trace_recorder.h"
#include "model/span_batch.h"

namespace weft::load {

struct DemoFaults {
  bool slow_stripe = false;
  bool fraud_900ms = false;
  bool missing_index = false;
  bool cache_miss_retries = false;

  bool any() const { return slow_stripe || fraud_900ms || missing_index || cache_miss_retries; }
};
inline constexpr std::string_view kDemoFaultNames[] = {"slow-stripe", "fraud-900ms",
                                                       "missing-index", "cache-miss-retries"};
// Switches one fault on by its name; kInvalidArgument names them all.
Status SetDemoFault(std::string_view name, DemoFaults* faults);

class DemoShop {
 public:
  DemoShop(DemoFaults faults, uint64_t seed) : faults_(faults), dice_(seed) {}

  // Visits that begin at these times, each one trace: every third buys something.
  SpanBatch Visits(std::span<const uint64_t> start_ns);
  // One checkout, for those who want nothing else.
  SpanBatch Checkout(uint64_t start_ns);

  Dice& dice() { return dice_; }

 private:
  DemoFaults faults_;
  Dice dice_;
};

}  // namespace weft::load

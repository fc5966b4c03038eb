// SPDX-License-Identifier: Apache-2.0
#include "api/trace_hold.h"

#include <chrono>

namespace weft::api {
namespace {
// It holds a worker meanwhile.
constexpr std::chrono::seconds kWaitMax{5};
}  // namespace

Status TraceHold::Cover(const store::Snapshot& snapshot, const TraceId& id) {
  if (answers_ == nullptr) return {};
  charge_.reset();
  const uint64_t bytes = MemoryOfTrace(snapshot, id);
  if (bytes == 0) return {};
  Result<MemoryCharge> charge = answers_->Wait(bytes, kWaitMax);
  if (!charge) return Fail(charge.error().WithPrefix("trace " + id.ToHex() + " was left out"));
  charge_ = std::make_shared<MemoryCharge>(std::move(*charge));
  return {};
}

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
#include "testing/sim_store.h"

#include <future>
#include <utility>

#include "base/check.h"
#include "base/clock.h"

namespace weft::testing {

SimStore::SimStore() {
  store::StoreConfig config;
  config.directory = "/data";
  config.background = false;
  // The spans of tests are of any time, and are received now.
  config.retention_age_ns = 0;
  auto opened = store::Store::Open(&env_, SystemClock(), config);
  WEFT_CHECK_MSG(opened.has_value(), opened ? "" : opened.error().message.c_str());
  store_ = std::move(*opened);
}

SimStore::~SimStore() { store_->Close(); }

void SimStore::Put(SpanBatch batch) {
  std::promise<Status> done;
  store_->Append(std::move(batch), [&](Status status) { done.set_value(std::move(status)); });
  Status status = done.get_future().get();
  WEFT_CHECK_MSG(status.has_value(), status ? "" : status.error().message.c_str());
  if (++batches_ % 2 == 0) return;
  status = store_->FlushNow();
  WEFT_CHECK_MSG(status.has_value(), status ? "" : status.error().message.c_str());
}

}  // namespace weft::testing

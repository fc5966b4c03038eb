// SPDX-License-Identifier: Apache-2.0
//
// SimStore: the real store on a simulated disk, for tests of the rooms above it. Every second batch
// that is put in lies in a block, the others in the head, so that both are met.
//
// Thread rule: Put() by one thread; the store as store/store.h says.
#pragma once

#include <memory>

#include "store/store.h"
#include "testing/sim_env.h"

namespace weft::testing {

class SimStore {
 public:
  SimStore();
  ~SimStore();

  store::Store* get() { return store_.get(); }
  SimEnv& env() { return env_; }
  // Returns when the batch is durable and can be seen.
  void Put(SpanBatch batch);

 private:
  SimEnv env_;
  std::unique_ptr<store::Store> store_;
  int batches_ = 0;
};

}  // namespace weft::testing

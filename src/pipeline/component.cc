// SPDX-License-Identifier: Apache-2.0
#include "pipeline/component.h"

#include "base/check.h"

namespace weft::pipeline {

void Consumer::Consume(SharedSpans, Ack) {
  WEFT_CHECK_MSG(false,
                 "the graph gave spans to a component whose row has neither traces nor logs");
}
void Consumer::Consume(SharedMetrics, Ack) {
  WEFT_CHECK_MSG(false, "the graph gave metrics to a component whose row has none");
}

Result<Component::Change> Component::Reconfigure(const std::any&) { return Change(); }

}  // namespace weft::pipeline

// SPDX-License-Identifier: Apache-2.0
//
// The list of all components: what each kind of settings becomes. A new component is one type of
// settings (config/settings.h) and one case here.
//
// Thread rule: called once, by the starting thread. Next: server/running_server.h.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/env.h"
#include "base/metrics.h"
#include "config/config.h"
#include "pipeline/graph.h"

namespace weft::server {

// kUnimplemented when the component has no exporter: a bug of the table, named as such.
Result<std::unique_ptr<pipeline::Exporter>> MakeExporter(const config::Component& component,
                                                         Env* env, Clock* clock, Metrics* metrics);

}  // namespace weft::server

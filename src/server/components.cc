// SPDX-License-Identifier: Apache-2.0
#include "server/components.h"

#include "exporter/debug_exporter.h"
#include "exporter/store_exporter.h"

namespace weft::server {

Result<std::unique_ptr<pipeline::Exporter>> MakeExporter(const config::Component& component,
                                                         Env* env, Clock* clock, Metrics* metrics) {
  if (const auto* settings = std::get_if<config::StoreSettings>(&component.settings))
    return std::make_unique<exporter::StoreExporter>(component.id.ToString(), *settings, env, clock,
                                                     metrics);
  if (const auto* settings = std::get_if<config::DebugSettings>(&component.settings))
    return std::make_unique<exporter::DebugExporter>(*settings);
  return Fail(ErrorCode::kUnimplemented,
              "exporter " + component.id.ToString() + " is not in the table of components");
}

}  // namespace weft::server

// SPDX-License-Identifier: Apache-2.0
#include "server/components.h"

#include "api/query_extension.h"
#include "exporter/debug_exporter.h"
#include "exporter/store_exporter.h"
#include "extension/authenticators.h"
#include "extension/health_check.h"
#include "extension/memory_ballast.h"
#include "receiver/otlp_receiver.h"

namespace weft::server {

const pipeline::ComponentTable& Components() {
  static const pipeline::ComponentTable table({
      &receiver::kOtlpReceiver,
      &exporter::kStoreExporter,
      &exporter::kDebugExporter,
      &api::kQueryExtension,
      &extension::kHealthCheck,
      &extension::kBearerTokenAuth,
      &extension::kBasicAuth,
      &extension::kMemoryBallast,
  });
  return table;
}

}  // namespace weft::server

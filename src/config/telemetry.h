// SPDX-License-Identifier: Apache-2.0
//
// service::telemetry: what weft says about itself. The Collector's keys with their meaning where
// weft has it; those without effect are warned about, anything else is an error with the nearest
// key.
//
// Thread rule: plain values. Next: config/config.h; every key: docs/config.md.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "config/section.h"

namespace weft::config {

struct TelemetrySettings {
  LogLevel log_level = LogLevel::kInfo;
  LogEncoding log_encoding = LogEncoding::kConsole;
  LogSampling log_sampling;
  bool metrics_on = true;                   // metrics::level is not none
  std::vector<Endpoint> metrics_endpoints;  // of pull readers: /metrics is served there too
  // The exporter that keeps weft's own spans; empty: there are none.
  std::string traces_exporter;
  // Of requests that bring spans or logs, so many a second are traced at most.
  uint64_t ingest_traces_per_second = 1;
  // On weft's own spans, over service.name and service.version.
  std::vector<std::pair<std::string, std::string>> resource;
};

TelemetrySettings ReadTelemetry(Section telemetry);

}  // namespace weft::config

// SPDX-License-Identifier: Apache-2.0
//
// Settings of receivers::otlp, with their defaults; keys are the Collector's.
//
// Thread rule: plain values. Next: receiver/otlp_receiver.h; every key: docs/config.md.
#pragma once

#include <any>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/component_type.h"

namespace weft::receiver {

struct OtlpReceiverSettings {
  struct Grpc {
    config::Endpoint endpoint{"localhost", 4317};
    config::ListenerSecurity security;
    uint64_t message_bytes_max = 64ull << 20;  // decompressed
    bool include_metadata = false;             // batches carry the request's headers
  };
  struct Http {
    config::Endpoint endpoint{"localhost", 4318};
    config::ListenerSecurity security;
    uint64_t body_bytes_max = 64ull << 20;  // before and after decompression
    bool include_metadata = false;          // batches carry the request's headers
    std::string traces_path = "/v1/traces";
    std::string logs_path = "/v1/logs";
    std::string metrics_path = "/v1/metrics";
    std::vector<std::string> cors_origins;  // empty: no CORS headers. "*" inside matches anything
    std::vector<std::string> cors_headers;
    std::vector<std::string> cors_exposed_headers;
    uint64_t cors_max_age_s = 0;
    std::vector<std::string> allowed_hosts;  // Host headers accepted besides loopback names
  };
  std::optional<Grpc> grpc;
  std::optional<Http> http;
};

// Gives OtlpReceiverSettings.
std::any ReadOtlpSettings(config::Section section);
// `settings` are OtlpReceiverSettings.
std::vector<config::ListenSetting> OtlpListens(const config::ComponentId& id, std::any* settings);

}  // namespace weft::receiver

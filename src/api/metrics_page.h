// SPDX-License-Identifier: Apache-2.0
//
// The answer of /metrics: OpenMetrics where Accept prefers it, else Prometheus' older text, which
// everything reads.
//
// Thread rule: any thread. Source: OpenMetrics 1.0, Prometheus' content negotiation, RFC
// 9110 12.5.1. Next: base/metrics.h, docs/metrics.md.
#pragma once

#include <string_view>

#include "base/metrics.h"
#include "http/http.h"

namespace weft::api {

http::Response AnswerMetrics(const Metrics& metrics, std::string_view accept);
// What a client that sent this Accept header gets.
MetricsFormat PreferredFormat(std::string_view accept);

}  // namespace weft::api

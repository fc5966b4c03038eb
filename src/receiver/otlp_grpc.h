// SPDX-License-Identifier: Apache-2.0
//
// OTLP over gRPC: the Export methods of TraceService, LogsService and MetricsService, and the
// standard health service beside them. Overload is UNAVAILABLE with RetryInfo, as senders expect.
//
// Source: opentelemetry-proto, specification.md, OTLP/gRPC.
// Thread rule: as receiver/otlp_http.h.
#pragma once

#include <functional>

#include "http/server.h"
#include "receiver/otlp_intake.h"
#include "receiver/otlp_settings.h"

namespace weft::receiver {

void AddOtlpGrpcRoutes(const OtlpReceiverSettings::Grpc& settings, OtlpIntake* intake,
                       std::function<bool()> serving, http::Router* router);

}  // namespace weft::receiver

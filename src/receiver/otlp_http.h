// SPDX-License-Identifier: Apache-2.0
//
// OTLP over HTTP: POST /v1/traces, /v1/logs, /v1/metrics, protobuf or JSON by content type,
// answered in the same. Bodies may be compressed in any way wire/compression.h knows. Errors carry
// a google.rpc.Status; those worth a retry carry Retry-After.
//
// Source: opentelemetry-proto, specification.md, OTLP/HTTP.
// Thread rule: routes are added before the server starts; handlers run on net threads.
#pragma once

#include "http/server.h"
#include "receiver/otlp_intake.h"
#include "receiver/otlp_settings.h"

namespace weft::receiver {

// `intake` is borrowed and outlives the router's server.
void AddOtlpHttpRoutes(const OtlpReceiverSettings::Http& settings, OtlpIntake* intake,
                       http::Router* router);

}  // namespace weft::receiver

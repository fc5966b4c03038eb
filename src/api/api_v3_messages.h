// SPDX-License-Identifier: Apache-2.0
//
// The messages of gRPC service jaeger.api_v3.QueryService. Requests are read with bounds and
// ranges: what is wrong is kInvalidArgument and names the field and, where the bytes are no such
// message, the byte. Traces themselves are OTLP (api/trace_chunks.h).
//
// Thread rule: pure functions. Source: jaeger-idl, api_v3/query_service.proto (field numbers).
// Next: api/api_v3_grpc.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/dependencies.h"
#include "query/query.h"

namespace weft::api {

Result<TraceId> DecodeGetTraceRequest(std::string_view message);
// FindTracesRequest and FindTraceSummariesRequest.
Result<query::SearchRequest> DecodeFindRequest(std::string_view message);
struct OperationsRequest {
  std::string service, span_kind;
};
Result<OperationsRequest> DecodeGetOperationsRequest(std::string_view message);
struct DependenciesRequest {
  uint64_t start_ns = 0, end_ns = 0;
};
Result<DependenciesRequest> DecodeGetDependenciesRequest(std::string_view message);

std::string EncodeServices(const std::vector<query::ServiceCount>& services);
std::string EncodeOperations(const std::vector<query::OperationName>& operations);
std::string EncodeDependencies(const std::vector<query::ServiceCalls>& links);
std::string EncodeSummaries(std::span<const query::TraceSummary> traces);

}  // namespace weft::api

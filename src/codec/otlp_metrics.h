// SPDX-License-Identifier: Apache-2.0
//
// OTLP metrics: bytes <-> MetricBatch, protobuf and JSON, in the manner of codec/otlp.h, whose
// rules hold here too: bounded, no string copied, times, enum numbers and text that is no UTF-8
// kept as received.
//
// What a wrong value costs: in a data point, that point; in an exemplar, that exemplar; elsewhere
// in a metric, the metric with all of its points. Points are counted in rejected_points with the
// first reason, exemplars in left_out. Wrong values of resources and scopes are left out alone. Of
// two kinds of data in one metric the last counts, as in any oneof, and the points of the other are
// counted as rejected. A metric without data, and data without points, are kept. Fields that OTLP
// no longer has (IntGauge, labels) are unknown ones: where they stand in place of data,
// not_understood tells.
//
// Sources: opentelemetry-proto 1.x metrics/common/resource/collector; its specification.md (JSON).
// Thread rule: pure functions. Next: model/metric_batch.h, codec/otlp_proto_metrics.cc.
#pragma once

#include <string>

#include "base/result.h"
#include "codec/otlp.h"
#include "model/metric_batch.h"

namespace weft::codec {

// ExportMetricsServiceRequest (= MetricsData). Takes the body over into batch.received.
Result<MetricBatch> DecodeOtlpMetrics(OtlpFormat format, std::string body,
                                      OtlpSource source = OtlpSource::kPeer);

// The metrics of the batch as MetricsData. Runs of equal resource and scope indexes form one
// ResourceMetrics / ScopeMetrics. JSON is strict protojson of OTLP.
void EncodeOtlpMetrics(OtlpFormat format, const MetricBatch& batch, std::string* out);
// With U+FFFD for what is no UTF-8, in protobuf as in JSON: weft's own reader takes such text as it
// is, protobuf libraries refuse the whole message for it.
void EncodeSoundOtlpMetrics(OtlpFormat format, const MetricBatch& batch, std::string* out);

}  // namespace weft::codec

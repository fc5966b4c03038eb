// SPDX-License-Identifier: Apache-2.0
//
// The metrics of OTLP/JSON. Points are in otlp_json_points.cc.
#include "codec/otlp_json_decoder.h"

namespace weft::codec {
namespace {

constexpr std::string_view kTemporalityNames[] = {"UNSPECIFIED", "DELTA", "CUMULATIVE"};
constexpr EnumNames kTemporalities = {"AGGREGATION_TEMPORALITY_", kTemporalityNames};

}  // namespace

bool OtlpJsonDecoder::MetricItem(Json json) {
  if (!budget_.Charge(sizeof(Metric))) return walker_.FailTooLarge(json);
  const size_t mark = scratch_.attributes.mark(), seen_before = messages_.SeenCount();
  Metric metric;
  metric.resource = resource_;
  metric.scope = scope_;
  metric_.Begin();
  UnknownFields unknown(false);
  bool read = walker_.Object(
      json, metric::kFields,
      [&](uint32_t number, Json value) { return MetricField(number, value, &metric); },
      NoteIn(&unknown));
  if (!read && !RefuseMetric()) return false;
  const bool has_data = metric_.kind != MetricKind::kNone;
  if (unknown.Matters(has_data || messages_.SeenCount() > seen_before))
    messages_.NoteUnknown(at_, 3, unknown, metric::kFields);
  metric.metadata = scratch_.attributes.TakeSince(mark, arena_);
  if (!metric_.problem.empty()) {
    messages_.RejectMany(std::max<size_t>(1, metric_.PointCount()), metric_.problem);
    return true;
  }
  metric_.TakeInto(&metric, arena_);
  target_.metrics->metrics.push_back(metric);
  return true;
}

bool OtlpJsonDecoder::RefuseMetric(std::string_view field) {
  if (walker_.fault_is_final()) return false;
  if (metric_.problem.empty()) {
    std::string place = messages_.Place(at_, 3);
    if (!field.empty()) place += "." + std::string(field);
    metric_.problem = walker_.FaultAt(place);
  }
  walker_.Forgive();
  return true;
}

bool OtlpJsonDecoder::MetricField(uint32_t number, Json value, Metric* metric) {
  switch (number) {
    case metric::kName:
      return walker_.String(value, &metric->name) || RefuseMetric("name");
    case metric::kDescription:
      return walker_.String(value, &metric->description) || RefuseMetric("description");
    case metric::kUnit:
      return walker_.String(value, &metric->unit) || RefuseMetric("unit");
    case metric::kMetadata: {
      if (PushAttributes(value, 1)) return true;
      scratch_.values.Clear();
      return RefuseMetric("metadata");
    }
    default:
      return MetricData(MetricKindOf(number), value, metric);
  }
}

// One kind that comes twice is one message in two pieces: their points follow each other.
bool OtlpJsonDecoder::MetricData(MetricKind kind, Json json, Metric* metric) {
  const MetricKind before = metric_.kind;
  if (size_t lost = metric_.BeginData(kind, metric); lost > 0)
    messages_.RejectMany(lost, ReplacedData(messages_.Place(at_, 3), before, kind));
  const OtlpFields fields = MetricDataFields(kind);
  const std::string_view name = MetricDataField(kind).json;
  auto field = [&](uint32_t number, Json value) {
    switch (number) {
      case metric_data::kDataPoints: {
        bool read = walker_.Array(value, [&](Json point) {
          if (!DataPoint(point)) return false;
          ++metric_.point_index;
          return true;
        });
        return read || RefuseMetric(std::string(name) + ".dataPoints");
      }
      case metric_data::kTemporality: {
        uint32_t temporality = 0;
        if (!walker_.Enum(value, kTemporalities, &temporality))
          return RefuseMetric(std::string(name) + ".aggregationTemporality");
        metric->temporality = static_cast<AggregationTemporality>(temporality);
        return true;
      }
      default:
        return walker_.Bool(value, &metric->monotonic) ||
               RefuseMetric(std::string(name) + ".isMonotonic");
    }
  };
  UnknownFields unknown(false);
  if (!walker_.Object(json, fields, field, NoteIn(&unknown)) && !RefuseMetric(name)) return false;
  if (unknown.Matters(metric_.point_index > 0)) messages_.NoteUnknown(at_, 3, unknown, fields);
  return true;
}

bool OtlpJsonDecoder::DataPoint(Json json) {
  switch (metric_.kind) {
    case MetricKind::kHistogram:
      return AddPoint(json, &metric_.histograms);
    case MetricKind::kExponentialHistogram:
      return AddPoint(json, &metric_.exponential_histograms);
    case MetricKind::kSummary:
      return AddPoint(json, &metric_.summaries);
    default:
      return AddPoint(json, &metric_.numbers);
  }
}

template <class Point>
bool OtlpJsonDecoder::AddPoint(Json json, ItemStack<Point>* points) {
  if (!budget_.Charge(sizeof(Point))) return walker_.FailTooLarge(json);
  const size_t mark = points->mark();
  metric_.BeginPoint(scratch_.attributes.mark());
  if (ReadPoint(json, &points->Push())) {
    points->At(mark).attributes = scratch_.attributes.TakeSince(metric_.attributes_mark, arena_);
    return true;
  }
  if (walker_.fault_is_final()) return false;
  points->DropSince(mark);
  scratch_.attributes.DropSince(metric_.attributes_mark);
  scratch_.values.Clear();
  messages_.Reject(at_, 3, [&](const std::string& place) {
    return walker_.FaultAt(place + "." + metric_.PointPath(&OtlpField::json));
  });
  walker_.Forgive();
  return true;
}

bool OtlpJsonDecoder::AddExemplars(Json list) {
  return walker_.Array(list, [&](Json json) {
    if (!budget_.Charge(sizeof(Exemplar))) return walker_.FailTooLarge(json);
    const size_t mark = metric_.exemplars.mark(), attributes_mark = scratch_.attributes.mark();
    const bool read = ReadExemplar(json, &metric_.exemplars.Push());
    if (!read && walker_.fault_is_final()) return false;
    if (!read || !checker_.problem().empty()) {
      metric_.exemplars.DropSince(mark);
      scratch_.attributes.DropSince(attributes_mark);
      scratch_.values.Clear();
      messages_.Lose(at_, 3, target_.left_out, [&](std::string place) {
        place += "." + metric_.ExemplarPath(&OtlpField::json);
        return read ? place + "." + checker_.problem() : walker_.FaultAt(place);
      });
      walker_.Forgive();
    }
    ++metric_.exemplar_index;
    return true;
  });
}

}  // namespace weft::codec

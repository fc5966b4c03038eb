// SPDX-License-Identifier: Apache-2.0
//
// The metrics of OTLP protobuf. Points are in otlp_proto_points.cc, the rest of OtlpProtoDecoder is
// in otlp_proto_decode.cc.
#include "codec/otlp_proto_decode.h"

namespace weft::codec {

using wire::LengthTag;
using wire::ProtoError;
using wire::VarintTag;

bool OtlpProtoDecoder::MetricItem(const Reading& to, std::string_view bytes) {
  if (!budget_.Charge(sizeof(Metric))) return FailAt(bytes.data(), ProtoError::kTooLarge);
  Metric metric;
  metric.resource = resource_;
  metric.scope = scope_;
  metric_.Begin();
  if (!ReadMetric(to, bytes, &metric)) return false;
  if (!metric_.problem.empty()) [[unlikely]] {
    to.messages.RejectMany(std::max<size_t>(1, metric_.PointCount()), metric_.problem);
    return true;
  }
  metric_.TakeInto(&metric, arena_);
  to.target.metrics->metrics.push_back(metric);
  return true;
}

bool OtlpProtoDecoder::RefuseMetric(const Reading& to) {
  if (error_ == ProtoError::kTooLarge) return false;
  if (metric_.problem.empty()) metric_.problem = FaultAt(to.messages.Place(at_, 3));
  error_path_.clear();
  return true;
}

bool OtlpProtoDecoder::ReadMetric(const Reading& to, std::string_view bytes, Metric* metric) {
  const size_t mark = scratch_.attributes.mark(), seen_before = to.messages.SeenCount();
  UnknownFields unknown(false);
  int64_t metadata = 0;
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(metric::kName):
        metric->name = in.bytes();
        break;
      case LengthTag(metric::kDescription):
        metric->description = in.bytes();
        break;
      case LengthTag(metric::kUnit):
        metric->unit = in.bytes();
        break;
      case LengthTag(metric::kGauge):
      case LengthTag(metric::kSum):
      case LengthTag(metric::kHistogram):
      case LengthTag(metric::kExponentialHistogram):
      case LengthTag(metric::kSummary):
        if (!MetricData(to, MetricKindOf(in.number()), in.bytes(), metric)) return false;
        break;
      case LengthTag(metric::kMetadata):
        if (!PushAttribute(in.bytes(), 1) && !Within("metadata", metadata) && !RefuseMetric(to))
          return false;
        ++metadata;
        break;
      default:
        if (OtlpFieldName(metric::kFields, in.number()).empty()) {
          unknown.Note("field " + std::to_string(in.number()), in.tag() == LengthTag(in.number()));
        } else if (!Unhandled(in, metric::kFields) && !RefuseMetric(to)) {
          return false;
        }
    }
  }
  if (!Finish(in, metric::kFields) && !RefuseMetric(to)) return false;
  const bool has_data = metric_.kind != MetricKind::kNone;
  if (unknown.Matters(has_data || to.messages.SeenCount() > seen_before)) [[unlikely]]
    to.messages.NoteUnknown(at_, 3, unknown, metric::kFields);
  metric->metadata = scratch_.attributes.TakeSince(mark, arena_);
  return true;
}

// One kind that comes twice is one message in two pieces: their points follow each other.
bool OtlpProtoDecoder::MetricData(const Reading& to, MetricKind kind, std::string_view bytes,
                                  Metric* metric) {
  const MetricKind before = metric_.kind;
  if (size_t lost = metric_.BeginData(kind, metric); lost > 0) [[unlikely]] {
    to.messages.RejectMany(lost, ReplacedData(to.messages.Place(at_, 3), before, kind));
  }
  const OtlpFields fields = MetricDataFields(kind);
  UnknownFields unknown(false);
  Reader in(bytes);
  while (in.Next()) {
    if (in.tag() == LengthTag(metric_data::kDataPoints)) {
      if (!DataPoint(to, in.bytes())) return false;
      ++metric_.point_index;
    } else if (OtlpFieldName(fields, in.number()).empty()) {
      unknown.Note("field " + std::to_string(in.number()), in.tag() == LengthTag(in.number()));
    } else if (in.tag() == VarintTag(metric_data::kTemporality)) {
      metric->temporality = static_cast<AggregationTemporality>(in.value());
    } else if (in.tag() == VarintTag(metric_data::kMonotonic)) {
      metric->monotonic = in.value() != 0;
    } else if (!Unhandled(in, fields) && !Within(MetricDataField(kind).name) && !RefuseMetric(to)) {
      return false;
    }
  }
  if (!Finish(in, fields) && !Within(MetricDataField(kind).name) && !RefuseMetric(to)) return false;
  if (unknown.Matters(metric_.point_index > 0)) [[unlikely]]
    to.messages.NoteUnknown(at_, 3, unknown, fields);
  return true;
}

bool OtlpProtoDecoder::DataPoint(const Reading& to, std::string_view bytes) {
  switch (metric_.kind) {
    case MetricKind::kHistogram:
      return AddPoint(to, bytes, &metric_.histograms);
    case MetricKind::kExponentialHistogram:
      return AddPoint(to, bytes, &metric_.exponential_histograms);
    case MetricKind::kSummary:
      return AddPoint(to, bytes, &metric_.summaries);
    default:
      return AddPoint(to, bytes, &metric_.numbers);
  }
}

template <class Point>
bool OtlpProtoDecoder::AddPoint(const Reading& to, std::string_view bytes,
                                ItemStack<Point>* points) {
  if (!budget_.Charge(sizeof(Point))) [[unlikely]] {
    FailAt(bytes.data(), ProtoError::kTooLarge);
    return Within(metric_.PointPath(&OtlpField::name));
  }
  const size_t mark = points->mark();
  metric_.BeginPoint(scratch_.attributes.mark());
  if (ReadPoint(to, bytes, &points->Push())) [[likely]] {
    points->At(mark).attributes = scratch_.attributes.TakeSince(metric_.attributes_mark, arena_);
    return true;
  }
  Within(metric_.PointPath(&OtlpField::name));
  if (error_ == ProtoError::kTooLarge) return false;
  points->DropSince(mark);
  scratch_.attributes.DropSince(metric_.attributes_mark);
  scratch_.values.Clear();
  to.messages.Reject(at_, 3, [&](const std::string& place) { return FaultAt(place); });
  error_path_.clear();
  return true;
}

bool OtlpProtoDecoder::AddExemplar(const Reading& to, std::string_view bytes) {
  if (!budget_.Charge(sizeof(Exemplar))) [[unlikely]] {
    FailAt(bytes.data(), ProtoError::kTooLarge);
    return Within("exemplars");
  }
  const size_t mark = metric_.exemplars.mark(), attributes_mark = scratch_.attributes.mark();
  const bool read = ReadExemplar(bytes, &metric_.exemplars.Push());
  if (!read && error_ == ProtoError::kTooLarge)
    return Within("exemplars", static_cast<int64_t>(metric_.exemplar_index));
  if (!read || !checker_.problem().empty()) [[unlikely]] {
    metric_.exemplars.DropSince(mark);
    scratch_.attributes.DropSince(attributes_mark);
    scratch_.values.Clear();
    to.messages.Lose(at_, 3, to.target.left_out, [&](std::string place) {
      place += "." + metric_.ExemplarPath(&OtlpField::name);
      return read ? place + "." + checker_.problem() : FaultAt(place);
    });
    error_path_.clear();
  }
  ++metric_.exemplar_index;
  return true;
}

}  // namespace weft::codec

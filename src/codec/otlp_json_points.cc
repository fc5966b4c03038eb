// SPDX-License-Identifier: Apache-2.0
//
// The data points of OTLP/JSON with their exemplars. Metrics around them are in
// otlp_json_metrics.cc.
#include "codec/otlp_json_decoder.h"

namespace weft::codec {

bool OtlpJsonDecoder::IntValue(Json json, Value* value) {
  int64_t integer = 0;
  if (!walker_.Int64(json, &integer)) return false;
  *value = Value::Int(integer);
  return true;
}

bool OtlpJsonDecoder::DoubleValue(Json json, Value* value) {
  double real = 0;
  if (!walker_.Double(json, &real)) return false;
  *value = Value::Double(real);
  return true;
}

bool OtlpJsonDecoder::OptionalDouble(Json json, std::optional<double>* real) {
  return walker_.Double(json, &real->emplace());
}

bool OtlpJsonDecoder::AddCounts(Json list, ItemStack<uint64_t>* counts) {
  return walker_.Array(list, [&](Json json) {
    if (!budget_.Charge(sizeof(uint64_t))) return walker_.FailTooLarge(json);
    return walker_.Uint64(json, &counts->Push());
  });
}

bool OtlpJsonDecoder::ReadPoint(Json json, NumberPoint* point) {
  bool read = walker_.Object(json, number_point::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case number_point::kAttributes:
        return PushAttributes(value, 1);
      case number_point::kStart:
        return walker_.Uint64(value, &point->start_ns);
      case number_point::kTime:
        return walker_.Uint64(value, &point->time_ns);
      case number_point::kDouble:
        return DoubleValue(value, &point->value);
      case number_point::kInt:
        return IntValue(value, &point->value);
      case number_point::kExemplars:
        return AddExemplars(value);
      default:
        return walker_.Uint32(value, &point->flags);
    }
  });
  point->exemplars = metric_.exemplars.TakeSince(0, arena_);
  return read;
}

bool OtlpJsonDecoder::ReadPoint(Json json, HistogramPoint* point) {
  bool read = walker_.Object(json, histogram_point::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case histogram_point::kAttributes:
        return PushAttributes(value, 1);
      case histogram_point::kStart:
        return walker_.Uint64(value, &point->start_ns);
      case histogram_point::kTime:
        return walker_.Uint64(value, &point->time_ns);
      case histogram_point::kCount:
        return walker_.Uint64(value, &point->count);
      case histogram_point::kSum:
        return OptionalDouble(value, &point->sum);
      case histogram_point::kBucketCounts:
        return AddCounts(value, &metric_.counts);
      case histogram_point::kExplicitBounds:
        return walker_.Array(value, [&](Json bound) {
          if (!budget_.Charge(sizeof(double))) return walker_.FailTooLarge(bound);
          return walker_.Double(bound, &metric_.bounds.Push());
        });
      case histogram_point::kExemplars:
        return AddExemplars(value);
      case histogram_point::kMin:
        return OptionalDouble(value, &point->min);
      case histogram_point::kMax:
        return OptionalDouble(value, &point->max);
      default:
        return walker_.Uint32(value, &point->flags);
    }
  });
  point->bucket_counts = metric_.counts.TakeSince(0, arena_);
  point->explicit_bounds = metric_.bounds.TakeSince(0, arena_);
  point->exemplars = metric_.exemplars.TakeSince(0, arena_);
  return read;
}

bool OtlpJsonDecoder::ReadPoint(Json json, ExponentialHistogramPoint* point) {
  bool read = walker_.Object(json, exponential_point::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case exponential_point::kAttributes:
        return PushAttributes(value, 1);
      case exponential_point::kStart:
        return walker_.Uint64(value, &point->start_ns);
      case exponential_point::kTime:
        return walker_.Uint64(value, &point->time_ns);
      case exponential_point::kCount:
        return walker_.Uint64(value, &point->count);
      case exponential_point::kSum:
        return OptionalDouble(value, &point->sum);
      case exponential_point::kScale:
        return walker_.Int32(value, &point->scale);
      case exponential_point::kZeroCount:
        return walker_.Uint64(value, &point->zero_count);
      case exponential_point::kPositive:
        return ReadBuckets(value, &point->positive, &metric_.counts);
      case exponential_point::kNegative:
        return ReadBuckets(value, &point->negative, &metric_.negative_counts);
      case exponential_point::kExemplars:
        return AddExemplars(value);
      case exponential_point::kMin:
        return OptionalDouble(value, &point->min);
      case exponential_point::kMax:
        return OptionalDouble(value, &point->max);
      case exponential_point::kZeroThreshold:
        return walker_.Double(value, &point->zero_threshold);
      default:
        return walker_.Uint32(value, &point->flags);
    }
  });
  point->positive.counts = metric_.counts.TakeSince(0, arena_);
  point->negative.counts = metric_.negative_counts.TakeSince(0, arena_);
  point->exemplars = metric_.exemplars.TakeSince(0, arena_);
  return read;
}

// The counts stay on the stack: more of them may come in another piece of the message.
bool OtlpJsonDecoder::ReadBuckets(Json json, ExponentialBuckets* buckets,
                                  ItemStack<uint64_t>* counts) {
  buckets->present = true;
  return walker_.Object(json, exponential_buckets::kFields, [&](uint32_t number, Json value) {
    return number == exponential_buckets::kOffset ? walker_.Int32(value, &buckets->offset)
                                                  : AddCounts(value, counts);
  });
}

bool OtlpJsonDecoder::ReadPoint(Json json, SummaryPoint* point) {
  bool read = walker_.Object(json, summary_point::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case summary_point::kAttributes:
        return PushAttributes(value, 1);
      case summary_point::kStart:
        return walker_.Uint64(value, &point->start_ns);
      case summary_point::kTime:
        return walker_.Uint64(value, &point->time_ns);
      case summary_point::kCount:
        return walker_.Uint64(value, &point->count);
      case summary_point::kSum:
        return walker_.Double(value, &point->sum);
      case summary_point::kQuantiles:
        return walker_.Array(value, [&](Json quantile) {
          if (!budget_.Charge(sizeof(QuantileValue))) return walker_.FailTooLarge(quantile);
          return ReadQuantile(quantile, &metric_.quantiles.Push());
        });
      default:
        return walker_.Uint32(value, &point->flags);
    }
  });
  point->quantiles = metric_.quantiles.TakeSince(0, arena_);
  return read;
}

bool OtlpJsonDecoder::ReadQuantile(Json json, QuantileValue* quantile) {
  return walker_.Object(json, quantile_value::kFields, [&](uint32_t number, Json value) {
    return walker_.Double(
        value, number == quantile_value::kQuantile ? &quantile->quantile : &quantile->value);
  });
}

bool OtlpJsonDecoder::ReadExemplar(Json json, Exemplar* exemplar) {
  const size_t mark = scratch_.attributes.mark();
  RawId trace_id, span_id;
  checker_.Begin();
  bool read = walker_.Object(json, exemplar::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case exemplar::kAttributes:
        return PushAttributes(value, 1);
      case exemplar::kTime:
        return walker_.Uint64(value, &exemplar->time_ns);
      case exemplar::kDouble:
        return DoubleValue(value, &exemplar->value);
      case exemplar::kInt:
        return IntValue(value, &exemplar->value);
      case exemplar::kSpanId:
        return Id(value, &span_id);
      default:
        return Id(value, &trace_id);
    }
  });
  exemplar->filtered_attributes = scratch_.attributes.TakeSince(mark, arena_);
  checker_.Optional("traceId", trace_id, -1, &exemplar->trace_id);
  checker_.Optional("spanId", span_id, -1, &exemplar->span_id);
  return read;
}

}  // namespace weft::codec

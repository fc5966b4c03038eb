// SPDX-License-Identifier: Apache-2.0
//
// The data points of OTLP protobuf with their exemplars. Metrics around them are in
// otlp_proto_metrics.cc.
#include <bit>

#include "codec/otlp_proto_decode.h"

namespace weft::codec {
namespace {

using wire::Fixed64Tag;
using wire::LengthTag;
using wire::ProtoError;
using wire::VarintTag;

uint32_t Low32(const wire::ProtoReader& in) { return static_cast<uint32_t>(in.value()); }
double Real(const wire::ProtoReader& in) { return std::bit_cast<double>(in.value()); }
// sint32: the sign is the lowest bit.
int32_t ZigZag32(const wire::ProtoReader& in) {
  const uint32_t bits = Low32(in);
  return static_cast<int32_t>(bits >> 1 ^ (0 - (bits & 1)));
}

}  // namespace

bool OtlpProtoDecoder::PointAttribute(std::string_view bytes) {
  const auto index = static_cast<int64_t>(scratch_.attributes.mark() - metric_.attributes_mark);
  return PushAttribute(bytes, 1) || Within("attributes", index);
}

template <class Number>
bool OtlpProtoDecoder::AddFixed64(const Reader& in, ItemStack<Number>* numbers) {
  static_assert(sizeof(Number) == sizeof(uint64_t));
  const bool packed = in.tag() == LengthTag(in.number());
  const size_t bytes = packed ? in.bytes().size() : sizeof(Number);
  if (bytes % sizeof(Number) != 0) return FailAt(in.position(), ProtoError::kTruncated);
  if (!budget_.Charge(bytes)) return FailAt(in.position(), ProtoError::kTooLarge);
  if (!packed) {
    numbers->Push() = std::bit_cast<Number>(in.value());
  } else if (bytes > 0) {
    std::span<Number> to = numbers->PushMany(bytes / sizeof(Number));
    std::memcpy(to.data(), in.bytes().data(), bytes);
  }
  return true;
}

bool OtlpProtoDecoder::AddVarints(const Reader& in, ItemStack<uint64_t>* numbers) {
  if (in.tag() != LengthTag(in.number())) {
    if (!budget_.Charge(sizeof(uint64_t))) return FailAt(in.position(), ProtoError::kTooLarge);
    numbers->Push() = in.value();
    return true;
  }
  if (!budget_.Charge(in.bytes().size() * sizeof(uint64_t)))
    return FailAt(in.position(), ProtoError::kTooLarge);
  Reader packed(in.bytes());
  while (packed.NextPackedVarint()) numbers->Push() = packed.value();
  return packed.error() == ProtoError::kNone || FailAt(packed.position(), packed.error());
}

bool OtlpProtoDecoder::ReadPoint(const Reading& to, std::string_view bytes, NumberPoint* point) {
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(number_point::kAttributes):
        if (!PointAttribute(in.bytes())) return false;
        break;
      case Fixed64Tag(number_point::kStart):
        point->start_ns = in.value();
        break;
      case Fixed64Tag(number_point::kTime):
        point->time_ns = in.value();
        break;
      case Fixed64Tag(number_point::kDouble):
        point->value = Value::Double(Real(in));
        break;
      case Fixed64Tag(number_point::kInt):
        point->value = Value::Int(static_cast<int64_t>(in.value()));
        break;
      case LengthTag(number_point::kExemplars):
        if (!AddExemplar(to, in.bytes())) return false;
        break;
      case VarintTag(number_point::kFlags):
        point->flags = Low32(in);
        break;
      default:
        if (!Unhandled(in, number_point::kFields)) return false;
    }
  }
  point->exemplars = metric_.exemplars.TakeSince(0, arena_);
  return Finish(in, number_point::kFields);
}

bool OtlpProtoDecoder::ReadPoint(const Reading& to, std::string_view bytes, HistogramPoint* point) {
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(histogram_point::kAttributes):
        if (!PointAttribute(in.bytes())) return false;
        break;
      case Fixed64Tag(histogram_point::kStart):
        point->start_ns = in.value();
        break;
      case Fixed64Tag(histogram_point::kTime):
        point->time_ns = in.value();
        break;
      case Fixed64Tag(histogram_point::kCount):
        point->count = in.value();
        break;
      case Fixed64Tag(histogram_point::kSum):
        point->sum = Real(in);
        break;
      case LengthTag(histogram_point::kBucketCounts):
      case Fixed64Tag(histogram_point::kBucketCounts):
        if (!AddFixed64(in, &metric_.counts)) return Within("bucket_counts");
        break;
      case LengthTag(histogram_point::kExplicitBounds):
      case Fixed64Tag(histogram_point::kExplicitBounds):
        if (!AddFixed64(in, &metric_.bounds)) return Within("explicit_bounds");
        break;
      case LengthTag(histogram_point::kExemplars):
        if (!AddExemplar(to, in.bytes())) return false;
        break;
      case VarintTag(histogram_point::kFlags):
        point->flags = Low32(in);
        break;
      case Fixed64Tag(histogram_point::kMin):
        point->min = Real(in);
        break;
      case Fixed64Tag(histogram_point::kMax):
        point->max = Real(in);
        break;
      default:
        if (!Unhandled(in, histogram_point::kFields)) return false;
    }
  }
  point->bucket_counts = metric_.counts.TakeSince(0, arena_);
  point->explicit_bounds = metric_.bounds.TakeSince(0, arena_);
  point->exemplars = metric_.exemplars.TakeSince(0, arena_);
  return Finish(in, histogram_point::kFields);
}

bool OtlpProtoDecoder::ReadPoint(const Reading& to, std::string_view bytes,
                                 ExponentialHistogramPoint* point) {
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(exponential_point::kAttributes):
        if (!PointAttribute(in.bytes())) return false;
        break;
      case Fixed64Tag(exponential_point::kStart):
        point->start_ns = in.value();
        break;
      case Fixed64Tag(exponential_point::kTime):
        point->time_ns = in.value();
        break;
      case Fixed64Tag(exponential_point::kCount):
        point->count = in.value();
        break;
      case Fixed64Tag(exponential_point::kSum):
        point->sum = Real(in);
        break;
      case VarintTag(exponential_point::kScale):
        point->scale = ZigZag32(in);
        break;
      case Fixed64Tag(exponential_point::kZeroCount):
        point->zero_count = in.value();
        break;
      case LengthTag(exponential_point::kPositive):
        if (!ReadBuckets(in.bytes(), &point->positive, &metric_.counts)) return Within("positive");
        break;
      case LengthTag(exponential_point::kNegative):
        if (!ReadBuckets(in.bytes(), &point->negative, &metric_.negative_counts))
          return Within("negative");
        break;
      case VarintTag(exponential_point::kFlags):
        point->flags = Low32(in);
        break;
      case LengthTag(exponential_point::kExemplars):
        if (!AddExemplar(to, in.bytes())) return false;
        break;
      case Fixed64Tag(exponential_point::kMin):
        point->min = Real(in);
        break;
      case Fixed64Tag(exponential_point::kMax):
        point->max = Real(in);
        break;
      case Fixed64Tag(exponential_point::kZeroThreshold):
        point->zero_threshold = Real(in);
        break;
      default:
        if (!Unhandled(in, exponential_point::kFields)) return false;
    }
  }
  point->positive.counts = metric_.counts.TakeSince(0, arena_);
  point->negative.counts = metric_.negative_counts.TakeSince(0, arena_);
  point->exemplars = metric_.exemplars.TakeSince(0, arena_);
  return Finish(in, exponential_point::kFields);
}

// The counts stay on the stack: more of them may come in another piece of the message.
bool OtlpProtoDecoder::ReadBuckets(std::string_view bytes, ExponentialBuckets* buckets,
                                   ItemStack<uint64_t>* counts) {
  buckets->present = true;
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case VarintTag(exponential_buckets::kOffset):
        buckets->offset = ZigZag32(in);
        break;
      case LengthTag(exponential_buckets::kCounts):
      case VarintTag(exponential_buckets::kCounts):
        if (!AddVarints(in, counts)) return Within("bucket_counts");
        break;
      default:
        if (!Unhandled(in, exponential_buckets::kFields)) return false;
    }
  }
  return Finish(in, exponential_buckets::kFields);
}

bool OtlpProtoDecoder::ReadPoint(const Reading&, std::string_view bytes, SummaryPoint* point) {
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(summary_point::kAttributes):
        if (!PointAttribute(in.bytes())) return false;
        break;
      case Fixed64Tag(summary_point::kStart):
        point->start_ns = in.value();
        break;
      case Fixed64Tag(summary_point::kTime):
        point->time_ns = in.value();
        break;
      case Fixed64Tag(summary_point::kCount):
        point->count = in.value();
        break;
      case Fixed64Tag(summary_point::kSum):
        point->sum = Real(in);
        break;
      case LengthTag(summary_point::kQuantiles): {
        const auto index = static_cast<int64_t>(metric_.quantiles.mark());
        if (!budget_.Charge(sizeof(QuantileValue)))
          return FailAt(in.position(), ProtoError::kTooLarge) || Within("quantile_values");
        if (!ReadQuantile(in.bytes(), &metric_.quantiles.Push()))
          return Within("quantile_values", index);
        break;
      }
      case VarintTag(summary_point::kFlags):
        point->flags = Low32(in);
        break;
      default:
        if (!Unhandled(in, summary_point::kFields)) return false;
    }
  }
  point->quantiles = metric_.quantiles.TakeSince(0, arena_);
  return Finish(in, summary_point::kFields);
}

bool OtlpProtoDecoder::ReadQuantile(std::string_view bytes, QuantileValue* quantile) {
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case Fixed64Tag(quantile_value::kQuantile):
        quantile->quantile = Real(in);
        break;
      case Fixed64Tag(quantile_value::kValue):
        quantile->value = Real(in);
        break;
      default:
        if (!Unhandled(in, quantile_value::kFields)) return false;
    }
  }
  return Finish(in, quantile_value::kFields);
}

bool OtlpProtoDecoder::ReadExemplar(std::string_view bytes, Exemplar* exemplar) {
  const size_t mark = scratch_.attributes.mark();
  std::string_view trace_id, span_id;
  checker_.Begin();
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(exemplar::kAttributes): {
        const auto index = static_cast<int64_t>(scratch_.attributes.mark() - mark);
        if (!PushAttribute(in.bytes(), 1)) return Within("filtered_attributes", index);
        break;
      }
      case Fixed64Tag(exemplar::kTime):
        exemplar->time_ns = in.value();
        break;
      case Fixed64Tag(exemplar::kDouble):
        exemplar->value = Value::Double(Real(in));
        break;
      case Fixed64Tag(exemplar::kInt):
        exemplar->value = Value::Int(static_cast<int64_t>(in.value()));
        break;
      case LengthTag(exemplar::kSpanId):
        span_id = in.bytes();
        break;
      case LengthTag(exemplar::kTraceId):
        trace_id = in.bytes();
        break;
      default:
        if (!Unhandled(in, exemplar::kFields)) return false;
    }
  }
  exemplar->filtered_attributes = scratch_.attributes.TakeSince(mark, arena_);
  checker_.Optional("trace_id", RawId{trace_id}, -1, &exemplar->trace_id);
  checker_.Optional("span_id", RawId{span_id}, -1, &exemplar->span_id);
  return Finish(in, exemplar::kFields);
}

}  // namespace weft::codec

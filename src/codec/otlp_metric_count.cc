// SPDX-License-Identifier: Apache-2.0
//
// Counts metric data points without decoding them, for those who keep none and say how many they
// were sent.
#include "codec/otlp.h"
#include "codec/otlp_fields.h"
#include "codec/otlp_json_decode.h"
#include "wire/protobuf_reader.h"

namespace weft::codec {
namespace {

// The messages that are nested in each other on the way to a data point, by the tags that lead
// there.
struct Level {
  OtlpFields fields;
  uint32_t first, last;  // numbers of the fields to go into; those between are unknown to `fields`
};

constexpr Level kLevels[] = {
    {kMetricSignal.request, request::kResources, request::kResources},
    {kMetricSignal.resource_items, resource_items::kScopes, resource_items::kScopes},
    {kMetricSignal.scope_items, scope_items::kItems, scope_items::kItems},
    {metric::kData, metric::kGauge, metric::kSummary},
    {metric_data::kPlain, metric_data::kDataPoints, metric_data::kDataPoints}};

Status Count(std::string_view whole, std::string_view message, size_t level, uint64_t* points) {
  if (level == std::size(kLevels)) {
    ++*points;
    return {};
  }
  const Level& here = kLevels[level];
  wire::ProtoReader in(message);
  auto fail = [&](wire::ProtoError error) {
    std::string_view name = OtlpFieldName(here.fields, in.number());
    return Fail(ErrorCode::kInvalidArgument, (name.empty() ? "" : std::string(name) + ": ") +
                                                 "byte " +
                                                 std::to_string(in.position() - whole.data()) +
                                                 ": " + std::string(wire::ProtoErrorText(error)));
  };
  while (in.Next()) {
    uint32_t number = in.number();
    if (number == resource_items::kOldScopes && level == 1) number = resource_items::kScopes;
    if (number < here.first || number > here.last) continue;
    if (OtlpFieldName(here.fields, number).empty()) continue;
    if (in.tag() != wire::LengthTag(in.number())) return fail(wire::ProtoError::kUnexpectedType);
    WEFT_TRY(Count(whole, in.bytes(), level + 1, points));
  }
  if (in.error() != wire::ProtoError::kNone) return fail(in.error());
  return {};
}

}  // namespace

Result<uint64_t> CountOtlpMetricPoints(OtlpFormat format, std::string_view body) {
  if (format == OtlpFormat::kJson) return CountMetricPointsJson(body);
  uint64_t points = 0;
  WEFT_TRY(Count(body, body, 0, &points));
  return points;
}

}  // namespace weft::codec

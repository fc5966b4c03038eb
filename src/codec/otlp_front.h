// SPDX-License-Identifier: Apache-2.0
//
// What the decoding functions of codec/otlp.h and codec/otlp_metrics.h begin and end with.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "codec/batch_parts.h"
#include "codec/otlp.h"
#include "wire/limits.h"

namespace weft::codec {

inline Status CheckMessageBytes(std::string_view body) {
  if (body.size() <= wire::kMessageBytesMax) return {};
  return Fail(ErrorCode::kTooLarge,
              "a message of " + std::to_string(body.size()) + " bytes: the format ends at 4 GiB");
}

// The fault of bytes that are no protobuf, with a word on what is often sent with the wrong content
// type.
inline std::unexpected<Error> NoProtobuf(Error fault, std::string_view body) {
  if (body.starts_with('{')) fault.message += "; this is JSON, which is sent as application/json";
  return Fail(std::move(fault));
}

inline DecodeBudget BudgetOf(std::string_view received, OtlpSource source) {
  return source == OtlpSource::kPeer ? DecodeBudget(received.size()) : DecodeBudget::Unlimited();
}

}  // namespace weft::codec

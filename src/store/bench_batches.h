// SPDX-License-Identifier: Apache-2.0
//
// What the store's benches append: 10 spans a trace, 11 attributes cycling through 97 keys and 1000
// values, as OTLP bytes. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>

namespace weft::bench {

inline constexpr uint64_t kSpansPerBatch = 500;

std::string EncodedBatch(uint64_t batch_number, uint64_t spans = kSpansPerBatch);

}  // namespace weft::bench

// SPDX-License-Identifier: Apache-2.0
#include "store/bench_batches.h"

#include <cstring>

#include "codec/otlp.h"

namespace weft::bench {

std::string EncodedBatch(uint64_t batch_number, uint64_t spans) {
  SpanBatch batch;
  auto resource = batch.arena.NewArray<KeyValue>(2);
  const std::string service = "service-" + std::to_string(batch_number % 15);
  resource[0] = {"service.name", Value::String(batch.arena.Copy(service))};
  resource[1] = {"host.name", Value::String("host-1")};
  batch.resources.push_back({resource, 0, {}, {}});
  batch.scopes.push_back({"bench", "1", {}, 0, {}});
  for (uint64_t i = 0; i < spans; ++i) {
    const uint64_t number = batch_number * spans + i;
    const auto mix = [](uint64_t x) {
      x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
      x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
      return x ^ (x >> 31);
    };
    Span span;
    const uint64_t trace = mix(number / 10 + 1), id = mix(number + 77) | 1;
    std::memcpy(span.trace_id.bytes.data(), &trace, 8);
    span.trace_id.bytes[15] = 1;
    std::memcpy(span.span_id.bytes.data(), &id, 8);
    if (number % 10 != 0) {
      const uint64_t parent = mix(number / 10 * 10 + 77) | 1;
      std::memcpy(span.parent_span_id.bytes.data(), &parent, 8);
    }
    span.name = number % 10 == 0 ? "root" : "child";
    span.kind = SpanKind::kServer;
    span.start_ns = 1'700'000'000'000'000'000 + number * 10'000 + mix(number) % 10'000;
    span.end_ns = span.start_ns + mix(number + 1) % 5'000'000;
    auto attributes = batch.arena.NewArray<KeyValue>(11);
    for (uint64_t a = 0; a < attributes.size(); ++a) {
      const uint64_t n = number * 11 + a;
      attributes[a] = {batch.arena.Copy("attribute.key." + std::to_string(n % 97)),
                       Value::String(batch.arena.Copy("value-" + std::to_string(n % 1000)))};
    }
    span.attributes = attributes;
    batch.spans.push_back(span);
  }
  std::string bytes;
  codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, batch, &bytes);
  return bytes;
}

}  // namespace weft::bench

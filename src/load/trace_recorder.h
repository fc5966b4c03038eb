// SPDX-License-Identifier: Apache-2.0
//
// TraceRecorder writes made-up traces into a SpanBatch the way an instrumented program would: open
// a span, set attributes, add events, close it. It is what the generated shapes (load/load_shape.h)
// and the demo shop (load/demo_shop.h) are written with; they make one per batch.
//
// Lifetime: keys, names and everything called `constant` must outlive the batch (string literals);
// values set by SetText() are copied into the batch's arena.
// Thread rule: one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "load/dice.h"
#include "model/span_batch.h"

namespace weft::load {

// A text attribute of constants.
constexpr KeyValue Attr(std::string_view key, std::string_view value) {
  KeyValue attribute;
  attribute.key = key;
  attribute.value.type = ValueType::kString;
  attribute.value.count = static_cast<uint32_t>(value.size());
  attribute.value.text = value.data();
  return attribute;
}

// What a service of a made-up company says about itself, service.name apart.
using ServiceResource = std::array<KeyValue, 7>;
constexpr ServiceResource DescribeService(std::string_view language, std::string_view version,
                                          std::string_view pod) {
  return {Attr("service.namespace", "shop"),
          Attr("service.version", version),
          Attr("service.instance.id", pod),
          Attr("telemetry.sdk.language", language),
          Attr("telemetry.sdk.name", "opentelemetry"),
          Attr("telemetry.sdk.version", "1.32.0"),
          Attr("deployment.environment.name", "production")};
}

// A program that sends spans. All of it constant.
struct Service {
  std::string_view name;
  std::span<const KeyValue> resource;  // beside service.name
  std::string_view scope_name;
  std::string_view scope_version;
};

class TraceRecorder {
 public:
  // A span of the trace that is being recorded; dies with NewTrace().
  using SpanRef = uint32_t;
  static constexpr SpanRef kNoParent = 0xFFFFFFFF;

  TraceRecorder(std::span<const Service> services, SpanBatch* batch, Dice* dice);

  // Moves the spans recorded so far into the batch and starts the next trace.
  void NewTrace();
  // As NewTrace(), without a next one. REQUIRES: nothing is called after it.
  void Finish() { Flush(); }

  // `service` is an index into the constructor's list.
  SpanRef Open(uint32_t service, std::string_view name, SpanKind kind, SpanRef parent,
               uint64_t start_ns);
  void Close(SpanRef ref, uint64_t end_ns) { drafts_[ref].span.end_ns = end_ns; }
  // A text of at most this trace's own: copied.
  void SetText(SpanRef ref, std::string_view key, std::string_view text) {
    Set(ref, key, Value::String(batch_->arena.Copy(text)));
  }
  void Set(SpanRef ref, std::string_view key, std::string_view constant) {
    Set(ref, key, Value::String(constant));
  }
  void Set(SpanRef ref, std::string_view key, Value constant) {
    drafts_[ref].attributes.push_back({key, constant});
  }
  void Set(SpanRef ref, std::initializer_list<KeyValue> constants) {
    drafts_[ref].attributes.insert(drafts_[ref].attributes.end(), constants);
  }
  void AddEvent(SpanRef ref, uint64_t time_ns, std::string_view name,
                std::initializer_list<KeyValue> attributes);
  void AddLink(SpanRef ref, SpanRef to);
  void AddLog(SpanRef ref, uint64_t time_ns, uint32_t severity, std::string_view body,
              std::initializer_list<KeyValue> attributes);
  // An empty message leaves the one that was set before.
  void SetError(SpanRef ref, std::string_view constant_message);
  void SetName(SpanRef ref, std::string_view text) {
    drafts_[ref].span.name = batch_->arena.Copy(text);
  }

  std::string_view Copy(std::string_view text) { return batch_->arena.Copy(text); }
  const Span& span(SpanRef ref) const { return drafts_[ref].span; }
  Dice& dice() { return *dice_; }

 private:
  struct Draft {
    Span span;
    std::vector<KeyValue> attributes;
    std::vector<Event> events;
    std::vector<Link> links;
  };

  void Flush();
  uint32_t ResourceOf(uint32_t service);
  Attributes Keep(std::initializer_list<KeyValue> attributes);

  std::span<const Service> services_;
  SpanBatch* batch_;
  Dice* dice_;
  std::vector<uint32_t> resource_of_service_;
  TraceId trace_id_;
  std::vector<Draft> drafts_;  // slots are reused from trace to trace
  uint32_t open_ = 0;
};

}  // namespace weft::load

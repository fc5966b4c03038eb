// SPDX-License-Identifier: Apache-2.0
//
// exporters::debug: says what passes. basic: one line a batch; normal: one line a span or record;
// detailed: each of them whole, as OTLP/JSON; of metrics, a line a metric and its points.
//
// Thread rule: any thread.
#pragma once

#include <functional>
#include <string>

#include "pipeline/component_row.h"

namespace weft::exporter {

// exporters::debug
struct DebugSettings {
  enum class Verbosity : uint8_t { kBasic, kNormal, kDetailed } verbosity = Verbosity::kBasic;
};

class DebugExporter : public pipeline::Exporter {
 public:
  // `write` gets whole lines without their end; by default the log (base/log.h).
  explicit DebugExporter(DebugSettings settings,
                         std::function<void(const std::string& line)> write = {});

  Status Start() override { return {}; }
  void Stop() override {}
  Status Admit(uint64_t) override { return {}; }
  void Consume(pipeline::SharedSpans batch, pipeline::Ack ack) override;
  void Consume(pipeline::SharedMetrics batch, pipeline::Ack ack) override;
  bool Keeps() const override { return false; }

 private:
  const DebugSettings settings_;
  const std::function<void(const std::string&)> write_;
};

extern const pipeline::ComponentRow kDebugExporter;

}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
//
// exporters::debug: says what passes. basic: one line a batch; normal: one line a span or record;
// detailed: each of them whole, as OTLP/JSON.
//
// Thread rule: any thread.
#pragma once

#include <functional>
#include <string>

#include "config/settings.h"
#include "pipeline/component.h"

namespace weft::exporter {

class DebugExporter : public pipeline::Exporter {
 public:
  // `write` gets whole lines without their end; by default the log (base/log.h).
  explicit DebugExporter(config::DebugSettings settings,
                         std::function<void(const std::string& line)> write = {});

  Status Start() override { return {}; }
  void Stop() override {}
  Status Admit(uint64_t) override { return {}; }
  void Consume(SpanBatch batch, pipeline::Completion done) override;

 private:
  const config::DebugSettings settings_;
  const std::function<void(const std::string&)> write_;
};

}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
#include "exporter/sending_queue_settings.h"

#include <charconv>

#include "config/component_type.h"
#include "config/yaml.h"

namespace weft::exporter {
namespace {

constexpr uint64_t kConsumersMax = 10'000;
constexpr uint64_t kQueueSizeMax = uint64_t{1} << 60;

// A number from `least` to `most`, with or without a point.
void ReadNumber(config::Section* section, std::string_view key, double least, double most,
                std::string_view range, double* out) {
  const config::Node* node = section->Get(key);
  if (node == nullptr) return;
  const bool is_number = node->kind == config::Node::Kind::kScalar && !node->is_string &&
                         (config::TypeOfScalar(*node) == config::ScalarType::kInt ||
                          config::TypeOfScalar(*node) == config::ScalarType::kFloat);
  double value = 0;
  const char* end = node->text.data() + node->text.size();
  const auto [stop, error] = std::from_chars(node->text.data(), end, value);
  if (is_number && error == std::errc() && stop == end && value >= least && value <= most)
    *out = value;
  else
    section->Error(*node, key, "expected a number " + std::string(range));
}

void ReadQueue(config::Section section, QueueSettings* out) {
  section.Read("enabled", &out->enabled);
  section.Read("num_consumers", &out->num_consumers, 1, kConsumersMax);
  section.Read("queue_size", &out->queue_size, 1, kQueueSizeMax);
  int sizer = static_cast<int>(out->sizer);
  section.ReadChoice("sizer", {"requests", "items", "bytes"}, &sizer);
  out->sizer = static_cast<QueueSettings::Sizer>(sizer);
  section.Read("block_on_overflow", &out->block_on_overflow);
  section.Read("wait_for_result", &out->wait_for_result);
  section.Read("storage", &out->storage);
  if (section.Get("bytes_max") != nullptr)
    section.ReadBytes("bytes_max", &out->bytes_max.emplace());
  section.IgnoreWithWarning("batch", "has no effect: requests are sent as they came");
  section.Finish();
  if (!section.IsSound()) return;
  if (!out->storage.empty()) {
    const config::Node& at = *section.Get("storage");
    if (const auto id = config::ParseComponentId(out->storage); !id)
      section.Error(at, "storage", id.error().message);
    else if (out->wait_for_result)
      section.Error(at, "storage",
                    "cannot be used with wait_for_result: what is stored is answered at once");
  }
  if (out->bytes_max == 0) section.Error(*section.Get("bytes_max"), "bytes_max", "must not be 0");
}

void ReadRetry(config::Section section, RetrySettings* out) {
  section.Read("enabled", &out->enabled);
  section.ReadDuration("initial_interval", &out->initial_interval_ns);
  ReadNumber(&section, "randomization_factor", 0, 1, "from 0 to 1", &out->randomization_factor);
  ReadNumber(&section, "multiplier", 1, 1000, "from 1 to 1000", &out->multiplier);
  section.ReadDuration("max_interval", &out->max_interval_ns);
  section.ReadDuration("max_elapsed_time", &out->max_elapsed_ns);
  section.Finish();
  if (!section.IsSound() || out->max_elapsed_ns == 0) return;
  if (out->max_elapsed_ns < out->initial_interval_ns)
    section.Error(section.node(), "max_elapsed_time",
                  "must not be shorter than initial_interval: nothing would be tried again");
}

}  // namespace

void ReadSendingSettings(config::Section* section, SendingSettings* out) {
  if (auto queue = section->Sub("sending_queue")) ReadQueue(*std::move(queue), &out->queue);
  if (auto retry = section->Sub("retry_on_failure")) ReadRetry(*std::move(retry), &out->retry);
}

}  // namespace weft::exporter

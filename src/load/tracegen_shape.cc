// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include "load/dice.h"
#include "load/load_shape.h"
#include "load/trace_recorder.h"

namespace weft::load {
namespace {

constexpr uint32_t kServices = 10;
constexpr uint32_t kChildren = 9;
constexpr uint32_t kAttributes = 11;
constexpr uint32_t kKeys = 97;
constexpr uint32_t kValues = 1000;
constexpr uint64_t kSpanNs = 123'000;

std::string Numbered(const char* prefix, uint32_t number, int width) {
  std::string digits = std::to_string(number);
  return prefix +
         std::string(width > static_cast<int>(digits.size()) ? width - digits.size() : 0, '0') +
         digits;
}

// The texts of the shape, made once: batches point into them.
struct Texts {
  std::array<std::string, kServices> service_names;
  std::array<Service, kServices> services;
  std::array<std::string, kChildren> children;
  std::array<std::string, kKeys> keys;
  std::array<std::string, kValues> values;

  Texts() {
    static constexpr KeyValue kResource[] = {};
    for (uint32_t i = 0; i < kServices; ++i) {
      service_names[i] = Numbered("tracegen-", i, 2);
      services[i] = {service_names[i], std::span(kResource, 0), "tracegen", "1.0"};
    }
    for (uint32_t i = 0; i < kChildren; ++i) children[i] = Numbered("child-span-", i, 2);
    for (uint32_t i = 0; i < kKeys; ++i) keys[i] = Numbered("attr_", i, 2);
    for (uint32_t i = 0; i < kValues; ++i) values[i] = Numbered("val_", i, 3);
  }
};

const Texts& SharedTexts() {
  static const Texts* texts = new Texts;  // lives as long as the process: batches borrow from it
  return *texts;
}

class TracegenShape final : public LoadShape {
 public:
  explicit TracegenShape(const LoadOptions& options) : dice_(options.seed), pace_(options) {}

  SpanBatch NextBatch(uint32_t spans) override {
    SpanBatch batch;
    TraceRecorder recorder(SharedTexts().services, &batch, &dice_);
    for (uint32_t made = 0; made < spans; made += 1 + kChildren) {
      if (made > 0) recorder.NewTrace();
      AddTrace(&recorder);
    }
    recorder.Finish();
    return batch;
  }

 private:
  void AddTrace(TraceRecorder* recorder) {
    const Texts& texts = SharedTexts();
    uint32_t service = traces_ % kServices;
    uint64_t start_ns = pace_.StartOf(traces_++ * (1 + kChildren), dice_.Unit());
    auto root =
        recorder->Open(service, "lets-go", SpanKind::kUnspecified, recorder->kNoParent, start_ns);
    AddAttributes(recorder, root);
    uint64_t now_ns = start_ns + 1000 + dice_.Below(20'000);
    for (uint32_t i = 0; i < kChildren; ++i) {
      auto child = recorder->Open(service, texts.children[i], SpanKind::kClient, root, now_ns);
      AddAttributes(recorder, child);
      recorder->Close(child, now_ns + kSpanNs);
      now_ns += kSpanNs + 1000 + dice_.Below(10'000);
    }
    recorder->Close(root, now_ns);
  }

  void AddAttributes(TraceRecorder* recorder, TraceRecorder::SpanRef ref) {
    const Texts& texts = SharedTexts();
    for (uint32_t i = 0; i < kAttributes; ++i) {
      recorder->Set(ref, texts.keys[next_ % kKeys],
                    std::string_view(texts.values[next_ % kValues]));
      ++next_;
    }
  }

  Dice dice_;
  TracePace pace_;
  uint64_t traces_ = 0;
  uint64_t next_ = 0;  // counts attributes: keys and values run round independently
};

}  // namespace

std::unique_ptr<LoadShape> MakeTracegenShape(const LoadOptions& options) {
  return std::make_unique<TracegenShape>(options);
}

}  // namespace weft::load

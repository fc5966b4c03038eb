// SPDX-License-Identifier: Apache-2.0
#include "exporter/work_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::exporter {
namespace {

using ::testing::ElementsAre;
using Kind = store::StoreWork::Kind;

// A tracer whose spans are handed over when it stops.
class WorkTraceTest : public ::testing::Test {
 protected:
  std::string Trace(store::StoreWork work) { return TraceWork(&tracer_, "store/a", work); }
  std::vector<std::string> Recorded() {
    tracer_.Start();
    tracer_.Stop();
    std::vector<std::string> names;
    for (const SpanBatch& batch : batches_)
      for (const Span& span : batch.spans) names.emplace_back(span.name);
    return names;
  }

  Metrics metrics_;
  std::vector<SpanBatch> batches_;
  selftrace::Tracer tracer_{{},
                            {.admit = [](uint64_t) { return Status{}; },
                             .consume =
                                 [this](SpanBatch batch, auto done) {
                                   batches_.push_back(std::move(batch));
                                   done({});
                                 }},
                            &metrics_,
                            SystemClock()};
};

TEST_F(WorkTraceTest, APieceOfWorkIsOneSpan) {
  std::string id = Trace({.kind = Kind::kCompaction,
                          .tenant = "t",
                          .start_ns = 1000,
                          .duration_ns = 500,
                          .inputs = 4,
                          .spans = 100,
                          .level = 1,
                          .status = Fail(ErrorCode::kNoSpace, "the disk is full")});
  EXPECT_EQ(id.size(), 32u);
  EXPECT_THAT(Recorded(), ElementsAre("compaction"));
  const Span& span = batches_[0].spans[0];
  EXPECT_EQ(span.trace_id.ToHex(), id);
  EXPECT_TRUE(span.parent_span_id.empty());
  EXPECT_EQ(span.start_ns, 1000u);
  EXPECT_EQ(span.end_ns, 1500u);
  EXPECT_EQ(span.status, StatusCode::kError);
  EXPECT_EQ(span.status_message, "the disk is full");
  EXPECT_EQ(FindString(span.attributes, "weft.exporter"), "store/a");
  EXPECT_EQ(Find(span.attributes, "weft.inputs")->integer, 4);
}

// Else an idle server would flush for ever what its flushes have made.
TEST_F(WorkTraceTest, AFlushOfOwnSpansAloneMakesNone) {
  EXPECT_NE(Trace({.kind = Kind::kFlush, .spans = 10}), "");
  EXPECT_THAT(Recorded(), ElementsAre("flush"));
  EXPECT_EQ(Trace({.kind = Kind::kFlush, .spans = 1}), "");
  EXPECT_EQ(batches_.size(), 1u);
}

}  // namespace
}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
//
// What a span costs on its way to disk and back, for both generated shapes: appending to a chunk,
// flushing a chunk to a block, merging blocks; finding and reading a trace; scanning a column.
// Times are per item (span, or trace for ReadTrace); bytes_per_span is the size of the written
// file.
#include <benchmark/benchmark.h>

#include <map>

#include "block/block_reader.h"
#include "block/block_writer.h"
#include "chunk/chunk.h"
#include "load/load_shape.h"
#include "testing/sim_env.h"

namespace weft::block {
namespace {

constexpr uint32_t kSpans = 200'000;
constexpr uint32_t kBatchSpans = 500;
using SegmentPtr = std::shared_ptr<const segment::Segment>;

const char* ShapeName(int64_t shape) { return shape == 0 ? "tracegen" : "shop"; }

// Four parts of one stretch of traffic, as four flushes see it.
std::vector<SpanBatch> MakeBatches(int64_t shape, uint64_t part) {
  load::LoadOptions options;
  options.shape = ShapeName(shape);
  options.seed = part + 1;
  options.start_ns = 1'700'000'000'000'000'000 + part * 60'000'000'000;
  options.window_ns = 60'000'000'000;
  options.spans = kSpans;
  auto maker = load::MakeLoadShape(options);
  std::vector<SpanBatch> batches;
  for (uint32_t spans = 0; spans < kSpans; spans += batches.back().spans.size())
    batches.push_back((*maker)->NextBatch(kBatchSpans));
  return batches;
}

SegmentPtr MakeChunk(int64_t shape, uint64_t part) {
  auto chunk = std::make_shared<chunk::Chunk>();
  for (const SpanBatch& batch : MakeBatches(shape, part)) chunk->Append(batch);
  chunk->Seal();
  return chunk;
}

BlockSummary Write(Env* env, const std::string& path, const std::vector<SegmentPtr>& sources) {
  auto summary = WriteBlock(env, path, sources, {});
  if (!summary) std::abort();
  return *summary;
}

void BM_ChunkAppend(benchmark::State& state) {
  std::vector<SpanBatch> batches = MakeBatches(state.range(0), 0);
  uint64_t spans = 0, bytes = 0;
  for (auto _ : state) {
    chunk::Chunk chunk;
    for (const SpanBatch& batch : batches) chunk.Append(batch);
    chunk.Seal();
    spans += chunk.span_count();
    bytes = chunk.bytes() / chunk.span_count();
  }
  state.SetItemsProcessed(static_cast<int64_t>(spans));
  state.counters["bytes_per_span"] = static_cast<double>(bytes);
  state.SetLabel(ShapeName(state.range(0)));
}
BENCHMARK(BM_ChunkAppend)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_Flush(benchmark::State& state) {
  testing::SimEnv env;
  SegmentPtr chunk = MakeChunk(state.range(0), 0);
  BlockSummary summary;
  uint64_t spans = 0;
  for (auto _ : state) {
    summary = Write(&env, "/flush", {chunk});
    spans += summary.spans;
  }
  state.SetItemsProcessed(static_cast<int64_t>(spans));
  state.counters["bytes_per_span"] = static_cast<double>(summary.bytes) / summary.spans;
  state.SetLabel(ShapeName(state.range(0)));
}
BENCHMARK(BM_Flush)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_Compaction(benchmark::State& state) {
  testing::SimEnv env;
  std::vector<SegmentPtr> blocks;
  for (uint64_t part = 0; part < 4; ++part) {
    std::string path = "/part" + std::to_string(part);
    Write(&env, path, {MakeChunk(state.range(0), part)});
    blocks.push_back(*OpenBlock(&env, path, NewPageCache(32 << 20)));
  }
  BlockSummary summary;
  uint64_t spans = 0;
  for (auto _ : state) {
    summary = Write(&env, "/merged", blocks);
    spans += summary.spans;
  }
  state.SetItemsProcessed(static_cast<int64_t>(spans));
  state.counters["bytes_per_span"] = static_cast<double>(summary.bytes) / summary.spans;
  state.SetLabel(ShapeName(state.range(0)));
}
BENCHMARK(BM_Compaction)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_ReadTrace(benchmark::State& state) {
  testing::SimEnv env;
  Write(&env, "/block", {MakeChunk(state.range(0), 0)});
  SegmentPtr block = *OpenBlock(&env, "/block", NewPageCache(64 << 20));
  std::vector<segment::TraceEntry> traces(block->trace_count());
  if (!block->ReadTraces(0, traces)) std::abort();
  size_t next = 0;
  for (auto _ : state) {
    SpanBatch batch;
    auto rows = block->FindTrace(traces[next].id);
    if (!rows || !block->ReadSpans(rows->spans, &batch)) std::abort();
    benchmark::DoNotOptimize(batch.spans.data());
    next = (next + 997) % traces.size();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetLabel(ShapeName(state.range(0)));
}
BENCHMARK(BM_ReadTrace)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

void BM_ScanNames(benchmark::State& state) {
  testing::SimEnv env;
  Write(&env, "/block", {MakeChunk(state.range(0), 0)});
  SegmentPtr block = *OpenBlock(&env, "/block", NewPageCache(64 << 20));
  const segment::Table& spans = block->spans();
  segment::ColumnRef name = spans.FindColumns(segment::AttributeScope::kIntrinsic, "name").front();
  std::vector<uint32_t> ids(segment::RowGroups::kRowsMax);
  uint64_t rows = 0;
  for (auto _ : state) {
    for (uint32_t group = 0; group < spans.group_count(); ++group) {
      std::span<uint32_t> out = std::span(ids).first(spans.rows_in_group(group));
      if (!spans.ReadIds(name, group, out)) std::abort();
      rows += out.size();
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(rows));
  state.SetLabel(ShapeName(state.range(0)));
}
BENCHMARK(BM_ScanNames)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace weft::block

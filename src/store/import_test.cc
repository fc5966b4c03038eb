// SPDX-License-Identifier: Apache-2.0
#include "store/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <utility>

#include "codec/trace_file_writer.h"
#include "testing/manual_clock.h"
#include "testing/numbered_spans.h"
#include "testing/random_batch.h"
#include "testing/sim_env.h"
#include "testing/wild_batch.h"
#include "wire/byte_source.h"

namespace weft::store {
namespace {

using codec::TraceFileFormat;
using codec::TraceFormat;
using testing::AppendAndWait;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ManualClock;
using testing::NumberedBatch;
using testing::SimEnv;

struct FileKind {
  TraceFileFormat written;
  TraceFormat read;
};
constexpr FileKind kJaegerFile{TraceFileFormat::kJaeger, TraceFormat::kJaeger};
constexpr FileKind kZipkinFile{TraceFileFormat::kZipkin, TraceFormat::kZipkin};
constexpr FileKind kOtlpJsonFile{TraceFileFormat::kOtlpJson, TraceFormat::kOtlp};
constexpr FileKind kOtlpProtobufFile{TraceFileFormat::kOtlpProtobuf, TraceFormat::kOtlp};
constexpr FileKind kFiles[] = {kJaegerFile, kZipkinFile, kOtlpJsonFile, kOtlpProtobufFile};

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() { NewStore(); }

  void NewStore() {
    importer_.reset();
    store_.reset();
    env_ = std::make_unique<SimEnv>();
    StoreConfig config;
    config.directory = "/data";
    config.background = false;
    config.free_bytes_min = 0;
    auto store = Store::Open(env_.get(), &clock_, config);
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    importer_ = std::make_unique<Importer>(store_.get(), &clock_);
  }

  ImportCounts Import(SpanBatch batch, TraceFormat format) {
    auto counts = importer_->Import(std::move(batch), format);
    EXPECT_TRUE(counts) << counts.error().message;
    return counts ? *counts : ImportCounts{};
  }
  ImportCounts ImportText(std::string_view text, TraceFormat format) {
    wire::MemorySource source(text);
    codec::TraceFileReader reader(&source, TraceFormat::kAny);
    ImportCounts counts;
    for (;;) {
      auto piece = reader.Next();
      EXPECT_TRUE(piece) << piece.error().message;
      if (!piece || !*piece) return counts;
      EXPECT_EQ((*piece)->problem, "");
      EXPECT_EQ((*piece)->format, format);
      counts.Add(Import(std::move((*piece)->traces), format));
      counts.Add(Import(std::move((*piece)->logs), format));
    }
  }

  std::vector<TraceId> Ids() {
    std::set<TraceId> ids;
    const auto snapshot = store_->TakeSnapshot("");
    for (const auto& segment : snapshot->segments()) {
      std::vector<segment::TraceEntry> entries(segment->trace_count());
      EXPECT_TRUE(segment->ReadTraces(0, entries));
      for (const auto& entry : entries) ids.insert(entry.id);
    }
    return {ids.begin(), ids.end()};
  }
  std::string Download(TraceFileFormat format) {
    std::string text;
    codec::TraceFileWriter writer(format, &text);
    for (const TraceId& id : Ids()) {
      auto trace = store_->TakeSnapshot("")->ReadTrace(id, &partial_);
      EXPECT_TRUE(trace) << trace.error().message;
      if (trace) writer.Write(id, &*trace);
    }
    writer.Finish();
    return text;
  }
  uint64_t SpanCount() {
    uint64_t count = 0;
    for (const TraceId& id : Ids())
      count += store_->TakeSnapshot("")->ReadTrace(id, &partial_)->spans.size();
    return count;
  }

  ManualClock clock_;
  std::string partial_;
  std::unique_ptr<SimEnv> env_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Importer> importer_;
};

SpanBatch OneTrace(uint64_t first, uint64_t count) { return NumberedBatch(first, count, 1 << 30); }

SpanBatch One(const std::function<void(Span*)>& change = {}) {
  const SpanBatch numbered = OneTrace(0, 1);
  SpanBatch batch;
  batch.resources = {
      {.attributes = CopyAttributes(numbered.resources[0].attributes, &batch.arena)}};
  batch.scopes = {{.name = "numbered", .version = "1"}};
  const KeyValue said[] = {{"text", Value::String("value of 0")}, {"number", Value::Int(0)}};
  const uint64_t start_ns = numbered.spans[0].start_ns + 789;
  Span& span = batch.spans.emplace_back();
  span.trace_id = numbered.spans[0].trace_id;
  span.span_id = numbered.spans[0].span_id;
  span.name = "checkout";
  span.start_ns = start_ns;
  span.end_ns = start_ns + 12'345;
  span.attributes = CopyAttributes(said, &batch.arena);
  if (change) change(batch.spans.data());
  return batch;
}

TEST_F(ImportTest, ATraceInManyPiecesIsReadOnce) {
  constexpr uint64_t kPieces = 50, kPiece = 100, kSpans = kPieces * kPiece;
  for (uint64_t i = 0; i < kPieces; ++i) {
    EXPECT_EQ(Import(OneTrace(i * kPiece, kPiece), TraceFormat::kOtlp).kept, kPiece);
    if (i % 7 == 3) ASSERT_TRUE(store_->FlushNow());
    if (i % 20 == 19) ASSERT_TRUE(store_->CompactNow(true));
  }
  EXPECT_EQ(importer_->items_read(), 0u) << "what it added itself is known";
  for (int again = 0; again < 2; ++again) {
    Importer importer(store_.get(), &clock_);
    for (uint64_t i = 0; i < kPieces; ++i)
      EXPECT_EQ(importer.Import(OneTrace(i * kPiece, kPiece), TraceFormat::kOtlp)->duplicates,
                kPiece);
    EXPECT_EQ(importer.items_read(), kSpans + kPieces);
    ASSERT_TRUE(store_->FlushNow());
    ASSERT_TRUE(store_->CompactNow(true));
  }
}

TEST_F(ImportTest, ATraceOfWhichCopiesComeInPiecesIsReadTwice) {
  constexpr uint64_t kPieces = 20, kPiece = 100, kSpans = kPieces * kPiece;
  for (uint64_t i = 0; i < kPieces; ++i)
    ASSERT_TRUE(AppendAndWait(store_.get(), OneTrace(i * kPiece, kPiece)));
  for (uint64_t i = 0; i < kPieces; ++i) {
    SpanBatch copies = OneTrace(i * kPiece, kPiece);
    for (Span& span : copies.spans) span.end_ns = span.start_ns;  // 500 ns are no microsecond
    for (Span& span : copies.spans) span.dropped_attributes = 0;  // no field of Jaeger's
    copies.logs.clear();
    EXPECT_EQ(Import(std::move(copies), TraceFormat::kJaeger).duplicates, kPiece);
  }
  EXPECT_EQ(importer_->items_read(), 2 * (kSpans + kPieces));
}

TEST_F(ImportTest, DownloadsOfWhatIsStoredAddNothing) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    NewStore();
    if (seed % 2 == 0) {
      ASSERT_TRUE(AppendAndWait(store_.get(), testing::RandomBatch({.seed = seed, .spans = 60})));
    } else {
      std::mt19937_64 random(seed);
      ASSERT_TRUE(AppendAndWait(store_.get(), testing::WildBatch(random, {.spans = 150})));
    }
    if (seed % 3 == 0) ASSERT_TRUE(store_->FlushNow());
    const std::string before = Download(TraceFileFormat::kOtlpProtobuf);
    const uint64_t spans = SpanCount();
    for (const FileKind& file : kFiles) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", " + std::string(NameOf(file.read)));
      const std::string text = Download(file.written);
      for (int times = 0; times < 2; ++times) {
        const ImportCounts counts = ImportText(text, file.read);
        EXPECT_EQ(counts.kept, 0u);
        EXPECT_EQ(counts.kept_logs, 0u);
        EXPECT_EQ(counts.duplicates, spans);
        EXPECT_EQ(counts.same_id, 0u);
        EXPECT_THAT(counts.same_id_examples, IsEmpty());
      }
      EXPECT_TRUE(Download(TraceFileFormat::kOtlpProtobuf) == before);
    }
  }
}

// Jaeger's, then Zipkin's of the same trace: the second says less. The other way round each span is
// a finer one than what is there.
TEST_F(ImportTest, DownloadsOfOneTraceInTwoFormats) {
  SpanBatch batch = OneTrace(0, 40);
  batch.logs.clear();
  const KeyValue said[] = {{"reason", Value::String("timeout")}};
  const Event events[] = {
      {.time_ns = 1'700'000'000'000'000'321, .name = "retry", .attributes = said}};
  for (size_t i = 0; i < batch.spans.size(); ++i) {
    Span& span = batch.spans[i];
    span.kind = static_cast<SpanKind>(1 + i % 5);
    span.start_ns += i;
    span.end_ns += i * 997;
    if (i > 0) span.parent_span_id = batch.spans[i / 2].span_id;
    if (i % 3 == 0) span.status = StatusCode::kError;
    if (i % 4 == 0) span.events = events;
  }
  ASSERT_TRUE(AppendAndWait(store_.get(), std::move(batch)));
  const std::string jaeger = Download(TraceFileFormat::kJaeger);
  const std::string zipkin = Download(TraceFileFormat::kZipkin);
  const std::string otlp = Download(TraceFileFormat::kOtlpJson);
  const uint64_t spans = SpanCount();
  NewStore();
  EXPECT_EQ(ImportText(jaeger, TraceFormat::kJaeger).kept, spans);
  const ImportCounts coarser = ImportText(zipkin, TraceFormat::kZipkin);
  EXPECT_EQ(coarser.duplicates, spans);
  const ImportCounts finer = ImportText(otlp, TraceFormat::kOtlp);
  EXPECT_EQ(finer.kept + finer.duplicates, spans);
  EXPECT_EQ(finer.finer, finer.kept);
  EXPECT_EQ(finer.same_id, 0u);
  EXPECT_EQ(ImportText(otlp, TraceFormat::kOtlp).kept, 0u);
  EXPECT_EQ(ImportText(jaeger, TraceFormat::kJaeger).kept, 0u);
  EXPECT_EQ(ImportText(zipkin, TraceFormat::kZipkin).kept, 0u);
}

TEST_F(ImportTest, TheSameIdWithOtherContentIsKeptAndNamed) {
  ASSERT_TRUE(AppendAndWait(store_.get(), One()));
  const std::function<void(Span*)> changes[] = {
      [](Span* span) { span->name = "another"; },
      [](Span* span) { span->start_ns += 5'000; },
      [](Span* span) { span->end_ns += 2'000; },
      [](Span* span) { span->status = StatusCode::kError; },
      [](Span* span) { span->parent_span_id.bytes[0] = 9; },
      [](Span* span) { span->attributes = span->attributes.first(1); },
      [](Span* span) { span->kind = SpanKind::kServer; },
  };
  uint64_t kept = 1;
  for (const auto& change : changes) {
    SpanBatch other = One(change);
    other.spans[0].start_ns -= other.spans[0].start_ns % 1000;
    other.spans[0].end_ns -= other.spans[0].end_ns % 1000;
    const ImportCounts counts = Import(std::move(other), TraceFormat::kJaeger);
    EXPECT_EQ(counts.kept, 1u);
    EXPECT_EQ(counts.same_id, 1u);
    EXPECT_THAT(counts.same_id_examples,
                ElementsAre("0100000000000000 of trace 7e000000000000000000000000000000"));
    EXPECT_EQ(SpanCount(), ++kept);
  }
}

TEST_F(ImportTest, EventsAreComparedOneByOne) {
  const auto with_events = [](std::array<std::pair<const char*, uint64_t>, 2> named) {
    SpanBatch batch = One();
    batch.spans[0].attributes = batch.spans[0].attributes.first(1);  // text, as Zipkin has it
    auto events = batch.arena.NewArray<Event>(2);
    for (size_t i = 0; i < 2; ++i) {
      events[i].name = named[i].first;
      events[i].time_ns = batch.spans[0].start_ns + named[i].second;
    }
    batch.spans[0].events = events;
    return batch;
  };
  ASSERT_TRUE(AppendAndWait(store_.get(), with_events({{{"a", 1'234}, {"b", 5'678}}})));
  for (TraceFormat format : {TraceFormat::kOtlp, TraceFormat::kJaeger, TraceFormat::kZipkin}) {
    // Each by itself cut to microseconds, or rounded.
    for (uint64_t up : {0, 1000}) {
      SpanBatch coarse = with_events({{{"a", 1'234}, {"b", 5'678}}});
      auto events = coarse.arena.NewArray<Event>(2);
      for (size_t i = 0; i < 2; ++i) {
        events[i] = coarse.spans[0].events[i];
        const uint64_t rest = events[i].time_ns % 1000;
        events[i].time_ns += rest >= 500 ? up - rest : -rest;
      }
      coarse.spans[0].events = events;
      coarse.spans[0].start_ns -= coarse.spans[0].start_ns % 1000;
      coarse.spans[0].end_ns = coarse.spans[0].start_ns + 12'000;
      EXPECT_EQ(Import(std::move(coarse), format).duplicates, 1u) << NameOf(format) << " " << up;
    }
  }
  // The same names and the same sum of times are another content: names swapped, times moved apart.
  uint64_t moved = 0;
  for (TraceFormat format : {TraceFormat::kOtlp, TraceFormat::kJaeger, TraceFormat::kZipkin}) {
    moved += 2'000;
    EXPECT_EQ(Import(with_events({{{"b", 1'234 - moved}, {"a", 5'678 + moved}}}), format).same_id,
              1u);
    EXPECT_EQ(Import(with_events({{{"a", 1'234 + moved}, {"b", 5'678 - moved}}}), format).same_id,
              1u);
  }
}

TEST_F(ImportTest, TwinsWithinOneBatchAreSeen) {
  SpanBatch batch = OneTrace(0, 3);
  batch.spans.push_back(batch.spans[1]);  // equal
  batch.spans.push_back(batch.spans[1]);
  batch.spans.back().name = "other";
  batch.spans.push_back(batch.spans.back());
  const ImportCounts counts = Import(std::move(batch), TraceFormat::kOtlp);
  EXPECT_EQ(counts.kept, 4u);
  EXPECT_EQ(counts.duplicates, 2u);
  EXPECT_EQ(counts.same_id, 1u);
}

TEST_F(ImportTest, HalvesOfOneCallAreNoTwins) {
  ASSERT_TRUE(AppendAndWait(store_.get(), One([](Span* span) { span->kind = SpanKind::kClient; })));
  const auto server = [](Span* span) {
    span->kind = SpanKind::kServer;
    span->name = "half";
  };
  ImportCounts counts = Import(One(server), TraceFormat::kZipkin);
  EXPECT_EQ(counts.kept, 1u);
  EXPECT_EQ(counts.same_id, 0u);
  counts = Import(One(server), TraceFormat::kZipkin);
  EXPECT_EQ(counts.duplicates, 1u);
  counts = Import(One([&](Span* span) {
                    server(span);
                    span->name = "third";
                  }),
                  TraceFormat::kZipkin);
  EXPECT_EQ(counts.same_id, 1u);
}

// As Jaeger itself writes a span that came over OTLP: tags in its own order with a note about its
// storing, no flags, and other systems round times where weft cuts them.
TEST_F(ImportTest, DownloadsByOtherSystemsAreKnown) {
  ASSERT_TRUE(AppendAndWait(store_.get(), One([](Span* span) {
                              span->flags = 1;
                              span->dropped_attributes = 2;
                              span->kind = SpanKind::kServer;
                            })));
  const auto jaeger = [](std::string_view start, std::string_view name) {
    return std::string(R"({"data":[{"traceID":"7e000000000000000000000000000000","spans":[
      {"traceID":"7e000000000000000000000000000000","spanID":"0100000000000000","flags":0,
       "operationName":")") +
           std::string(name) + R"(","references":[],"startTime":)" + std::string(start) +
           R"(,"duration":12,"tags":[
         {"key":"otel.scope.name","type":"string","value":"numbered"},
         {"key":"otel.scope.version","type":"string","value":"1"},
         {"key":"text","type":"string","value":"value of 0"},
         {"key":"span.kind","type":"string","value":"server"},
         {"key":"number","type":"int64","value":0},
         {"key":"internal.span.format","type":"string","value":"otlp"}],
       "logs":[],"processID":"p1","warnings":null}],
      "processes":{"p1":{"serviceName":"shop","tags":[]}},"warnings":null}]})";
  };
  EXPECT_EQ(ImportText(jaeger("1700000000000000", "checkout"), TraceFormat::kJaeger).duplicates,
            1u);
  EXPECT_EQ(ImportText(jaeger("1700000000000001", "checkout"), TraceFormat::kJaeger).duplicates,
            1u);
  EXPECT_EQ(ImportText(jaeger("1700000000000002", "checkout"), TraceFormat::kJaeger).same_id, 1u);
  EXPECT_EQ(ImportText(jaeger("1700000000000000", "other"), TraceFormat::kJaeger).same_id, 1u);
  // Grafana's download of a Tempo trace: a browser's numbers, old names, no flags.
  EXPECT_EQ(ImportText(R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",
      "value":{"stringValue":"shop"}}]},"scopeSpans":[{"scope":{"name":"numbered","version":"1"},
      "spans":[{"traceId":"7e000000000000000000000000000000","spanId":"0100000000000000",
      "name":"checkout","kind":2,"startTimeUnixNano":"1700000000000000800",
      "endTimeUnixNano":"1700000000000013000","attributes":[
      {"key":"text","value":{"stringValue":"value of 0"}},
      {"key":"number","value":{"intValue":"0"}}]}]}]}]})",
                       TraceFormat::kOtlp)
                .duplicates,
            1u);
}

TEST_F(ImportTest, WhatExpiredIsNotKnownAnyMore) {
  EXPECT_EQ(Import(OneTrace(0, 10), TraceFormat::kOtlp).kept, 10u);
  ASSERT_TRUE(store_->FlushNow());
  EXPECT_EQ(Import(OneTrace(0, 10), TraceFormat::kOtlp).duplicates, 10u);
  clock_.Advance(15ull * 24 * 3600 * 1'000'000'000);
  ASSERT_TRUE(store_->EnforceRetentionNow());
  ASSERT_EQ(store_->stats().blocks, 0u);
  EXPECT_EQ(Import(OneTrace(0, 10), TraceFormat::kOtlp).kept, 10u);
}

TEST_F(ImportTest, ATraceBeyondTheBoundIsNotReadAgainForEachPiece) {
  for (uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(AppendAndWait(store_.get(), OneTrace(i * 10, 10)));
  Importer importer(store_.get(), &clock_, 1);
  for (uint64_t i = 0; i < 20; ++i)
    EXPECT_TRUE(importer.Import(OneTrace(i * 10, 10), TraceFormat::kOtlp));
  EXPECT_EQ(importer.items_read(), 110u);
}

TEST_F(ImportTest, WhatLiveSendersAddMeanwhileIsSeen) {
  EXPECT_EQ(Import(OneTrace(0, 10), TraceFormat::kOtlp).kept, 10u);
  ASSERT_TRUE(AppendAndWait(store_.get(), OneTrace(10, 10)));
  EXPECT_EQ(Import(OneTrace(10, 10), TraceFormat::kOtlp).duplicates, 10u);
  EXPECT_EQ(Import(OneTrace(0, 10), TraceFormat::kOtlp).duplicates, 10u);
}

TEST_F(ImportTest, WhatWasNotStoredIsNotKnown) {
  EXPECT_EQ(Import(OneTrace(0, 10), TraceFormat::kOtlp).kept, 10u);
  env_->FailCalls(testing::DiskOp::kWrite, 1, ErrorCode::kNoSpace);
  EXPECT_FALSE(importer_->Import(OneTrace(10, 10), TraceFormat::kOtlp));
  env_->ClearFaults();
  clock_.Advance(10'000'000'000);
  EXPECT_EQ(Import(OneTrace(10, 10), TraceFormat::kOtlp).kept, 10u);
}

}  // namespace
}  // namespace weft::store

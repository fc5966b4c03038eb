// SPDX-License-Identifier: Apache-2.0
//
// Names and values of tags: the same answers in every placement of the same spans, with and without
// a filter or a time range; bounds and budgets.
#include "query/tag_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/segment_placements.h"
#include "testing/span_text.h"

namespace weft::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Placement;

// Two traces: `b` calls itself and has an error; `a` has two spans, one second later.
std::vector<SpanBatch> Shop() {
  testing::SpanTextReader reader(2);
  for (std::string_view line : {
           "trace 1",
           "resource service.name=\"b\" zone=\"eu\"",
           "scope name=\"lib\" version=\"1.2\" : team=\"x\"",
           "span a name=\"GET /\" kind=server for=100ms : k=1 k2=\"v\" list=[1, \"one\"] "
           "empty=empty",
           "event \"e\" : why=\"w\"",
           "link trace=2 span=c : l=true",
           "span b parent=a name=\"call\" kind=client status=error message=\"boom\" : k=\"two\"",
           "trace 2",
           "resource service.name=\"a\"",
           "span c name=\"x\" kind=server start=1s : k=1 ratio=0.5",
           "span d parent=c name=\"y\" kind=server start=1s : k=10",
       }) {
    auto taken = reader.TakeLine(line);
    EXPECT_TRUE(taken.has_value() && *taken) << line << (taken ? "" : ": " + taken.error().message);
  }
  return reader.Finish();
}

std::vector<std::string> Names(const store::Snapshot& snapshot, std::string_view scope,
                               const TagRequest& request = {}) {
  auto tags = ListTags(snapshot, scope, request, {});
  EXPECT_TRUE(tags.has_value()) << tags.error().message;
  std::vector<std::string> out;
  if (!tags) return out;
  EXPECT_EQ(tags->partial, "");
  for (const TagName& tag : tags->tags)
    if (tag.scope != "intrinsic" || scope == "intrinsic") out.push_back(tag.scope + "." + tag.key);
  return out;
}

std::vector<std::string> Values(const store::Snapshot& snapshot, std::string_view tag,
                                const TagRequest& request = {}) {
  auto name = ParseTag(tag);
  EXPECT_TRUE(name.has_value()) << tag;
  auto values = ListTagValues(snapshot, name.value_or(TagName{}), request, {});
  EXPECT_TRUE(values.has_value()) << values.error().message;
  std::vector<std::string> out;
  if (!values) return out;
  EXPECT_EQ(values->partial, "");
  for (const TagValue& value : values->values) out.push_back(value.text);
  return out;
}

void ForEachPlacement(const std::function<void(const store::Snapshot&)>& check) {
  std::vector<SpanBatch> batches = Shop();
  for (const Placement& placement : testing::MakePlacements({&batches[0], &batches[1]})) {
    SCOPED_TRACE(placement.name);
    check(*placement.snapshot);
  }
}

TEST(TagCatalog, NamesByScope) {
  ForEachPlacement([](const store::Snapshot& snapshot) {
    EXPECT_THAT(Names(snapshot, ""),
                ElementsAre("event.why", "instrumentation.team", "link.l", "resource.service.name",
                            "resource.zone", "span.k", "span.k2", "span.list", "span.ratio"));
    EXPECT_THAT(Names(snapshot, "resource"), ElementsAre("resource.service.name", "resource.zone"));
    EXPECT_THAT(Names(snapshot, "log"), IsEmpty());
    EXPECT_THAT(Names(snapshot, "intrinsic"), ::testing::IsSupersetOf({
                                                  "intrinsic.name",
                                                  "intrinsic.event:name",
                                                  "intrinsic.rootServiceName",
                                              }));
    EXPECT_FALSE(ListTags(snapshot, "blub", {}, {}).has_value());
  });
}

TEST(TagCatalog, NamesOfMatchingSpans) {
  ForEachPlacement([](const store::Snapshot& snapshot) {
    EXPECT_THAT(Names(snapshot, "span", {.traceql = "{ resource.service.name = \"a\" }"}),
                ElementsAre("span.k", "span.ratio"));
    EXPECT_THAT(Names(snapshot, "event", {.traceql = "{ kind = client }"}), IsEmpty());
    EXPECT_THAT(Names(snapshot, "", {.traceql = "{ kind = server && .k2 = \"v\" }"}),
                ElementsAre("event.why", "instrumentation.team", "link.l", "resource.service.name",
                            "resource.zone", "span.k", "span.k2", "span.list"));
    // Only the whole trace knows its duration and its root.
    EXPECT_THAT(Names(snapshot, "span", {.traceql = "{ traceDuration > 50ms }"}),
                ElementsAre("span.k", "span.k2", "span.list"));
    EXPECT_THAT(Names(snapshot, "span", {.traceql = "{ rootServiceName = \"a\" }"}),
                ElementsAre("span.k", "span.ratio"));
  });
}

TEST(TagCatalog, NamesInATimeRange) {
  constexpr uint64_t kSecond = 1'000'000'000;
  ForEachPlacement([](const store::Snapshot& snapshot) {
    uint64_t late = testing::kTextEpochNs + kSecond / 2;
    EXPECT_THAT(Names(snapshot, "span", {.start_ns = late, .end_ns = late + kSecond}),
                ElementsAre("span.k", "span.ratio"));
    EXPECT_THAT(Names(snapshot, "resource", {.start_ns = 0, .end_ns = late}),
                ElementsAre("resource.service.name", "resource.zone"));
    EXPECT_THAT(Names(snapshot, "", {.start_ns = 1, .end_ns = 2}), IsEmpty());
    EXPECT_THAT(Values(snapshot, ".service.name", {.start_ns = late, .end_ns = late + kSecond}),
                ElementsAre("a"));
  });
}

TEST(TagCatalog, NoEndMeansTheLastNanosecondToo) {
  std::vector<SpanBatch> batches = Shop();
  for (SpanBatch& batch : batches)
    for (Span& span : batch.spans) span.start_ns = span.end_ns = UINT64_MAX;
  for (const Placement& placement : testing::MakePlacements({&batches[0], &batches[1]})) {
    SCOPED_TRACE(placement.name);
    for (const char* traceql : {"{}", "{ duration >= 0s }"}) {
      EXPECT_THAT(Names(*placement.snapshot, "link", {.traceql = traceql}), ElementsAre("link.l"));
      EXPECT_THAT(Names(*placement.snapshot, "link", {.traceql = traceql, .end_ns = UINT64_MAX}),
                  IsEmpty());
    }
  }
}

TEST(TagCatalog, ValuesAreTypedAndOrdered) {
  ForEachPlacement([](const store::Snapshot& snapshot) {
    auto values = ListTagValues(snapshot, {"span", "k"}, {}, {});
    ASSERT_TRUE(values.has_value());
    ASSERT_EQ(values->values.size(), 3u);
    EXPECT_EQ(values->values[0].text, "1");
    EXPECT_EQ(values->values[0].type, ValueType::kInt);
    EXPECT_EQ(values->values[1].text, "10");
    EXPECT_EQ(values->values[2].text, "two");
    EXPECT_EQ(values->values[2].type, ValueType::kString);
    EXPECT_FALSE(values->truncated);
    EXPECT_THAT(Values(snapshot, "span.list"), ElementsAre("1", "one"));
    EXPECT_THAT(Values(snapshot, "span.empty"), IsEmpty());
    EXPECT_THAT(Values(snapshot, "span.ratio"), ElementsAre("0.5"));
    EXPECT_THAT(Values(snapshot, ".zone"), ElementsAre("eu"));
    EXPECT_THAT(Values(snapshot, "span.zone"), IsEmpty());
    EXPECT_THAT(Values(snapshot, "event.why"), ElementsAre("w"));
    EXPECT_THAT(Values(snapshot, "link.l"), ElementsAre("true"));
    EXPECT_THAT(Values(snapshot, "instrumentation.team"), ElementsAre("x"));
    EXPECT_FALSE(ListTagValues(snapshot, {"blub", "k"}, {}, {}).has_value());
  });
}

TEST(TagCatalog, IntrinsicValues) {
  ForEachPlacement([](const store::Snapshot& snapshot) {
    auto kinds = ListTagValues(snapshot, {"intrinsic", "kind"}, {}, {});
    ASSERT_TRUE(kinds.has_value());
    ASSERT_EQ(kinds->values.size(), 2u);
    EXPECT_EQ(kinds->values[0].text, "client");
    EXPECT_TRUE(kinds->values[0].keyword);
    EXPECT_THAT(Values(snapshot, "status"), ElementsAre("error", "unset"));
    EXPECT_THAT(Values(snapshot, "span:name"), ElementsAre("GET /", "call", "x", "y"));
    EXPECT_THAT(Values(snapshot, "statusMessage"), ElementsAre("boom"));
    EXPECT_THAT(Values(snapshot, "event:name"), ElementsAre("e"));
    EXPECT_THAT(Values(snapshot, "instrumentation:version"), ElementsAre("1.2"));
    EXPECT_THAT(Values(snapshot, "rootName"), ElementsAre("GET /", "x"));
    EXPECT_THAT(Values(snapshot, "trace:rootService"), ElementsAre("a", "b"));
    EXPECT_THAT(Values(snapshot, "rootName", {.traceql = "{ status = error }"}),
                ElementsAre("GET /"));
    EXPECT_THAT(Values(snapshot, "duration"), IsEmpty());
    EXPECT_FALSE(ListTagValues(snapshot, {"intrinsic", "nothing"}, {}, {}).has_value());
  });
}

TEST(TagCatalog, ValuesOfMatchingSpans) {
  ForEachPlacement([](const store::Snapshot& snapshot) {
    EXPECT_THAT(Values(snapshot, "span.k", {.traceql = "{ kind = server }"}),
                ElementsAre("1", "10"));
    EXPECT_THAT(Values(snapshot, "resource.service.name", {.traceql = "{ .k = \"two\" }"}),
                ElementsAre("b"));
    EXPECT_THAT(Values(snapshot, "kind", {.traceql = "{ status = error }"}), ElementsAre("client"));
    EXPECT_THAT(Values(snapshot, "event:name", {.traceql = "{ traceDuration > 50ms }"}),
                ElementsAre("e"));
    EXPECT_THAT(Values(snapshot, "name", {.traceql = "{ rootName = \"x\" }"}),
                ElementsAre("x", "y"));
    EXPECT_FALSE(ListTagValues(snapshot, {"span", "k"}, {.traceql = "{ .a = }"}, {}).has_value());
  });
}

TEST(TagCatalog, LimitsKeepTheFirstInOrder) {
  ForEachPlacement([](const store::Snapshot& snapshot) {
    auto values = ListTagValues(snapshot, {"span", "k"}, {.limit = 2}, {});
    ASSERT_TRUE(values.has_value());
    EXPECT_TRUE(values->truncated);
    ASSERT_EQ(values->values.size(), 2u);
    EXPECT_EQ(values->values[1].text, "10");
    auto names = ListTags(snapshot, "", {.limit = 1}, {});
    ASSERT_TRUE(names.has_value());
    EXPECT_TRUE(names->truncated);
    EXPECT_EQ(names->tags.front(), (TagName{"event", "why"}));
    for (uint32_t limit : {0u, kTagLimitMax + 1}) {
      EXPECT_FALSE(ListTags(snapshot, "", {.limit = limit}, {}).has_value());
      EXPECT_FALSE(ListTagValues(snapshot, {"span", "k"}, {.limit = limit}, {}).has_value());
    }
    EXPECT_FALSE(ListTags(snapshot, "", {.start_ns = 2, .end_ns = 1}, {}).has_value());
  });
}

TEST(TagCatalog, ManyLongValuesStayBounded) {
  SpanBatch batch;
  batch.resources.emplace_back();
  batch.scopes.emplace_back();
  constexpr size_t kSpans = 300, kLength = 100'000;
  std::vector<std::string> texts;
  for (size_t i = 0; i < kSpans; ++i)
    texts.push_back(std::to_string(i) + std::string(kLength, 'x'));
  std::vector<KeyValue> attributes(kSpans);
  for (size_t i = 0; i < kSpans; ++i) {
    attributes[i] = {"big", Value::String(texts[i])};
    Span span;
    span.trace_id.bytes[0] = static_cast<uint8_t>(i + 1);
    span.trace_id.bytes[1] = static_cast<uint8_t>(i >> 8);
    span.span_id.bytes[7] = 1;
    span.start_ns = testing::kTextEpochNs + i;
    span.attributes = std::span(&attributes[i], 1);
    batch.spans.push_back(span);
  }
  auto placement = testing::MakePlacements({&batch}).front();
  auto values = ListTagValues(*placement.snapshot, {"span", "big"}, {}, {});
  ASSERT_TRUE(values.has_value());
  EXPECT_TRUE(values->truncated);
  EXPECT_LT(values->values.size() * kLength, kTagBytesMax);
  EXPECT_GT(values->values.size() * kLength, kTagBytesMax / 2);
}

TEST(TagCatalog, ATraceTooLargeForTheMemoryIsLeftOutAndNamed) {
  const KeyValue large{"large", Value::Int(1)}, small{"small", Value::Int(1)};
  SpanBatch batch;
  batch.resources.emplace_back();
  batch.scopes.emplace_back();
  Span span;
  span.start_ns = testing::kTextEpochNs;
  span.end_ns = span.start_ns + 1'000'000'000;
  for (uint32_t i = 0; i <= 5000; ++i) {
    span.trace_id.bytes[15] = i < 5000 ? 1 : 2;
    span.span_id.bytes[6] = static_cast<uint8_t>((i + 1) >> 8);
    span.span_id.bytes[7] = static_cast<uint8_t>(i + 1);
    span.attributes = std::span(i < 5000 ? &large : &small, 1);
    batch.spans.push_back(span);
  }
  const SpanBatch* one = &batch;
  testing::SegmentSnapshot snapshot({testing::MakeChunk(std::span(&one, 1))});
  TagRequest request{.traceql = "{ traceDuration > 50ms }"};
  EXPECT_THAT(Names(snapshot, "span", request), ElementsAre("span.large", "span.small"));
  auto names = ListTags(snapshot, "span", request, {.memory_bytes = 2 << 20});
  ASSERT_TRUE(names.has_value());
  EXPECT_THAT(names->partial, HasSubstr("trace 00000000000000000000000000000001 was left out"));
  ASSERT_EQ(names->tags.size(), 1u);
  EXPECT_EQ(names->tags[0].key, "small");
}

TEST(TagCatalog, BudgetsMakeAnswersPartial) {
  std::vector<SpanBatch> batches = Shop();
  auto placement = testing::MakePlacements({&batches[0], &batches[1]}).front();
  auto names = ListTags(*placement.snapshot, "", {}, {.memory_bytes = 1});
  ASSERT_TRUE(names.has_value());
  EXPECT_THAT(names->partial, HasSubstr("memory"));
  std::atomic<bool> cancelled = true;
  auto none = ListTags(*placement.snapshot, "", {}, {.cancelled = &cancelled});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kCancelled);
}

TEST(TagCatalog, ParsesTags) {
  EXPECT_EQ(ParseTag("span.http.route"), (TagName{"span", "http.route"}));
  EXPECT_EQ(ParseTag(".service.name"), (TagName{"", "service.name"}));
  EXPECT_EQ(ParseTag("resource.\"a b\".c"), (TagName{"resource", "a b.c"}));
  EXPECT_EQ(ParseTag("instrumentation.x"), (TagName{"instrumentation", "x"}));
  EXPECT_EQ(ParseTag("name"), (TagName{"intrinsic", "name"}));
  EXPECT_EQ(ParseTag("span:name"), (TagName{"intrinsic", "span:name"}));
  EXPECT_EQ(ParseTag("log.thread.id"), (TagName{"log", "thread.id"}));
  for (const char* wrong : {"", "service.name", "span.a = 1", "parent.x", "\"", "span:nothing",
                            "log", "log.", "log:x", "log.a = 1"})
    EXPECT_EQ(ParseTag(wrong), std::nullopt) << wrong;
  EXPECT_EQ(TagText({"span", "http.route"}), "span.http.route");
  EXPECT_EQ(TagText({"", "x"}), ".x");
  for (const char* scope : {"event", "instrumentation", "link", "log", "resource", "span", ""})
    for (const char* key : {"", "a", "a b", "7", "a\"\\", "{}", "caf\xC3\xA9"})
      EXPECT_EQ(ParseTag(TagText({scope, key})), (TagName{scope, key})) << scope << key;
  EXPECT_EQ(TagText({"intrinsic", "span:name"}), "span:name");
}

}  // namespace
}  // namespace weft::query

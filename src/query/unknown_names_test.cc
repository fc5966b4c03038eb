// SPDX-License-Identifier: Apache-2.0
//
// Names that no data has: found in the head and in blocks, named once, with the nearest one.
#include "query/unknown_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/segment_placements.h"
#include "testing/span_text.h"
#include "traceql/tag_condition.h"
#include "traceql/traceql.h"

namespace weft::query {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kSpans[] = {
    R"(trace 1)",
    R"(resource service.name="checkout" host.name="a1" region="eu")",
    R"(scope name="http" : team="blue")",
    R"(span a name="POST /checkout" kind=client start=0ms for=100ms : http.route="/cart" "a key"=1)",
    R"(event "exception" at=1ms : exception.type="Timeout")",
    R"(trace 2)",
    R"(resource service.name="payment")",
    R"(span b name="POST /pay" start=5ms for=1ms : http.status_code=200)"};

class UnknownNamesTest : public ::testing::Test {
 protected:
  UnknownNamesTest() {
    for (std::string_view line : kSpans)
      EXPECT_TRUE(reader_.TakeLine(line).value_or(false)) << line;
    batches_ = reader_.Finish();
    for (const SpanBatch& batch : batches_) all_.push_back(&batch);
    placements_ = testing::MakePlacements(all_);
  }
  // "service chekout -> checkout" for each; the same in every placement of the data.
  std::vector<std::string> Unknown(std::string_view traceql) {
    std::vector<std::string> first;
    for (const testing::Placement& placement : placements_) {
      auto found = FindUnknownNames(*placement.snapshot, traceql::Parse(traceql).value(), {});
      EXPECT_TRUE(found) << found.error().message;
      std::vector<std::string> lines;
      for (const UnknownName& unknown : found.value_or(std::vector<UnknownName>()))
        lines.push_back(std::string(KindWord(unknown.kind)) + " " + unknown.name + " -> " +
                        unknown.nearest);
      if (&placement == &placements_.front()) first = lines;
      EXPECT_EQ(lines, first) << placement.name;
    }
    return first;
  }

  testing::SpanTextReader reader_{3};
  std::vector<SpanBatch> batches_;
  std::vector<const SpanBatch*> all_;
  std::vector<testing::Placement> placements_;
};

TEST_F(UnknownNamesTest, KnownNamesAreNoNews) {
  for (const char* query :
       {"{}", "{ resource.service.name = \"checkout\" && name = \"POST /pay\" }",
        "{ .service.name = \"payment\" }", "{ rootServiceName = \"checkout\" }",
        "{ .http.route = \"/none\" && duration > 1s }", "{ .region = \"us\" }",
        "{ event.exception.type = \"x\" && instrumentation.team = \"red\" }",
        "{ span.\"a key\" > 5 }", "{ name =~ \"nothing\" }", "{ name != \"nothing\" }",
        "{ resource.service.name != \"nobody\" }", "{ status = error }"})
    EXPECT_THAT(Unknown(query), IsEmpty()) << query;
}

TEST_F(UnknownNamesTest, SlipsNameTheNearest) {
  EXPECT_THAT(Unknown("{ resource.service.name = \"chekout\" }"),
              ElementsAre("service chekout -> checkout"));
  EXPECT_THAT(Unknown("{ .service.name = \"CHECKOUT\" }"),
              ElementsAre("service CHECKOUT -> checkout"));
  EXPECT_THAT(Unknown("{ rootServiceName = \"paymnt\" }"),
              ElementsAre("service paymnt -> payment"));
  EXPECT_THAT(Unknown("{ resource.service.name = \"zzz\" }"), ElementsAre("service zzz -> "));
  EXPECT_THAT(Unknown("{ \"POST /chekout\" = name }"),
              ElementsAre("operation POST /chekout -> POST /checkout"));
  EXPECT_THAT(Unknown("{ span.htpt.route = \"/cart\" }"),
              ElementsAre("attribute span.htpt.route -> span.http.route"));
  EXPECT_THAT(Unknown("{ .http.status_cod >= 500 }"),
              ElementsAre("attribute .http.status_cod -> .http.status_code"));
  EXPECT_THAT(Unknown("{ span.region = \"eu\" }"),
              ElementsAre("attribute span.region -> resource.region"));
  EXPECT_THAT(Unknown("{ span.hots.name = \"a1\" }"),
              ElementsAre("attribute span.hots.name -> resource.host.name"));
  EXPECT_THAT(Unknown("{ span.\"a kee\" = 1 }"),
              ElementsAre("attribute span.\"a kee\" -> span.\"a key\""));
  EXPECT_THAT(Unknown("{ span.nothing.like.it = nil && .x != nil }"),
              ElementsAre("attribute span.nothing.like.it -> ", "attribute .x -> "));
}

TEST_F(UnknownNamesTest, EachOnceOverTheWholeQuery) {
  EXPECT_THAT(Unknown("{ resource.service.name = \"chekout\" && .regoin = \"eu\" } || "
                      "({ resource.service.name = \"chekout\" } && { !(name = \"POST /pya\") })"),
              ElementsAre("service chekout -> checkout", "attribute .regoin -> .region",
                          "operation POST /pya -> POST /pay"));
  EXPECT_THAT(Unknown("{ .region = \"eu\" || .other = 1 }"), ElementsAre("attribute .other -> "));
}

// A tag asks for its value in many places: one that has the key is enough.
TEST_F(UnknownNamesTest, TagsAreKnownWhereverTheyStand) {
  auto tag = [&](std::string_view key, std::string_view value) {
    return Unknown("{ " + traceql::TagCondition(key, value) + " }");
  };
  EXPECT_THAT(tag("http.route", "/none"), IsEmpty());
  EXPECT_THAT(tag("exception.type", "x"), IsEmpty());
  EXPECT_THAT(tag("span.kind", "client"), IsEmpty());
  EXPECT_THAT(tag("error", "true"), IsEmpty());
  EXPECT_THAT(tag("error", "false"), IsEmpty());
  EXPECT_THAT(tag("resource.region", "eu"), IsEmpty());
  EXPECT_THAT(tag("http.status_cod", "200"),
              ElementsAre("attribute http.status_cod -> http.status_code"));
  EXPECT_THAT(tag("resource.regoin", "7"),
              ElementsAre("attribute resource.regoin -> resource.region"));
}

TEST(UnknownNames, NothingIsUnknownWithoutData) {
  std::vector<testing::Placement> placements = testing::MakePlacements({});
  for (const testing::Placement& placement : placements)
    EXPECT_THAT(*FindUnknownNames(*placement.snapshot,
                                  traceql::Parse("{ resource.service.name = \"a\" }").value(), {}),
                IsEmpty());
}

TEST(UnknownNames, Sentences) {
  EXPECT_EQ(SentenceOf({UnknownName::Kind::kService, "chekout", "checkout"}),
            "no data has the service \"chekout\": did you mean \"checkout\"?");
  EXPECT_EQ(SentenceOf({UnknownName::Kind::kAttribute, "span.x", ""}),
            "no data has the attribute span.x");
}

TEST(UnknownNames, NearIsNear) {
  const std::vector<std::string> names = {"cart", "checkout", "payment-service", "frontend-proxy"};
  EXPECT_EQ(NearestName("card", names), "cart");
  EXPECT_EQ(NearestName("payment", names), "payment-service");
  EXPECT_EQ(NearestName("paymentservice", names), "payment-service");
  EXPECT_EQ(NearestName("stock", names), "");
  EXPECT_EQ(NearestName("", names), "");
  EXPECT_EQ(NearestName(std::string(1000, 'x'), names), "");
}

}  // namespace
}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
//
// Every API over a real store with a damaged block: a trace that the block may hold is never "not
// found", one that was found is given and said to be partial, lists say what they lack.
#include "api/api_fixture.h"
#include "block/block_regions.h"
#include "testing/manual_clock.h"
#include "testing/numbered_spans.h"
#include "testing/sim_env.h"
#include "wire_core/protobuf_writer.h"

namespace weft::api {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::NumberedTrace;

// Of two blocks of 40 traces each the first is damaged; trace 0 is in it, trace 40 in the other.
enum class Damage { kNone, kMissing, kRows };

class DamageApiTest : public ApiTest {
 protected:
  store::Store* store() override { return real_.get(); }

  void BeginWith(Damage damage) {
    config_.directory = "/data";
    config_.background = false;
    config_.free_bytes_min = 0;
    config_.page_cache_bytes = 0;
    Open();
    for (uint64_t block = 0; block < 2; ++block) {
      ASSERT_TRUE(testing::AppendAndWait(real_.get(), testing::NumberedBatch(block * 160, 160)));
      ASSERT_TRUE(real_->FlushNow());
    }
    // A part of trace 1 lies in the healthy block too.
    ASSERT_TRUE(testing::AppendAndWait(real_.get(), testing::NumberedBatch(4, 1)));
    ASSERT_TRUE(real_->FlushNow());
    real_->Close();
    for (const std::string& path : env_.Files())
      if (path.ends_with(".block") && damaged_.empty()) damaged_ = path;
    healthy_bytes_ = env_.Contents(damaged_);
    if (damage == Damage::kMissing) {
      ASSERT_TRUE(env_.Remove(damaged_));
    }
    if (damage == Damage::kRows) {
      std::string bytes = env_.Contents(damaged_);
      const auto pages = block::RegionsOf(bytes)["pages"];
      std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(pages.offset), pages.bytes, '\0');
      env_.SetContents(damaged_, bytes);
    }
    Open();
    Begin();
  }
  void Open() {
    auto store = store::Store::Open(&env_, &clock_, config_);
    ASSERT_TRUE(store) << store.error().message;
    real_ = std::move(*store);
  }
  static std::string Hex(uint64_t trace) { return NumberedTrace(trace).ToHex(); }
  static std::string GetTraceRequest(const std::string& id) {
    wire::ProtoWriter writer;
    writer.Bytes(1, id);
    std::string out;
    writer.AppendTo(&out);
    return out;
  }
  // Where a trace is asked for by its id; all of them in HTTP.
  static std::vector<std::string> TracePaths(const std::string& id) {
    return {"/api/weft/v1/trace/" + id,
            "/api/weft/v1/trace/" + id + "/spans",
            "/api/weft/v1/trace/" + id + "/find?text=a",
            "/api/weft/v1/trace/" + id + "/otlp",
            "/api/weft/v1/trace/" + id + "/otlp?logs=true",
            "/api/traces/" + id,
            "/api/v3/traces/" + id,
            "/tempo/api/traces/" + id,
            "/tempo/api/v2/traces/" + id};
  }
  ~DamageApiTest() override {
    if (query_) query_->Stop();
    query_.reset();
  }

  testing::SimEnv env_;
  std::string healthy_bytes_;
  testing::ManualClock clock_;
  store::StoreConfig config_;
  std::unique_ptr<store::Store> real_;
  std::string damaged_;
};

class EveryDamageTest : public DamageApiTest, public ::testing::WithParamInterface<Damage> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EveryDamageTest,
                         ::testing::Values(Damage::kMissing, Damage::kRows));

TEST_P(EveryDamageTest, ATraceThatADamagedBlockMayHoldIsNeverNotFound) {
  BeginWith(GetParam());
  for (const std::string& path : TracePaths(Hex(0))) {
    const outgoing::ClientResponse response = Get(path);
    EXPECT_EQ(response.status, 500) << path << ": " << response.body;
    EXPECT_THAT(response.body, HasSubstr(damaged_)) << path;
  }
  const GrpcAnswer grpc = CallApiV3("GetTrace", GetTraceRequest(Hex(0)));
  EXPECT_EQ(grpc.status, "15") << "DATA_LOSS";
  EXPECT_THAT(grpc.message, HasSubstr(damaged_.substr(damaged_.rfind('/') + 1)));
  EXPECT_THAT(grpc.messages, IsEmpty());
  // Several ids in one question: each has its own error.
  EXPECT_THAT(Json("/api/traces?traceID=" + Hex(0) + "&traceID=" + Hex(50)),
              AllOf(HasSubstr(R"("total":1)"), HasSubstr(R"("code":500)"), HasSubstr(damaged_)));
}

TEST_F(DamageApiTest, WhatNoBlockHoldsIsNotFoundWhereTheFilterSaysSo) {
  BeginWith(Damage::kRows);
  // Of a hundred ids most are refuted by the filter of a block whose pages are all gone.
  int not_found = 0;
  std::string refuted;
  for (uint64_t trace = 1000; trace < 1100; ++trace) {
    const int status = Get("/api/weft/v1/trace/" + Hex(trace)).status;
    EXPECT_TRUE(status == 404 || status == 500) << status;
    not_found += status == 404;
    if (status == 404) refuted = Hex(trace);
  }
  EXPECT_GT(not_found, 80);
  for (const std::string& path : TracePaths(refuted)) EXPECT_EQ(Get(path).status, 404) << path;
  EXPECT_EQ(CallApiV3("GetTrace", GetTraceRequest(refuted)).status, "5") << "NOT_FOUND";
}

TEST_F(DamageApiTest, ATraceThatWasFoundIsGivenAndSaidToBePartial) {
  BeginWith(Damage::kMissing);
  for (const uint64_t trace : {1, 50}) {
    SCOPED_TRACE(trace);
    const std::string id = Hex(trace);
    for (const std::string& path : TracePaths(id)) {
      const outgoing::ClientResponse response = Get(path);
      EXPECT_EQ(response.status, 200) << path << ": " << response.body;
      const bool in_body = response.body.contains(damaged_);
      const bool in_header =
          http::FindHeader(response.headers, "weft-partial").find(damaged_) != std::string::npos;
      EXPECT_TRUE(in_body || in_header) << path;
    }
    EXPECT_THAT(Lines("/api/weft/v1/trace/" + id)[0],
                AllOf(HasSubstr(R"("partial":"cannot read )" + damaged_),
                      HasSubstr(R"("warnings":["Spans may be missing: cannot read )" + damaged_)));
    EXPECT_THAT(Json("/api/traces/" + id),
                AllOf(HasSubstr(R"("errors":[{"code":206,"msg":"partial: cannot read )" + damaged_),
                      HasSubstr(R"("warnings":["spans may be missing: cannot read )" + damaged_)));
    EXPECT_THAT(Json("/api/v3/traces/" + id), HasSubstr(R"("partial":"cannot read )" + damaged_));
    EXPECT_THAT(Get("/tempo/api/v2/traces/" + id).body,
                AllOf(HasSubstr(R"("status":"PARTIAL")"),
                      HasSubstr(R"("message":"cannot read )" + damaged_)));
    EXPECT_THAT(Get("/tempo/api/v2/traces/" + id, {{"accept", "application/protobuf"}}).body,
                HasSubstr(damaged_));
    const GrpcAnswer grpc = CallApiV3("GetTrace", GetTraceRequest(id));
    EXPECT_FALSE(grpc.messages.empty());
    EXPECT_EQ(grpc.status, "15");
    EXPECT_THAT(grpc.message, HasSubstr("partial: cannot read "));
  }
}

TEST_P(EveryDamageTest, ListsSayWhatTheyLack) {
  BeginWith(GetParam());
  for (const char* path :
       {"/api/weft/v1/search?q=%7B%7D&limit=1000", "/api/weft/v1/services",
        "/api/weft/v1/operations?service=shop", "/api/weft/v1/tag-values?tag=span.text",
        "/api/services", "/api/services/shop/operations", "/api/operations?service=shop",
        "/api/traces?service=shop&lookback=custom&start=0&limit=1000",
        "/api/dependencies?endTs=1800000000000&lookback=200000000000", "/api/v3/services",
        "/api/v3/operations?service=shop",
        "/api/v3/traces?query.service_name=shop&query.start_time_min=2020-01-01T00:00:00Z"
        "&query.start_time_max=2030-01-01T00:00:00Z&query.num_traces=1000"}) {
    const outgoing::ClientResponse response = Get(path);
    EXPECT_EQ(response.status, 200) << path << ": " << response.body;
    EXPECT_THAT(response.body, AllOf(HasSubstr("partial"), HasSubstr(damaged_))) << path;
  }
  for (const char* path :
       {"/tempo/api/search?q=%7B%7D&limit=1000", "/tempo/api/v2/search/tag/span.text/values"}) {
    const outgoing::ClientResponse response = Get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_THAT(std::string(http::FindHeader(response.headers, "weft-partial")),
                HasSubstr(damaged_))
        << path;
  }
  EXPECT_THAT(CallApiV3("GetServices", "").message, HasSubstr("partial: cannot read "));
  // What is there is there all the same.
  EXPECT_THAT(Json("/api/weft/v1/services"), HasSubstr(R"("name":"shop")"));
  EXPECT_THAT(Json("/api/weft/v1/status"),
              AllOf(HasSubstr(R"("damagedBlocks":1)"), HasSubstr(damaged_)));
}

TEST_F(DamageApiTest, NothingIsPartialWhereNothingIsDamaged) {
  BeginWith(Damage::kNone);
  for (const std::string& path : TracePaths(Hex(0))) {
    const outgoing::ClientResponse response = Get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(http::FindHeader(response.headers, "weft-partial"), "") << path;
  }
  EXPECT_EQ(CallApiV3("GetTrace", GetTraceRequest(Hex(0))).status, "0");
  EXPECT_THAT(Json("/api/weft/v1/search?q=%7B%7D"), HasSubstr(R"("partial":"")"));
}

TEST_F(DamageApiTest, NamesOfAttributesLackWhatABlockThatIsGoneHad) {
  BeginWith(Damage::kMissing);
  EXPECT_THAT(Json("/api/weft/v1/tags"), HasSubstr(R"("partial":"cannot read )" + damaged_));
  EXPECT_THAT(std::string(http::FindHeader(Get("/tempo/api/search/tags").headers, "weft-partial")),
              HasSubstr(damaged_));
}

// A trace shown before the damage is shown from memory; one shown in part is read again.
TEST_F(DamageApiTest, ATraceShownInPartIsWholeAgainWhenItsBlockIs) {
  BeginWith(Damage::kMissing);
  const std::string bytes = healthy_bytes_;
  EXPECT_THAT(Lines("/api/weft/v1/trace/" + Hex(1))[0], Not(HasSubstr(R"("partial":"")")));
  env_.SetContents(damaged_, bytes);
  ASSERT_TRUE(real_->ScrubNow());
  EXPECT_THAT(Lines("/api/weft/v1/trace/" + Hex(1))[0], HasSubstr(R"("partial":"")"));
  EXPECT_EQ(Get("/api/weft/v1/trace/" + Hex(0)).status, 200);
}

}  // namespace
}  // namespace weft::api

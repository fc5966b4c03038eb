// SPDX-License-Identifier: Apache-2.0
#include "http/grpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "http/grpc_call.h"
#include "http/server.h"
#include "outgoing/client.h"

namespace weft::http {

using outgoing::GrpcReply;

namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

class GrpcTest : public testing::Test {
 protected:
  void SetUp() override {
    GrpcOptions options;
    options.message_bytes_max = 32 << 20;
    options.admit = [this](const RequestHead& head, uint64_t declared, std::shared_ptr<void>*) {
      declared_ = declared;
      if (FindHeader(head.headers, "x-busy").empty()) return GrpcStatus{};
      return GrpcStatus{GrpcCode::kUnavailable, "busy: 100 %\n", 7};
    };
    options.decompress = [](std::string_view encoding, std::string_view bytes, uint64_t,
                            void*) -> Result<std::string> {
      if (encoding != "gzip") return Fail(ErrorCode::kUnimplemented, "no such encoding");
      return "plain:" + std::string(bytes);
    };
    router_->AddGrpc("/test.Echo/Say", options, [](GrpcRequest request, GrpcCallPtr call) {
      call->Send(std::move(request.message));
      call->Finish({});
    });
    router_->AddGrpc("/test.Echo/Fail", options, [](GrpcRequest, GrpcCallPtr call) {
      call->Finish({GrpcCode::kInvalidArgument, "field 3: caf\xC3\xA9", 0});
    });
    GrpcOptions small;
    small.message_bytes_max = 1000;
    router_->AddGrpc("/test.Echo/Small", small,
                     [](GrpcRequest, GrpcCallPtr call) { call->Finish({}); });
    router_->AddGrpc("/test.Echo/Drop", {}, [](GrpcRequest, GrpcCallPtr) {});
    router_->AddGrpc("/test.Echo/Never", {}, [this](GrpcRequest, GrpcCallPtr call) {
      std::lock_guard lock(mutex_);
      held_.push_back(std::move(call));
    });
    router_->AddGrpc("/test.Echo/Thread", {}, [](GrpcRequest request, GrpcCallPtr call) {
      std::thread([message = std::move(request.message), call = std::move(call)]() mutable {
        call->Send(std::move(message));
        call->Finish({});
      }).detach();
    });
    AddGrpcHealth(router_.get(), [this] { return serving_.load(); });
    server_ = std::make_unique<Server>(ServerLimits{.drain_timeout_ms = 200}, 2);
    auto port = server_->Listen({"127.0.0.1", 0}, router_);
    ASSERT_TRUE(port.has_value()) << port.error().message;
    base_ = "http://127.0.0.1:" + std::to_string(*port);
    server_->Start();
  }

  GrpcReply Call(const std::string& method, std::string_view message, Headers metadata = {}) {
    auto reply = client_.CallGrpc(base_ + method, message, std::move(metadata));
    EXPECT_TRUE(reply.has_value()) << reply.error().message;
    return reply ? *reply : GrpcReply{};
  }

  // The loops end before what the handlers use.
  void TearDown() override {
    if (server_) server_->Stop();
  }

  std::shared_ptr<Router> router_ = std::make_shared<Router>();
  std::unique_ptr<Server> server_;
  std::atomic<uint64_t> declared_{0};
  std::atomic<bool> serving_{true};
  std::mutex mutex_;
  std::vector<GrpcCallPtr> held_;
  std::string base_;
  outgoing::HttpClient client_;
};

TEST_F(GrpcTest, UnaryOfAllSizes) {
  for (size_t size :
       {size_t{0}, size_t{1}, size_t{16'379}, size_t{16'384}, size_t{80'000}, size_t{10'000'000}}) {
    std::string message(size, 'm');
    GrpcReply reply = Call("/test.Echo/Say", message);
    EXPECT_EQ(reply.status.code, GrpcCode::kOk) << reply.status.message;
    EXPECT_TRUE(reply.message == message) << size;
    EXPECT_EQ(declared_, size);
  }
}

TEST_F(GrpcTest, AnswersFromAnotherThread) {
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Call("/test.Echo/Thread", "x").message, "x");
}

TEST_F(GrpcTest, StatusMessageIsPercentEncoded) {
  GrpcReply reply = Call("/test.Echo/Fail", "");
  EXPECT_EQ(reply.status.code, GrpcCode::kInvalidArgument);
  EXPECT_EQ(reply.status.message, "field 3: caf\xC3\xA9");
}

TEST_F(GrpcTest, AdmissionRefusesWithRetryInfo) {
  GrpcReply reply = Call("/test.Echo/Say", std::string(500'000, 'x'), {{"x-busy", "1"}});
  EXPECT_EQ(reply.status.code, GrpcCode::kUnavailable);
  EXPECT_EQ(reply.status.message, "busy: 100 %\n");
  Headers trailers = GrpcTrailers({GrpcCode::kUnavailable, "b", 7});
  // google.rpc.Status{code: 14, message: "b", details: [Any{RetryInfo{retry_delay: 7 s}}]}.
  EXPECT_THAT(trailers, Contains(Pair("grpc-status-details-bin",
                                      "CA4SAWIaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ"
                                      "5SW5mbxIECgIIBw")));
}

TEST_F(GrpcTest, TooLargeHasNoRetryInfo) {
  GrpcReply reply = Call("/test.Echo/Small", std::string(5000, 'x'));
  EXPECT_EQ(reply.status.code, GrpcCode::kResourceExhausted);
  EXPECT_THAT(reply.status.message, HasSubstr("message of 5000 bytes is over the limit of 1000"));
}

TEST_F(GrpcTest, UnknownMethodIsUnimplemented) {
  GrpcReply reply = Call("/test.Echo/Nothing", "x");
  EXPECT_EQ(reply.status.code, GrpcCode::kUnimplemented);
  EXPECT_EQ(reply.status.message, "unknown method /test.Echo/Nothing");
}

TEST_F(GrpcTest, DroppedCallIsInternal) {
  EXPECT_EQ(Call("/test.Echo/Drop", "x").status.code, GrpcCode::kInternal);
}

TEST_F(GrpcTest, DeadlineEndsTheCall) {
  GrpcReply reply = Call("/test.Echo/Never", "x", {{"grpc-timeout", "50m"}});
  EXPECT_EQ(reply.status.code, GrpcCode::kDeadlineExceeded);
  std::lock_guard lock(mutex_);
  ASSERT_EQ(held_.size(), 1u);
  EXPECT_TRUE(held_[0]->cancelled());
  EXPECT_EQ(held_[0]->Send("late"), WriteState::kClosed);
}

TEST_F(GrpcTest, BadTimeoutIsRefused) {
  EXPECT_EQ(Call("/test.Echo/Say", "x", {{"grpc-timeout", "soon"}}).status.code,
            GrpcCode::kInternal);
}

TEST(GrpcTimeoutTest, Table) {
  EXPECT_EQ(ParseGrpcTimeoutMs("1H"), 3'600'000);
  EXPECT_EQ(ParseGrpcTimeoutMs("2M"), 120'000);
  EXPECT_EQ(ParseGrpcTimeoutMs("10S"), 10'000);
  EXPECT_EQ(ParseGrpcTimeoutMs("99999999m"), 99'999'999);
  EXPECT_EQ(ParseGrpcTimeoutMs("1500u"), 2);
  EXPECT_EQ(ParseGrpcTimeoutMs("1n"), 1);
  for (const char* bad : {"", "S", "1", "-1S", "123456789S", "1s", " 1S", "1.5S"}) {
    EXPECT_FALSE(ParseGrpcTimeoutMs(bad)) << bad;
  }
}

TEST_F(GrpcTest, HealthCheck) {
  const std::string echo = {'\x0a', 9, 't', 'e', 's', 't', '.', 'E', 'c', 'h', 'o'};
  EXPECT_EQ(Call("/grpc.health.v1.Health/Check", "").message, std::string("\x08\x01"));
  EXPECT_EQ(Call("/grpc.health.v1.Health/Check", echo).message, std::string("\x08\x01"));
  serving_ = false;
  EXPECT_EQ(Call("/grpc.health.v1.Health/Check", "").message, std::string("\x08\x02"));
  EXPECT_EQ(Call("/grpc.health.v1.Health/Check", std::string("\x0a\x01z")).status.code,
            GrpcCode::kNotFound);
  EXPECT_EQ(Call("/grpc.health.v1.Health/Check", std::string("\x0a\x7f")).status.code,
            GrpcCode::kInvalidArgument);
}

}  // namespace
}  // namespace weft::http

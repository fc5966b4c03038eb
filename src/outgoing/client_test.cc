// SPDX-License-Identifier: Apache-2.0
#include "outgoing/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "http/server.h"

namespace weft::outgoing {

using http::ExchangePtr;
using http::FindHeader;
using http::Request;
using http::Router;
using http::Server;

namespace {

using testing::HasSubstr;

class ClientTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    router_->Add("*", "/echo", {.body_bytes_max = 64 << 20, .admit = nullptr},
                 [this](Request request, ExchangePtr exchange) {
                   saw_http2_ = request.http2;
                   http::Headers headers{
                       {"X-Method", request.method},
                       {"X-Query", request.query},
                       {"X-Extra", std::string(FindHeader(request.headers, "x-extra"))}};
                   exchange->Respond({201, "text/plain", headers, std::move(request.body)});
                 });
    router_->Add("GET", "/stream", {}, [](Request, ExchangePtr exchange) {
      exchange->Start(200, "text/plain", {});
      for (int i = 0; i < 1000; ++i) exchange->Write(std::string(1000, 'x'));
      exchange->Finish();
    });
    router_->Add("GET", "/never", {}, [this](Request, ExchangePtr exchange) {
      std::lock_guard lock(mutex_);
      held_.push_back(std::move(exchange));
    });
    server_ = std::make_unique<Server>(http::ServerLimits{.drain_timeout_ms = 200}, 2);
    auto port = server_->Listen({"localhost", 0}, router_);
    ASSERT_TRUE(port.has_value()) << port.error().message;
    base_ = "http://localhost:" + std::to_string(*port);
    server_->Start();
  }

  // The loops end before what the handlers use.
  void TearDown() override {
    if (server_) server_->Stop();
  }

  std::shared_ptr<Router> router_ = std::make_shared<Router>();
  std::unique_ptr<Server> server_;
  std::atomic<bool> saw_http2_{false};
  std::mutex mutex_;
  std::vector<ExchangePtr> held_;
  std::string base_;
};

INSTANTIATE_TEST_SUITE_P(Http1AndHttp2, ClientTest, testing::Bool(),
                         [](const auto& p) { return p.param ? "http2" : "http1"; });

TEST_P(ClientTest, SendsMethodHeadersAndBody) {
  HttpClient client({.http2 = GetParam()});
  for (size_t size : {size_t{0}, size_t{5}, size_t{100'000}, size_t{20'000'000}}) {
    std::string body(size, 'b');
    auto response = client.Send({.method = "PUT",
                                 .url = base_ + "/echo?a=1",
                                 .headers = {{"content-type", "x/y"}, {"x-extra", "yes"}},
                                 .body = body});
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->status, 201);
    EXPECT_EQ(FindHeader(response->headers, "x-method"), "PUT");
    EXPECT_EQ(FindHeader(response->headers, "x-query"), "a=1");
    EXPECT_EQ(FindHeader(response->headers, "x-extra"), "yes");
    EXPECT_TRUE(response->body == body);
    EXPECT_EQ(saw_http2_, GetParam());
  }
}

TEST_P(ClientTest, HeadHasNoBody) {
  HttpClient client({.http2 = GetParam()});
  auto response = client.Send({.method = "HEAD", .url = base_ + "/echo"});
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "");
}

TEST_P(ClientTest, StreamsIntoACallback) {
  HttpClient client({.http2 = GetParam()});
  size_t bytes = 0;
  auto response = client.Send({.url = base_ + "/stream", .on_body = [&](std::string_view piece) {
                                 bytes += piece.size();
                                 return true;
                               }});
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(bytes, 1'000'000u);
  EXPECT_EQ(response->body, "");
  auto stopped =
      client.Send({.url = base_ + "/stream", .on_body = [](std::string_view) { return false; }});
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

TEST_P(ClientTest, LimitsAreErrors) {
  HttpClient small({.response_bytes_max = 1000, .http2 = GetParam()});
  auto large = small.Get(base_ + "/stream");
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code, ErrorCode::kTooLarge);
  HttpClient hasty({.timeout_ms = 50, .http2 = GetParam()});
  auto late = hasty.Get(base_ + "/never");
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
}

TEST(ClientErrorTest, NobodyListensOrBadUrl) {
  HttpClient client;
  // A port that was free a moment ago.
  Server server({}, 1);
  auto port = server.Listen({"127.0.0.1", 0}, std::make_shared<Router>());
  ASSERT_TRUE(port.has_value());
  server.Stop();
  auto refused = client.Get("http://127.0.0.1:" + std::to_string(*port) + "/");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(*port)));
  auto bad = client.Get("file:///etc/passwd");
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
}

TEST_P(ClientTest, UnknownPathAndMethod) {
  HttpClient client({.http2 = GetParam()});
  auto missing = client.Get(base_ + "/nowhere");
  ASSERT_TRUE(missing.has_value()) << missing.error().message;
  EXPECT_EQ(missing->status, 404);
  auto wrong = client.Post(base_ + "/stream", "text/plain", "x");
  ASSERT_TRUE(wrong.has_value()) << wrong.error().message;
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(FindHeader(wrong->headers, "allow"), "GET,HEAD");
}

}  // namespace
}  // namespace weft::outgoing

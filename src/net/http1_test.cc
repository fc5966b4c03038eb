// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/raw_client.h"
#include "net/server.h"

namespace weft::net {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Http1Test : public testing::Test {
 protected:
  void StartServer(ServerLimits limits = {}) {
    router_->Add("GET", "/hello", {}, [](Request, ExchangePtr exchange) {
      exchange->Respond({200, "text/plain", {}, "hello"});
    });
    router_->Add("POST", "/echo", {}, [](Request request, ExchangePtr exchange) {
      exchange->Respond({200, "text/plain", {}, request.body});
    });
    router_->Add("GET", "/stream", {}, [](Request, ExchangePtr exchange) {
      exchange->Start(200, "text/plain", {});
      exchange->Write("one,");
      exchange->Write("two");
      exchange->Finish();
    });
    router_->Add("GET", "/drop", {}, [](Request, ExchangePtr) {});
    server_ = std::make_unique<Server>(limits, 2);
    auto port = server_->Listen({"127.0.0.1", 0}, router_);
    ASSERT_TRUE(port.has_value()) << port.error().message;
    port_ = *port;
    server_->Start();
  }

  std::string Ask(std::string_view bytes) {
    RawClient client(port_);
    client.Send(bytes);
    client.ShutdownSend();
    return client.ReadAll();
  }

  std::shared_ptr<Router> router_ = std::make_shared<Router>();
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
};

TEST_F(Http1Test, AnswersAndKeepsAlive) {
  StartServer();
  RawClient client(port_);
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.ReadUntil("hello"), StartsWith("HTTP/1.1 200 OK\r\n"));
    client.Take();
  }
  EXPECT_FALSE(client.eof());
}

TEST_F(Http1Test, PipelinedRequestsAreAnsweredInOrder) {
  StartServer();
  std::string many;
  for (int i = 0; i < 50; ++i) {
    std::string body = "<" + std::to_string(i) + ">";
    many += "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body;
  }
  std::string answer = Ask(many);
  size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answer.find("<" + std::to_string(i) + ">", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(Http1Test, ChunkedBothWays) {
  StartServer();
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"),
              HasSubstr("\r\n\r\nabc0123456789"));
  EXPECT_THAT(Ask("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"),
              HasSubstr("\r\n\r\n4\r\none,\r\n3\r\ntwo\r\n0\r\n\r\n"));
  EXPECT_THAT(Ask("GET /stream HTTP/1.0\r\n\r\n"), HasSubstr("\r\n\r\none,two"));
}

TEST_F(Http1Test, DroppedExchangeIs500) {
  StartServer();
  EXPECT_THAT(Ask("GET /drop HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
}

}  // namespace
}  // namespace weft::net

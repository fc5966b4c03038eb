// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "auth/basic_auth.h"
#include "auth/bearer_auth.h"
#include "auth/htpasswd.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/server.h"
#include "net/file_watch.h"
#include "net/raw_client.h"
#include "outgoing/client.h"
#include "wire_core/base64.h"

namespace weft::auth {

using http::GrpcCode;
using http::RequestHead;
using outgoing::HttpClient;

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Reason = http::AuthRefusal::Reason;

// All of "geheim".
constexpr const char* kHashes[] = {
    "geheim",
    "{SHA}kGByAB793z4R5tK1eC9Hd/4Dhzk=",
    "{SSHA}D9L1GVdFh4eHgHXQeB8pTEgIELxzYWx0",
    "$apr1$saltsalt$9/tMzdzSc6dIiPlJw6UTa.",
    "$5$rounds=1000$F3Q7ND7YFsmeFIxr$SOKynGGSBSrauYIYpiabLZQU0b7yRLjGmtPJybjIL/7",
    "$6$rounds=1000$6ZvUswS4L27COY8n$"
    "E0P8kKHsWU5aV3d82mRt.90PoZFRh7v6E6I9qCQjpXFGmTK2H/f9HZSW4avCjGDLShmDZR29J5/g8yKooRJJb1",
    "$2b$04$n3AQ2fwLGTQLjA0ExEn7uuZ8CvYybXppBKMvq5b9v7Q4UveMS7Kvi",
    "$2y$04$n3AQ2fwLGTQLjA0ExEn7uuZ8CvYybXppBKMvq5b9v7Q4UveMS7Kvi",
};

TEST(HtpasswdTest, EveryFormOfHash) {
  for (const char* hash : kHashes) {
    std::vector<std::string> problems;
    Htpasswd known = Htpasswd::Parse("ann:" + std::string(hash) + "\n", &problems);
    EXPECT_THAT(problems, IsEmpty());
    ASSERT_NE(known.Find("ann"), nullptr) << hash;
    EXPECT_TRUE(Htpasswd::Matches(*known.Find("ann"), "geheim")) << hash;
    for (const std::string& wrong :
         {std::string(""), std::string("Geheim"), std::string("geheim "),
          std::string("geheim\0", 7), std::string(600, 'x'), std::string(hash) + "x"})
      EXPECT_FALSE(Htpasswd::Matches(*known.Find("ann"), wrong)) << hash;
  }
  std::vector<std::string> problems;
  Htpasswd known = Htpasswd::Parse("ann:$apr1$x$XHOM/ycVUx1Kv1FoulhlX.", &problems);
  EXPECT_TRUE(
      Htpasswd::Matches(*known.Find("ann"), "a longer password of many words, over sixteen"));
}

TEST(HtpasswdTest, LinesThatAreNone) {
  std::vector<std::string> problems;
  Htpasswd known = Htpasswd::Parse(
      "# people\r\n\n  ann:one\r\nno colon hush\n:hush\nbob:{NTLM}hush\ncat:$9$hush$hush$\n"
      "dan:\nann:two\n",
      &problems);
  EXPECT_EQ(known.users(), 1u);
  EXPECT_TRUE(Htpasswd::Matches(*known.Find("ann"), "two")) << "the later line wins";
  EXPECT_THAT(problems, ElementsAre(HasSubstr("line 4"), HasSubstr("line 5"), HasSubstr("line 6"),
                                    HasSubstr("line 7"), HasSubstr("line 8")));
  for (const std::string& problem : problems) EXPECT_THAT(problem, Not(HasSubstr("hush")));
  EXPECT_EQ(known.AnySlow(), nullptr);
}

class AuthTest : public testing::Test {
 protected:
  AuthTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "weft-auth-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    file_ = folder_ + "/secrets";
  }
  ~AuthTest() override {
    SetLogSink(nullptr);
    if (server_) server_->Stop();
    std::filesystem::remove_all(folder_);
  }

  // Named when it passes "", else why not.
  static std::optional<Reason> Check(http::Authenticator* auth, const std::string& authorization) {
    RequestHead head;
    if (!authorization.empty()) head.headers.emplace_back("authorization", authorization);
    auto refusal = auth->Check(head);
    if (refusal && refusal->reason != Reason::kBusy) {
      EXPECT_NE(refusal->challenge, "");
    }
    return refusal ? std::optional(refusal->reason) : std::nullopt;
  }
  static std::string Basic(std::string_view pair) {
    std::string text = "Basic ";
    AppendBase64(pair, &text);
    return text;
  }
  void Write(const std::string& text) { std::ofstream(file_) << text; }

  std::string folder_, file_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(AuthTest, BearerTokens) {
  BearerAuthOptions options;
  options.tokens.emplace_back("t1");
  options.tokens.emplace_back("t2");
  auto auth = MakeBearerAuth(std::move(options)).value();
  EXPECT_EQ(Check(auth.get(), "Bearer t1"), std::nullopt);
  EXPECT_EQ(Check(auth.get(), "bearer  t2 "), std::nullopt);
  EXPECT_EQ(Check(auth.get(), ""), Reason::kNoCredentials);
  for (const char* wrong : {"Bearer", "Bearer ", "Bearer t3", "Bearer t", "Bearer t11", "t1",
                            "Bearert1", "Basic t1", "Token t1"})
    EXPECT_EQ(Check(auth.get(), wrong), Reason::kWrongCredentials) << wrong;
}

TEST_F(AuthTest, WhatChangesAndWhatDoesNot) {
  Write("one");
  net::FileWatch watch({file_}, 0);
  EXPECT_FALSE(watch.Changed());
  // What a deploy hook does after a renewal that left the file unreadable.
  std::filesystem::permissions(file_, std::filesystem::perms::owner_read);
  EXPECT_TRUE(watch.Changed());
  EXPECT_FALSE(watch.Changed());
  watch.TryAgain();
  EXPECT_TRUE(watch.Changed());
  EXPECT_FALSE(watch.Changed());
}

TEST_F(AuthTest, BearerFileIsReadAgain) {
  Write("\n  t1  \n\nt2\r\n");
  BearerAuthOptions options;
  options.file = file_;
  options.reload_interval_ms = 0;
  auto auth = MakeBearerAuth(std::move(options)).value();
  EXPECT_EQ(Check(auth.get(), "Bearer t1"), std::nullopt);
  EXPECT_EQ(Check(auth.get(), "Bearer t2"), std::nullopt);
  EXPECT_EQ(Check(auth.get(), "Bearer "), Reason::kWrongCredentials) << "an empty line is no token";
  Write("another");
  EXPECT_EQ(Check(auth.get(), "Bearer t1"), Reason::kWrongCredentials);
  EXPECT_EQ(Check(auth.get(), "Bearer another"), std::nullopt);
  std::filesystem::remove(file_);
  EXPECT_EQ(Check(auth.get(), "Bearer another"), std::nullopt) << "goes on with what it had";
}

TEST_F(AuthTest, WithoutASecretThereIsNoAuthenticator) {
  BearerAuthOptions bearer;
  EXPECT_FALSE(MakeBearerAuth(bearer));
  bearer.file = file_;
  EXPECT_THAT(MakeBearerAuth(bearer).error().message, HasSubstr(file_));
  Write(" \n\n");
  EXPECT_THAT(MakeBearerAuth(bearer).error().message, HasSubstr("no token"));
  BasicAuthOptions basic;
  EXPECT_FALSE(MakeBasicAuth(basic));
  basic.file = file_;
  EXPECT_FALSE(MakeBasicAuth(basic));
}

TEST_F(AuthTest, BasicPasswords) {
  Write("ann:" + std::string(kHashes[6]) + "\nbob:plain:with:colons\n");
  BasicAuthOptions options;
  options.file = file_;
  options.inline_passwords = Secret("cat:{SHA}kGByAB793z4R5tK1eC9Hd/4Dhzk=\nbob:inline\n");
  options.reload_interval_ms = 0;
  auto auth = MakeBasicAuth(std::move(options)).value();
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(Check(auth.get(), Basic("ann:geheim")), std::nullopt);
    EXPECT_EQ(Check(auth.get(), Basic("cat:geheim")), std::nullopt);
    EXPECT_EQ(Check(auth.get(), Basic("bob:inline")), std::nullopt);
    EXPECT_EQ(Check(auth.get(), ""), Reason::kNoCredentials);
    for (const char* wrong : {"ann:", "ann:Geheim", "ann", "", ":", "bob:plain:with:colons",
                              "eve:geheim", "Ann:geheim"})
      EXPECT_EQ(Check(auth.get(), Basic(wrong)), Reason::kWrongCredentials) << wrong;
    EXPECT_EQ(Check(auth.get(), "Basic !!!"), Reason::kWrongCredentials);
    EXPECT_EQ(Check(auth.get(), "Bearer x"), Reason::kWrongCredentials);
  }
  // What was remembered dies with the passwords it was judged by.
  Write("ann:new\n");
  EXPECT_EQ(Check(auth.get(), Basic("ann:geheim")), Reason::kWrongCredentials);
  EXPECT_EQ(Check(auth.get(), Basic("ann:new")), std::nullopt);
}

TEST_F(AuthTest, GuessingHasABudgetAndWhoIsKnownPasses) {
  // Cost 10: some 50 ms a guess.
  Write(
      "ann:$2y$10$T966ezXXZsKAwMo73LuWv.YAD39SL0lwqZYTiK/"
      "VwngDxQxhV.zW6\nbob:{SHA}kGByAB793z4R5tK1eC9Hd/4Dhzk=");
  BasicAuthOptions options;
  options.file = file_;
  auto auth = MakeBasicAuth(std::move(options)).value();
  int judged = 0;
  std::optional<Reason> reason = Reason::kWrongCredentials;
  for (; judged < 10'000 && reason != Reason::kBusy; ++judged)
    reason = Check(auth.get(), Basic("ann:guess" + std::to_string(judged)));
  EXPECT_EQ(reason, Reason::kBusy);
  EXPECT_EQ(Check(auth.get(), Basic("ann:guess0")), Reason::kWrongCredentials) << "remembered";
  EXPECT_EQ(Check(auth.get(), Basic("bob:geheim")), std::nullopt) << "costs no time to judge";
}

class AuthServerTest : public AuthTest {
 protected:
  void SetUp() override {
    SetLogSink([this](std::string_view line) {
      std::lock_guard lock(mutex_);
      log_ += line;
    });
    http::RouteOptions body{.body_bytes_max = 1 << 30, .admit = [this](const RequestHead&) {
                              ++admitted_;
                              return http::Admission{};
                            }};
    router_->Add("POST", "/in", body, [](http::Request, http::ExchangePtr exchange) {
      exchange->Respond({200, "text/plain", {}, "in"});
    });
    router_->Add("GET", "/healthz", {.open = true}, [](http::Request, http::ExchangePtr exchange) {
      exchange->Respond({200, "text/plain", {}, "fine"});
    });
    router_->AnswerRefusals("/in", [](const RequestHead&, const http::Refusal& refusal) {
      return http::Response{
          .content_type = "x/shaped", .headers = {}, .body = "<" + refusal.message + ">"};
    });
    http::GrpcOptions call;
    call.message_bytes_max = 1 << 30;
    router_->AddGrpc("/a.B/C", call, [](http::GrpcRequest request, http::GrpcCallPtr reply) {
      reply->Send(std::move(request.message));
      reply->Finish({});
    });
    http::AddGrpcHealth(router_.get(), [] { return true; });
    BearerAuthOptions bearer;
    bearer.tokens.emplace_back("t1");
    http::ListenOptions options;
    options.name = "test";
    options.metrics = &metrics_;
    options.authenticator = MakeBearerAuth(std::move(bearer)).value();
    server_ = std::make_unique<http::Server>(http::ServerLimits{.drain_timeout_ms = 200}, 2);
    auto port = server_->Listen({"127.0.0.1", 0}, router_, std::move(options));
    ASSERT_TRUE(port.has_value()) << port.error().message;
    port_ = *port;
    url_ = "http://127.0.0.1:" + std::to_string(port_);
    server_->Start();
  }
  std::string Counted(const std::string& reason) {
    std::string text = metrics_.Render(Metrics::Format::kPrometheus);
    std::string series = "weft_auth_refused_total{listener=\"test\",reason=\"" + reason + "\"} ";
    size_t at = text.find(series);
    if (at == std::string::npos) return "(none)";
    at += series.size();
    return text.substr(at, text.find('\n', at) - at);
  }
  static HttpClient With(const std::string& authorization, bool http2 = false) {
    return HttpClient({.http2 = http2, .security = {.authorization = Secret(authorization)}});
  }

  Metrics metrics_;
  std::shared_ptr<http::Router> router_ = std::make_shared<http::Router>();
  std::atomic<int> admitted_{0};
  std::mutex mutex_;
  std::string log_;  // guarded by mutex_
  uint16_t port_ = 0;
  std::string url_;
};

TEST_F(AuthServerTest, HttpOfBothVersions) {
  EXPECT_EQ(Counted("no_credentials"), "0") << "there from the start";
  for (bool http2 : {false, true}) {
    auto response = With("Bearer t1", http2).Post(url_ + "/in", "x/y", "body");
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->status, 200);
    response = With("Bearer hush", http2).Post(url_ + "/in", "x/y", "body");
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->status, 401);
    EXPECT_EQ(http::FindHeader(response->headers, "content-type"), "x/shaped");
    EXPECT_EQ(http::FindHeader(response->headers, "www-authenticate"), "Bearer realm=\"weft\"");
    EXPECT_THAT(response->body, HasSubstr("<the token of the request is not a known one>"));
    HttpClient none({.http2 = http2});
    EXPECT_EQ(none.Post(url_ + "/in", "x/y", "body")->status, 401);
    EXPECT_EQ(none.Get(url_ + "/healthz")->status, 200);
    // Nor does it say what is there.
    EXPECT_EQ(none.Get(url_ + "/nowhere")->status, 401);
    EXPECT_EQ(none.Get(url_ + "/in")->status, 401);
    EXPECT_EQ(none.Send({.method = "DELETE", .url = url_ + "/healthz"})->status, 401);
  }
  EXPECT_EQ(admitted_, 2);
  EXPECT_EQ(Counted("wrong_credentials"), "2");
  EXPECT_EQ(Counted("no_credentials"), "8");
}

TEST_F(AuthServerTest, RefusedBeforeTheBodyIsRead) {
  net::RawClient client(port_);
  client.Send(
      "POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), testing::StartsWith("HTTP/1.1 401"));
  EXPECT_EQ(admitted_, 0);
}

TEST_F(AuthServerTest, GrpcCalls) {
  auto code = [this](HttpClient client, const std::string& path, std::string_view message) {
    auto reply = client.CallGrpc(url_ + path, message);
    EXPECT_TRUE(reply.has_value()) << reply.error().message;
    return reply ? reply->status.code : GrpcCode::kUnknown;
  };
  std::string large(500'000, 'x');
  EXPECT_EQ(code(With("Bearer t1"), "/a.B/C", large), GrpcCode::kOk);
  EXPECT_EQ(code(With("Bearer hush"), "/a.B/C", large), GrpcCode::kUnauthenticated);
  EXPECT_EQ(code(HttpClient(), "/a.B/C", ""), GrpcCode::kUnauthenticated);
  EXPECT_EQ(code(HttpClient(), "/a.B/Nothing", ""), GrpcCode::kUnauthenticated);
  EXPECT_EQ(code(With("Bearer t1"), "/a.B/Nothing", ""), GrpcCode::kUnimplemented);
  EXPECT_EQ(code(HttpClient(), "/grpc.health.v1.Health/Check", ""), GrpcCode::kOk);
}

TEST_F(AuthServerTest, TheLogNamesThePeerAndNeverTheSecret) {
  for (int i = 0; i < 50; ++i) (void)With("Bearer hush").Post(url_ + "/in", "x/y", "body");
  (void)With("Basic aHVzaA==").Post(url_ + "/in", "x/y", "body");
  std::lock_guard lock(mutex_);
  EXPECT_THAT(log_, HasSubstr("test: a request of 127.0.0.1:"));
  EXPECT_THAT(log_, Not(HasSubstr("hush")));
  EXPECT_THAT(log_, Not(HasSubstr("aHVzaA")));
  EXPECT_EQ(std::ranges::count(log_, '\n'), 1) << "at most a line a minute:\n" << log_;
}

}  // namespace
}  // namespace weft::auth

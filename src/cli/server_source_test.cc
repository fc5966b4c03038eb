// SPDX-License-Identifier: Apache-2.0
#include "cli/server_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli.h"

namespace weft::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kUrl[] = "http://127.0.0.1:4318";

Error Refused(int status, std::string type, std::string body) {
  return BodyOf(outgoing::ClientResponse{.status = status,
                                         .headers = {{"content-type", std::move(type)}},
                                         .body = std::move(body)},
                kUrl)
      .error();
}

TEST(BodyOfTest, WeftsOwnErrorsKeepTheirMeaning) {
  Error error = Refused(404, "application/json",
                        R"({"error":{"code":"not_found","message":"no trace 1","retryAfterS":0}})");
  EXPECT_EQ(error.message, "no trace 1");
  EXPECT_EQ(ExitCodeOf(error), kExitNotFound);
  error = Refused(400, "application/json",
                  R"({"error":{"code":"invalid_argument","message":"unknown field",)"
                  R"("line":1,"column":3,"hint":"did you mean error?"}})");
  EXPECT_EQ(error.message, "line 1, column 3: unknown field\nhint: did you mean error?");
  EXPECT_EQ(ExitCodeOf(error), kExitUsage);
  EXPECT_EQ(Refused(503, "application/json",
                    R"({"error":{"code":"unavailable","message":"busy","retryAfterS":7}})")
                .retry_after_s,
            7u);
}

TEST(BodyOfTest, WhoeverElseAnswersIsNotAsked) {
  for (const Error& error :
       {Refused(404, "application/x-protobuf", "\n#no such path: /api/weft/v1/services"),
        Refused(404, "application/json", R"({"error":"not found"})"),
        Refused(404, "text/html", "<html>nothing here</html>"), Refused(302, "text/html", ""),
        Refused(405, "application/json", "{}")}) {
    EXPECT_THAT(error.message, AllOf(HasSubstr(kUrl), HasSubstr("is it weft's query port?"),
                                     Not(HasSubstr("\n")), Not(HasSubstr("html"))));
    EXPECT_EQ(ExitCodeOf(error), kExitUnreachable) << error.message;
  }
  const Error tls = Refused(400, "text/plain; charset=utf-8", "400 this port speaks TLS\n");
  EXPECT_THAT(tls.message, HasSubstr("answered 400: this port speaks TLS"));
  EXPECT_EQ(ExitCodeOf(tls), kExitUnreachable);
  EXPECT_THAT(Refused(404, "text/plain", "\x1b[2Jgone").message, HasSubstr("?[2Jgone"));
  // Proxies speak for the server behind them.
  for (int status : {401, 403, 413, 429, 500, 502})
    EXPECT_EQ(ExitCodeOf(Refused(status, "text/html", "")), kExitFailed) << status;
  EXPECT_EQ(ExitCodeOf(Refused(503, "text/html", "")), kExitUnreachable);
}

}  // namespace
}  // namespace weft::cli

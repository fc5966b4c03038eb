// SPDX-License-Identifier: Apache-2.0
#include "cli/server_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace weft::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class ServerAccessTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"WEFT_TOKEN", "WEFT_USER", "WEFT_CACERT", "WEFT_CERT", "WEFT_KEY"})
      ::unsetenv(name);
    std::string pattern = std::filesystem::temp_directory_path() / "weft-access-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override {
    SetUp();
    std::filesystem::remove_all(folder_);
  }
  // The Authorization header, or the error.
  static std::string Read(const AccessOptions& options) {
    auto security = ReadAccess(options);
    return security ? std::string(security->authorization.Reveal()) : security.error().message;
  }
  static AccessOptions Token(std::string text) {
    AccessOptions options;
    options.token = std::move(text);
    return options;
  }
  std::string folder_;
};

TEST_F(ServerAccessTest, TokensAndUsersBecomeAHeader) {
  EXPECT_EQ(Read({}), "");
  EXPECT_EQ(Read(Token("t1")), "Bearer t1");
  AccessOptions user;
  user.user = "Aladdin:open sesame";
  EXPECT_EQ(Read(user), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  user.user = "no password";
  EXPECT_THAT(Read(user), HasSubstr("NAME:PASSWORD"));
  EXPECT_THAT(Read(user), Not(HasSubstr("no password")));
}

TEST_F(ServerAccessTest, TokenFileIsItsFirstLine) {
  AccessOptions options;
  options.token_file = folder_ + "/token";
  EXPECT_THAT(Read(options), HasSubstr("token"));
  std::ofstream(options.token_file) << "t2 \r\nt3\n";
  EXPECT_EQ(Read(options), "Bearer t2");
  AccessOptions absent;
  absent.token_file = folder_ + "/absent";
  const auto unread = ReadAccess(absent);
  ASSERT_FALSE(unread.has_value());
  EXPECT_EQ(unread.error().code, ErrorCode::kIo);
  EXPECT_THAT(unread.error().message, testing::HasSubstr(absent.token_file));
  std::ofstream(options.token_file) << "\nt3\n";
  EXPECT_THAT(Read(options), HasSubstr("no token"));
  options.token = "t1";
  EXPECT_THAT(Read(options), HasSubstr("one of"));
}

TEST_F(ServerAccessTest, TheEnvironmentCountsWhereNothingWasSaid) {
  ::setenv("WEFT_USER", "a:b", 1);
  EXPECT_EQ(Read({}), "Basic YTpi");
  ::setenv("WEFT_TOKEN", "t4", 1);
  ::setenv("WEFT_CACERT", "/ca.pem", 1);
  EXPECT_EQ(Read({}), "Bearer t4");
  EXPECT_EQ(Read(Token("t1")), "Bearer t1");
  EXPECT_EQ(ReadAccess({})->ca_file, "/ca.pem");
  AccessOptions options;
  options.ca_file = "/other.pem";
  EXPECT_EQ(ReadAccess(options)->ca_file, "/other.pem");
}

TEST_F(ServerAccessTest, WhatWouldBeASecondHeaderIsRefused) {
  EXPECT_THAT(Read(Token("t\r\nx-admin: 1")), HasSubstr("one line"));
}

TEST_F(ServerAccessTest, AUrlHasNoPassword) {
  EXPECT_FALSE(CheckUrl("https://ann:hush@host:1/"));
  EXPECT_THAT(CheckUrl("https://ann:hush@host").error().message, Not(HasSubstr("hush")));
  EXPECT_FALSE(CheckUrl("ann:hush@host"));
  EXPECT_TRUE(CheckUrl("https://host:16686/a@b"));
  EXPECT_TRUE(CheckUrl("https://host?q=a@b"));
  EXPECT_TRUE(CheckUrl("http://[::1]:16686"));
}

}  // namespace
}  // namespace weft::cli

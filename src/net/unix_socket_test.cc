// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "http/server.h"

namespace weft::net {

using http::Server;

namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class UnixSocketTest : public ::testing::Test {
 protected:
  UnixSocketTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "weft-unix-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/weft.sock";
  }
  ~UnixSocketTest() override { std::filesystem::remove_all(folder_); }

  static std::shared_ptr<http::Router> Routes() {
    auto router = std::make_shared<http::Router>();
    router->Add("POST", "/echo", {}, [](http::Request request, http::ExchangePtr exchange) {
      exchange->Respond({.status = 200,
                         .content_type = "text/plain",
                         .headers = {{"x-peer", request.peer}},
                         .body = request.body});
    });
    return router;
  }
  // What the server at `path` answers; "" when nobody does.
  static std::string Ask(const std::string& path) {
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path.starts_with('@')) address.sun_path[0] = '\0';
    socklen_t size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    std::string answer;
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), size) == 0) {
      std::string_view ask =
          "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
      EXPECT_EQ(::send(fd, ask.data(), ask.size(), MSG_NOSIGNAL), static_cast<ssize_t>(ask.size()));
      char piece[4096];
      for (ssize_t got; (got = ::recv(fd, piece, sizeof piece, 0)) > 0;)
        answer.append(piece, static_cast<size_t>(got));
    }
    ::close(fd);
    return answer;
  }

  std::string folder_, path_;
};

TEST_F(UnixSocketTest, AServerAnswersOnAPathAndTakesItAway) {
  {
    Server server({}, 1);
    auto port = server.Listen({.path = path_}, Routes());
    ASSERT_TRUE(port) << port.error().message;
    EXPECT_EQ(*port, 0);
    server.Start();
    std::string answer = Ask(path_);
    EXPECT_THAT(answer, HasSubstr("x-peer: unix"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nhello"));
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, AbstractNamesAreNoFiles) {
  const std::string name = "@weft-test-" + std::to_string(::getpid());
  Server server({}, 1);
  ASSERT_TRUE(server.Listen({.path = name}, Routes()));
  server.Start();
  EXPECT_THAT(Ask(name), EndsWith("hello"));
  Server second({}, 1);
  EXPECT_EQ(second.Listen({.path = name}, Routes()).error().code, ErrorCode::kUnavailable);
}

TEST_F(UnixSocketTest, WhatADeadServerLeftIsTakenOverAndALivingOneIsNot) {
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  ASSERT_TRUE(std::filesystem::exists(path_));
  Server server({}, 1);
  auto port = server.Listen({.path = path_}, Routes());
  ASSERT_TRUE(port) << port.error().message;
  server.Start();

  Server second({}, 1);
  auto taken = second.Listen({.path = path_}, Routes());
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr(path_ + " is already in use"));
  EXPECT_THAT(Ask(path_), EndsWith("hello"));
}

TEST_F(UnixSocketTest, OtherFilesAreLeftAlone) {
  std::ofstream(path_) << "notes";
  Server server({}, 1);
  auto port = server.Listen({.path = path_}, Routes());
  ASSERT_FALSE(port);
  EXPECT_THAT(port.error().message, HasSubstr("it exists and is no socket"));
  EXPECT_EQ(std::filesystem::file_size(path_), 5u);

  auto deep = server.Listen({.path = folder_ + "/" + std::string(200, 'x')}, Routes());
  ASSERT_FALSE(deep);
  EXPECT_THAT(deep.error().message, HasSubstr("at most 107 bytes"));
  auto nowhere = server.Listen({.path = folder_ + "/none/weft.sock"}, Routes());
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().message, HasSubstr("No such file or directory"));
}

TEST_F(UnixSocketTest, AFileThatAnotherPutThereMeanwhileStays) {
  Server server({}, 1);
  ASSERT_TRUE(server.Listen({.path = path_}, Routes()));
  server.Start();
  ASSERT_TRUE(std::filesystem::remove(path_));
  std::ofstream(path_) << "notes";
  server.Stop();
  EXPECT_TRUE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace weft::net

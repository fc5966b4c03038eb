// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cli/demo_command.h"
#include "cli/loadgen_command.h"
#include "http/server.h"

namespace weft::cli {
namespace {

using testing::HasSubstr;

// Runs `weft ARGUMENTS` as far as these two commands go.
struct Outcome {
  int exit_code = -1;
  std::string out, err;
};
Outcome Weft(std::string arguments) {
  CLI::App app;
  Outcome outcome;
  AddDemoCommand(&app, &outcome.exit_code);
  AddLoadgenCommand(&app, &outcome.exit_code);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    outcome.exit_code = 2;
    std::fprintf(stderr, "%s\n", error.what());
  }
  std::fflush(stdout);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

class LoadCommandsTest : public testing::Test {
 protected:
  LoadCommandsTest() : server_({}, 1) {
    auto router = std::make_shared<http::Router>();
    for (const char* path : {"/v1/traces", "/v1/logs"}) {
      router->Add("POST", path, {.body_bytes_max = 64 << 20},
                  [this, path](http::Request, http::ExchangePtr exchange) {
                    ++(path == std::string("/v1/logs") ? logs_ : traces_);
                    exchange->Respond({.status = busy_ ? 503 : 200});
                  });
    }
    auto port = server_.Listen({"127.0.0.1", 0}, router);
    EXPECT_TRUE(port.has_value());
    url_ = "http://127.0.0.1:" + std::to_string(*port);
    server_.Start();
  }

  // Once something was sent.
  void PressCtrlC() const {
    while (traces_ == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    kill(getpid(), SIGINT);
  }

  std::string url_;
  std::atomic<bool> busy_ = false;
  std::atomic<int> traces_ = 0, logs_ = 0;
  http::Server server_;
};

TEST_F(LoadCommandsTest, DemoSendsItsHistoryAndEnds) {
  Outcome outcome = Weft("demo --url " + url_ + " --history 2m --for 0s --seed 1");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_GT(traces_, 0);
  EXPECT_GT(logs_, 0);
  EXPECT_THAT(outcome.out, HasSubstr("visits"));
}

TEST_F(LoadCommandsTest, DemoSaysWhatItSends) {
  EXPECT_THAT(Weft("demo --history 0s --for 0s --url " + url_).out,
              HasSubstr("demo: the shop sends no history to " + url_));
  Outcome outcome = Weft("demo --history 90s --rate 1 --for 1ms --url " + url_);
  EXPECT_THAT(outcome.out, HasSubstr("the shop sends its last 90s to "));
  EXPECT_THAT(outcome.out, HasSubstr("; 1 visit a second from now on"));
}

TEST_F(LoadCommandsTest, CtrlCEndsTheDemoWithItsTotals) {
  for (const char* visits : {"--history 1s --rate 100", "--history 1h --rate 0.01"}) {
    traces_ = 0;
    std::jthread presser([this] { PressCtrlC(); });
    Outcome outcome = Weft("demo " + std::string(visits) + " --url " + url_);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, testing::ContainsRegex("demo: [0-9]+ visits?, [0-9]+ spans? sent\n$"));
  }
}

TEST_F(LoadCommandsTest, CtrlCEndsTheDemoThatNobodyTakes) {
  busy_ = true;
  std::jthread presser([this] { PressCtrlC(); });
  Outcome outcome = Weft("demo --url " + url_);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("demo: 0 visits, 0 spans sent\n"));
}

TEST_F(LoadCommandsTest, DurationsAreThoseOfTheOtherCommands) {
  for (const char* history : {"1m30s", "0.1h", "0", "0s"})
    EXPECT_EQ(Weft("demo --for 0s --history " + std::string(history) + " --url " + url_).exit_code,
              0)
        << history;
  for (const char* spread : {"2d", "1h30m"})
    EXPECT_EQ(
        Weft("loadgen --spans 10 --spread " + std::string(spread) + " --url " + url_).exit_code, 0)
        << spread;
  for (const char* wrong : {"demo --history", "demo --for", "loadgen --spread"})
    for (const char* duration : {"90", "soon", "1x"}) {
      const std::string text = std::string(wrong) + " " + duration;
      Outcome outcome = Weft(text + " --url " + url_);
      EXPECT_EQ(outcome.exit_code, 2) << text;
      EXPECT_THAT(outcome.err, HasSubstr(text.substr(text.find("--"))));
      EXPECT_THAT(outcome.err, HasSubstr("1h30m"));
    }
  EXPECT_THAT(Weft("demo --history 8d --url " + url_).err, HasSubstr("at most 7d"));
}

TEST_F(LoadCommandsTest, DemoNamesTheFaultsWhenOneIsUnknown) {
  Outcome outcome = Weft("demo --url " + url_ + " --fault gremlins");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("gremlins"));
  EXPECT_THAT(outcome.err, HasSubstr("missing-index"));
  EXPECT_EQ(traces_, 0);
}

TEST_F(LoadCommandsTest, LoadgenCountsAndWritesDownWhatWasAcknowledged) {
  std::string path = testing::TempDir() + "weft_acked_" + std::to_string(getpid());
  Outcome outcome =
      Weft("loadgen --url " + url_ + " --shape tracegen --spans 1000 --json --acked " + path);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\"spans\": 1000, \"requests\": 5,"));
  EXPECT_EQ(traces_, 5);
  std::ifstream file(path);
  std::string id;
  int spans = 0, traces = 0;
  for (int count; file >> id >> count; ++traces) {
    EXPECT_EQ(id.size(), 32u);
    spans += count;
  }
  EXPECT_EQ(traces, 100);
  EXPECT_EQ(spans, 1000);
  std::remove(path.c_str());
}

// Requests of 200 spans: the fifth is due after 400 ms, and has 100 ms of its own.
TEST_F(LoadCommandsTest, LoadgenKeepsItsRateOverTheWholeRun) {
  Outcome outcome = Weft("loadgen --url " + url_ + " --shape tracegen --spans 1000 --rate 2000");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  size_t at = outcome.out.find("rate ");
  ASSERT_NE(at, std::string::npos);
  double rate = std::stod(outcome.out.substr(at + 5));
  EXPECT_GT(rate, 0);
  EXPECT_LE(rate, 2000);
}

TEST_F(LoadCommandsTest, LoadgenSaysWhatStoppedIt) {
  server_.Stop();
  Outcome outcome = Weft("loadgen --url " + url_ + " --spans 1000");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr(url_));
  EXPECT_THAT(outcome.out, HasSubstr("acknowledged  0 spans"));
}

TEST_F(LoadCommandsTest, LoadgenRefusesAnUnknownShapeAndProtocol) {
  EXPECT_EQ(Weft("loadgen --shape zigzag --url " + url_).exit_code, 2);
  EXPECT_EQ(Weft("loadgen --protocol carrier-pigeon --url " + url_).exit_code, 2);
  EXPECT_EQ(traces_, 0);
}

}  // namespace
}  // namespace weft::cli

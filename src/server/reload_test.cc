// SPDX-License-Identifier: Apache-2.0
//
// A running server that is given another configuration: what goes on, what changes, what is
// refused, and that nothing which is under way notices.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "base/env.h"
#include "net/raw_client.h"
#include "net/test_certificates.h"
#include "outgoing/client.h"
#include "pipeline/component_row.h"
#include "server/components.h"
#include "server/running_server.h"

namespace weft::server {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::any ReadMark(config::Section section) {
  std::string text;
  section.Read("text", &text);
  section.Finish();
  return text;
}

// Puts its text behind the name of every span.
class Mark : public pipeline::Processor {
 public:
  Mark(std::string text, pipeline::Consumer* next) : Processor(next), text_(std::move(text)) {}
  void Consume(pipeline::SharedSpans batch, pipeline::Ack ack) override {
    SpanBatch& edited = batch.Edit();
    for (Span& span : edited.spans) span.name = edited.arena.Copy(std::string(span.name) + text_);
    next()->Consume(std::move(batch), std::move(ack));
  }

 private:
  const std::string text_;
};

constexpr pipeline::ComponentRow kMark = {
    .type = {.kind = config::ComponentKind::kProcessor,
             .name = "mark",
             .signals = {config::Signal::kTraces, config::Signal::kLogs},
             .read = ReadMark},
    .make_processor = [](const config::Component& component, pipeline::Consumer* next,
                         const pipeline::Deps&) -> Result<std::unique_ptr<pipeline::Processor>> {
      return std::make_unique<Mark>(*component.As<std::string>(), next);
    }};

const pipeline::ComponentTable& Table() {
  static const pipeline::ComponentTable table = [] {
    std::vector<const pipeline::ComponentRow*> rows = Components().rows();
    rows.push_back(&kMark);
    return pipeline::ComponentTable(std::move(rows));
  }();
  return table;
}

// A port of 127.0.0.1 that nobody has, held while this lives.
class HeldPort {
 public:
  HeldPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  ~HeldPort() { Free(); }
  void Free() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  uint16_t port = 0;

 private:
  int fd_;
};

class ReloadTest : public ::testing::Test {
 protected:
  ReloadTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "weft-reload-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    HeldPort free;
    port_ = free.port;
  }
  ~ReloadTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  // The pieces of a configuration, which tests change between reloads.
  std::string http = "";        // more settings of receivers::otlp::protocols::http
  std::string mark = "";        // processors::mark; empty: none is in the pipeline
  std::string store = "";       // more settings of exporters::store
  std::string exporters = "";   // more exporters
  std::string ends = "store";   // exporters of the pipelines
  std::string extensions = "";  // more extensions
  std::string running = "query";
  std::string telemetry = "";
  std::string host = "127.0.0.1";

  std::string Yaml() const {
    return "receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: " + host + ":" +
           std::to_string(port_) + "\n" + http + "processors:\n  mark:\n    text: \"" + mark +
           "\"\nexporters:\n  store:\n    directory: " + folder_ + "/data\n" + store + exporters +
           "extensions:\n  query:\n    endpoint: 127.0.0.1:0\n" + extensions +
           "service:\n  extensions: [" + running + "]\n" + telemetry +
           "  pipelines:\n    traces:\n      receivers: [otlp]\n      processors: [" +
           (mark.empty() ? "" : "mark") + "]\n      exporters: [" + ends + "]\n";
  }
  Result<config::Config> Load() {
    config::Surroundings surroundings = config::RealSurroundings();
    std::ofstream(folder_ + "/weft.yaml") << (yaml_.empty() ? Yaml() : yaml_);
    WEFT_ASSIGN(config::Loaded loaded,
                config::Load({.uris = {folder_ + "/weft.yaml"}, .settings = {}}, surroundings,
                             Table().types()));
    return std::move(loaded.config);
  }
  void Start() {
    Result<config::Config> config = Load();
    ASSERT_TRUE(config) << config.error().message;
    server_ = std::make_unique<RunningServer>(std::move(*config), Table(), "test", PosixEnv(),
                                              SystemClock());
    server_->SetLoader([this] { return Load(); });
    Status started = server_->Start();
    ASSERT_TRUE(started) << started.error().message;
    query_ = UrlOf("query");
  }
  pipeline::ReloadReport Reload() {
    auto report = std::make_shared<std::promise<pipeline::ReloadReport>>();
    server_->reloads()->Ask(
        [report](const pipeline::ReloadReport& said) { report->set_value(said); });
    return report->get_future().get();
  }
  std::string Failed() {
    pipeline::ReloadReport report = Reload();
    EXPECT_FALSE(report.status);
    return report.status ? "" : report.status.error().message;
  }
  std::string UrlOf(std::string_view name, std::string_view scheme = "http://") {
    for (const pipeline::Listener& listener : server_->listeners())
      if (listener.name == name) return std::string(scheme) + listener.endpoint.ToString();
    return "";
  }
  static std::string IdOf(int n) { return fmt::format("{:032x}", 0xabc000 + n); }
  static std::string BodyOf(int n) {
    return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":")" + IdOf(n) +
           R"(","spanId":"00000000000000a1","name":"n","startTimeUnixNano":"1700000000000000000",)" +
           R"("endTimeUnixNano":"1700000000000000001"}]}]}]})";
  }
  // The status of an export, or why there is none.
  static std::string Send(outgoing::HttpClient* client, const std::string& url, int n) {
    auto answer = client->Post(url + "/v1/traces", "application/json", BodyOf(n));
    return answer ? std::to_string(answer->status) : answer.error().message;
  }
  std::string Send(int n) { return Send(&client_, UrlOf("otlp/http"), n); }
  // Of the one span of the trace; empty: there is none.
  std::string NameOf(int n) {
    auto answer = outgoing::HttpClient().Get(query_ + "/api/weft/v1/trace/" + IdOf(n) + "/otlp");
    if (!answer || answer->status != 200) return "";
    const size_t at = answer->body.find("\"name\":\"n");
    return at == std::string::npos
               ? answer->body
               : answer->body.substr(at + 8, answer->body.find('"', at + 8) - at - 8);
  }
  std::string StatusPage() {
    auto answer = outgoing::HttpClient().Get(query_ + "/api/weft/v1/status");
    return answer ? answer->body : answer.error().message;
  }

  std::string folder_, yaml_, query_;
  uint16_t port_ = 0;
  outgoing::HttpClient client_;
  std::unique_ptr<RunningServer> server_;
};

TEST_F(ReloadTest, WhatIsTheSameGoesOn) {
  Start();
  EXPECT_EQ(Send(1), "200");
  const store::Store* before = server_->store()->store;
  pipeline::ReloadReport report = Reload();
  ASSERT_TRUE(report.status) << report.status.error().message;
  EXPECT_THAT(report.changes, IsEmpty());
  EXPECT_EQ(report.generation, 2u);
  EXPECT_EQ(server_->store()->store, before);
  EXPECT_EQ(UrlOf("query"), query_);
  EXPECT_EQ(NameOf(1), "n");
  EXPECT_EQ(Send(2), "200");
  EXPECT_THAT(StatusPage(), AllOf(HasSubstr(R"("generation":2)"), HasSubstr(R"("error":"")")));
}

TEST_F(ReloadTest, AProcessorComesChangesAndGoes) {
  Start();
  EXPECT_EQ(Send(1), "200");
  mark = "+a";
  EXPECT_THAT(Reload().changes, ::testing::ElementsAre("processor mark of pipeline traces: added"));
  EXPECT_EQ(Send(2), "200");
  mark = "+b";
  EXPECT_THAT(Reload().changes, Contains("processor mark of pipeline traces: replaced"));
  EXPECT_EQ(Send(3), "200");
  mark = "";
  EXPECT_THAT(Reload().changes, Contains("processor mark of pipeline traces: removed"));
  EXPECT_EQ(Send(4), "200");
  EXPECT_EQ(NameOf(1), "n");
  EXPECT_EQ(NameOf(2), "n+a");
  EXPECT_EQ(NameOf(3), "n+b");
  EXPECT_EQ(NameOf(4), "n");
}

TEST_F(ReloadTest, AListenerMoves) {
  Start();
  const std::string before = UrlOf("otlp/http");
  HeldPort other;
  port_ = other.port;
  other.Free();
  pipeline::ReloadReport report = Reload();
  ASSERT_TRUE(report.status) << report.status.error().message;
  EXPECT_THAT(report.changes, Contains("receiver otlp: replaced"));
  EXPECT_THAT(report.changes,
              Contains("listener otlp/http on 127.0.0.1:" + std::to_string(port_) + ": opened"));
  EXPECT_EQ(Send(1), "200");
  EXPECT_EQ(NameOf(1), "n");
  ASSERT_TRUE(Reload().status) << "when the next is done, the drain of the one before has ended";
  outgoing::HttpClient fresh;
  EXPECT_FALSE(fresh.Post(before + "/v1/traces", "application/json", BodyOf(2)));
}

// What its peer may have sent before it heard of the move.
TEST_F(ReloadTest, AnOpenConnectionOfAListenerThatGoesIsServedOnceMore) {
  Start();
  net::RawClient raw(port_);
  auto request = [&](const std::string& until) {
    const std::string body = BodyOf(1);
    raw.Send(
        "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    return raw.ReadUntil(until);
  };
  EXPECT_THAT(request("200 OK"), Not(HasSubstr("close")));
  net::RawClient silent(port_);
  ASSERT_TRUE(silent.connected());
  HeldPort other;
  port_ = other.port;
  other.Free();
  ASSERT_TRUE(Reload().status);
  EXPECT_THAT(request("Connection: close"), HasSubstr("Connection: close"));
}

TEST_F(ReloadTest, AChangedReceiverTakesItsSocketOverWithItsConnections) {
  Start();
  net::RawClient raw(port_);
  auto request = [&](const std::string& until) {
    const std::string body = BodyOf(1);
    raw.Send(
        "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    return raw.ReadUntil(until);
  };
  EXPECT_THAT(request("200 OK"), HasSubstr("200 OK"));
  http = "        max_request_body_size: 10\n";
  ASSERT_TRUE(Reload().status);
  EXPECT_THAT(request("413"), HasSubstr("413")) << "the next on the connection meets the new one";
  EXPECT_EQ(Send(2), "413");
}

TEST_F(ReloadTest, FromThisMachineToAllAddressesAndBack) {
  Start();
  host = "0.0.0.0";
  pipeline::ReloadReport report = Reload();
  ASSERT_TRUE(report.status) << report.status.error().message;
  EXPECT_EQ(Send(&client_, "http://127.0.0.1:" + std::to_string(port_), 1), "200");
  host = "127.0.0.1";
  report = Reload();
  ASSERT_TRUE(report.status) << report.status.error().message;
  EXPECT_EQ(Send(2), "200");
  EXPECT_EQ(NameOf(1) + NameOf(2), "nn");
}

TEST_F(ReloadTest, ACertificateIsReplaced) {
  net::TestAuthority first("first"), second("second");
  auto write = [&](const net::TestAuthority& authority) {
    const net::TestCertificate made = authority.Issue();
    std::ofstream(folder_ + "/cert.pem") << made.cert_pem;
    std::ofstream(folder_ + "/key.pem") << made.key_pem;
  };
  std::ofstream(folder_ + "/first.pem") << first.pem();
  std::ofstream(folder_ + "/second.pem") << second.pem();
  http = "        tls: {reload_interval: 0, cert_file: " + folder_ +
         "/cert.pem, key_file: " + folder_ + "/key.pem}\n";
  write(first);
  Start();
  auto send = [&](const std::string& authority) {
    outgoing::HttpClient client({.security = {.ca_file = folder_ + "/" + authority + ".pem"}});
    return Send(&client, UrlOf("otlp/http", "https://"), 1);
  };
  EXPECT_EQ(send("first"), "200");
  write(second);
  pipeline::ReloadReport report = Reload();
  ASSERT_TRUE(report.status) << report.status.error().message;
  EXPECT_THAT(report.changes, Contains("receiver otlp: replaced"));
  EXPECT_EQ(send("second"), "200");
  EXPECT_NE(send("first"), "200");
  std::filesystem::remove(folder_ + "/cert.pem");
  EXPECT_THAT(Failed(), HasSubstr("cert.pem"));
  EXPECT_EQ(send("second"), "200");
}

TEST_F(ReloadTest, RetentionChangesWithoutReopeningTheStore) {
  Start();
  const store::Store* before = server_->store()->store;
  store = "    retention: {age: 5d, bytes: 3GiB}\n";
  EXPECT_THAT(Reload().changes, ::testing::ElementsAre("exporter store: takes other settings"));
  EXPECT_EQ(server_->store()->store, before);
  EXPECT_EQ(server_->store()->retention_bytes, 3ull << 30);
  EXPECT_THAT(StatusPage(), HasSubstr("3221225472"));
  EXPECT_EQ(Send(1), "200");
}

TEST_F(ReloadTest, WhatOnlyAStartCanChangeIsRefusedAndNamed) {
  Start();
  store = "    flush: {age: 1s}\n";
  EXPECT_THAT(Failed(),
              AllOf(HasSubstr("exporter store"), HasSubstr("flush::age"), HasSubstr("restart")));
  store = "";
  yaml_ = Yaml();
  yaml_.replace(yaml_.find("/data\n"), 6, "/other\n");
  EXPECT_THAT(Failed(), AllOf(HasSubstr("directory"), HasSubstr("restart")));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/other"));
  EXPECT_EQ(Send(1), "200");
}

TEST_F(ReloadTest, AWrongConfigurationChangesNothingAndSaysWhere) {
  Start();
  yaml_ = Yaml() + "nonsense: 1\n";
  EXPECT_THAT(Failed(), AllOf(HasSubstr("weft.yaml:"), HasSubstr("nonsense")));
  EXPECT_EQ(Send(1), "200");
  EXPECT_THAT(StatusPage(), AllOf(HasSubstr(R"("generation":1)"), HasSubstr("nonsense")));
  EXPECT_THAT(server_->metrics().Render(Metrics::Format::kPrometheus),
              AllOf(HasSubstr("weft_config_last_reload_successful 0\n"),
                    HasSubstr("weft_reloads_total{outcome=\"failed\"} 1\n")));
  yaml_ = "";
  ASSERT_TRUE(Reload().status);
  EXPECT_THAT(server_->metrics().Render(Metrics::Format::kPrometheus),
              HasSubstr("weft_config_last_reload_successful 1\n"));
}

// The store that comes with it is opened before the port turns out to be taken.
TEST_F(ReloadTest, AFailureHalfWayLeavesAllAsItWas) {
  Start();
  HeldPort taken;
  const uint16_t before = port_;
  port_ = taken.port;
  exporters = "  store/second:\n    directory: " + folder_ + "/second\n";
  ends = "store, store/second";
  mark = "+new";
  EXPECT_THAT(Failed(), AllOf(HasSubstr("receiver otlp"), HasSubstr("already in use")));
  EXPECT_EQ(UrlOf("otlp/http"), "http://127.0.0.1:" + std::to_string(before));
  EXPECT_EQ(Send(1), "200");
  EXPECT_EQ(NameOf(1), "n");
  taken.Free();
  pipeline::ReloadReport report = Reload();
  ASSERT_TRUE(report.status) << report.status.error().message;
  EXPECT_THAT(report.changes, Contains("exporter store/second: added"));
  EXPECT_EQ(Send(2), "200");
  EXPECT_EQ(NameOf(2), "n+new");
}

TEST_F(ReloadTest, AStoreComesIsAskedAndGoes) {
  Start();
  exporters = "  store/second:\n    directory: " + folder_ + "/second\n";
  extensions = "  query/second:\n    endpoint: 127.0.0.1:0\n    store: store/second\n";
  ends = "store, store/second";
  running = "query, query/second";
  pipeline::ReloadReport report = Reload();
  ASSERT_TRUE(report.status) << report.status.error().message;
  EXPECT_EQ(Send(1), "200");
  const std::string first = std::exchange(query_, UrlOf("query/second"));
  EXPECT_EQ(NameOf(1), "n") << "the second store has it, too";
  query_ = first;
  exporters = extensions = "";
  ends = "store";
  running = "query";
  report = Reload();
  ASSERT_TRUE(report.status) << report.status.error().message;
  EXPECT_THAT(report.changes, AllOf(Contains("exporter store/second: removed"),
                                    Contains("extension query/second: removed")));
  EXPECT_EQ(Send(2), "200");
  ASSERT_TRUE(Reload().status);
  EXPECT_THAT(server_->metrics().Render(Metrics::Format::kPrometheus),
              Not(HasSubstr("weft_store_head_bytes{exporter=\"store/second\"}")));
  // It was closed: what it held is there for whoever opens it.
  auto again = store::Store::Open(PosixEnv(), SystemClock(), {.directory = folder_ + "/second"});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ((*again)->stats().recovered_spans, 1u);
}

TEST_F(ReloadTest, MetricsListenersComeAndGo) {
  Start();
  HeldPort port;
  port.Free();
  const std::string url = "http://127.0.0.1:" + std::to_string(port.port) + "/metrics";
  telemetry =
      "  telemetry:\n    metrics:\n      readers: [{pull: {exporter: {prometheus: {host: "
      "127.0.0.1, port: " +
      std::to_string(port.port) + "}}}}]\n";
  ASSERT_TRUE(Reload().status);
  auto scraped = outgoing::HttpClient().Get(url);
  ASSERT_TRUE(scraped);
  EXPECT_THAT(scraped->body, HasSubstr("weft_config_generation 2"));
  telemetry = "";
  ASSERT_TRUE(Reload().status);
  ASSERT_TRUE(Reload().status);
  EXPECT_FALSE(outgoing::HttpClient().Get(url));
}

// Its head met the old receiver, its body comes when that is gone: it goes the new way.
TEST_F(ReloadTest, ARequestUnderWayIsTaken) {
  Start();
  const std::string body = BodyOf(1);
  net::RawClient raw(port_);
  ASSERT_TRUE(
      raw.Send("POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
               "application/json\r\nExpect: 100-continue\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n"));
  EXPECT_THAT(raw.ReadUntil("100 Continue"), HasSubstr("100 Continue"));
  ASSERT_TRUE(raw.Send(body.substr(0, 20)));
  http = "        include_metadata: true\n";
  mark = "+new";
  ASSERT_TRUE(Reload().status);
  ASSERT_TRUE(raw.Send(body.substr(20)));
  EXPECT_THAT(raw.ReadUntil("200 OK"), HasSubstr("200 OK"));
  EXPECT_EQ(NameOf(1), "n+new");
}

TEST_F(ReloadTest, AReloadAsksByHttpAndWhoMayNot) {
  Start();
  mark = "+a";
  auto answer = client_.Post(query_ + "/api/reload", "application/json", "");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->body, AllOf(HasSubstr(R"("generation":2)"),
                                  HasSubstr("processor mark of pipeline traces: added")));
  for (const char* header : {"origin", "x-forwarded-for"}) {
    auto refused = client_.Send({.method = "POST",
                                 .url = query_ + "/api/reload",
                                 .headers = {{header, "http://example.com"}}});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 403) << header;
    EXPECT_THAT(refused->body, HasSubstr("reload"));
  }
  yaml_ = "receivers: {}";
  answer = client_.Post(query_ + "/api/reload", "application/json", "");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
}

TEST_F(ReloadTest, ItIsRefusedWhileWeftStops) {
  Start();
  server_->Stop();
  EXPECT_THAT(Failed(), HasSubstr("stopping"));
}

TEST_F(ReloadTest, ManyUnderLoadLoseNothing) {
  Start();
  std::atomic<bool> enough{false};
  std::vector<std::thread> senders;
  std::vector<int> sent(3);
  std::vector<std::string> problems(3);
  for (int t = 0; t < 3; ++t) {
    senders.emplace_back([&, t] {
      outgoing::HttpClient client;
      const std::string url = "http://127.0.0.1:" + std::to_string(port_);
      for (int n = 0; !enough; ++n) {
        if (std::string said = Send(&client, url, (t + 1) * 100'000 + n); said != "200")
          problems[t] += said + "; ";
        sent[t] = n + 1;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    mark = i % 3 == 0 ? "" : "+" + std::to_string(i);
    http = i % 2 == 0 ? "        include_metadata: true\n" : "";
    EXPECT_TRUE(Reload().status);
  }
  enough = true;
  for (std::thread& sender : senders) sender.join();
  for (int t = 0; t < 3; ++t) {
    EXPECT_EQ(problems[t], "");
    EXPECT_GT(sent[t], 0);
    for (int n = 0; n < sent[t]; ++n)
      ASSERT_THAT(NameOf((t + 1) * 100'000 + n), ::testing::StartsWith("n")) << t << " " << n;
  }
}

}  // namespace
}  // namespace weft::server

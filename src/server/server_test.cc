// SPDX-License-Identifier: Apache-2.0
//
// The built binary, as a user runs it: what it prints, what it keeps, its exit codes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "api/ui_assets.h"
#include "exporter/store_settings.h"
#include "net/test_certificates.h"
#include "outgoing/client.h"
#include "receiver/otlp_settings.h"
#include "server/components.h"
#include "server/serve_command.h"

namespace weft::server {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kTrace[] = "0102030405060708090a0b0c0d0e0f10";
constexpr auto kPatience = std::chrono::seconds(30);

// Pipe ends of a child.
class Child {
 public:
  Child(std::vector<std::string> arguments, const std::string& home) {
    int fds[2];
    EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
    out_ = fds[0];
    pid_ = fork();
    if (pid_ == 0) {
      dup2(fds[1], STDOUT_FILENO);
      dup2(fds[1], STDERR_FILENO);
      setenv("XDG_DATA_HOME", home.c_str(), 1);
      setenv("COLUMNS", "120", 1);
      std::vector<char*> argv = {const_cast<char*>("weft")};
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execv(WEFT_BINARY, argv.data());
      _exit(127);
    }
    close(fds[1]);
  }
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(out_);
  }

  // What it has printed, after waiting for `text`.
  const std::string& ReadUntil(const std::string& text) {
    auto end = std::chrono::steady_clock::now() + kPatience;
    while (printed_.find(text) == std::string::npos && std::chrono::steady_clock::now() < end) {
      char piece[4096];
      ssize_t got = read(out_, piece, sizeof piece);
      if (got <= 0) break;
      printed_.append(piece, static_cast<size_t>(got));
    }
    return printed_;
  }
  void Signal(int number) { kill(pid_, number); }
  // The exit code; 128 + the signal that ended it.
  int Wait() {
    ReadUntil("\x01 never printed");
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  const std::string& printed() const { return printed_; }

 private:
  pid_t pid_ = 0;
  int out_ = -1;
  std::string printed_;
};

class WeftTest : public ::testing::Test {
 protected:
  WeftTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "weft-server-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~WeftTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Serve(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"serve",
                                          "--data",
                                          folder_ + "/data",
                                          "--set",
                                          "receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0",
                                          "--set",
                                          "receivers.otlp.protocols.http.endpoint=127.0.0.1:0",
                                          "--set",
                                          "extensions.query.endpoint=127.0.0.1:0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    server_.emplace(arguments, folder_);
    hello_ = server_->ReadUntil("whichever comes first");
    http_ = After("otlp/http    ");
    url_ = After("UI           ");
    if (url_.empty()) url_ = After("query        ");  // a build without the UI
    if (url_.ends_with('/')) url_.pop_back();
  }
  std::string After(const std::string& label) const {
    size_t at = hello_.find(label);
    if (at == std::string::npos) return "";
    at += label.size();
    return hello_.substr(at, hello_.find('\n', at) - at);
  }
  struct Outcome {
    int exit_code;
    std::string printed;
  };
  Outcome Weft(std::vector<std::string> arguments) {
    Child child(std::move(arguments), folder_);
    int exit_code = child.Wait();
    return {exit_code, child.printed()};
  }
  void Send(const std::string& body) {
    outgoing::HttpClient client;
    auto response = client.Post(http_ + "/v1/traces", "application/json", body);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200) << response->body;
  }
  std::string Write(const std::string& name, const std::string& text) {
    std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  std::string folder_, hello_, http_, url_;
  std::optional<Child> server_;
};

// gateway GET / -> checkout POST /pay, which failed. One line.
std::string ShopTrace() {
  return std::string(R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",)") +
         R"("value":{"stringValue":"gateway"}}]},"scopeSpans":[{"spans":[{"traceId":")" + kTrace +
         R"(","spanId":"0000000000000001","name":"GET /","kind":2,"startTimeUnixNano":)" +
         R"("1700000000000000000","endTimeUnixNano":"1700000000100000000"}]}]},{"resource":)" +
         R"({"attributes":[{"key":"service.name","value":{"stringValue":"checkout"}}]},)" +
         R"("scopeSpans":[{"spans":[{"traceId":")" + kTrace +
         R"(","spanId":"0000000000000002","parentSpanId":"0000000000000001","name":"POST /pay",)" +
         R"("kind":3,"status":{"code":2},"startTimeUnixNano":"1700000000010000000",)" +
         R"("endTimeUnixNano":"1700000000090000000"}]}]}]})";
}

TEST_F(WeftTest, StartsSaysWhatItDoesAndStops) {
  Serve();
  EXPECT_THAT(hello_, HasSubstr("is running\n"));
  EXPECT_THAT(hello_, ContainsRegex("otlp/grpc    127.0.0.1:[1-9]"));
  EXPECT_THAT(hello_, ContainsRegex("otlp/http    http://127.0.0.1:[1-9]"));
  if (api::UiAssets().empty()) {
    EXPECT_THAT(hello_, ContainsRegex("query        http://127.0.0.1:[1-9][0-9]*\n"));
  } else {
    EXPECT_THAT(hello_, ContainsRegex("UI           http://127.0.0.1:[1-9][0-9]*/\n"));
  }
  EXPECT_THAT(hello_, HasSubstr("data         " + folder_ + "/data (new, empty)\n"));
  EXPECT_THAT(hello_, HasSubstr("durable: OK means on disk"));
  EXPECT_THAT(hello_, HasSubstr("retention    14d or 20GiB, whichever comes first"));
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
  // The next time it is not.
  Serve();
  EXPECT_THAT(hello_, HasSubstr("data         " + folder_ + "/data\n"));
}

TEST_F(WeftTest, TheUiOfEveryAddressIsNamedByOneThatABrowserOpens) {
  Serve({"--insecure", "--set", "extensions.query.endpoint=0.0.0.0:0"});
  EXPECT_THAT(hello_, ContainsRegex("http://localhost:[1-9][0-9]*/? .and by every address of this "
                                    "machine: 0.0.0.0:[1-9]"));
}

// Whoever sends to the port that people know hears which one it is.
TEST_F(WeftTest, SendersAtTheQueryPortHearWhereOtlpGoes) {
  Serve();
  std::string http = http_.substr(7), grpc = After("otlp/grpc    ");
  outgoing::HttpClient client;
  for (const char* path : {"/v1/traces", "/v1/logs", "/v1/metrics"}) {
    auto answer = client.Post(url_ + path, "application/json", ShopTrace());
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 404);
    EXPECT_THAT(answer->body,
                HasSubstr("OTLP over HTTP goes to " + http + ", over gRPC to " + grpc));
    // In the sender's own encoding, however long its body is.
    answer = client.Post(url_ + path, "application/x-protobuf", std::string(3 << 20, 'x'));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 404);
    EXPECT_EQ(http::FindHeader(answer->headers, "content-type"), "application/x-protobuf");
    EXPECT_THAT(answer->body, HasSubstr("OTLP over HTTP goes to " + http));
  }
  for (const char* method :
       {"trace.v1.TraceService", "logs.v1.LogsService", "metrics.v1.MetricsService"}) {
    auto reply = client.CallGrpc(url_ + "/opentelemetry.proto.collector." + method + "/Export", "");
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->status.code, http::GrpcCode::kUnimplemented);
    EXPECT_THAT(reply->status.message, HasSubstr("over gRPC to " + grpc));
  }
  Outcome demo = Weft({"demo", "--history", "1m", "--for", "0s", "--url", url_});
  EXPECT_EQ(demo.exit_code, 1) << demo.printed;
  EXPECT_THAT(demo.printed, HasSubstr("OTLP over HTTP goes to " + http));
  for (const char* protocol : {"http", "grpc"}) {
    Outcome load = Weft({"loadgen", "--spans", "10", "--protocol", protocol, "--url", url_});
    EXPECT_EQ(load.exit_code, 1) << load.printed;
    EXPECT_THAT(load.printed, HasSubstr("OTLP over HTTP goes to " + http));
  }
}

TEST_F(WeftTest, FlagsMayStandBeforeTheCommandAndTheUrlInTheEnvironment) {
  Serve();
  Send(ShopTrace());
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--url", url_, "trace", kTrace},
        {"--url=" + url_, "trace", kTrace, "--json"},
        {"--no-pager", "--url", url_, "trace", kTrace}}) {
    Outcome shown = Weft(words);
    EXPECT_EQ(shown.exit_code, 0) << shown.printed;
    EXPECT_THAT(shown.printed, HasSubstr("GET /"));
  }
  ASSERT_EQ(setenv("WEFT_URL", (url_ + "/").c_str(), 1), 0);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"trace", kTrace},
                                                {"query", "{}"},
                                                {"operations"},
                                                {"tags"},
                                                {"services"},
                                                {"export", kTrace}}) {
    Outcome shown = Weft(words);
    EXPECT_EQ(shown.exit_code, 0) << words[0] << shown.printed;
    EXPECT_THAT(shown.printed, testing::AnyOf(HasSubstr("gateway"), HasSubstr("service.name"),
                                              HasSubstr("GET /")));
  }
  // What is said on the command line counts before it: a directory, another server.
  Outcome here = Weft({"services", "--data", folder_ + "/data"});
  EXPECT_EQ(here.exit_code, 0) << here.printed;
  EXPECT_NE(Weft({"services", "--url", "http://127.0.0.1:1"}).exit_code, 0);
  ASSERT_EQ(setenv("WEFT_URL", "http://127.0.0.1:1", 1), 0);
  EXPECT_NE(Weft({"services"}).exit_code, 0) << "no other server is asked in its place";
  unsetenv("WEFT_URL");
}

TEST_F(WeftTest, WhatWasAcknowledgedSurvivesKill9) {
  Serve();
  Send(ShopTrace());
  server_->Signal(SIGKILL);
  server_->Wait();
  Serve();
  Outcome shown = Weft({"trace", kTrace, "--url", url_});
  EXPECT_EQ(shown.exit_code, 0) << shown.printed;
  EXPECT_THAT(shown.printed, HasSubstr("checkout POST /pay"));
}

TEST_F(WeftTest, TraceIsDrawnForPeopleAndPrograms) {
  Serve();
  Send(ShopTrace());
  Outcome shown = Weft({"trace", kTrace, "--url", url_});
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.printed, HasSubstr("gateway GET /"));
  EXPECT_THAT(shown.printed, HasSubstr("  checkout POST /pay"));
  EXPECT_THAT(shown.printed, HasSubstr("100 ms"));
  EXPECT_THAT(shown.printed, HasSubstr("critical path: checkout POST /pay 80.0 ms (80 %)"));
  EXPECT_THAT(shown.printed, HasSubstr("1 span with an error"));
  EXPECT_THAT(shown.printed, Not(HasSubstr("\x1b")));  // a pipe is no terminal
  std::istringstream lines(shown.printed);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 400u);
  Outcome json = Weft({"trace", "--json", kTrace, "--url", url_});
  EXPECT_THAT(json.printed, HasSubstr("\"spanId\":\"0000000000000002\""));
}

TEST_F(WeftTest, QueryAndServices) {
  Serve();
  Send(ShopTrace());
  Outcome found = Weft({"query", "{ status = error }", "--url", url_});
  EXPECT_EQ(found.exit_code, 0) << found.printed;
  EXPECT_THAT(found.printed, HasSubstr(kTrace));
  EXPECT_THAT(found.printed, HasSubstr("gateway GET /"));
  Outcome json = Weft({"query", "--json", "{ name = \"POST /pay\" }", "--url", url_});
  EXPECT_THAT(json.printed, HasSubstr("\"spanId\":\"0000000000000002\""));
  Outcome nothing = Weft({"query", "{ name = \"absent\" }", "--url", url_});
  EXPECT_EQ(nothing.exit_code, 0);
  EXPECT_THAT(nothing.printed, HasSubstr("no trace matches; the data lies between 2023-11-14"));
  Outcome services = Weft({"services", "--json", "--url", url_});
  EXPECT_EQ(services.printed,
            "{\"services\":[{\"name\":\"checkout\",\"spans\":1},{\"name\":\"gateway\",\"spans\":1}"
            "],\"partial\":\"\"}\n");
}

TEST_F(WeftTest, ExitCodesSayWhatHappened) {
  Serve();
  EXPECT_EQ(Weft({"trace", "1234", "--url", url_}).exit_code, 3);
  EXPECT_EQ(Weft({"trace", "no-id", "--url", url_}).exit_code, 2);
  Outcome wrong = Weft({"query", "{ .a = }", "--url", url_});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.printed, HasSubstr("line 1, column 8"));
  // The place in the query and the hint are the same, whoever finds the mistake.
  Outcome asked = Weft({"query", "{ status = eror }", "--url", url_});
  Outcome read = Weft({"query", "{ status = eror }", "--data", folder_ + "/data"});
  EXPECT_THAT(asked.printed, HasSubstr("{ status = eror }\n           ^"));
  EXPECT_THAT(asked.printed, HasSubstr("hint: "));
  EXPECT_EQ(asked.printed, read.printed);
  EXPECT_EQ(asked.exit_code, read.exit_code);
  EXPECT_EQ(Weft({"query", "--no-such-option"}).exit_code, 2);
  EXPECT_EQ(Weft({"no-such-command"}).exit_code, 2);
  EXPECT_EQ(Weft({"services", "--url", "http://127.0.0.1:1"}).exit_code, 4);
  EXPECT_EQ(Weft({"services", "--data", folder_ + "/no-such-directory"}).exit_code, 4);
  EXPECT_EQ(Weft({"--help"}).exit_code, 0);
  EXPECT_EQ(Weft({"version"}).exit_code, 0);
  EXPECT_THAT(Weft({"trace", "--help"}).printed, HasSubstr("Examples:"));
}

TEST_F(WeftTest, ReadsADirectoryWhereNoServerRuns) {
  Serve();
  Send(ShopTrace());
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
  Outcome shown = Weft({"trace", kTrace, "--data", folder_ + "/data"});
  EXPECT_EQ(shown.exit_code, 0) << shown.printed;
  EXPECT_THAT(shown.printed, HasSubstr("checkout POST /pay"));
  EXPECT_EQ(Weft({"query", "{}", "--data", folder_ + "/data"}).exit_code, 0);
  EXPECT_THAT(Weft({"services", "--data", folder_ + "/data"}).printed, HasSubstr("gateway"));
}

TEST_F(WeftTest, ImportCountsKeptDuplicateAndRejected) {
  std::string zero(32, '0');
  std::string rejected = R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":")" + zero +
                         R"(","spanId":"0000000000000001","name":"x"}]}]}]})";
  std::string file =
      Write("spans.ndjson", ShopTrace() + "\n" + ShopTrace() + "\n" + rejected + "\n");
  Serve();
  Outcome first = Weft({"import", file, "--url", url_});
  EXPECT_EQ(first.exit_code, 0) << first.printed;
  EXPECT_THAT(first.printed, HasSubstr("spans: 2 kept, 2 duplicate, 1 rejected\n"));
  Outcome again = Weft({"import", "--json", file, "--url", url_});
  EXPECT_THAT(again.printed, HasSubstr("\"kept\":0,\"duplicates\":4,\"rejected\":1"));
  // While the server runs nobody else may write.
  Outcome locked = Weft({"import", file, "--data", folder_ + "/data"});
  EXPECT_EQ(locked.exit_code, 4) << locked.printed;
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
  Outcome direct = Weft({"import", file, "--data", folder_ + "/data"});
  EXPECT_THAT(direct.printed, HasSubstr("spans: 0 kept, 4 duplicate, 1 rejected\n"));
  Outcome fresh = Weft({"import", file, "--data", folder_ + "/other"});
  EXPECT_THAT(fresh.printed, HasSubstr("spans: 2 kept, 2 duplicate, 1 rejected\n"));
  EXPECT_EQ(Weft({"trace", kTrace, "--data", folder_ + "/other"}).exit_code, 0);
  Outcome missing = Weft({"import", folder_ + "/no-such-file", "--data", folder_ + "/other"});
  EXPECT_EQ(missing.exit_code, 1);
}

TEST_F(WeftTest, ConfigurationsAreChecked) {
  std::string good = Write("good.yaml", R"(
receivers: {otlp: {protocols: {http: }}}
exporters: {logging: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [logging]}}}
)");
  Outcome checked = Weft({"check", "config", "--config", good});
  EXPECT_EQ(checked.exit_code, 0);
  EXPECT_THAT(checked.printed, HasSubstr("good: 2 components, 1 pipeline, 3 warnings"));
  EXPECT_THAT(checked.printed, HasSubstr("good.yaml:4: service::extensions: no \"query\""));
  EXPECT_THAT(checked.printed,
              HasSubstr("good.yaml:4: service::pipelines::traces: nothing is kept"));
  EXPECT_THAT(checked.printed, HasSubstr("good.yaml:3: exporters::logging"));
  std::string bad = Write("bad.yaml", "recievers: {}\n");
  Outcome wrong = Weft({"check", "config", "--config", bad});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.printed, HasSubstr("bad.yaml:1: unknown key \"recievers\"; did you mean"));
  EXPECT_EQ(Weft({"serve", "--config", bad}).exit_code, 2);
  EXPECT_EQ(Weft({"print-config"}).printed, config::BuiltInYaml());
  EXPECT_THAT(Weft({"print-config", "--set", "exporters.store.retention.age=3d"}).printed,
              HasSubstr("age: 3d"));
}

TEST_F(WeftTest, APortInUseNamesItsHolderAndTheFlag) {
  Serve();
  std::string port = http_.substr(http_.rfind(':') + 1);
  Outcome second = Weft({"serve", "--data", folder_ + "/other", "--set",
                         "receivers.otlp.protocols.http.endpoint=127.0.0.1:" + port, "--set",
                         "receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0", "--set",
                         "extensions.query.endpoint=127.0.0.1:0"});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.printed, HasSubstr(port));
  EXPECT_THAT(second.printed, HasSubstr("weft"));
  EXPECT_THAT(second.printed, HasSubstr("--port-offset"));
}

// What stops `serve`, or makes it warn, is said by `check config` in the same words.
TEST_F(WeftTest, CheckSaysWhatServeSays) {
  const std::string kQuery = "extensions.query.endpoint=0.0.0.0:0";
  const std::string kGrpc = "receivers.otlp.protocols.grpc.endpoint=0.0.0.0:0";
  const std::string kShared = "receivers.otlp.protocols.grpc.endpoint=localhost:4318";
  for (const std::string& setting : {kQuery, kShared}) {
    Outcome served = Weft({"serve", "--set", setting});
    Outcome checked = Weft({"check", "config", "--set", setting});
    EXPECT_EQ(served.exit_code, 2);
    EXPECT_EQ(checked.exit_code, 2);
    EXPECT_EQ(checked.printed, served.printed);
  }
  Outcome warned = Weft({"check", "config", "--set", kGrpc});
  EXPECT_EQ(warned.exit_code, 0);
  EXPECT_THAT(warned.printed, HasSubstr("warning: otlp/grpc: 0.0.0.0:0 can be reached"));
  EXPECT_THAT(warned.printed, HasSubstr("1 warning"));
  EXPECT_EQ(Weft({"check", "config", "--insecure", "--set", kQuery}).exit_code, 0);
}

TEST_F(WeftTest, BeyondThisMachineOnlyWhenItIsMeant) {
  Outcome refused = Weft({"serve", "--set", "extensions.query.endpoint=0.0.0.0:0"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.printed, HasSubstr("--insecure"));
  Serve({"--set", "receivers.otlp.protocols.http.endpoint=0.0.0.0:0"});
  EXPECT_THAT(hello_, HasSubstr("can be reached from other machines without TLS and auth"));
  EXPECT_THAT(After("otlp/http    "), HasSubstr("0.0.0.0:"));
}

// A metric of /metrics, or a row of the table in docs/metrics.md.
struct MetricRow {
  std::string type;
  std::set<std::string> labels;
  bool operator==(const MetricRow&) const = default;
};
std::string RowText(const std::string& name, const MetricRow& row) {
  std::string text = "| `" + name + "` | " + row.type + " | ";
  for (const std::string& label : row.labels)
    text += (label == *row.labels.begin() ? "" : ", ") + label;
  return text + " | meaning |";
}

// OpenMetrics tells infos apart; names are given as samples have them.
std::map<std::string, MetricRow> ReadOpenMetrics(const std::string& text) {
  std::map<std::string, MetricRow> rows;
  std::istringstream lines(text);
  std::string name, type;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, word;
    if (line.starts_with("# TYPE ")) {
      words >> hash >> word >> name >> type;
      if (type == "counter") name += "_total";
      if (type == "info") name += "_info";
      rows[name].type = type;
    }
    if (line.starts_with('#')) continue;
    static const RE2 kLabel("([a-z_]+)=\"");
    std::string labels = line.substr(0, line.find("} "));
    re2::StringPiece rest(labels);
    while (RE2::FindAndConsume(&rest, kLabel, &word))
      if (word != "le") rows[name].labels.insert(word);
  }
  return rows;
}

std::map<std::string, MetricRow> ReadMetricsTable(const std::string& text) {
  std::map<std::string, MetricRow> rows;
  std::istringstream lines(text);
  static const RE2 kRow("\\| `(\\w+)` \\| (\\w+) \\| ([^|]*)\\|.*");
  for (std::string line; std::getline(lines, line);) {
    std::string name, type, cell;
    if (!RE2::FullMatch(line, kRow, &name, &type, &cell)) continue;
    MetricRow& row = rows[name];
    row.type = type;
    std::istringstream labels(cell);
    for (std::string label; std::getline(labels, label, ',');) {
      std::erase(label, ' ');
      if (!label.empty()) row.labels.insert(label);
    }
  }
  return rows;
}

// docs/metrics.md is the list of all series, and all of them exist from the start.
TEST_F(WeftTest, EverySeriesIsDocumentedAndEveryDocumentedSeriesIsThere) {
  net::TestCertificate certificate = net::TestAuthority().Issue();
  std::ofstream(folder_ + "/cert.pem") << certificate.cert_pem;
  std::ofstream(folder_ + "/key.pem") << certificate.key_pem;
  Serve({"--set", "receivers.otlp.protocols.grpc.tls.cert_file=" + folder_ + "/cert.pem", "--set",
         "receivers.otlp.protocols.grpc.tls.key_file=" + folder_ + "/key.pem", "--set",
         "receivers.otlp.protocols.grpc.auth.authenticator=bearertokenauth", "--set",
         "extensions.bearertokenauth.token=hush", "--set",
         "service.extensions=[query, bearertokenauth]"});
  outgoing::HttpClient client;
  outgoing::ClientRequest request{
      .method = "GET",
      .url = url_ + "/metrics",
      .headers = {{"accept", "application/openmetrics-text;version=1.0.0"}},
      .body = {}};
  auto shown = ReadOpenMetrics(client.Send(request)->body);
  std::ifstream file(std::string(WEFT_SOURCE_DIR) + "/docs/metrics.md");
  auto documented = ReadMetricsTable(
      std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>()));
  EXPECT_GT(shown.size(), 50u);
  for (const auto& [name, row] : shown)
    EXPECT_TRUE(documented.contains(name) && documented[name] == row)
        << "docs/metrics.md must have this row:\n"
        << RowText(name, row);
  for (const auto& [name, row] : documented)
    EXPECT_TRUE(shown.contains(name))
        << "docs/metrics.md has " << name << ", which /metrics of a server that has just started "
        << "lacks: make it when the server starts (GetCounter, QueryRunner::Declare, "
        << "CountDroppedSpans with 0), or take the row away";
}

class OwnTracesTest : public WeftTest {
 protected:
  std::string Get(const std::string& path, http::Headers headers = {}) {
    auto response = client_.Send({.method = "GET", .url = url_ + path, .headers = headers});
    return response ? response->body : response.error().message;
  }
  // The value of a series without labels.
  int64_t Metric(const std::string& name) {
    std::string text = "\n" + Get("/metrics");
    size_t at = text.find("\n" + name + " ");
    EXPECT_NE(at, std::string::npos) << name;
    return at == std::string::npos ? -1 : std::stoll(text.substr(at + name.size() + 2));
  }
  // Asks until the answer has `text`.
  std::string GetUntil(const std::string& path, const std::string& text) {
    auto end = std::chrono::steady_clock::now() + kPatience;
    std::string body;
    do {
      body = Get(path);
    } while (body.find(text) == std::string::npos && std::chrono::steady_clock::now() < end);
    EXPECT_THAT(body, HasSubstr(text));
    return body;
  }

  static constexpr char kSearch[] = "/api/weft/v1/search?q=";
  static constexpr char kOwn[] = "%7B%20resource.service.name%20%3D%20%22weft%22%20%7D";
  static constexpr char kRecorded[] = "weft_self_trace_spans_total";
  outgoing::HttpClient client_;
};

TEST_F(OwnTracesTest, AreOffUntilTheyAreWanted) {
  Serve();
  Send(ShopTrace());
  EXPECT_THAT(Get(std::string(kSearch) + "%7B%7D"), HasSubstr(kTrace));
  EXPECT_EQ(Metric(kRecorded), 0);
  EXPECT_THAT(Get("/api/weft/v1/services"), Not(HasSubstr("\"weft\"")));
}

TEST_F(OwnTracesTest, ExplainQueriesAndRequestsAndNeverThemselves) {
  Serve({"--set", "service.telemetry.traces={exporter: store, ingest_per_second: 1000}"});
  Send(ShopTrace());
  // ingest, decode, commit.
  EXPECT_EQ(Metric(kRecorded), 3);
  const std::string caller = "00-00000000000000000000000000000abc-00000000000000aa-01";
  EXPECT_THAT(
      Get(std::string(kSearch) + "%7B%20status%20%3D%20error%20%7D", {{"traceparent", caller}}),
      HasSubstr(kTrace));
  std::string own = "/api/weft/v1/trace/00000000000000000000000000000abc/otlp";
  std::string trace = GetUntil(own, "query search");
  for (const char* text :
       {"\"parentSpanId\":\"00000000000000aa\"", "\"parse\"", "\"plan\"", "\"scan\"",
        "\"assemble\"", "{ span:status = error }", "weft.query.outcome"})
    EXPECT_THAT(trace, HasSubstr(text));
  // A slow bucket leads to its trace.
  EXPECT_THAT(Get("/metrics", {{"accept", "application/openmetrics-text;version=1.0.0"}}),
              HasSubstr("# {trace_id=\"00000000000000000000000000000abc\"}"));
  GetUntil(std::string(kSearch) + kOwn, "ingest");

  // Whoever looks at them, or sends them here once more, makes none.
  int64_t recorded = Metric(kRecorded);
  for (int i = 0; i < 5; ++i) {
    Get(own);
    Get(std::string(kSearch) + kOwn);
    Get("/api/weft/v1/services");
  }
  Send(Get(own));
  Get(std::string(kSearch) + "%7B%20status%20%3D%20error%20%7D",
      {{"traceparent", "00-00000000000000000000000000000abd-00000000000000aa-00"}});
  EXPECT_EQ(Metric(kRecorded), recorded);
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
}

TEST_F(WeftTest, StartsFastAndSmall) {
  auto began = std::chrono::steady_clock::now();
  Serve();
  auto took = std::chrono::steady_clock::now() - began;
  // Sanitizers and a loaded machine are slow; the release numbers stand in the bench.
  EXPECT_LT(took, std::chrono::seconds(5));
  outgoing::HttpClient client;
  EXPECT_THAT(client.Get(url_ + "/metrics")->body, HasSubstr("process_resident_memory_bytes"));
  EXPECT_EQ(client.Get(url_ + "/readyz")->status, 200);
}

TEST(ServeOverridesTest, MovePortsAndFillTheDirectory) {
  config::Config config =
      config::Load({}, {.env = [](const std::string&) { return std::nullopt; }, .read_file = {}},
                   Components().types())
          ->config;
  ServeOverrides overrides{.data = "", .port_offset = 100, .insecure = false};
  std::vector<std::string> warnings;
  ASSERT_TRUE(ApplyOverrides(overrides, "/default", &config, &warnings));
  EXPECT_THAT(warnings, testing::IsEmpty());
  const auto& otlp = *config.Find(config::ComponentKind::kReceiver, {"otlp", ""})
                          ->As<receiver::OtlpReceiverSettings>();
  EXPECT_EQ(otlp.grpc->endpoint.port, 4417);
  EXPECT_EQ(otlp.http->endpoint.port, 4418);
  const auto& store =
      *config.Find(config::ComponentKind::kExporter, {"store", ""})->As<exporter::StoreSettings>();
  EXPECT_EQ(store.directory, "/default");
  overrides.port_offset = 60'000;
  EXPECT_FALSE(ApplyOverrides(overrides, "/default", &config, &warnings));
}

}  // namespace
}  // namespace weft::server

// SPDX-License-Identifier: Apache-2.0
#include "config/listen_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "server/components.h"

namespace weft::config {
namespace {

using testing::HasSubstr;

// With every component of weft.
Result<Loaded> Load(const LoadOptions& options, const Surroundings& surroundings) {
  return config::Load(options, surroundings, server::Components().types());
}

class ListenRulesTest : public testing::Test {
 protected:
  // The warnings, or the refusal, of the built-in configuration with `settings` over it.
  std::vector<std::string> Apply(std::vector<std::string> settings, bool insecure = false) {
    auto loaded = Load({.uris = {}, .settings = std::move(settings)},
                       {.env = [](const std::string&) { return std::nullopt; }, .read_file = {}});
    if (!loaded) return {loaded.error().message};
    std::vector<std::string> warnings;
    Status status = CheckListeners(loaded->config, insecure, &warnings);
    if (!status) return {"refused: " + status.error().message};
    return warnings;
  }
  const std::vector<std::string> tls_ = {"extensions.query.tls={cert_file: c, key_file: k}",
                                         "extensions.query.endpoint=0.0.0.0:16686"};
};

TEST_F(ListenRulesTest, ReceiversBeyondThisMachineStartWithAWarning) {
  using testing::ElementsAre, testing::AllOf;
  EXPECT_THAT(Apply({"receivers.otlp.protocols.grpc.endpoint=0.0.0.0:4317",
                     "receivers.otlp.protocols.http.endpoint=:4318"}),
              ElementsAre(AllOf(HasSubstr("otlp/grpc: 0.0.0.0:4317"),
                                HasSubstr("without TLS and authentication")),
                          HasSubstr("otlp/http: :4318")));
  EXPECT_THAT(Apply({"receivers.otlp.protocols.grpc.endpoint=0.0.0.0:4317"}, true),
              testing::IsEmpty());
}

TEST_F(ListenRulesTest, SocketsOfThisMachineNeedNothing) {
  EXPECT_THAT(Apply({"receivers.otlp.protocols.grpc.endpoint=unix:///run/weft.sock",
                     "receivers.otlp.protocols.http={transport: unix, endpoint: /run/http.sock}",
                     "extensions.query.endpoint='unix:@weft'"}),
              testing::IsEmpty());
  EXPECT_THAT(Apply({"receivers.otlp.protocols.grpc.endpoint=unix:///run/weft.sock",
                     "receivers.otlp.protocols.http.endpoint=unix:/run/weft.sock"}),
              testing::ElementsAre(HasSubstr("want the same path")));
}

TEST_F(ListenRulesTest, MetricsReadersBeyondThisMachineStartWithAWarning) {
  using testing::ElementsAre, testing::AllOf;
  auto reader = [](const std::string& host) {
    return "service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: '" + host +
           "', port: 8888}}}}]";
  };
  for (const char* host : {"0.0.0.0", "", "::", "192.168.1.7"})
    EXPECT_THAT(Apply({reader(host)}),
                ElementsAre(AllOf(HasSubstr("service::telemetry::metrics::readers: "),
                                  HasSubstr(":8888 can be reached from other machines without TLS "
                                            "and authentication"),
                                  HasSubstr("--insecure"))))
        << host;
  EXPECT_THAT(Apply({reader("0.0.0.0")}, true), testing::IsEmpty());
  EXPECT_THAT(Apply({reader("0.0.0.0"), "service.telemetry.metrics.level=none"}),
              testing::IsEmpty());
  for (const char* host : {"localhost", "127.0.0.1", "::1"})
    EXPECT_THAT(Apply({reader(host)}), testing::IsEmpty()) << host;
}

TEST_F(ListenRulesTest, EveryRefusalIsNamedAtOnce) {
  std::vector<std::string> said = Apply(
      {"extensions.query.endpoint=0.0.0.0:16686", "receivers.otlp.protocols.grpc.endpoint=:4318"});
  ASSERT_THAT(said, testing::SizeIs(1));
  for (const char* part : {"query: 0.0.0.0:16686", "want the same port"})
    EXPECT_THAT(said[0], HasSubstr(part));
  // Its other ports are where its endpoint is.
  EXPECT_THAT(said[0], testing::Not(HasSubstr("query/grpc")));
}

TEST_F(ListenRulesTest, QueriesBeyondThisMachineNeedTlsAndAuthentication) {
  using testing::ElementsAre, testing::AllOf;
  EXPECT_THAT(
      Apply({"extensions.query.endpoint=0.0.0.0:16686"}),
      ElementsAre(AllOf(HasSubstr("refused: query: 0.0.0.0:16686"),
                        HasSubstr("without TLS and authentication"), HasSubstr("--insecure"))));
  EXPECT_THAT(Apply({"extensions.query.endpoint=0.0.0.0:16686"}, true), testing::IsEmpty());
  EXPECT_THAT(Apply(tls_), ElementsAre(HasSubstr("without authentication")));
  auto with_auth = tls_;
  with_auth.insert(with_auth.end(), {"extensions.bearertokenauth.token=t",
                                     "extensions.query.auth.authenticator=bearertokenauth",
                                     "service.extensions=[query, bearertokenauth]"});
  EXPECT_THAT(Apply(with_auth), testing::IsEmpty());
  auto with_client_certificates = tls_;
  with_client_certificates.push_back("extensions.query.tls.client_ca_file=ca");
  EXPECT_THAT(Apply(with_client_certificates), testing::IsEmpty());
}

TEST_F(ListenRulesTest, TheExampleOfTheSecurityPageOpensTheBuiltInConfiguration) {
  std::ifstream file(std::string(WEFT_SOURCE_DIR) + "/docs/security.md");
  std::string page(std::istreambuf_iterator<char>(file), {});
  size_t begin = page.find("```yaml\n") + 8;
  std::string example = page.substr(begin, page.find("```", begin) - begin);
  ASSERT_THAT(example, HasSubstr("0.0.0.0"));
  auto loaded = Load({.uris = {"weft.yaml", "security.yaml"}, .settings = {}},
                     {.env = [](const std::string&) { return std::nullopt; },
                      .read_file = [&](const std::string& path) -> Result<std::string> {
                        return path == "weft.yaml" ? std::string(BuiltInYaml()) : example;
                      }});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->warnings, testing::IsEmpty());
  std::vector<std::string> warnings;
  EXPECT_TRUE(CheckListeners(loaded->config, false, &warnings));
  EXPECT_THAT(warnings, testing::IsEmpty());
}

TEST_F(ListenRulesTest, TwoListenersOnOnePortAreNamed) {
  const std::string kGrpc = "receivers.otlp.protocols.grpc.endpoint=";
  using testing::ElementsAre, testing::IsEmpty;
  EXPECT_THAT(
      Apply({kGrpc + "localhost:4318"}, true),
      ElementsAre("refused: receivers::otlp::protocols::grpc::endpoint (localhost:4318) and "
                  "receivers::otlp::protocols::http::endpoint (localhost:4318) want the "
                  "same port"));
  for (const char* same :
       {"0.0.0.0:4318", ":4318", "'[::]:4318'", "127.0.0.1:4318", "'[::1]:4318'"})
    EXPECT_THAT(Apply({kGrpc + same}, true), ElementsAre(HasSubstr("want the same port"))) << same;
  EXPECT_THAT(Apply({kGrpc + "localhost:16685"}),
              ElementsAre(HasSubstr("extensions::query::grpc_endpoint (localhost:16685)")));
  EXPECT_THAT(Apply({"service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: "
                     "localhost, port: 4317}}}}]"}),
              ElementsAre(HasSubstr("service::telemetry::metrics::readers (localhost:4317)")));
  // Another address, any free port, a component that does not run.
  EXPECT_THAT(Apply({kGrpc + "127.0.0.2:4318"}), IsEmpty());
  EXPECT_THAT(
      Apply({kGrpc + "'[::1]:4318'", "receivers.otlp.protocols.http.endpoint=0.0.0.0:4318"}, true),
      IsEmpty());
  EXPECT_THAT(Apply({kGrpc + "localhost:0", "receivers.otlp.protocols.http.endpoint=localhost:0"}),
              IsEmpty());
  EXPECT_THAT(Apply({"extensions.health_check.endpoint=localhost:4318"}), IsEmpty());
}

}  // namespace
}  // namespace weft::config

// SPDX-License-Identifier: Apache-2.0
//
// test/config/*.test give the cases; here is what tables cannot say.
#include "config/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "api/query_settings.h"
#include "config/yaml.h"
#include "exporter/store_settings.h"
#include "extension/authenticators.h"
#include "receiver/otlp_settings.h"
#include "server/components.h"
#include "wire_core/printable.h"

namespace weft::config {
namespace {

using api::QuerySettings;
using exporter::StoreSettings;
using extension::BearerTokenSettings;
using receiver::OtlpReceiverSettings;
using ::testing::HasSubstr;

// With every component of weft.
Result<Loaded> Load(const LoadOptions& options, const Surroundings& surroundings) {
  return config::Load(options, surroundings, server::Components().types());
}

struct Case {
  std::string name;
  std::vector<std::pair<std::string, std::string>> sections;  // title, text

  std::vector<std::string> Lines(const std::string& title) const {
    std::vector<std::string> lines;
    for (const auto& [key, text] : sections) {
      if (key != title) continue;
      std::istringstream in(text);
      for (std::string line; std::getline(in, line);) lines.push_back(line);
    }
    return lines;
  }
  bool Has(const std::string& title) const {
    return std::ranges::any_of(sections, [&](const auto& s) { return s.first == title; });
  }
};

std::vector<Case> ReadCases(const std::string& name) {
  std::ifstream file(std::string(WEFT_SOURCE_DIR) + "/test/config/" + name);
  EXPECT_TRUE(file.good()) << name;
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("== ")) {
      cases.push_back({line.substr(3), {}});
    } else if (cases.empty() || line.empty() || line.starts_with("#")) {
      continue;
    } else if (line.starts_with("-- ")) {
      cases.back().sections.emplace_back(line.substr(3), "");
    } else {
      cases.back().sections.back().second += line + "\n";
    }
  }
  return cases;
}

struct World {
  std::map<std::string, std::string> env, files;
  LoadOptions options;

  explicit World(const Case& test) {
    for (const auto& [title, text] : test.sections)
      if (title.starts_with("file ")) {
        files[title.substr(5)] = text;
        options.uris.push_back(title.substr(5));
      }
    for (const std::string& line : test.Lines("env"))
      env[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
    options.settings = test.Lines("set");
  }
  Surroundings surroundings() {
    return {.env = [this](const std::string& name) -> std::optional<std::string> {
              auto found = env.find(name);
              return found == env.end() ? std::nullopt : std::optional(found->second);
            },
            .read_file = [this](const std::string& path) -> Result<std::string> {
              auto found = files.find(path);
              if (found == files.end()) return Fail(ErrorCode::kNotFound, "no file " + path);
              return found->second;
            }};
  }
};

TEST(ConfigTest, ErrorsAndWarnings) {
  for (const Case& test : ReadCases("errors.test")) {
    SCOPED_TRACE(test.name);
    World world(test);
    Result<Loaded> loaded = Load(world.options, world.surroundings());
    std::string errors = loaded ? "" : loaded.error().message;
    EXPECT_EQ(errors, fmt::format("{}", fmt::join(test.Lines("errors"), "\n")));
    if (loaded) {
      EXPECT_EQ(loaded->warnings, test.Lines("warnings"));
    }
  }
}

TEST(ConfigTest, MergeAndExpansion) {
  for (const Case& test : ReadCases("merge.test")) {
    SCOPED_TRACE(test.name);
    World world(test);
    Surroundings surroundings = world.surroundings();
    Node tree;
    bool first = true;
    for (const std::string& uri : world.options.uris) {
      Result<Node> node = LoadUri(uri, surroundings);
      ASSERT_TRUE(node) << node.error().message;
      if (first) tree = *node;
      if (!first) MergeNode(&tree, *node);
      first = false;
    }
    for (const std::string& setting : world.options.settings)
      MergeNode(&tree, ParseSetting(setting).value());
    Problems problems;
    ExpandNode(&tree, surroundings, &problems);
    EXPECT_THAT(problems.errors, ::testing::IsEmpty());
    EXPECT_EQ(WriteYaml(tree), fmt::format("{}\n", fmt::join(test.Lines("tree"), "\n")));
    Result<Node> again = ParseYaml(WriteYaml(tree), "again");
    ASSERT_TRUE(again);
    EXPECT_EQ(WriteYaml(*again), WriteYaml(tree));
  }
}

// Value of an environment variable -> what a field of each type makes of it, "!" for an error.
struct Casting {
  const char* value;
  const char* as_string;
  const char* as_bool;
  const char* as_number;
};
TEST(ConfigTest, WholeValuesAreTypedStrictly) {
  const Casting kCastings[] = {
      {"123", "123", "!", "123"},     {"0123", "0123", "!", "83"},  {"0xff", "0xff", "!", "255"},
      {"1.5", "1.5", "!", "!"},       {"true", "true", "1", "!"},   {"t", "t", "!", "!"},
      {"23", "23", "!", "23"},        {"\"23\"", "23", "!", "!"},   {"[a]", "[a]", "!", "!"},
      {"{a: b}", "{a: b}", "!", "!"}, {"-1", "-1", "!", "!"},       {"yes", "yes", "!", "!"},
      {"null", "null", "-", "-"},     {"False", "False", "0", "!"}, {"0b11", "0b11", "!", "3"},
  };
  for (const Casting& casting : kCastings) {
    SCOPED_TRACE(casting.value);
    Surroundings surroundings{
        .env = [&](const std::string&) { return std::optional<std::string>(casting.value); },
        .read_file = {}};
    Node node = ParseYaml("v: ${env:V}", "a").value();
    Problems problems;
    ExpandNode(&node, surroundings, &problems);
    auto read = [&node](auto value, std::string unset) -> std::string {
      Problems found;
      Section section(node, "", &found);
      section.Read("v", &value);
      if (!found.errors.empty()) return "!";
      std::string text = fmt::format("{}", value);
      return text == unset ? "-" : text;
    };
    EXPECT_EQ(read(std::string("unset"), "unset"), casting.as_string);
    EXPECT_EQ(read(uint64_t{77}, "77"), casting.as_number);
    bool flag = std::string(casting.as_bool) != "1";
    Problems found;
    Section section(node, "", &found);
    section.Read("v", &flag);
    if (casting.as_bool[0] == '!') {
      EXPECT_THAT(found.errors, ::testing::SizeIs(1));
    } else {
      EXPECT_THAT(found.errors, ::testing::IsEmpty());
      EXPECT_EQ(flag, casting.as_bool[0] == '-' || casting.as_bool[0] == '1');
    }
  }
}

TEST(ConfigTest, BuiltInIsTheDefaultOfEverySetting) {
  Surroundings surroundings{.env = [](const std::string&) { return std::nullopt; },
                            .read_file = {}};
  Result<Loaded> loaded = Load({}, surroundings);
  ASSERT_TRUE(loaded) << loaded.error().message;
  const Config& config = loaded->config;
  EXPECT_THAT(loaded->warnings, ::testing::IsEmpty());
  ASSERT_EQ(config.pipelines.size(), 2u);
  const Component* otlp = config.Find(ComponentKind::kReceiver, {"otlp", ""});
  ASSERT_NE(otlp, nullptr);
  const auto& receiver = *otlp->As<OtlpReceiverSettings>();
  EXPECT_EQ(receiver.grpc->endpoint.ToString(), "localhost:4317");
  EXPECT_EQ(receiver.http->endpoint.ToString(), "localhost:4318");
  const auto& store = *config.Find(ComponentKind::kExporter, {"store", ""})->As<StoreSettings>();
  EXPECT_EQ(store.retention_age_ns, StoreSettings().retention_age_ns);
  EXPECT_EQ(store.retention_bytes, StoreSettings().retention_bytes);
  EXPECT_EQ(store.max_clock_shift_ns, 3'600'000'000'000u);
  EXPECT_EQ(store.durability, StoreSettings::Durability::kDurable);
  const auto& query = *config.Find(ComponentKind::kExtension, {"query", ""})->As<QuerySettings>();
  EXPECT_EQ(query.endpoint, QuerySettings().endpoint);
  EXPECT_EQ(query.grpc_endpoint->ToString(), "localhost:16685");
  EXPECT_EQ(query.tempo_endpoint->ToString(), "localhost:3200");
}

TEST(ConfigTest, TheScrubHasAPaceAndAnInterval) {
  Surroundings none{.env = [](const std::string&) { return std::nullopt; }, .read_file = {}};
  LoadOptions options{.uris = {},
                      .settings = {"exporters::store::scrub::bytes_per_second=1MiB",
                                   "exporters::store::scrub::interval=12h"}};
  const Config config = Load(options, none).value().config;
  const auto& store = *config.Find(ComponentKind::kExporter, {"store", ""})->As<StoreSettings>();
  EXPECT_EQ(store.scrub_bytes_per_s, 1u << 20);
  EXPECT_EQ(store.scrub_interval_ns, 12ull * 3600 * 1'000'000'000);
}

TEST(ConfigTest, SecondPortsOfQueriesFollowTheMainOne) {
  auto seconds = [](std::vector<std::string> settings) {
    LoadOptions options{.uris = {}, .settings = std::move(settings)};
    Surroundings none{.env = [](const std::string&) { return std::nullopt; }, .read_file = {}};
    Config config = Load(options, none).value().config;
    auto& query = *config.Find(ComponentKind::kExtension, {"query", ""})->As<QuerySettings>();
    auto text = [](const std::optional<Endpoint>& endpoint) {
      return endpoint ? endpoint->ToString() : "none";
    };
    return text(query.grpc_endpoint) + " " + text(query.tempo_endpoint);
  };
  EXPECT_EQ(seconds({"extensions.query.endpoint=127.0.0.1:16686"}),
            "127.0.0.1:16685 127.0.0.1:3200");
  EXPECT_EQ(seconds({"extensions.query.endpoint=127.0.0.1:8080"}), "none none");
  EXPECT_EQ(seconds({"extensions.query.endpoint=127.0.0.1:0",
                     "extensions.query.grpc_endpoint=127.0.0.1:0"}),
            "127.0.0.1:0 none");
  EXPECT_EQ(seconds({"extensions.query.endpoint=127.0.0.1:0",
                     "extensions.query.tempo_endpoint=127.0.0.1:0"}),
            "none 127.0.0.1:0");
  EXPECT_EQ(seconds({"extensions.query.tempo_endpoint="}), "localhost:16685 none");
  EXPECT_EQ(seconds({"extensions.query.grpc_endpoint="}), "none localhost:3200");
}

TEST(ConfigTest, SecretsAreReadAndNotShown) {
  Surroundings surroundings{.env = [](const std::string&) { return std::nullopt; },
                            .read_file = {}};
  Result<Loaded> loaded =
      Load({.uris = {},
            .settings = {"extensions.bearertokenauth.tokens=[hush-1, hush-2]",
                         "extensions.basicauth.htpasswd.inline=ann:hush-3",
                         "extensions.query.tls={cert_pem: hush-4, key_pem: hush-5}"}},
           surroundings);
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto& bearer = *loaded->config.Find(ComponentKind::kExtension, {"bearertokenauth", ""})
                            ->As<BearerTokenSettings>();
  ASSERT_EQ(bearer.tokens.size(), 2u);
  EXPECT_EQ(bearer.tokens[1].Reveal(), "hush-2");
  const auto& query =
      *loaded->config.Find(ComponentKind::kExtension, {"query", ""})->As<QuerySettings>();
  EXPECT_EQ(query.security.tls->key_pem.Reveal(), "hush-5");
  std::string shown = WriteYaml(loaded->tree);
  EXPECT_THAT(shown, ::testing::Not(::testing::HasSubstr("hush")));
  EXPECT_THAT(shown, ::testing::HasSubstr("[REDACTED]"));
}

TEST(ConfigTest, WhatIsWrittenCannotDriveATerminal) {
  Node node =
      ParseYaml("\"k\\x9b\": \"a\\e[2J\\x7f\\u202e b\\u009b\\n\\u2066c\"\nplain: caf\u00e9\n", "a")
          .value();
  std::string written = WriteYaml(node);
  EXPECT_EQ(ReplaceUnprintableInLines(written), written) << written;
  EXPECT_THAT(written, HasSubstr("plain: caf\u00e9"));
  Node again = ParseYaml(written, "again").value();
  ASSERT_NE(again.Find("k\u009b"), nullptr) << written;
  EXPECT_EQ(again.Find("k\u009b")->text,
            "a\x1b[2J\x7f\u202e b\u009b\n\u2066"
            "c");
}

TEST(ConfigTest, Durations) {
  EXPECT_EQ(ParseDurationNs("14d"), 14ull * 86400 * 1'000'000'000);
  EXPECT_EQ(ParseDurationNs("1h30m"), 5400ull * 1'000'000'000);
  EXPECT_EQ(ParseDurationNs("1.5s"), 1'500'000'000u);
  EXPECT_EQ(ParseDurationNs("0"), 0u);
  for (const char* bad : {"", "5", "s", "1x", "-1s", "1s2", "99999999999d"})
    EXPECT_EQ(ParseDurationNs(bad), std::nullopt) << bad;
  EXPECT_EQ(DurationText(5400ull * 1'000'000'000), "1h30m");
  EXPECT_EQ(ParseByteCount("20GiB"), 20ull << 30);
  EXPECT_EQ(ParseByteCount("1.5 MiB"), 3u << 19);
  EXPECT_EQ(ParseByteCount("12x"), std::nullopt);
  EXPECT_EQ(ByteCountText(20ull << 30), "20GiB");
  EXPECT_EQ(ByteCountText(1001), "1001");
}

TEST(ConfigTest, DefaultDirectoryFollowsXdg) {
  auto with = [](std::map<std::string, std::string> env) {
    return DefaultDataDirectory({.env =
                                     [env](const std::string& name) {
                                       auto found = env.find(name);
                                       return found == env.end() ? std::optional<std::string>()
                                                                 : found->second;
                                     },
                                 .read_file = {}});
  };
  EXPECT_EQ(with({{"XDG_DATA_HOME", "/x"}, {"HOME", "/h"}}), "/x/weft");
  EXPECT_EQ(with({{"XDG_DATA_HOME", "x"}, {"HOME", "/h"}}), "/h/.local/share/weft");
  EXPECT_EQ(with({{"HOME", "/h"}}), "/h/.local/share/weft");
}

TEST(ConfigTest, DeepAndWideYamlIsBounded) {
  std::string deep(5000, '[');
  EXPECT_FALSE(ParseYaml(deep, "a"));
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    laughs += fmt::format("a{}: &a{} [", i, i);
    for (int n = 0; n < 10; ++n) laughs += fmt::format("{}*a{}", n ? ", " : "", i - 1);
    laughs += "]\n";
  }
  Result<Node> node = ParseYaml(laughs, "a");
  ASSERT_FALSE(node);
  EXPECT_THAT(node.error().message, HasSubstr("more than"));
}

TEST(ConfigTest, UrisOfEveryScheme) {
  Surroundings surroundings{
      .env = [](const std::string& name) -> std::optional<std::string> {
        return name == "CONF" ? std::optional<std::string>("a: 1") : std::nullopt;
      },
      .read_file = [](const std::string& path) -> Result<std::string> { return "path: " + path; }};
  EXPECT_EQ(WriteYaml(LoadUri("env:CONF", surroundings).value()), "a: 1\n");
  EXPECT_EQ(WriteYaml(LoadUri("yaml:a::b::c: v", surroundings).value()), "a:\n  b:\n    c: v\n");
  EXPECT_EQ(WriteYaml(LoadUri("file:/etc/w.yaml", surroundings).value()), "path: /etc/w.yaml\n");
  EXPECT_EQ(WriteYaml(LoadUri("w.yaml", surroundings).value()), "path: w.yaml\n");
  EXPECT_FALSE(LoadUri("env:NONE", surroundings));
  EXPECT_THAT(LoadUri("https://x/y", surroundings).error().message, HasSubstr("not supported"));
}

}  // namespace
}  // namespace weft::config

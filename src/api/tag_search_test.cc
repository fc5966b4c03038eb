// SPDX-License-Identifier: Apache-2.0
//
// One tag, one question: the same tags asked over every surface that takes them, against spans
// written as text (test/tags/*.test; form: docs/query_tests.md), and every tag that an answer of
// Jaeger's shows looked for again.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "api/api_fixture.h"
#include "api/jaeger_search.h"
#include "testing/span_text.h"
#include "traceql/literals.h"
#include "traceql/tag_condition.h"
#include "wire_core/json_writer.h"
#include "wire_core/protobuf_writer.h"

namespace weft::api {
namespace {

using ::testing::Contains;
using Tags = std::vector<std::pair<std::string, std::string>>;

constexpr char kV1Range[] = "&start=0&end=9000000000000000&limit=10000";
constexpr char kV3Range[] =
    "query.startTimeMin=2000-01-01T00:00:00Z&query.startTimeMax=2200-01-01T00:00:00Z"
    "&query.searchDepth=10000";

std::string Escaped(std::string_view text) {
  std::string out;
  for (unsigned char c : text) out += fmt::format("%{:02X}", c);
  return out;
}

std::string AsJson(const Tags& tags) {
  std::string out;
  wire::JsonWriter json(&out);
  json.BeginObject();
  for (const auto& [key, value] : tags) json.Field(key, value);
  json.EndObject();
  return out;
}

class TagSearchTest : public ApiTest {
 protected:
  TagSearchTest() { Begin(); }

  // Trace ids as the tables write them: without zeros in front.
  using Traces = std::set<std::string>;
  static std::string Short(std::string_view id) {
    return std::string(id.substr(std::min(id.find_first_not_of('0'), id.size())));
  }
  // The values of a key of an array's objects.
  Traces IdsOf(const std::string& path, std::string_view array, std::string_view key) {
    outgoing::ClientResponse response = Get(path);
    EXPECT_EQ(response.status, 200) << path << ": " << response.body;
    Traces out;
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    EXPECT_EQ(parser.parse(response.body).get(json), simdjson::SUCCESS) << response.body;
    simdjson::dom::array items;
    if (json[array].get(items) != simdjson::SUCCESS) return out;
    for (simdjson::dom::element item : items)
      out.insert(Short(std::string_view(item[key].get_string().value())));
    return out;
  }

  Traces JaegerTags(const std::string& service, const Tags& tags) {
    return IdsOf(
        "/api/traces?service=" + Escaped(service) + kV1Range + "&tags=" + Escaped(AsJson(tags)),
        "data", "traceID");
  }
  Traces JaegerTag(const std::string& service, std::string_view tag) {
    return IdsOf("/api/traces?service=" + Escaped(service) + kV1Range + "&tag=" + Escaped(tag),
                 "data", "traceID");
  }
  Traces ApiV3(const Tags& tags) {
    return IdsOf(std::string("/api/v3/trace-summaries?") + kV3Range +
                     "&query.attributes=" + Escaped(AsJson(tags)),
                 "summaries", "traceId");
  }
  Traces ApiV3Grpc(const Tags& tags) {
    constexpr uint64_t kStart = 946'684'800, kEnd = 7'258'118'400;  // the years 2000 and 2200
    wire::ProtoWriter out;
    out.Varint(8, 10'000);
    for (auto [field, seconds] : {std::pair(5u, kEnd), std::pair(4u, kStart)}) {
      size_t mark = out.bytes();
      out.Varint(1, seconds);
      out.CloseMessage(field, mark);
    }
    for (const auto& [key, value] : tags) {
      size_t mark = out.bytes();
      out.Bytes(2, value);
      out.Bytes(1, key);
      out.CloseMessage(3, mark);
    }
    out.CloseMessage(1, 0);
    std::string request;
    out.AppendTo(&request);
    GrpcAnswer answer = CallApiV3("FindTraces", request);
    EXPECT_EQ(answer.status, "0") << answer.message;
    Traces traces;
    for (const std::string& message : answer.messages) {
      auto batch = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, message);
      EXPECT_TRUE(batch);
      for (const Span& span : batch->spans) traces.insert(Short(span.trace_id.ToHex()));
    }
    return traces;
  }
  Traces TraceQl(const std::string& query) {
    return IdsOf("/api/weft/v1/search?limit=10000&q=" + Escaped(query), "traces", "traceId");
  }
  Traces Tempo(std::string_view tags) {
    return IdsOf("/tempo/api/search?limit=10000&tags=" + Escaped(tags), "traces", "traceID");
  }
};

// ---------------------------------------------------------------- tables

struct Question {
  int line = 0;
  std::string form;  // tag, colon, tempo
  std::string text, value;
  std::set<std::string> expected;
};

class TagTable {
 public:
  void Load(const std::string& path);
  SpanBatch TakeSpans() { return std::move(reader_.Finish().front()); }
  const std::vector<Question>& questions() const { return questions_; }

 private:
  static std::string TakeString(std::string_view* text) {
    traceql::StringScan scan = traceql::ScanString(*text);
    EXPECT_TRUE(scan.error.empty()) << *text << ": " << scan.error;
    text->remove_prefix(std::min(scan.bytes + 1, text->size()));
    return scan.value;
  }

  testing::SpanTextReader reader_{1};
  std::vector<Question> questions_;
};

// tag "KEY" "VALUE", colon "KEY:VALUE" and tempo "TAGS", each with `=> TRACE TRACE ...` or `=>
// none`.
void TagTable::Load(const std::string& path) {
  std::ifstream file(path);
  ASSERT_TRUE(file.good()) << path;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    std::string_view text = line;
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty() || text[0] == '#') continue;
    std::string form(text.substr(0, text.find(' ')));
    if (form != "tag" && form != "colon" && form != "tempo") {
      auto taken = reader_.TakeLine(text);
      ASSERT_TRUE(taken && *taken) << path << ":" << number;
      continue;
    }
    text.remove_prefix(form.size() + 1);
    Question question{.line = number, .form = form};
    question.text = TakeString(&text);
    if (form == "tag") question.value = TakeString(&text);
    ASSERT_TRUE(text.starts_with("=> ")) << path << ":" << number;
    std::istringstream traces{std::string(text.substr(3))};
    for (std::string trace; traces >> trace;)
      if (trace != "none") question.expected.insert(trace);
    questions_.push_back(std::move(question));
  }
}

std::vector<std::string> TableNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_SOURCE_DIR "/test/tags"))
    if (entry.path().filename() != "conditions.test") names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

class TagTables : public TagSearchTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(TagTables, EverySurfaceFindsTheSame) {
  TagTable table;
  table.Load(WEFT_SOURCE_DIR "/test/tags/" + GetParam() + ".test");
  ASSERT_FALSE(HasFatalFailure());
  Put(table.TakeSpans());
  for (const Question& question : table.questions()) {
    const std::string &key = question.text, &value = question.value;
    SCOPED_TRACE(fmt::format("line {}: {} {} {}", question.line, question.form, key, value));
    if (question.form == "tempo") {
      EXPECT_EQ(Tempo(key), question.expected);
    } else if (question.form == "colon") {
      EXPECT_EQ(JaegerTag("s", key), question.expected);
    } else {
      EXPECT_EQ(JaegerTags("s", {{key, value}}), question.expected) << "v1 tags";
      EXPECT_EQ(ApiV3({{key, value}}), question.expected) << "api_v3";
      EXPECT_EQ(ApiV3Grpc({{key, value}}), question.expected) << "api_v3 over gRPC";
      EXPECT_EQ(TraceQl("{ " + traceql::TagCondition(key, value) + " }"), question.expected)
          << "TraceQL, as the form and the command write it";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, TagTables, ::testing::ValuesIn(TableNames()),
                         [](const auto& name) { return name.param; });

// ---------------------------------------------------------------- what is shown

simdjson::dom::array Items(simdjson::simdjson_result<simdjson::dom::element> array) {
  return array.get_array().value();
}

// Everything that Jaeger's JSON can show, one span a trace. Maps and bytes, of which TraceQL knows
// only that they are there, are not among them.
constexpr std::string_view kShown[] = {
    R"(trace 1)",
    R"(resource service.name="s" host.name="a1" process.pid=4711 args=["java", "-jar", "a \"b\"", 7] on=true)",
    R"(scope name="lib" version="1.2" : team="blue" level=3)",
    R"(span a name="x" kind=server status=error message="boom \"1\"" state="rojo=00f067aa0ba902b7" start=0ms for=5ms : i=200 d=0.5 big=9007199254740993 t="200" yes=true no=false text="true")",
    R"(event "exception" at=1ms : exception.type="Timeout" error=true n=-1.5)",
    R"(event "second" : message="line\nbreak \\ back")",
    R"(trace 2)",
    R"(span b kind=client status=ok start=1ms for=1ms : "a key"="with \"quotes\"" "a:b"="c:d:e" empty="" path="App\\Jobs\\Get" uni="caf\u00e9 \u4e16" error="timeout" span.kind="odd" otel.status_code="own" event="own")",
    R"(trace 3)",
    R"(span c kind=producer start=2ms for=1ms : huge=1000000000000000000000.0 small=0.0000001 minus=-0.25 list=[1, 2.5, "b", true] error="true" "resource.x"="y" name="n" kind="k" status="st" "5xx"=1)",
    R"(trace 4)",
    R"(resource service.name="s")",
    R"(scope)",
    R"(span d kind=consumer start=3ms for=1ms : error=true)",
    R"(trace 5)",
    R"(span e kind=internal start=4ms for=1ms : error="TRUE" db.statement="select * from t where a = 'b' -- {}")"};

TEST_F(TagSearchTest, EveryTagThatIsShownIsFound) {
  testing::SpanTextReader reader(1);
  for (std::string_view line : kShown) ASSERT_TRUE(reader.TakeLine(line).value_or(false)) << line;
  Put(std::move(reader.Finish().front()));
  outgoing::ClientResponse response = Get(std::string("/api/traces?service=s") + kV1Range);
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  ASSERT_EQ(parser.parse(response.body).get(json), simdjson::SUCCESS);
  int shown = 0;
  auto search = [&](const std::string& trace, simdjson::dom::element tags) {
    for (simdjson::dom::element tag : simdjson::dom::array(tags)) {
      std::string key{tag["key"].get_string().value()};
      simdjson::dom::element value = tag["value"];
      std::string text = value.is_string() ? std::string(std::string_view(value))
                                           : std::string(simdjson::minify(value));
      SCOPED_TRACE(fmt::format("trace {}: {} = {}", trace, key, text));
      EXPECT_THAT(JaegerTags("s", {{key, text}}), Contains(trace));
      EXPECT_THAT(JaegerTag("s", key + ":" + text), Contains(trace));
      EXPECT_THAT(ApiV3({{key, text}}), Contains(trace));
      EXPECT_THAT(ApiV3Grpc({{key, text}}), Contains(trace));
      EXPECT_THAT(TraceQl("{ " + traceql::TagCondition(key, text) + " }"), Contains(trace));
      ++shown;
    }
  };
  for (simdjson::dom::element trace : Items(json["data"])) {
    std::string id = Short(std::string_view(trace["traceID"]));
    for (simdjson::dom::element span : Items(trace["spans"])) {
      search(id, span["tags"]);
      for (simdjson::dom::element log : Items(span["logs"])) search(id, log["fields"]);
      std::string process{span["processID"].get_string().value()};
      search(id, trace["processes"][process]["tags"]);
    }
  }
  EXPECT_GT(shown, 60);
}

// Version 1 of Tempo's tags: what is listed has values, and what is a value is found.
TEST_F(TagSearchTest, EveryTagAndValueThatTempoListsIsFound) {
  testing::SpanTextReader reader(1);
  for (std::string_view line : kShown) ASSERT_TRUE(reader.TakeLine(line).value_or(false)) << line;
  Put(std::move(reader.Finish().front()));
  auto list = [&](const std::string& path, const char* key) {
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    std::vector<std::string> out;
    outgoing::ClientResponse response = Get(path);
    EXPECT_EQ(response.status, 200) << path << response.body;
    EXPECT_EQ(parser.parse(response.body).get(json), simdjson::SUCCESS);
    for (simdjson::dom::element item : Items(json[key])) out.emplace_back(std::string_view(item));
    return out;
  };
  auto quoted = [](std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out + '"';
  };
  int values = 0;
  for (const char* scope :
       {"", "?scope=span", "?scope=resource", "?scope=event", "?scope=instrumentation"})
    for (const std::string& name :
         list("/tempo/api/search/tags" + std::string(scope), "tagNames")) {
      auto found = list("/tempo/api/search/tag/" + Escaped(name) + "/values", "tagValues");
      EXPECT_FALSE(found.empty()) << name;
      // A key with a blank or quote has no form in logfmt.
      if (name.find_first_of(" \"=") != name.npos) continue;
      for (const std::string& value : found) {
        EXPECT_FALSE(Tempo(name + "=" + quoted(value)).empty()) << name << " = " << value;
        ++values;
      }
    }
  EXPECT_GT(values, 80);
  // Fields of the language are listed too; numbers, times and ids have too many values to list.
  for (const std::string& name : list("/tempo/api/search/tags?scope=intrinsic", "tagNames"))
    for (const std::string& value : list("/tempo/api/search/tag/" + name + "/values", "tagValues"))
      EXPECT_FALSE(Tempo(name + "=" + quoted(value)).empty()) << name << " = " << value;
}

TEST(JaegerTags, EveryColonMayEndTheKey) {
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  using ::testing::Pair;
  EXPECT_THAT(ReadJaegerTag("k:v"), ElementsAre(Pair("k", "v")));
  EXPECT_THAT(ReadJaegerTag("k:"), ElementsAre(Pair("k", "")));
  EXPECT_THAT(ReadJaegerTag("a:b:c"), ElementsAre(Pair("a", "b:c"), Pair("a:b", "c")));
  EXPECT_THAT(ReadJaegerTag(R"(a\:b:c:d)"), ElementsAre(Pair("a:b", "c:d")));
  EXPECT_THAT(ReadJaegerTag(R"(a\b:c)"), ElementsAre(Pair(R"(a\b)", "c")));
  EXPECT_THAT(ReadJaegerTag("novalue"), IsEmpty());
  EXPECT_THAT(ReadJaegerTag(":v"), IsEmpty());
  EXPECT_THAT(ReadJaegerTag(""), IsEmpty());
  EXPECT_EQ(ReadJaegerTag("a" + std::string(1000, ':')).size(), 8u);
}

}  // namespace
}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
//
// Runs test/query/*.test: spans, queries and their answers, as text. Each file is a test; every
// query of it runs on every placement of the spans (head, block, split over both ...). The form is
// described in docs/query_tests.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "query/query.h"
#include "testing/segment_placements.h"
#include "testing/span_text.h"
#include "traceql/traceql.h"

namespace weft::query {
namespace {

using testing::SpanTextReader;

struct Case {
  int line = 0;
  SearchRequest request;
  std::vector<std::string> expected;
};

// "1: a b" for each result, in the order given.
std::vector<std::string> ToLines(const SearchResult& result) {
  std::vector<std::string> lines;
  for (const TraceSummary& trace : result.traces) {
    std::string hex = trace.trace_id.ToHex();
    std::string line = hex.substr(std::min(hex.find_first_not_of('0'), hex.size() - 1)) + ":";
    for (const MatchedSpan& span : trace.matches)
      line += " " + testing::TextSpanLabel(span.span_id);
    lines.push_back(line);
  }
  return lines;
}

// `error LINE:COLUMN text` and `later LINE:COLUMN text`.
void ExpectError(const Case& c) {
  traceql::Diagnostic diagnostic;
  auto query = traceql::Parse(c.request.traceql, &diagnostic);
  ASSERT_FALSE(query.has_value());
  bool later = c.expected[0].starts_with("later");
  EXPECT_EQ(query.error().code, later ? ErrorCode::kUnimplemented : ErrorCode::kInvalidArgument)
      << query.error().message;
  std::string found = (later ? "later " : "error ") + std::to_string(diagnostic.position.line) +
                      ":" + std::to_string(diagnostic.position.column) + " ";
  EXPECT_THAT(c.expected[0], ::testing::StartsWith(found)) << diagnostic.message;
  if (!c.expected[0].starts_with(found)) return;
  EXPECT_THAT(diagnostic.message, ::testing::HasSubstr(c.expected[0].substr(found.size())));
}

class QueryFile {
 public:
  void Load(const std::string& path);
  void Run();

 private:
  void TakeQuery(std::string_view rest, int line);

  SpanTextReader reader_{3};
  std::vector<Case> cases_;
};

// query [from=5ms] [to=1s] [limit=2] { ... }
void QueryFile::TakeQuery(std::string_view rest, int line) {
  Case c{.line = line};
  c.request.limit = 1000;
  c.request.spans_per_trace = 1000;
  auto time = [](std::string_view text) {
    return testing::kTextEpochNs + static_cast<uint64_t>(1e6 * std::stod(std::string(text)));
  };
  while (!rest.empty() && rest[0] != '{') {
    std::string_view word = rest.substr(0, rest.find(' '));
    std::string_view value = word.substr(std::min(word.find('=') + 1, word.size()));
    if (word.starts_with("from=")) {
      c.request.start_ns = time(value);
    } else if (word.starts_with("to=")) {
      c.request.end_ns = time(value);
    } else if (word.starts_with("limit=")) {
      c.request.limit = static_cast<uint32_t>(std::stoul(std::string(value)));
    } else {
      break;
    }
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  c.request.traceql = rest;
  cases_.push_back(std::move(c));
}

void QueryFile::Load(const std::string& path) {
  std::ifstream file(path);
  ASSERT_TRUE(file.good()) << path;
  bool in_answer = false;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    size_t indent = std::min(line.find_first_not_of(' '), line.size());
    std::string_view text = std::string_view(line).substr(indent);
    if (text.empty()) in_answer = false;
    if (text.empty() || text[0] == '#') continue;
    if (text.starts_with("query ")) {
      TakeQuery(text.substr(6), number);
      in_answer = true;
    } else if (in_answer) {
      cases_.back().expected.emplace_back(text);
    } else {
      auto taken = reader_.TakeLine(text);
      ASSERT_TRUE(taken.has_value()) << path << ":" << number << ": " << taken.error().message;
      ASSERT_TRUE(*taken) << path << ":" << number << ": not a span line or a query";
    }
  }
}

void QueryFile::Run() {
  std::vector<SpanBatch> batches = reader_.Finish();
  std::vector<const SpanBatch*> all;
  for (const SpanBatch& batch : batches) all.push_back(&batch);
  std::vector<testing::Placement> placements = testing::MakePlacements(all);
  ASSERT_FALSE(cases_.empty());
  for (const Case& c : cases_) {
    SCOPED_TRACE("line " + std::to_string(c.line) + ": " + c.request.traceql);
    ASSERT_FALSE(c.expected.empty()) << "a query without an answer; write `none` for none";
    if (c.expected[0].starts_with("error") || c.expected[0].starts_with("later")) {
      ExpectError(c);
      continue;
    }
    std::vector<std::string> expected = c.expected;
    if (expected[0] == "none") expected.clear();
    for (const testing::Placement& placement : placements) {
      SCOPED_TRACE(placement.name);
      auto result = Search(*placement.snapshot, c.request, {});
      if (!result) {
        ADD_FAILURE() << result.error().message;
        break;
      }
      EXPECT_EQ(result->partial, "");
      EXPECT_THAT(ToLines(*result), ::testing::ElementsAreArray(expected));
    }
  }
}

std::vector<std::string> TestFiles() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_SOURCE_DIR "/test/query"))
    if (entry.path().extension() == ".test") names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

class QueryFiles : public ::testing::TestWithParam<std::string> {};

TEST_P(QueryFiles, AnswersAreAsWritten) {
  QueryFile file;
  file.Load(WEFT_SOURCE_DIR "/test/query/" + GetParam() + ".test");
  if (!HasFatalFailure()) file.Run();
}

INSTANTIATE_TEST_SUITE_P(, QueryFiles, ::testing::ValuesIn(TestFiles()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
//
// The language: what parses to what (by its canonical print), where errors point, what is named as
// of a later release. Meaning is tested by test/query/*.test.
#include "traceql/traceql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::traceql {
namespace {

std::string Canonical(std::string_view text) {
  auto query = Parse(text);
  if (!query) return "ERROR " + query.error().message;
  std::string printed = ToString(*query);
  auto again = Parse(printed);
  EXPECT_TRUE(again.has_value()) << printed;
  if (again) {
    EXPECT_EQ(ToString(*again), printed);
  }
  return printed;
}

Diagnostic Wrong(std::string_view text, ErrorCode code) {
  Diagnostic diagnostic;
  auto query = Parse(text, &diagnostic);
  EXPECT_FALSE(query.has_value()) << text;
  if (!query) {
    EXPECT_EQ(query.error().code, code) << text << "\n" << query.error().message;
  }
  return diagnostic;
}

TEST(Parse, EverySpan) {
  EXPECT_EQ(Canonical("{}"), "{ }");
  EXPECT_EQ(Canonical(" { } "), "{ }");
  EXPECT_EQ(Canonical("({ .a = 1 })"), "{ .a = 1 }");
  EXPECT_EQ(Canonical("{ true }"), "{ true }");
}

TEST(Parse, Precedence) {
  struct Case {
    const char* text;
    const char* same_as;
  };
  // `&&` and `||` share one level and group from the left.
  constexpr Case kCases[] = {
      {"{ .a || .b && .c }", "{ (.a || .b) && .c }"},
      {"{ .a && .b || .c }", "{ (.a && .b) || .c }"},
      {"{ .a = 1 + 2 * 3 ^ 2 }", "{ .a = (1 + (2 * (3 ^ 2))) }"},
      {"{ .a = 2 ^ 3 ^ 2 }", "{ .a = (2 ^ (3 ^ 2)) }"},
      {"{ .a - 1 - 2 = 0 }", "{ ((.a - 1) - 2) = 0 }"},
      {"{ .a / 2 * 3 = 0 }", "{ ((.a / 2) * 3) = 0 }"},
      {"{ !.a && .b }", "{ (!.a) && .b }"},
      {"{ !.a = .b }", "{ (!.a) = .b }"},
      {"{ - .a ^ 2 = 4 }", "{ ((-.a) ^ 2) = 4 }"},
      {"{ .a = 1 = true }", "{ (.a = 1) = true }"},
  };
  for (const Case& c : kCases) EXPECT_EQ(Canonical(c.text), Canonical(c.same_as)) << c.text;
  EXPECT_EQ(Canonical("{ .a || (.b && .c) }"), "{ .a || (.b && .c) }");
  EXPECT_EQ(Canonical("{ ((.a || .b)) && .c }"), "{ .a || .b && .c }");
  EXPECT_EQ(Canonical("{ (2 ^ 3) ^ 2 = 1 }"), "{ (2 ^ 3) ^ 2 = 1 }");
  EXPECT_EQ(Canonical("{ .a - (.b - .c) = 1 }"), "{ .a - (.b - .c) = 1 }");
  EXPECT_EQ(Canonical("{ !(!.a) }"), "{ !!.a }");
}

TEST(Parse, Spansets) {
  struct Case {
    const char* text;
    const char* printed;
  };
  constexpr Case kCases[] = {
      {"{}&&{.a=1}", "{ } && { .a = 1 }"},
      {"{ .a } || { .b } && { .c }", "{ .a } || { .b } && { .c }"},
      {"({ .a } || { .b }) && { .c }", "{ .a } || { .b } && { .c }"},
      {"{ .a } || ({ .b } && { .c })", "{ .a } || ({ .b } && { .c })"},
      {"{ .a } && ({ .b } && { .c })", "{ .a } && ({ .b } && { .c })"},
      {"((({ .a })) && ({ .b }))", "{ .a } && { .b }"},
      {"{ .a } // one\n && /* two */ { .b }", "{ .a } && { .b }"},
  };
  for (const Case& c : kCases) EXPECT_EQ(Canonical(c.text), c.printed) << c.text;
  auto query = Parse("{ .a } ||\n  { .b }");
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(query->spanset->kind, Spanset::Kind::kOr);
  EXPECT_EQ(query->spanset->position.column, 8u);
  EXPECT_EQ(query->spanset->right->position.line, 2u);
  EXPECT_EQ(query->spanset->height, 2u);
}

TEST(Parse, Fields) {
  EXPECT_EQ(Canonical("{ .http.status_code = 500 }"), "{ .http.status_code = 500 }");
  EXPECT_EQ(Canonical("{.a-b=1}"), "{ .a-b = 1 }");
  EXPECT_EQ(Canonical("{.a+b/c%d*e=1}"), "{ .\"a+b/c%d*e\" = 1 }");
  EXPECT_EQ(Canonical("{.a - b=1}").substr(0, 5), "ERROR");
  EXPECT_EQ(Canonical(R"({ span."a b".c = 1 })"), R"({ span."a b.c" = 1 })");
  EXPECT_EQ(Canonical(R"({ resource.x."{\"\\}" = 1 })"), R"({ resource."x.{\"\\}" = 1 })");
  EXPECT_EQ(Canonical("{ event.a = 1 && link.b = 2 && instrumentation.c = 3 }"),
            "{ event.a = 1 && link.b = 2 && instrumentation.c = 3 }");
  EXPECT_EQ(Canonical("{ .span.x = 1 }"), "{ .span.x = 1 }");
  EXPECT_EQ(Canonical("{ .\"5xx\" = 1 }"), "{ .\"5xx\" = 1 }");
  EXPECT_EQ(Canonical("{ .\xC3\xA4 = 1 }"), "{ .\"\xC3\xA4\" = 1 }");
  EXPECT_EQ(Canonical("{ duration > 1s }"), "{ span:duration > 1s }");
  EXPECT_EQ(Canonical("{ rootServiceName = \"a\" }"), "{ trace:rootService = \"a\" }");
  EXPECT_EQ(Canonical("{ nestedSetParent < 0 }"), "{ nestedSetParent < 0 }");
}

TEST(Parse, Literals) {
  EXPECT_EQ(Canonical("{ .a = -1 }"), "{ .a = -1 }");
  EXPECT_EQ(Canonical("{ .a = - -1 }"), "{ .a = 1 }");
  EXPECT_EQ(Canonical("{ .a = minInt || .a = maxInt }"),
            "{ .a = minInt || .a = 9223372036854775807 }");
  EXPECT_EQ(Canonical("{ .a = -minInt }"), "{ .a = -minInt }");
  EXPECT_EQ(Canonical("{ .a = .5 }"), "{ .a = 0.5 }");
  EXPECT_EQ(Canonical("{ .a = 1e3 }"), "{ .a = 1000.0 }");
  EXPECT_EQ(Canonical("{ .a = 007 }"), "{ .a = 7 }");
  EXPECT_EQ(Canonical("{ duration > 1.5s }"), "{ span:duration > 1500ms }");
  EXPECT_EQ(Canonical("{ duration > 1h30m }"), "{ span:duration > 90m }");
  EXPECT_EQ(Canonical("{ duration > 1d }"), "{ span:duration > 24h }");
  EXPECT_EQ(Canonical("{ duration > 1w1d }"), "{ span:duration > 192h }");
  EXPECT_EQ(Canonical("{ duration > 1y }"), "{ span:duration > 8760h }");
  EXPECT_EQ(Canonical("{ duration > 10us || duration > 10\xC2\xB5s || duration > 0.5ns }"),
            "{ span:duration > 10us || span:duration > 10us || span:duration > 0s }");
  EXPECT_EQ(Canonical(R"({ .a = "x\n\"\\\x41\u00e4" })"), "{ .a = \"x\\x0a\\\"\\\\A\xC3\xA4\" }");
  EXPECT_EQ(Canonical(R"({ .a =~ `\d+` })"), R"({ .a =~ "\\d+" })");
  EXPECT_EQ(Canonical("{ status = error && kind = server }"),
            "{ span:status = error && span:kind = server }");
  EXPECT_EQ(Canonical("{ .a = nil }"), "{ .a = nil }");
  EXPECT_EQ(Canonical("{ /* why */ .a = 1 // because\n }"), "{ .a = 1 }");
}

TEST(Parse, ErrorsPointAtThePlace) {
  struct Case {
    const char* text;
    uint32_t line, column;
    const char* message;
  };
  constexpr Case kCases[] = {
      {"", 1, 1, "expected a spanset"},
      {"{ .a = }", 1, 8, "expected a field or a value"},
      {"{ .a = 1", 1, 9, "expected an operator or '}'"},
      {"{ .a = 1 } }", 1, 12, "unexpected '}'"},
      {"{\n  .a = foo\n}", 2, 8, "'foo' is not"},
      {"{ .\xC3\xA4 = foo }", 1, 8, "'foo' is not"},
      {"{ durration > 1s }", 1, 3, "'durration' is not"},
      {"{ trace:rootServiceName = \"a\" }", 1, 3, "is not an intrinsic"},
      {"{ span:rootName = \"a\" }", 1, 3, "is not an intrinsic"},
      {"{ trace:status = ok }", 1, 3, "is not an intrinsic"},
      {"{ foo.bar = 1 }", 1, 3, "is not a scope"},
      {"{ . = 1 }", 1, 4, "name is missing"},
      {"{ span.\"a = 1 }", 1, 8, "has no end"},
      {"{ span.\"\\n\" = 1 }", 1, 9, "unknown escape"},
      {"{ name = \"abc }", 1, 10, "no closing"},
      {"{ name = \"\\d\" }", 1, 11, "unknown escape"},
      {"{ name = 'a' }", 1, 10, "unexpected '"},
      {"{ .a = 99999999999999999999 }", 1, 8, "does not fit"},
      {"{ duration > 5xs }", 1, 14, "not a number or duration"},
      {"{ duration > 300y }", 1, 14, "not a number or duration"},
      {"{ duration > 1s2h1d }", 1, 14, "not a number or duration"},
      {"{ .a = 1e999 }", 1, 8, "does not fit"},
      {"{ .a & .b }", 1, 6, "unexpected &"},
      {"{ /* x }", 1, 3, "no end"},
      // Between spansets.
      {"{} && 5", 1, 4, "&& stands between spansets"},
      {"{} || count()", 1, 4, "|| stands between spansets"},
      {"{} && ", 1, 7, "expected a spanset"},
      {"{} = {}", 1, 4, "= cannot stand between spansets"},
      {"{} + {}", 1, 4, "+ cannot stand between spansets"},
      {"{} > 5", 1, 4, "> cannot stand between a spanset and a number"},
      {"-{}", 1, 1, "cannot stand before"},
      {"5", 1, 1, "needs a spanset"},
      {"count()", 1, 1, "needs a spanset"},
      {"1 + 2 * avg(.a)", 1, 1, "needs a spanset"},
      // Types.
      {"{ 1 }", 1, 3, "not true or false"},
      {"{ name = 1 }", 1, 8, "cannot compare"},
      {"{ status = \"ok\" }", 1, 10, "cannot compare"},
      {"{ status > ok }", 1, 10, "no order"},
      {"{ true < false }", 1, 8, "no order"},
      {"{ duration = nil }", 1, 12, "always has a value"},
      {"{ nil = event:name }", 1, 7, "always has a value"},
      {"{ resource.service.name = nil }", 1, 25, "always has a value"},
      {"{ .a > nil }", 1, 6, "nil cannot"},
      {"{ .a =~ .b }", 1, 6, "literal string"},
      {"{ duration =~ \"a\" }", 1, 12, "cannot match"},
      {"{ .a =~ \"[\" }", 1, 6, "bad regular expression"},
      {"{ name + 1 = 2 }", 1, 8, "needs numbers"},
      {"{ .a && 1 }", 1, 6, "needs true or false"},
      {"{ !duration }", 1, 3, "needs true or false"},
      {"{ -name = 1 }", 1, 3, "needs a number"},
      {"{ .a / 0 = 1 }", 1, 6, "division by zero"},
  };
  for (const Case& c : kCases) {
    Diagnostic d = Wrong(c.text, ErrorCode::kInvalidArgument);
    EXPECT_EQ(d.position.line, c.line) << c.text << ": " << d.message;
    EXPECT_EQ(d.position.column, c.column) << c.text << ": " << d.message;
    EXPECT_THAT(d.message, testing::HasSubstr(c.message)) << c.text;
  }
}

TEST(Parse, ErrorTextHasCaretAndHint) {
  auto query = Parse("{ durration > 1s }");
  ASSERT_FALSE(query.has_value());
  EXPECT_EQ(query.error().message,
            "line 1, column 3: 'durration' is not a field or a value\n"
            "{ durration > 1s }\n"
            "  ^\n"
            "hint: did you mean duration, or the attribute .durration?");
}

TEST(Parse, LaterFeaturesAreNamed) {
  struct Case {
    const char* text;
    uint32_t column;
    const char* message;
  };
  constexpr Case kCases[] = {
      {"{ .a = 1 } && { .b = 2 } >> { .c = 3 }", 26, "structural operator >>"},
      {"({} | count() > 1) || { .b = 2 }", 5, "pipeline operator"},
      {"{} && {} | count() > 1", 10, "pipeline operator"},
      {"{} >> {}", 4, "structural operator >>"},
      {"{} !~ {}", 4, "structural operator !~"},
      {"{} &>> {}", 4, "structural operator &>>"},
      {"{} | count() > 2", 4, "pipeline operator"},
      {"{} | avg(duration) > 1s", 4, "pipeline operator"},
      {"{} | rate() by (resource.service.name)", 4, "pipeline operator"},
      {"{} | quantile_over_time(duration, 0.5, 0.9)", 4, "pipeline operator"},
      {"{} | select(span.a, .b)", 4, "pipeline operator"},
      {"{} | by(.a) | coalesce()", 4, "pipeline operator"},
      {"{} | compare({ status = error }, 10)", 4, "pipeline operator"},
      {"by(.a) | count() > 1", 1, "by()"},
      {"count() > 3", 1, "count()"},
      {"({} | rate()) / ({} | rate())", 5, "pipeline operator"},
      {"{ parent.a = 1 }", 3, "scope parent"},
      {"{ parent.resource.a = 1 }", 3, "scope parent"},
      {"{ parent = nil }", 3, "intrinsic parent"},
  };
  for (const Case& c : kCases) {
    Diagnostic d = Wrong(c.text, ErrorCode::kUnimplemented);
    EXPECT_EQ(d.position.column, c.column) << c.text << ": " << d.message;
    EXPECT_THAT(d.message, testing::HasSubstr(c.message)) << c.text;
  }
  Wrong("{ .a = 1 } && { .b = }", ErrorCode::kInvalidArgument);
  Wrong("{} | rate(", ErrorCode::kInvalidArgument);
}

TEST(Parse, IntrinsicsArePresent) {
  for (const char* field : {"name", "span:duration", "status", "kind", "trace:id", "span:parentID",
                            "rootName", "nestedSetLeft", "event:name", "event:timeSinceStart",
                            "link:spanID", "instrumentation:version", "span:traceState"}) {
    EXPECT_THAT(Canonical(std::string("{ ") + field + " != nil }"), testing::EndsWith("!= nil }"));
    EXPECT_THAT(Canonical(std::string("{ nil != ") + field + " }"),
                testing::StartsWith("{ nil !="));
    Wrong(std::string("{ ") + field + " = nil }", ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(Wrong("{ link:spanID = nil }", ErrorCode::kInvalidArgument).hint,
            "!(link:spanID != nil) finds the spans that have none of these");
}

TEST(Parse, IdsAreReadInEverySpelling) {
  const std::string trace = "{ trace:id = \"0000000000000000a3ce929d0e0e4736\" }";
  for (const char* text : {"A3CE929D0E0E4736", "0000000000000000a3ce929d0e0e4736",
                           "000a3ce929d0e0e4736", "a3ce929d0e0e4736"})
    EXPECT_EQ(Canonical("{ trace:id = \"" + std::string(text) + "\" }"), trace);
  EXPECT_EQ(Canonical("{ link:traceID != `F` }"),
            "{ link:traceID != \"0000000000000000000000000000000f\" }");
  EXPECT_EQ(Canonical("{ \"AB\" <= span:id }"), "{ \"00000000000000ab\" <= span:id }");
  EXPECT_EQ(Canonical("{ link:spanID = \"1\" && span:parentID = \"B\" }"),
            "{ link:spanID = \"0000000000000001\" && span:parentID = \"000000000000000b\" }");
  // No parent: its id is empty, and some write zeros.
  EXPECT_EQ(Canonical("{ span:parentID = \"\" }"), "{ span:parentID = \"\" }");
  EXPECT_EQ(Canonical("{ span:parentID != \"0000000000000000\" }"), "{ span:parentID != \"\" }");
  // A pattern is a text, and an attribute is what was sent.
  EXPECT_EQ(Canonical("{ trace:id =~ \"A.*\" }"), "{ trace:id =~ \"A.*\" }");
  EXPECT_EQ(Canonical("{ .id = \"A\" }"), "{ .id = \"A\" }");
}

TEST(Parse, WhatIsNoIdIsAnError) {
  struct Case {
    const char* text;
    uint32_t column;
    const char* hint;
  };
  constexpr Case kCases[] = {
      {"{ trace:id = \"xyz\" }", 14, "it has 1 to 32 hex digits"},
      {"{ trace:id = \"\" }", 14, "it has 1 to 32 hex digits"},
      {"{ trace:id = \"4bf92f3577b34da6a3ce929d0e0e47361\" }", 14, "it has 1 to 32 hex digits"},
      {"{ \"g\" != link:traceID }", 3, "it has 1 to 32 hex digits"},
      {"{ kind = server && span:id = \"00f067aa0ba902b7a\" }", 30, "it has 1 to 16 hex digits"},
      {"{ span:parentID = \"root\" }", 19, "it has 1 to 16 hex digits"},
      {"{ link:spanID > \" 1\" }", 17, "it has 1 to 16 hex digits"},
      {"{ trace:id = \"4bf92f35-77b3-4da6-a3ce-929d0e0e4736\" }", 14,
       "write trace:id = \"4bf92f3577b34da6a3ce929d0e0e4736\""},
      {"{ span:id = \"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\" }", 13,
       "write span:id = \"00f067aa0ba902b7\""}};
  for (const Case& c : kCases) {
    Diagnostic d = Wrong(c.text, ErrorCode::kInvalidArgument);
    EXPECT_EQ(d.position.column, c.column) << c.text << ": " << d.message;
    EXPECT_THAT(d.message, testing::HasSubstr(" id")) << c.text;
    EXPECT_EQ(d.hint, c.hint) << c.text;
  }
}

TEST(Parse, HintsOfTempoAreTaken) {
  for (const char* hints :
       {"with(most_recent=true)", "with (most_recent=false)", "with(sample=true, exemplars=false)",
        "with(span_sample=0.5,trace_sample=1)", "with(exemplars=100)", "with(extrapolate=true)"})
    EXPECT_EQ(Canonical(std::string("{ .a = 1 } && {} ") + hints), "{ .a = 1 } && { }") << hints;
  struct Case {
    const char* text;
    uint32_t column;
    const char* message;
    const char* hint;
  };
  constexpr Case kCases[] = {
      {"{} with(most_recent=1)", 21, "most_recent is true or false", ""},
      {"{} with(sample=2)", 16, "or a number from 0 to 1", ""},
      {"{} with(most_recnt=true)", 9, "'most_recnt' is not a hint", "did you mean most_recent?"},
      {"{} with(job_size=1)", 9, "job_size is one of Tempo's own engine", "leave it out"},
      {"{} with(most_recent)", 20, "expected '='", ""},
      {"{} with(most_recent=true", 25, "expected ')'", ""},
      {"{} with(most_recent=true) {}", 27, "expected the end", ""}};
  for (const Case& c : kCases) {
    Diagnostic d = Wrong(c.text, ErrorCode::kInvalidArgument);
    EXPECT_EQ(d.position.column, c.column) << c.text << ": " << d.message;
    EXPECT_THAT(d.message, testing::HasSubstr(c.message)) << c.text;
    EXPECT_EQ(d.hint, c.hint) << c.text;
  }
  EXPECT_THAT(Wrong("{} | rate() with(exemplars=true)", ErrorCode::kUnimplemented).message,
              testing::HasSubstr("pipeline"));
}

TEST(Parse, Limits) {
  std::string deep =
      "{ " + std::string(kNestingMax - 1, '(') + ".a" + std::string(kNestingMax - 1, ')') + " }";
  EXPECT_EQ(Canonical(deep).substr(0, 2), "{ ");
  std::string deeper =
      "{ " + std::string(kNestingMax + 1, '(') + ".a" + std::string(kNestingMax + 1, ')') + " }";
  EXPECT_THAT(Wrong(deeper, ErrorCode::kInvalidArgument).message, testing::HasSubstr("nested"));
  std::string chain = "{ .a";
  for (int i = 0; i < 1000; ++i) chain += "||.a";
  EXPECT_EQ(Canonical(chain + "}").substr(0, 5), "{ .a ");
  for (int i = 0; i < 50; ++i) chain += "||.a";
  EXPECT_THAT(Wrong(chain + "}", ErrorCode::kInvalidArgument).message,
              testing::HasSubstr("operators in one chain"));
  chain = "{}";
  for (int i = 0; i < 1000; ++i) chain += "||{}";
  EXPECT_EQ(Canonical(chain).substr(0, 6), "{ } ||");
  for (int i = 0; i < 50; ++i) chain += "&&{}";
  EXPECT_THAT(Wrong(chain, ErrorCode::kInvalidArgument).message,
              testing::HasSubstr("operators in one chain"));
  std::string long_text = "{ name = \"" + std::string(kTextBytesMax, 'x') + "\" }";
  EXPECT_FALSE(Parse(long_text).has_value());
  // A long right-leaning chain must not run away either.
  std::string powers = "{ 2";
  for (int i = 0; i < 5000; ++i) powers += "^2";
  EXPECT_THAT(Wrong(powers + " = 1 }", ErrorCode::kInvalidArgument).message,
              testing::HasSubstr("nested"));
}

}  // namespace
}  // namespace weft::traceql

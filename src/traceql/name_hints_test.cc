// SPDX-License-Identifier: Apache-2.0
//
// What errors suggest. A hint is part of what a user sees, so the tables hold whole hints.
#include "traceql/name_hints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traceql/traceql.h"

namespace weft::traceql {
namespace {

struct Case {
  const char* text;
  const char* hint;
};

std::string HintOf(std::string_view text) {
  Diagnostic diagnostic;
  auto query = Parse(text, &diagnostic);
  EXPECT_FALSE(query.has_value()) << text;
  if (!query) {
    EXPECT_EQ(query.error().code, ErrorCode::kInvalidArgument) << text;
  }
  return diagnostic.hint;
}

template <size_t n>
void ExpectHints(const Case (&cases)[n]) {
  for (const Case& c : cases) EXPECT_EQ(HintOf(c.text), c.hint) << c.text;
}

TEST(NameHints, StringsStandInQuotes) {
  constexpr Case kCases[] = {
      {"{ resource.service.name = qa-front }", "strings stand in quotes: \"qa-front\""},
      {"{ resource.service.name = shop }", "strings stand in quotes: \"shop\""},
      {"{ name = x }", "strings stand in quotes: \"x\""},
      {"{ name = ko }", "strings stand in quotes: \"ko\""},
      {"{ name = durration }", "strings stand in quotes: \"durration\""},
      {"{ name != GET/users-all && .a = 1 }", "strings stand in quotes: \"GET/users-all\""},
      {"{ name =~ GET.* }", "strings stand in quotes: \"GET.*\""},
      {"{ .a =~ foo }", "strings stand in quotes: \"foo\""},
      {"{ .a = foo }", "strings stand in quotes: \"foo\""},
      {"{ .http.route = /users/all }", "strings stand in quotes: \"/users/all\""},
      {"{ .host = a.example.com }",
       "strings stand in quotes: \"a.example.com\"; the attribute is .a.example.com"},
      {"{ name = a.example.com }", "strings stand in quotes: \"a.example.com\""},
      {"{ trace:id = 4bf92f3577b34da6a3ce929d0e0e4736 }", "strings stand in quotes"},
      {"{ span:id = 1234 }", "strings stand in quotes"},
      {"{ name = true }", "strings stand in quotes"},
      {"{ .a = 5xx }",
       "durations look like 10ms, 1.5s, 1h30m or 2d, up to 292 years; strings stand in quotes"},
      {"{ duration > 5xs }", "durations look like 10ms, 1.5s, 1h30m or 2d, up to 292 years"},
      {"{ .a = tru }", "did you mean true, or the string \"tru\"?"},
      {"{ .a != NULL }", "did you mean nil, or the string \"NULL\"?"},
  };
  ExpectHints(kCases);
}

TEST(NameHints, ShortWordsAreNoTypos) {
  for (const char* text : {"{ x }", "{ ko = 1 }", "{ foo = 1 }", "{ no }", "{ env = \"a\" }"})
    EXPECT_THAT(HintOf(text), testing::StartsWith("attributes start with a dot or a scope: ."))
        << text;
}

TEST(NameHints, TyposOfLongerWords) {
  constexpr Case kCases[] = {
      {"{ durration > 1s }", "did you mean duration, or the attribute .durration?"},
      {"{ statuss = error }", "did you mean status, or the attribute .statuss?"},
      {"{ nme = \"a\" }", "did you mean name, or the attribute .nme?"},
      {"{ rootServicName = \"a\" }",
       "did you mean rootServiceName, or the attribute "
       ".rootServicName?"},
      {"{ status = eror }", "did you mean error?"},
      {"{ status = STATUS_CODE_ERROR }", "did you mean error?"},
      {"{ status = OK }", "did you mean ok?"},
      {"{ status = failed }", "a status is one of: unset ok error"},
      {"{ kind = SPAN_KIND_SERVER }", "did you mean server?"},
      {"{ kind = web }", "a kind is one of: unspecified internal server client producer consumer"},
      {"{ duration > fast }", "durations look like 10ms, 1.5s or 1h30m"},
      {"{ duration > traceDuraton }",
       "did you mean traceDuration, or the attribute .traceDuraton?"},
      {"{ trace:rootServiceName = \"a\" }", "did you mean trace:rootService?"},
      {"{ trace:status = ok }", "did you mean span:status?"},
      {"{ span:parentId = \"a\" }", "did you mean span:parentID?"},
      {"{ resourc.service.name = \"a\" }",
       "did you mean resource.service.name, or the attribute .resourc.service.name?"},
  };
  ExpectHints(kCases);
}

TEST(NameHints, OperatorsOfOtherLanguages) {
  constexpr Case kCases[] = {
      {"{ .a = 1 AND .b = 2 }", "write &&"},
      {"{ .a = 1 and .b = 2 }", "write &&"},
      {"{ (.a = 1 OR .b = 2) }", "write ||"},
      {"{ .a = 1 or .b = 2 }", "write ||"},
      {"{ .a } and { .b }", "write &&"},
      {"{ .a = 1 | .b = 2 }", "write || for or"},
      {"{ .a = 1, .b = 2 }", "conditions are joined by && and ||: .a = 1 || .a = 2"},
      {"{ NOT .a }", "write ! before a condition, as in !(.a = 1), or != and !~"},
      {"{ not (.a = 1) }", "write ! before a condition, as in !(.a = 1), or != and !~"},
      {"{ .b not in (1, 2) }", "write ! before a condition, as in !(.b = 1), or != and !~"},
      {"{ .a == 1 }", "write ="},
      {"{ .a !== 1 }", "write !="},
      {"{ name <> \"a\" }", "write !="},
      {"{ .a => 1 }", "write >="},
      {"{ .a =< 1 }", "write <="},
      {"{ name ~ \"a\" }", "write =~ for a regular expression"},
      {"{ name like \"GET%\" }", "write =~ with a regular expression: name =~ \"GET .*\""},
      {"{ .v in (1, 2) }", "write .v = \"a\" || .v = \"b\", or .v =~ \"a|b\""},
      {"{ span.v contains \"x\" }", "write span.v =~ \".*text.*\""},
      {"{ .v exists }", "write .v != nil"},
      {"{ exists(.v) }", "write .a != nil"},
      {"{ .v is null }", "write .v = nil (absent) or .v != nil (present)"},
      {"{ name in (\"x\") }", "write name = \"a\" || name = \"b\", or name =~ \"a|b\""},
      {"{ status in (error, ok) }",
       "write = and !=, joined by || and &&; only strings match a pattern"},
      {"{ status is error }", "status always has a value; write = or !="},
      {"{ trace:id exists }", "trace:id always has a value; write = or !="},
      {"{ .a = 1 AND exists(.b) }", "write &&"},
      {"{ name = NOT \"x\" }", "write !="},
      {"{ .v >> 1 }", "structural operators stand between spansets: {...} >> {...}"},
      {"{ .a .b = 1 }", "write spaces around + - * / and around operators"},
      // Names of attributes without their dot.
      {"{ contains = 1 }",
       "attributes start with a dot or a scope: .contains; strings stand in quotes: "
       "\"contains\""},
  };
  ExpectHints(kCases);
}

TEST(NameHints, DurationsAreOneWord) {
  constexpr Case kCases[] = {
      {"{ duration > 5 seconds }", "write 5s"},
      {"{ duration > 100 ms }", "write 100ms"},
      {"{ duration > 1.5 Minutes }", "write 1.5m"},
      {"{ duration > 2 days }", "write 2d"},
      {"{ duration > 1.5 days }", "durations look like 10ms, 1.5s or 1h30m"},
      {"{ duration > 1s ms }", ""},
  };
  ExpectHints(kCases);
}

TEST(NameHints, StatusAndKindAreCompared) {
  constexpr Case kCases[] = {
      {"{ error = true }", "write status = error"},
      {"{ error = false }", "write status != error"},
      {"{ error != true }", "write status != error"},
      {"{ error }", "write status = error"},
      {"{ !error }", "write status != error"},
      {"{ .a && error }", "write status = error"},
      {"{ server = true }", "write kind = server"},
      {"{ status = 2 }", "write status = error"},
      {"{ status != 2 }", "write status != error"},
      {"{ kind = 3 }", "write kind = client"},
      {"{ status = true }", "a status is one of: unset ok error"},
      {"{ status >= 500 }",
       "a status is one of: unset ok error; the status of HTTP is an attribute: "
       ".http.status_code >= 500"},
      {"{ status = \"error\" }", "status names stand without quotes"},
      {"{ duration > \"5s\" }", "durations stand without quotes"},
      {"{ status }", "compare it with something"},
  };
  ExpectHints(kCases);
}

TEST(NameHints, FieldsOfOtherSystems) {
  constexpr Case kCases[] = {
      {"{ traceId = \"a\" }", "write trace:id"},
      {"{ traceID = \"a\" }", "write trace:id"},
      {"{ trace_id = \"a\" }", "write trace:id"},
      {"{ trace.id = \"a\" }", "write trace:id"},
      {"{ trace:traceId = \"a\" }", "write trace:id"},
      {"{ spanId = \"a\" }", "write span:id"},
      {"{ span_id = \"a\" }", "write span:id"},
      {"{ parentId = \"a\" }", "write span:parentID"},
      {"{ parentSpanId = \"a\" }", "write span:parentID"},
      {"{ parent_span_id = \"a\" }", "write span:parentID"},
      {"{ service = \"a\" }", "write resource.service.name"},
      {"{ serviceName = \"a\" }", "write resource.service.name"},
      {"{ service_name = \"a\" }", "write resource.service.name"},
      {"{ service.name = \"a\" }", "write resource.service.name"},
      {"{ service.version = \"a\" }", "write resource.service.version"},
      {"{ rootService = \"a\" }", "write rootServiceName, or trace:rootService"},
      {"{ rootTraceName = \"a\" }", "write rootName, or trace:rootName"},
      {"{ operation = \"a\" }", "write name"},
      {"{ operationName = \"a\" }", "write name"},
      {"{ status.code = 2 }", "write status, as in status = error"},
      {"{ status_code = ERROR }", "write status, as in status = error"},
      {"{ status.message = \"a\" }", "write statusMessage"},
      {"{ status_message = \"a\" }", "write statusMessage"},
      {"{ hasError = true }", "write status = error"},
      {"{ spanKind = server }", "write kind, as in kind = server"},
      {"{ span_kind = \"server\" }", "write kind, as in kind = server"},
      {"{ latency > 1s }", "write duration, as in duration > 100ms"},
      {"{ minDuration > 1s }", "write duration, as in duration > 100ms"},
      {"{ trace.duration > 1s }", "write traceDuration, as in traceDuration > 1s"},
      {"{ childCount > 1 }", "write span:childCount"},
      {"{ tags.http.method = \"GET\" }", "write .http.method"},
      {"{ http.method = \"GET\" }",
       "scopes are span, resource, event, link, instrumentation; or write .http.method for any"},
      {"{ resource:host = \"a\" }", "attributes stand behind a dot: resource.host"},
      {"{ resource = \"a\" }", "attributes stand behind a dot: resource.x"},
      {"{ name:foo }", "fields and values are joined by =, as in name = \"x\""},
  };
  ExpectHints(kCases);
}

TEST(NameHints, WhatIsSuggestedParses) {
  for (const char* text :
       {"{ trace:id = \"a\" && span:id = \"a\" && span:parentID = \"a\" }",
        "{ rootServiceName = \"a\" && trace:rootService = \"a\" && rootName = \"a\" }",
        "{ status = error && statusMessage = \"a\" && kind = server }",
        "{ duration > 100ms && traceDuration > 1s && span:childCount > 1 }",
        "{ event:name = \"a\" && instrumentation:name = \"a\" && instrumentation:version = \"a\" }",
        "{ .v = \"a\" || .v = \"b\" || .v =~ \"a|b\" || .v =~ \"(?i)get .*\" || !(.v = 1) }"})
    EXPECT_TRUE(Parse(text).has_value()) << text;
}

}  // namespace
}  // namespace weft::traceql

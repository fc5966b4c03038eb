// SPDX-License-Identifier: Apache-2.0
#include "http/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/request_target.h"
#include "http/route.h"

namespace weft::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(CanonicalPathTest, OneSpellingPerPath) {
  struct {
    const char* raw;
    const char* path;
  } cases[] = {
      {"/", "/"},
      {"/v1/traces", "/v1/traces"},
      {"//v1//traces", "/v1/traces"},
      {"/v1/./traces", "/v1/traces"},
      {"/v1/../v1/traces", "/v1/traces"},
      {"/..", "/"},
      {"/../../etc/passwd", "/etc/passwd"},
      {"/a/b/..", "/a/"},
      {"/a/b/.", "/a/b/"},
      {"/a/b/", "/a/b/"},
      {"/%2e%2e/admin", "/admin"},
      {"/a/%2E%2E/b", "/b"},
      {"/a%2Fb", "/a/b"},
      {"/%41", "/A"},
      {"/%2541", "/%41"},
      {"/caf%C3%A9", "/caf\xC3\xA9"},
      {"/a+b", "/a+b"},
      {"/...", "/..."},
      {"/.well-known/x", "/.well-known/x"},
      {"/a/..b/c", "/a/..b/c"},
      {"/a%2F..%2F..%2Fb", "/b"},
  };
  for (const auto& c : cases) EXPECT_EQ(CanonicalPath(c.raw).value_or("(none)"), c.path) << c.raw;
}

TEST(CanonicalPathTest, RefusesWhatHasNoPath) {
  for (const char* raw :
       {"", "v1/traces", "/%", "/%4", "/%zz", "/%00", "/a%0d%0ab", "/%7f", "*", "/a\tb"}) {
    EXPECT_FALSE(CanonicalPath(raw)) << raw;
  }
}

TEST(ParseTargetTest, Forms) {
  RequestHead head;
  ASSERT_TRUE(ParseTarget("/search?q=%7B%7D&x=a%2Fb", &head));
  EXPECT_EQ(head.path, "/search");
  EXPECT_EQ(head.query, "q=%7B%7D&x=a%2Fb");
  ASSERT_TRUE(ParseTarget("http://h:1/p/%41?z", &head));
  EXPECT_EQ(head.path, "/p/A");
  EXPECT_EQ(head.raw_path, "/p/%41");
  EXPECT_EQ(head.query, "z");
  ASSERT_TRUE(ParseTarget("http://h?z=1", &head));
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "z=1");
  EXPECT_FALSE(ParseTarget("", &head));
  EXPECT_FALSE(ParseTarget("h:443", &head));
  EXPECT_FALSE(ParseTarget("/a#b", &head));
  EXPECT_FALSE(ParseTarget("notascheme://h/", &head));
}

TEST(ParseQueryTest, OddInputs) {
  EXPECT_THAT(ParseQuery(""), IsEmpty());
  EXPECT_THAT(ParseQuery("&&&"), IsEmpty());
  EXPECT_THAT(ParseQuery("a"), ElementsAre(Pair("a", "")));
  EXPECT_THAT(ParseQuery("a=1&a=2"), ElementsAre(Pair("a", "1"), Pair("a", "2")));
  EXPECT_THAT(ParseQuery("=x"), ElementsAre(Pair("", "x")));
  EXPECT_THAT(ParseQuery("a=b=c"), ElementsAre(Pair("a", "b=c")));
  EXPECT_THAT(ParseQuery("q=%7B+.a%3D1%20%7D"), ElementsAre(Pair("q", "{ .a=1 }")));
  EXPECT_THAT(ParseQuery("a=%&b=%4&c=%zz"),
              ElementsAre(Pair("a", "%"), Pair("b", "%4"), Pair("c", "%zz")));
  EXPECT_THAT(ParseQuery("a%26b=c%3Dd"), ElementsAre(Pair("a&b", "c=d")));
  EXPECT_THAT(ParseQuery("n=%00"), ElementsAre(Pair("n", std::string(1, '\0'))));
}

TEST(RouterTest, ExactPrefixAndMethods) {
  Router router;
  auto handler = [](Request, ExchangePtr) {};
  router.Add("POST", "/v1/traces", {}, handler);
  router.Add("GET", "/api/*", {}, handler);
  router.Add("GET", "/api/deep/*", {}, handler);
  bool known = false;
  EXPECT_NE(router.Find("POST", "/v1/traces", &known), nullptr);
  EXPECT_EQ(router.Find("GET", "/v1/traces", &known), nullptr);
  EXPECT_TRUE(known);
  EXPECT_EQ(router.Find("GET", "/v1/traces/", &known), nullptr);
  EXPECT_FALSE(known);
  EXPECT_NE(router.Find("HEAD", "/api/x", &known), nullptr);
  EXPECT_EQ(router.Find("GET", "/api/deep/x", &known)->path, "/api/deep/");
  EXPECT_EQ(router.Find("GET", "/api/deepest", &known)->path, "/api/");
  EXPECT_EQ(router.Find("GET", "/api", &known), nullptr);
  EXPECT_EQ(router.AllowedMethods("/api/x"), "GET,HEAD");
  EXPECT_EQ(router.FindGrpc("/api/x"), nullptr);
}

}  // namespace
}  // namespace weft::http

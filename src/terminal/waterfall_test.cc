// SPDX-License-Identifier: Apache-2.0
#include "terminal/waterfall.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "codec/otlp.h"

namespace weft::terminal {
namespace {

using testing::HasSubstr;
using testing::Not;

SpanBatch Trace(const std::string& child_name) {
  std::string json = R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",
    "value":{"stringValue":"gateway"}}]},"scopeSpans":[{"spans":[
    {"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0000000000000001","name":"GET /",
     "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000001000000000"},
    {"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0000000000000002",
     "parentSpanId":"0000000000000001","name":")" +
                     child_name + R"(","status":{"code":2},
     "startTimeUnixNano":"1700000000500000000","endTimeUnixNano":"1700000001000000000"}]}]}]})";
  return codec::DecodeOtlpTraces(codec::OtlpFormat::kJson, json).value();
}

std::string Draw(const SpanBatch& batch, const Terminal& terminal) {
  return DrawWaterfall(*ParseTraceId("0102030405060708090a0b0c0d0e0f10"),
                       trace::BuildTraceView(batch), {}, terminal);
}

TEST(WaterfallTest, FitsTheWidthAndShowsTheCriticalPath) {
  SpanBatch batch =
      Trace("a name that is far longer than any terminal line could hold, and then some");
  for (uint32_t width : {40u, 80u, 200u}) {
    std::string text = Draw(batch, {.is_tty = true, .utf8 = true, .width = width});
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(TextWidth(line), width) << line;
  }
  std::string ascii = Draw(Trace("child"), {.utf8 = false, .width = 80});
  EXPECT_THAT(ascii, HasSubstr("critical path: gateway "));
  EXPECT_THAT(ascii, HasSubstr("(50 %)"));
  EXPECT_THAT(ascii, HasSubstr("  gateway child"));
  EXPECT_THAT(ascii, HasSubstr("####"));
  EXPECT_THAT(ascii, HasSubstr("----"));
  EXPECT_THAT(ascii, HasSubstr(" 500 ms !"));
  for (char c : ascii) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
}

// A server's clock that is 50 ms behind: its line says so, its bar lies in its caller's.
TEST(WaterfallTest, CorrectsClocksAndSaysSo) {
  const std::string json = R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",
    "value":{"stringValue":"web"}}]},"scopeSpans":[{"spans":[
    {"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0000000000000001","name":"page",
     "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000100000000"}]}]},
    {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"api"}},
     {"key":"host.name","value":{"stringValue":"h2"}}]},"scopeSpans":[{"spans":[
    {"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0000000000000002","name":"call",
     "parentSpanId":"0000000000000001","startTimeUnixNano":"1699999999950000000",
     "endTimeUnixNano":"1700000000050000000"},
    {"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0000000000000003","name":"timeless",
     "parentSpanId":"0000000000000001"}]}]}]})";
  SpanBatch batch = codec::DecodeOtlpTraces(codec::OtlpFormat::kJson, json).value();
  const trace::TraceView view = trace::BuildTraceView(batch);
  const Terminal terminal{.utf8 = false, .width = 80};
  const TraceId id = *ParseTraceId("0102030405060708090a0b0c0d0e0f10");
  const std::string corrected = DrawWaterfall(id, view, {}, terminal);
  EXPECT_THAT(corrected, HasSubstr("web page  100 ms\n"));
  EXPECT_THAT(corrected,
              HasSubstr("clock of api on host h2: 1 span moved by +50 ms, because 1 call "
                        "starts before its caller\n"));
  EXPECT_THAT(corrected, HasSubstr("critical path: api call 100 ms (100 %)"));
  const std::string received =
      DrawWaterfall(id, trace::AsReceived(view), {.as_received = true}, terminal);
  EXPECT_THAT(received, HasSubstr("web page  150 ms\n"));
  EXPECT_THAT(received, HasSubstr("Times are shown as received.\n"));
  EXPECT_THAT(received,
              HasSubstr("critical path: web page 50.0 ms (50 %), api call 50.0 ms (50 %)"));
  auto line = [](const std::string& text, const std::string& name) {
    const size_t begin = text.find("  " + name + " ", text.find("\n\n"));
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  // As received the call's bar begins the drawing and leaves its second half to the page.
  EXPECT_THAT(line(corrected, "api call"), HasSubstr("############"));
  EXPECT_THAT(line(received, "api call"), HasSubstr("---"));
  EXPECT_THAT(line(corrected, "api timeless"), Not(HasSubstr("-")));
}

// Spans that each hang below the one before: "gw level-0", "gw level-1", ...
SpanBatch Chain(int spans) {
  std::string json = R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",
    "value":{"stringValue":"gw"}}]},"scopeSpans":[{"spans":[)";
  for (int i = 0; i < spans; ++i)
    json += fmt::format(R"({}{{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"{:016x}",)"
                        R"("parentSpanId":"{}","name":"level-{}",)"
                        R"("startTimeUnixNano":"1700000000000000000",)"
                        R"("endTimeUnixNano":"1700000001000000000"}})",
                        i == 0 ? "" : ",", i + 1, i == 0 ? "" : fmt::format("{:016x}", i), i);
  return codec::DecodeOtlpTraces(codec::OtlpFormat::kJson, json + "]}]}]}").value();
}

TEST(WaterfallTest, DeepTracesLeaveRoomForEveryName) {
  for (auto [width, deep] : {std::pair{60u, 30}, {80u, 30}, {80u, 200}, {100u, 60}}) {
    const std::string text = Draw(Chain(deep), {.is_tty = true, .utf8 = true, .width = width});
    for (int i = 0; i < deep; ++i)
      EXPECT_THAT(text, HasSubstr(fmt::format(" gw level-{} ", i).substr(i == 0))) << width;
  }
  // On the narrowest, some of it, and some of the indentation.
  const std::string narrow = Draw(Chain(30), {.is_tty = true, .utf8 = true, .width = 40});
  EXPECT_THAT(narrow, HasSubstr("\n    gw leve\u2026"));
  // Shallow ones keep their two columns a level.
  EXPECT_THAT(Draw(Chain(5), {.is_tty = true, .utf8 = true, .width = 80}),
              HasSubstr("\n        gw level-4"));
}

TEST(WaterfallTest, ColoursOnlyWhereAsked) {
  SpanBatch batch = Trace("child");
  EXPECT_THAT(Draw(batch, {.colour = false}), Not(HasSubstr("\x1b")));
  // gateway has colour 3 of docs/palette.md, #3a9bfd.
  EXPECT_THAT(Draw(batch, {.colour = true}), HasSubstr("\x1b[38;2;58;155;253m"));
}

TEST(WaterfallTest, ASpanCannotDriveTheTerminal) {
  EXPECT_THAT(Draw(Trace("\\u001b[2Jgone\\u009b31m"), {}), Not(HasSubstr("\x1b")));
  EXPECT_EQ(CleanText("a\x1b[1m\n\xC2\x9Bz\xFF"), "a?[1m??z?");
  EXPECT_EQ(CleanText("caf\xC3\xA9"), "caf\xC3\xA9");
}

TEST(TerminalTest, TextFits) {
  EXPECT_EQ(Fit("caf\xC3\xA9", 4, true), "caf\xC3\xA9");
  EXPECT_EQ(Fit("caf\xC3\xA9s", 4, false), "caf~");
  EXPECT_EQ(Pad("ab", 4, true), "ab  ");
  EXPECT_EQ(ShortDuration(4'200'000'000), "4.20 s");
  EXPECT_EQ(ShortDuration(87'300'000), "87.3 ms");
  EXPECT_EQ(ShortDuration(512'000), "512 us");
  EXPECT_EQ(ShortDuration(7), "7 ns");
  // As ui/src/model/units.test.ts has them.
  EXPECT_EQ(ShortDuration(0), "0 ns");
  EXPECT_EQ(ShortDuration(85'000), "85 us");
  EXPECT_EQ(ShortDuration(85'400), "85.4 us");
  EXPECT_EQ(ShortDuration(999'700), "1.00 ms");
  EXPECT_EQ(ShortDuration(9'996'000), "10.0 ms");
  EXPECT_EQ(ShortDuration(99'960'000), "100 ms");
  EXPECT_EQ(ShortDuration(59'990'000'000), "1.00 min");
  EXPECT_EQ(ShortDuration(3 * 86'400'000'000'000), "3.00 d");
}

}  // namespace
}  // namespace weft::terminal

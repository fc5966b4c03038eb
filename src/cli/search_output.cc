// SPDX-License-Identifier: Apache-2.0
#include "cli/search_output.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire_core/json_writer.h"

namespace weft::cli {

using terminal::Dim;
using terminal::Plain;
using terminal::Terminal;

namespace {

constexpr size_t kOneLineWidth = 110;  // narrower terminals get a trace in several lines
constexpr size_t kBesideIdWidth = 60;  // and still narrower ones its name on a line of its own
constexpr size_t kIdWidth = 32;

void WriteMatch(const query::MatchedSpan& match, wire::JsonWriter* json) {
  json->BeginObject();
  json->Field("spanId", match.span_id.ToHex());
  json->Field("service", match.service);
  json->Field("name", match.name);
  json->Key("startNs");
  json->UintText(match.start_ns);
  json->Field("durationNs", match.duration_ns);
  json->Field("error", match.error);
  json->Key("attributes");
  json->BeginObject();
  for (const auto& [key, value] : match.attributes) json->Field(key, value);
  json->EndObject();
  json->EndObject();
}

// "checkout POST /checkout", coloured, in at most `width`; 0: whole.
std::string Root(const query::TraceSummary& trace, size_t width, const Terminal& terminal,
                 terminal::ServiceColours* colours) {
  std::string service = terminal::CleanText(trace.root_service);
  std::string name =
      terminal::CleanText(trace.root_name) + (trace.root_missing ? " (root missing)" : "");
  if (width > 0) {
    service = terminal::Fit(service, width, terminal.utf8);
    size_t left = width - terminal::TextWidth(service);
    name = left > 1 ? terminal::Fit(name, left - 1, terminal.utf8) : "";
  }
  return fmt::format("{}{}{} {}", colours->Escape(trace.root_service, terminal), service,
                     Plain(terminal), name);
}

std::string Counts(const query::TraceSummary& trace, const Terminal& terminal) {
  std::string out = terminal::Count(trace.spans, "span");
  if (trace.errors == 0) return out;
  return fmt::format("{}  {}{}{}", out, terminal::Red(terminal),
                     terminal::Count(trace.errors, "error"), Plain(terminal));
}

}  // namespace

std::string TraceJson(const query::TraceSummary& trace) {
  std::string text;
  wire::JsonWriter json(&text);
  json.BeginObject();
  json.Field("traceId", trace.trace_id.ToHex());
  json.Field("rootService", trace.root_service);
  json.Field("rootName", trace.root_name);
  json.Field("rootMissing", trace.root_missing);
  json.Key("startNs");
  json.UintText(trace.start_ns);
  json.Field("durationNs", trace.duration_ns);
  json.Field("spans", trace.spans);
  json.Field("errors", trace.errors);
  json.Key("services");
  json.BeginArray();
  for (const query::ServiceShare& share : trace.services) {
    json.BeginObject();
    json.Field("name", share.service);
    json.Field("spans", share.spans);
    json.Field("errors", share.errors);
    json.EndObject();
  }
  json.EndArray();
  json.Field("matched", trace.matched);
  json.Key("matches");
  json.BeginArray();
  for (const query::MatchedSpan& match : trace.matches) WriteMatch(match, &json);
  json.EndArray();
  json.EndObject();
  return text;
}

std::string AnswerTailJson(const TraceSource::SearchAnswer& last,
                           const std::vector<query::UnknownName>& unknown) {
  std::string text;
  wire::JsonWriter json(&text);
  json.BeginObject();
  json.Field("cursor", last.result.cursor);
  json.Field("partial", last.result.partial);
  json.Key("stats");
  json.BeginObject();
  json.Field("spansTotal", last.result.stats.spans_total);
  json.Field("spansInspected", last.result.stats.spans_inspected);
  json.Field("segments", last.result.stats.segments);
  json.Field("segmentsSkipped", last.result.stats.segments_skipped);
  json.Field("elapsedNs", last.result.stats.elapsed_ns);
  json.EndObject();
  json.Key("dataRange");
  if (last.data_range) {
    json.BeginObject();
    json.Key("startNs");
    json.UintText(last.data_range->first);
    json.Key("endNs");
    json.UintText(last.data_range->second);
    json.EndObject();
  } else {
    json.Null();
  }
  json.Key("hints");
  json.BeginArray();
  for (const query::UnknownName& name : unknown) {
    json.BeginObject();
    json.Field("kind", query::KindWord(name.kind));
    json.Field("name", name.name);
    json.Field("nearest", name.nearest);
    json.Field("text", query::SentenceOf(name));
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return text.substr(1);
}

std::string TraceTableHead(const Terminal& terminal) {
  if (terminal.is_tty && terminal.width < kOneLineWidth) return "";
  return fmt::format("{}{:<23}  {:>9}  {:>6}  {:>6}  {:<32}  root{}\n", Dim(terminal), "start",
                     "duration", "spans", "errors", "trace", Plain(terminal));
}

std::string TraceTableRow(const query::TraceSummary& trace, const Terminal& terminal,
                          terminal::ServiceColours* colours) {
  std::string id = trace.trace_id.ToHex(), start = terminal::LocalTime(trace.start_ns);
  std::string duration = terminal::ShortDuration(trace.duration_ns);
  if (!terminal.is_tty || terminal.width >= kOneLineWidth) {
    std::string head = fmt::format("{:<23}  {:>9}  {:>6}  ", start, duration, trace.spans);
    size_t used = terminal::TextWidth(head) + 6 + 2 + kIdWidth + 2;
    size_t width = terminal.is_tty ? terminal.width - std::min<size_t>(used, terminal.width) : 0;
    return fmt::format("{}{}{:>6}{}  {}  {}\n", head,
                       trace.errors > 0 ? terminal::Red(terminal) : "", trace.errors,
                       trace.errors > 0 ? Plain(terminal) : "", id,
                       Root(trace, width, terminal, colours));
  }
  if (terminal.width >= kBesideIdWidth)
    return fmt::format("{}  {}{}{}  {}\n  {}{}{}  {}\n", start, terminal::Bold(terminal), duration,
                       Plain(terminal), Counts(trace, terminal), Dim(terminal), id, Plain(terminal),
                       Root(trace, terminal.width - kIdWidth - 4, terminal, colours));
  return fmt::format("{}  {}{}{}\n  {}\n  {}\n  {}{}{}\n", start, terminal::Bold(terminal),
                     duration, Plain(terminal), Root(trace, terminal.width - 2, terminal, colours),
                     Counts(trace, terminal), Dim(terminal), id, Plain(terminal));
}

}  // namespace weft::cli

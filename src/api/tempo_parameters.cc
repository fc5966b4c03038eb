// SPDX-License-Identifier: Apache-2.0
#include "api/tempo_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/parameters.h"
#include "model/pasted_id.h"
#include "traceql/tag_condition.h"
#include "traceql/traceql.h"
#include "wire_core/utf8.h"

namespace weft::api {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;
// The last second whose nanoseconds fit in 63 bits lies in the year 2262.
constexpr uint64_t kSecondMax = 9'223'372'035;
constexpr uint64_t kLimitMax = 10'000;
constexpr size_t kTagsBytesMax = 16 * 1024;
constexpr size_t kTagPairsMax = 64;
constexpr std::string_view kEverything = "{}";

bool Parses(std::string_view traceql) { return traceql::Parse(traceql).has_value(); }

struct TagWord {
  std::string_view word;   // in version 1
  std::string_view field;  // in TraceQL
};
constexpr TagWord kTagWords[] = {{"name", "name"},
                                 {"root.name", "rootName"},
                                 {"root.service.name", "rootServiceName"},
                                 {"status.code", "status"}};

std::string_view FieldOfWord(std::string_view word) {
  for (const TagWord& known : kTagWords)
    if (known.word == word) return known.field;
  return {};
}

// Whole seconds; `end` counts to its last nanosecond, since clients cut "now" down to a second.
void ReadSeconds(Parameters* parameters, uint64_t* start_ns, uint64_t* end_ns) {
  uint64_t start = parameters->Number("start", 0, 0, kSecondMax);
  uint64_t end = parameters->Number("end", 0, 0, kSecondMax);
  *start_ns = start * kNsPerSecond;
  *end_ns = 0;
  if (end == 0) return;
  if (end <= start)
    parameters->Reject(fmt::format("parameter end ({}) must be later than start ({})", end, start));
  *end_ns = (end + 1) * kNsPerSecond;
}

// ---------------------------------------------------------------- tags

Result<std::string> FilterOfTags(std::string_view tags, uint64_t min_ns, uint64_t max_ns) {
  WEFT_ASSIGN(auto pairs, ReadLogfmt(tags));
  std::string out;
  auto add = [&out](const std::string& condition) {
    out += (out.empty() ? "" : " && ") + condition;
  };
  for (const auto& [key, value] : pairs) {
    add(traceql::TagCondition(key, value, traceql::TagMatch::kContains));
  }
  if (min_ns > 0) add(fmt::format("traceDuration >= {}ns", min_ns));
  if (max_ns > 0) add(fmt::format("traceDuration <= {}ns", max_ns));
  if (out.empty()) return std::string(kEverything);
  out = "{ " + out + " }";
  if (out.size() > traceql::kTextBytesMax)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("parameter tags becomes TraceQL of {} bytes: at most {} are allowed",
                            out.size(), traceql::kTextBytesMax));
  return out;
}

// Grafana escapes a tag twice, and of what lies between it and us some undo one of them and some
// none, so a second one is undone here. Plus signs are themselves.
std::string WithoutEscapes(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    std::string_view digits = text[i] == '%' ? text.substr(i + 1, 2) : "";
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() == 2 && error == std::errc() && end == digits.data() + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// ---------------------------------------------------------------- filters

// The parts of a condition between its outermost &&; nothing where it has an outermost ||, a
// comment, or brackets that do not fit.
std::vector<std::string_view> Conjuncts(std::string_view text) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = 0;
      continue;
    }
    if (c == '"' || c == '`') quote = c;
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (depth < 0 || c == '{' || c == '}') return {};
    if (c == '/' && i + 1 < text.size() && (text[i + 1] == '/' || text[i + 1] == '*')) return {};
    if (depth > 0 || i + 1 == text.size() || text[i + 1] != c) continue;
    if (c == '|') return {};
    if (c != '&') continue;
    parts.push_back(text.substr(begin, i - begin));
    begin = ++i + 1;
  }
  parts.push_back(text.substr(std::min(begin, text.size())));
  return parts;
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> ReadLogfmt(std::string_view text) {
  if (text.size() > kTagsBytesMax)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("parameter tags has {} bytes: at most {} are allowed", text.size(),
                            kTagsBytesMax));
  if (!wire::IsUtf8(text)) return Fail(ErrorCode::kInvalidArgument, "parameter tags is not UTF-8");
  std::vector<std::pair<std::string, std::string>> pairs;
  auto is_space = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  for (size_t at = 0;;) {
    while (at < text.size() && is_space(text[at])) ++at;
    if (at == text.size()) return pairs;
    size_t key_begin = at;
    while (at < text.size() && !is_space(text[at]) && text[at] != '=' && text[at] != '"') ++at;
    std::string key(text.substr(key_begin, at - key_begin)), value = "true";
    if (key.empty())
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("parameter tags has no key at position {}: write key=value or "
                              "key=\"a value\"",
                              at + 1));
    if (at < text.size() && text[at] == '=') {
      ++at;
      value.clear();
      if (at < text.size() && text[at] == '"') {
        size_t quote = at++;
        for (; at < text.size() && text[at] != '"'; ++at) {
          bool escape = text[at] == '\\' && at + 1 < text.size() &&
                        (text[at + 1] == '"' || text[at + 1] == '\\');
          at += escape;
          value += text[at];
        }
        if (at == text.size())
          return Fail(
              ErrorCode::kInvalidArgument,
              fmt::format("parameter tags: the quote at position {} has no end", quote + 1));
        ++at;
      } else {
        while (at < text.size() && !is_space(text[at])) value += text[at++];
      }
    }
    if (std::ranges::find(pairs, key, &std::pair<std::string, std::string>::first) != pairs.end())
      return Fail(ErrorCode::kInvalidArgument,
                  "parameter tags has a key twice: " + key.substr(0, 64));
    if (pairs.size() == kTagPairsMax)
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("parameter tags has more than {} pairs", kTagPairsMax));
    pairs.emplace_back(std::move(key), std::move(value));
  }
}

Result<query::SearchRequest> ReadTempoSearch(std::string_view query_string) {
  Parameters parameters(query_string);
  query::SearchRequest request;
  ReadSeconds(&parameters, &request.start_ns, &request.end_ns);
  request.limit = static_cast<uint32_t>(parameters.Number("limit", 20, 1, kLimitMax));
  request.spans_per_trace = static_cast<uint32_t>(parameters.Number("spss", 3, 0, kLimitMax));
  // As many as there are, that is, as one answer may hold.
  if (request.spans_per_trace == 0) request.spans_per_trace = kLimitMax;
  uint64_t min_ns = parameters.DurationNs("minDuration", 0);
  uint64_t max_ns = parameters.DurationNs("maxDuration", 0);
  if (max_ns != 0 && max_ns < min_ns)
    parameters.Reject("parameter maxDuration must not be less than minDuration");
  std::string q = parameters.Text("q"), tags = parameters.Text("tags");
  if (!q.empty() && !tags.empty()) parameters.Reject("parameters q and tags exclude each other");
  if (!q.empty() && (min_ns != 0 || max_ns != 0))
    parameters.Reject(
        "parameters minDuration and maxDuration go with tags; with q write traceDuration >= 1s");
  WEFT_TRY(parameters.status());
  if (!q.empty()) {
    request.traceql = std::move(q);
    return request;
  }
  WEFT_ASSIGN(request.traceql, FilterOfTags(tags, min_ns, max_ns));
  return request;
}

Result<TempoTags> ReadTempoTags(std::string_view query_string) {
  Parameters parameters(query_string);
  TempoTags out;
  ReadSeconds(&parameters, &out.request.start_ns, &out.request.end_ns);
  // 0 is how Tempo says "as many as there are".
  out.request.limit = static_cast<uint32_t>(parameters.Number("limit", 0, 0, query::kTagLimitMax));
  if (out.request.limit == 0) out.request.limit = query::kTagLimitMax;
  // Tempo stops early after so many known values; weft needs no such stop, and takes any.
  parameters.Number("maxStaleValues", 0, 0, UINT32_MAX);
  out.request.traceql = UsableFilter(parameters.Text("q"));
  out.scope = parameters.Text("scope");
  if (out.scope == "none") out.scope.clear();
  bool known = out.scope.empty() || out.scope == "trace";
  for (std::string_view scope : query::TagScopes()) known |= scope == out.scope && scope != "log";
  if (!known)
    parameters.Reject("invalid scope: " + out.scope.substr(0, 64) +
                      ": use span, resource, event, link, instrumentation or intrinsic");
  WEFT_TRY(parameters.status());
  return out;
}

Result<query::TagName> ReadTempoTag(std::string_view path_part) {
  std::string text = WithoutEscapes(path_part);
  if (auto tag = query::ParseTag(text)) return *std::move(tag);
  // A key that needs quotes in TraceQL, by a client that puts scope and key together without them.
  for (std::string_view scope : query::TagScopes())
    if (scope != "intrinsic" && text.size() > scope.size() + 1 && text.starts_with(scope) &&
        text[scope.size()] == '.')
      return query::TagName{std::string(scope), text.substr(scope.size() + 1)};
  if (text.size() > 1 && text.starts_with('.')) return query::TagName{"", text.substr(1)};
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("invalid tag name: {}: it must be a field of TraceQL such as "
                          "span.http.route, .region or name",
                          text.substr(0, 64)));
}

std::vector<query::TagName> ReadTempoTagV1(std::string_view path_part) {
  std::vector<query::TagName> tags;
  auto add = [&](std::string text) {
    if (std::string_view field = FieldOfWord(text); !field.empty())
      tags.push_back({"intrinsic", std::string(field)});
    auto tag = query::ParseTag(text);
    if (tag && tag->scope == "intrinsic" && tags.empty()) tags.push_back(*std::move(tag));
    tags.push_back({std::string(query::kAnyPlace), std::move(text)});
  };
  std::string unescaped = WithoutEscapes(path_part);
  if (unescaped != path_part) add(std::move(unescaped));
  add(std::string(path_part));
  return tags;
}

std::vector<std::string_view> TempoTagWords() {
  std::vector<std::string_view> words;
  for (const TagWord& known : kTagWords) words.push_back(known.word);
  return words;
}

Result<TempoTraceRequest> ReadTempoTrace(std::string_view id, bool version2,
                                         std::string_view query_string) {
  Parameters parameters(query_string);
  TempoTraceRequest out;
  if (auto parsed = ParsePastedId(id)) {
    out.id = parsed->trace_id;
  } else {
    parameters.Reject(std::string(kTraceIdForms));
  }
  ReadSeconds(&parameters, &out.start_ns, &out.end_ns);
  if (version2) {
    out.traceql = parameters.Text("q");
    out.keep_ancestors = parameters.Flag("keep_hierarchy", true);
    // Tempo's own client always sends these two, with the values that change nothing.
    for (auto [name, neutral] : {std::pair("match_depth", "0"), std::pair("ancestor_depth", "-1")})
      if (std::string depth = parameters.Text(name); !depth.empty() && depth != neutral)
        parameters.Reject(
            fmt::format("parameter {} is {}: only {}, all that q and keep_hierarchy "
                        "give, is supported",
                        name, depth.substr(0, 64), neutral));
    if (parameters.Flag("span_pruning"))
      parameters.Reject("parameter span_pruning is not supported");
  }
  WEFT_TRY(parameters.status());
  return out;
}

std::string UsableFilter(std::string_view traceql) {
  size_t begin = traceql.find_first_not_of(" \t\r\n");
  if (begin == traceql.npos || traceql.size() > traceql::kTextBytesMax)
    return std::string(kEverything);
  traceql = traceql.substr(begin, traceql.find_last_not_of(" \t\r\n") + 1 - begin);
  if (Parses(traceql)) return std::string(traceql);
  if (!traceql.starts_with('{')) return std::string(kEverything);
  traceql.remove_prefix(1);
  if (traceql.ends_with('}')) traceql.remove_suffix(1);
  std::string out;
  for (std::string_view part : Conjuncts(traceql)) {
    bool blank = part.find_first_not_of(" \t\r\n") == part.npos;
    if (blank || !Parses(fmt::format("{{ {} }}", part))) continue;
    out += fmt::format("{}({})", out.empty() ? "" : " && ", part);
  }
  out = out.empty() ? std::string(kEverything) : "{ " + out + " }";
  // Many parts in brackets may be longer than a query may be.
  return Parses(out) ? out : std::string(kEverything);
}

}  // namespace weft::api

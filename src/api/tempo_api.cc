// SPDX-License-Identifier: Apache-2.0
#include "api/tempo_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "api/answers.h"
#include "api/stored_trace.h"
#include "api/tempo_json.h"
#include "api/tempo_parameters.h"
#include "api/tempo_trace.h"
#include "query/tag_catalog.h"
#include "traceql/traceql.h"
#include "wire_core/printable.h"

namespace weft::api {
namespace {

constexpr std::string_view kMetricsLater =
    "TraceQL metrics (rate, count_over_time, ...) come with the rest of TraceQL: this version of "
    "weft answers search, traces and tags\n";

http::Response TextResponse(int status, std::string text) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .headers = {{"cache-control", "no-store"}, {"x-content-type-options", "nosniff"}},
          .body = std::move(text)};
}

http::Response ErrorText(const Error& error) {
  http::Response response =
      TextResponse(http::ToHttpStatus(error.code), ReplaceUnprintableInLines(error.message) + "\n");
  if (error.retry_after_s > 0)
    response.headers.emplace_back("retry-after", std::to_string(error.retry_after_s));
  return response;
}

// `partial` says why an answer is not whole: Tempo's messages have no field for that.
http::Response JsonText(std::string body, std::string partial) {
  http::Response response = TextResponse(200, std::move(body));
  response.content_type = "application/json";
  AddPartialHeader(std::move(partial), &response);
  return response;
}

uint64_t BytesOf(const store::Snapshot& snapshot) {
  uint64_t bytes = 0;
  for (const auto& segment : snapshot.segments()) bytes += segment->bytes();
  return bytes;
}

std::string PartialText(bool truncated, const std::string& partial) {
  if (!partial.empty()) return partial;
  return truncated ? "there are more: these are the first ones in order" : "";
}

// A question whose refusals and errors are text too.
void Ask(QueryRunner* runner, std::string_view kind, http::ExchangePtr exchange,
         QueryRunner::SimpleQuestion question, QueryRunner::Need need = nullptr) {
  runner->Run(
      kind, std::move(exchange),
      [question = std::move(question)](const SnapshotPtr& snapshot, const query::Budget& budget,
                                       const http::ExchangePtr& to) {
        to->Respond(question(*snapshot, budget));
      },
      ErrorText, std::move(need));
}

// ---------------------------------------------------------------- search and tags

http::Response SearchError(const Error& error, std::string_view traceql) {
  traceql::Diagnostic diagnostic;
  if (error.code != ErrorCode::kInvalidArgument || traceql::Parse(traceql, &diagnostic))
    return ErrorText(error);
  std::string hint = diagnostic.hint.empty() ? "" : " (" + diagnostic.hint + ")";
  return ErrorText(
      {error.code,
       fmt::format("invalid TraceQL query: parse error at line {}, col {}: {}{}",
                   diagnostic.position.line, diagnostic.position.column, diagnostic.message, hint),
       0});
}

void HandleSearch(QueryRunner* runner, const http::Request& request, http::ExchangePtr exchange) {
  Result<query::SearchRequest> search = ReadTempoSearch(request.query);
  if (!search) return exchange->Respond(ErrorText(search.error()));
  Ask(runner, "tempo_search", std::move(exchange),
      [search = *search](const store::Snapshot& snapshot, const query::Budget& budget) {
        Result<query::SearchResult> result = query::Search(snapshot, search, budget);
        if (!result) return SearchError(result.error(), search.traceql);
        return JsonText(TempoSearchJson(*result, BytesOf(snapshot)), result->partial);
      });
}

void HandleTags(QueryRunner* runner, bool version2, const http::Request& request,
                http::ExchangePtr exchange) {
  Result<TempoTags> tags = ReadTempoTags(request.query);
  if (!tags) return exchange->Respond(ErrorText(tags.error()));
  Ask(runner, "tempo_tags", std::move(exchange),
      [tags = *tags, version2](const store::Snapshot& snapshot, const query::Budget& budget) {
        Result<query::TagNames> names = query::TagNames{};
        if (tags.scope != "trace")
          names = query::ListTags(snapshot, tags.scope, tags.request, budget);
        if (!names) return ErrorText(names.error());
        uint64_t bytes = BytesOf(snapshot);
        return JsonText(
            version2 ? TempoTagsJson(*names, bytes) : TempoTagsV1Json(*names, tags.scope, bytes),
            PartialText(names->truncated, names->partial));
      });
}

// Of every tag that the name in version 1 stands for, together.
Result<query::TagValues> ListAllValues(const store::Snapshot& snapshot,
                                       const std::vector<query::TagName>& tags,
                                       const query::TagRequest& request,
                                       const query::Budget& budget) {
  query::TagValues all;
  for (const query::TagName& tag : tags) {
    WEFT_ASSIGN(query::TagValues some, query::ListTagValues(snapshot, tag, request, budget));
    all.truncated |= some.truncated;
    if (all.partial.empty()) all.partial = some.partial;
    all.stats.spans_total = some.stats.spans_total;
    all.stats.segments = some.stats.segments;
    all.stats.spans_inspected = std::max(all.stats.spans_inspected, some.stats.spans_inspected);
    std::ranges::move(some.values, std::back_inserter(all.values));
  }
  if (tags.size() < 2) return all;
  std::ranges::sort(all.values, std::less());
  auto same = [](const query::TagValue& a, const query::TagValue& b) {
    return !(a < b) && !(b < a);
  };
  auto repeated = std::ranges::unique(all.values, same);
  all.values.erase(repeated.begin(), repeated.end());
  if (all.values.size() > request.limit) {
    all.values.resize(request.limit);
    all.truncated = true;
  }
  return all;
}

// `rest`: what follows .../search/tag/ in the path.
void HandleTagValues(QueryRunner* runner, bool version2, std::string_view rest,
                     const http::Request& request, http::ExchangePtr exchange) {
  constexpr std::string_view kEnd = "/values";
  if (!rest.ends_with(kEnd) || rest.size() == kEnd.size())
    return exchange->Respond(TextResponse(404, "404 page not found\n"));
  rest.remove_suffix(kEnd.size());
  Result<TempoTags> tags = ReadTempoTags(request.query);
  if (!tags) return exchange->Respond(ErrorText(tags.error()));
  std::vector<query::TagName> names;
  if (version2) {
    Result<query::TagName> tag = ReadTempoTag(rest);
    if (!tag) return exchange->Respond(ErrorText(tag.error()));
    names.push_back(*std::move(tag));
  } else {
    names = ReadTempoTagV1(rest);
  }
  Ask(runner, "tempo_tag_values", std::move(exchange),
      [names = std::move(names), asked = tags->request, version2](const store::Snapshot& snapshot,
                                                                  const query::Budget& budget) {
        Result<query::TagValues> values = ListAllValues(snapshot, names, asked, budget);
        if (!values) return ErrorText(values.error());
        uint64_t bytes = BytesOf(snapshot);
        return JsonText(
            version2 ? TempoTagValuesJson(*values, bytes) : TempoTagValuesV1Json(*values, bytes),
            PartialText(values->truncated, values->partial));
      });
}

// ---------------------------------------------------------------- one trace

void HandleTrace(QueryRunner* runner, bool version2, std::string_view id,
                 const http::Request& request, http::ExchangePtr exchange) {
  Result<TempoTraceRequest> asked = ReadTempoTrace(id, version2, request.query);
  if (!asked) return exchange->Respond(ErrorText(asked.error()));
  bool protobuf =
      http::FindHeader(request.headers, "accept").find("protobuf") != std::string_view::npos;
  TempoTraceForm form = protobuf
                            ? (version2 ? TempoTraceForm::kProtobufV2 : TempoTraceForm::kProtobufV1)
                            : (version2 ? TempoTraceForm::kJsonV2 : TempoTraceForm::kJsonV1);
  const TraceId trace_id = asked->id;
  Ask(
      runner, "tempo_trace", std::move(exchange),
      [asked = *std::move(asked), form, protobuf](const store::Snapshot& snapshot,
                                                  const query::Budget&) {
        std::string partial;
        Result<std::string> trace = TempoTrace(snapshot, asked, form, &partial);
        if (!trace && trace.error().code == ErrorCode::kNotFound)
          return TextResponse(404, "trace not found\n");
        if (!trace) return SearchError(trace.error(), asked.traceql);
        http::Response response = JsonText(*std::move(trace), std::move(partial));
        if (protobuf) response.content_type = "application/protobuf";
        return response;
      },
      [id = trace_id](const store::Snapshot& snapshot) {
        // The answer is made whole, and wrapped.
        constexpr uint64_t kTextPerRow = 2500;
        return MemoryOfTrace(snapshot, id, kTextPerRow);
      });
}

}  // namespace

void AddTempoRoutes(std::string_view prefix, const TempoFacts& facts, QueryRunner* runner,
                    const http::RouteOptions& options, http::Router* router) {
  runner->Declare({"tempo_search", "tempo_tags", "tempo_tag_values", "tempo_trace"});
  using Handler = std::function<void(const http::Request&, http::ExchangePtr)>;
  auto get = [&](std::string_view path, Handler handler) {
    router->Add("GET", std::string(prefix) + std::string(path), options,
                [handler = std::move(handler)](http::Request request, http::ExchangePtr exchange) {
                  handler(request, std::move(exchange));
                });
  };
  auto say = [&](std::string_view path, int status, std::string text) {
    get(path, [status, text = std::move(text)](const http::Request&, http::ExchangePtr exchange) {
      exchange->Respond(TextResponse(status, text));
    });
  };
  // Where the part of a path begins that follows `path`.
  auto after = [&](std::string_view path) { return prefix.size() + path.size(); };

  say("/api/echo", 200, "echo");
  for (std::string_view path : {"/status", "/status/version"})
    say(path, 200, "weft, version " + facts.version + "\n");
  get("/api/status/buildinfo", [facts](const http::Request&, http::ExchangePtr exchange) {
    exchange->Respond(JsonText(TempoBuildJson(facts.version), ""));
  });
  http::RouteOptions probe = options;
  probe.open = true;  // probes carry no credentials, and are told nothing but yes or no
  router->Add("GET", std::string(prefix) + "/ready", probe,
              [facts](const http::Request&, http::ExchangePtr exchange) {
                std::string why_not = facts.ready();
                exchange->Respond(why_not.empty() ? TextResponse(200, "ready\n")
                                                  : TextResponse(503, why_not + "\n"));
              });
  get("/api/search", [runner](const http::Request& request, http::ExchangePtr exchange) {
    HandleSearch(runner, request, std::move(exchange));
  });
  for (bool version2 : {false, true}) {
    std::string api = version2 ? "/api/v2" : "/api";
    get(api + "/search/tags",
        [runner, version2](const http::Request& request, http::ExchangePtr exchange) {
          HandleTags(runner, version2, request, std::move(exchange));
        });
    get(api + "/search/tag/*", [runner, version2, begin = after(api + "/search/tag/")](
                                   const http::Request& request, http::ExchangePtr exchange) {
      HandleTagValues(runner, version2, std::string_view(request.path).substr(begin), request,
                      std::move(exchange));
    });
    get(api + "/traces/*", [runner, version2, begin = after(api + "/traces/")](
                               const http::Request& request, http::ExchangePtr exchange) {
      HandleTrace(runner, version2, std::string_view(request.path).substr(begin), request,
                  std::move(exchange));
    });
  }
  for (std::string_view path :
       {"/api/metrics/query", "/api/metrics/query_range", "/api/metrics/summary"})
    say(path, 501, std::string(kMetricsLater));
  // What Tempo has and weft has not, /api/overrides for one, is absent, not the web UI's page.
  say("/*", 404, "404 page not found\n");
}

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
#include "cli/server_source.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <optional>

#include "cli/api_words.h"
#include "codec/otlp.h"
#include "terminal/terminal.h"

namespace weft::cli {
namespace {

using Json = simdjson::dom::element;

// Absent or of another type: the empty value. What the server sends is its documented shape; an
// older or newer one may lack a field, and the command then shows nothing there.
std::string Text(Json object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : "";
}
uint64_t Number(Json object, std::string_view key) {
  uint64_t number = 0;
  if (object[key].get(number) == simdjson::SUCCESS) return number;
  std::string text = Text(object, key);
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}
bool Flag(Json object, std::string_view key) {
  bool flag = false;
  return object[key].get(flag) == simdjson::SUCCESS && flag;
}
template <class Visit>
void ForEach(Json object, std::string_view key, Visit visit) {
  simdjson::dom::array items;
  if (object[key].get(items) != simdjson::SUCCESS) return;
  for (Json item : items) visit(item);
}

query::TraceSummary ReadSummary(Json json) {
  query::TraceSummary trace;
  if (auto id = TraceId::FromHex(Text(json, "traceId"))) trace.trace_id = *id;
  trace.root_service = Text(json, "rootService");
  trace.root_name = Text(json, "rootName");
  trace.root_missing = Flag(json, "rootMissing");
  trace.start_ns = Number(json, "startNs");
  trace.duration_ns = Number(json, "durationNs");
  trace.spans = static_cast<uint32_t>(Number(json, "spans"));
  trace.errors = static_cast<uint32_t>(Number(json, "errors"));
  trace.matched = static_cast<uint32_t>(Number(json, "matched"));
  ForEach(json, "services", [&](Json share) {
    trace.services.push_back({Text(share, "name"), static_cast<uint32_t>(Number(share, "spans")),
                              static_cast<uint32_t>(Number(share, "errors"))});
  });
  ForEach(json, "matches", [&](Json match) {
    query::MatchedSpan span;
    if (auto id = SpanId::FromHex(Text(match, "spanId"))) span.span_id = *id;
    span.service = Text(match, "service");
    span.name = Text(match, "name");
    span.start_ns = Number(match, "startNs");
    span.duration_ns = Number(match, "durationNs");
    span.error = Flag(match, "error");
    simdjson::dom::object attributes;
    if (match["attributes"].get(attributes) == simdjson::SUCCESS)
      for (auto [key, value] : attributes)
        if (value.is_string())
          span.attributes.emplace_back(key, std::string(std::string_view(value)));
    trace.matches.push_back(std::move(span));
  });
  return trace;
}

// {"error":{"code":"not_found","message":"no trace 1"}}; nothing where the answer is not weft's.
std::optional<Error> ErrorOfWeft(const outgoing::ClientResponse& response) {
  simdjson::dom::parser parser;
  Json json, error;
  if (parser.parse(response.body).get(json) != simdjson::SUCCESS ||
      json["error"].get(error) != simdjson::SUCCESS || Text(error, "code").empty())
    return std::nullopt;
  std::string message = Text(error, "message");
  if (uint64_t column = Number(error, "column"); column > 0)
    message = fmt::format("line {}, column {}: {}", Number(error, "line"), column, message);
  if (std::string hint = Text(error, "hint"); !hint.empty()) message += "\nhint: " + hint;
  // All of that with the place in the query, from servers that send it.
  if (std::string text = Text(error, "text"); !text.empty()) message = text;
  return Error{http::FromHttpStatus(response.status, ErrorCode::kInternal), message,
               static_cast<uint32_t>(Number(error, "retryAfterS"))};
}

// A proxy before weft may refuse, or find it overloaded; whoever finds no such path or no sense in
// the question is not weft's query port.
Error ErrorOfAnother(const outgoing::ClientResponse& response, std::string_view url) {
  constexpr size_t kTextMax = 200;
  std::string message = fmt::format("{} answered {}", url, response.status);
  const ErrorCode code = http::FromHttpStatus(response.status, ErrorCode::kInternal);
  const bool refused = response.status >= 500 || code == ErrorCode::kUnauthenticated ||
                       code == ErrorCode::kPermissionDenied || code == ErrorCode::kTooLarge ||
                       code == ErrorCode::kDeadlineExceeded ||
                       code == ErrorCode::kResourceExhausted;
  if (http::FindHeader(response.headers, "content-type").starts_with("text/plain")) {
    std::string_view text = response.body;
    const std::string status = std::to_string(response.status) + " ";
    if (text.starts_with(status)) text.remove_prefix(status.size());
    text = text.substr(0, text.find_first_of("\r\n"));
    if (!text.empty()) message += ": " + terminal::Fit(terminal::CleanText(text), kTextMax, false);
  }
  if (!refused) return {ErrorCode::kUnavailable, message + "; is it weft's query port?"};
  return {code, message};
}

class ServerSource : public TraceSource {
 public:
  ServerSource(std::string url, outgoing::ClientSecurity security)
      : url_(std::move(url)),
        client_({.timeout_ms = 60'000,
                 .response_bytes_max = 4ull << 30,
                 .security = std::move(security)}) {}

  Result<SearchAnswer> Search(const query::SearchRequest& request) override {
    WEFT_ASSIGN(
        Json json,
        Get(fmt::format("/search?q={}&start={}&end={}&limit={}&spss={}&cursor={}",
                        EscapeParameter(request.traceql), request.start_ns, request.end_ns,
                        request.limit, request.spans_per_trace, EscapeParameter(request.cursor))));
    SearchAnswer answer;
    ForEach(json, "traces",
            [&](Json trace) { answer.result.traces.push_back(ReadSummary(trace)); });
    answer.result.cursor = Text(json, "cursor");
    answer.result.partial = Text(json, "partial");
    Json stats, range;
    if (json["stats"].get(stats) == simdjson::SUCCESS) {
      answer.result.stats.spans_total = Number(stats, "spansTotal");
      answer.result.stats.spans_inspected = Number(stats, "spansInspected");
      answer.result.stats.segments = Number(stats, "segments");
      answer.result.stats.segments_skipped = Number(stats, "segmentsSkipped");
      answer.result.stats.elapsed_ns = Number(stats, "elapsedNs");
    }
    if (json["dataRange"].get(range) == simdjson::SUCCESS && range.is_object())
      answer.data_range = {Number(range, "startNs"), Number(range, "endNs")};
    ForEach(json, "hints", [&](Json hint) {
      if (auto kind = query::KindOfWord(Text(hint, "kind")))
        answer.unknown.push_back({*kind, Text(hint, "name"), Text(hint, "nearest")});
    });
    return answer;
  }

  Result<SpanBatch> ReadTrace(const TraceId& id, std::string* partial) override {
    partial->clear();
    WEFT_ASSIGN(std::string body, GetOtlp(id, false, partial));
    auto batch = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, std::move(body));
    if (!batch) return Fail(NotWeft(url_, "OTLP"));
    WEFT_ASSIGN(std::string log_body, GetOtlp(id, true, partial));
    auto logs = codec::DecodeOtlpLogs(codec::OtlpFormat::kProtobuf, std::move(log_body));
    if (!logs) return Fail(NotWeft(url_, "OTLP"));
    Append(std::move(*logs), &*batch);
    return batch;
  }

  Result<std::vector<query::ServiceCount>> ListServices(std::string* partial) override {
    WEFT_ASSIGN(Json json, Get("/services"));
    std::vector<query::ServiceCount> services;
    ForEach(json, "services", [&](Json service) {
      services.push_back({Text(service, "name"), Number(service, "spans")});
    });
    *partial = Text(json, "partial");
    return services;
  }

  Result<std::vector<query::OperationName>> ListOperations(const std::string& service,
                                                           std::string* partial) override {
    WEFT_ASSIGN(Json json, Get("/operations?service=" + EscapeParameter(service)));
    std::vector<query::OperationName> operations;
    ForEach(json, "operations", [&](Json operation) {
      operations.push_back({Text(operation, "name"), KindOf(Text(operation, "kind"))});
    });
    *partial = Text(json, "partial");
    return operations;
  }

  Result<query::TagNames> ListTags(const query::TagRequest& request) override {
    WEFT_ASSIGN(Json json, Get("/tags?" + TagParameters(request)));
    query::TagNames names;
    ForEach(json, "tags",
            [&](Json tag) { names.tags.push_back({Text(tag, "scope"), Text(tag, "key")}); });
    names.truncated = Flag(json, "truncated");
    names.partial = Text(json, "partial");
    return names;
  }

  Result<query::TagValues> ListTagValues(const query::TagName& tag,
                                         const query::TagRequest& request) override {
    WEFT_ASSIGN(Json json, Get(fmt::format("/tag-values?scope={}&key={}&{}", tag.scope,
                                           EscapeParameter(tag.key), TagParameters(request))));
    query::TagValues values;
    ForEach(json, "values", [&](Json value) {
      values.values.push_back(TagValueOf(Text(value, "type"), Text(value, "value")));
    });
    values.truncated = Flag(json, "truncated");
    values.partial = Text(json, "partial");
    return values;
  }

 private:
  static std::string TagParameters(const query::TagRequest& request) {
    return fmt::format("q={}&start={}&end={}&limit={}", EscapeParameter(request.traceql),
                       request.start_ns, request.end_ns, request.limit);
  }

  // The element lives until the next call.
  Result<Json> Get(const std::string& path) {
    std::string url = url_ + "/api/weft/v1" + path;
    WEFT_ASSIGN(std::string body, BodyOf(client_.Get(url), url_));
    Json json;
    if (parser_.parse(body).get(json) != simdjson::SUCCESS) return Fail(NotWeft(url_, "JSON"));
    return json;
  }

  Result<std::string> GetOtlp(const TraceId& id, bool logs, std::string* partial) {
    outgoing::ClientRequest request;
    request.url =
        fmt::format("{}/api/weft/v1/trace/{}/otlp{}", url_, id.ToHex(), logs ? "?logs=true" : "");
    request.headers = {{"accept", "application/x-protobuf"}};
    Result<outgoing::ClientResponse> response = client_.Send(request);
    if (response && partial->empty())
      *partial = http::FindHeader(response->headers, "weft-partial");
    return BodyOf(std::move(response), url_);
  }

  // The logs of `from`, kept alive by `to`.
  static void Append(SpanBatch from, SpanBatch* to) {
    auto owner = std::make_shared<const SpanBatch>(std::move(from));
    auto resource_base = static_cast<uint32_t>(to->resources.size());
    auto scope_base = static_cast<uint32_t>(to->scopes.size());
    to->resources.insert(to->resources.end(), owner->resources.begin(), owner->resources.end());
    to->scopes.insert(to->scopes.end(), owner->scopes.begin(), owner->scopes.end());
    for (LogRecord log : owner->logs) {
      log.resource += resource_base;
      log.scope += scope_base;
      to->logs.push_back(log);
    }
    to->received_is_content = false;
    to->owners.push_back(std::move(owner));
  }

  const std::string url_;
  outgoing::HttpClient client_;
  simdjson::dom::parser parser_;
};

}  // namespace

Result<std::string> BodyOf(const Result<outgoing::ClientResponse>& response, std::string_view url) {
  if (!response) return Fail(response.error());
  if (response->status == 200) return response->body;
  if (std::optional<Error> error = ErrorOfWeft(*response)) return Fail(std::move(*error));
  return Fail(ErrorOfAnother(*response, url));
}

Error NotWeft(std::string_view url, std::string_view what) {
  return {ErrorCode::kUnavailable,
          fmt::format("{} did not answer with {}: is it weft?", url, what)};
}

std::string EscapeParameter(std::string_view text) {
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

std::unique_ptr<TraceSource> MakeServerSource(std::string url, outgoing::ClientSecurity security) {
  return std::make_unique<ServerSource>(std::move(url), std::move(security));
}

}  // namespace weft::cli

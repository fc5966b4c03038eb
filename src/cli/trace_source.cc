// SPDX-License-Identifier: Apache-2.0
#include "cli/trace_source.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <system_error>

#include "base/env.h"
#include "cli/cli.h"
#include "cli/server_source.h"
#include "config/config.h"
#include "outgoing/client.h"
#include "store/store.h"
#include "terminal/terminal.h"
#include "traceql/traceql.h"

namespace weft::cli {
namespace {

class DirectorySource : public TraceSource {
 public:
  explicit DirectorySource(std::unique_ptr<store::Store> store) : store_(std::move(store)) {}

  Result<SearchAnswer> Search(const query::SearchRequest& request) override {
    auto snapshot = store_->TakeSnapshot("");
    WEFT_ASSIGN(query::SearchResult result, query::Search(*snapshot, request, {}));
    SearchAnswer answer{std::move(result), query::DataRange(*snapshot), {}};
    if (!request.cursor.empty()) return answer;
    WEFT_ASSIGN(traceql::Query query, traceql::Parse(request.traceql));
    if (auto unknown = query::FindUnknownNames(*snapshot, query, {}))
      answer.unknown = std::move(*unknown);
    return answer;
  }
  Result<SpanBatch> ReadTrace(const TraceId& id, std::string* partial) override {
    return store_->TakeSnapshot("")->ReadTrace(id, partial);
  }
  Result<std::vector<query::ServiceCount>> ListServices(std::string* partial) override {
    return query::ListServices(*store_->TakeSnapshot(""), {}, partial);
  }
  Result<std::vector<query::OperationName>> ListOperations(const std::string& service,
                                                           std::string* partial) override {
    return query::ListOperations(*store_->TakeSnapshot(""), service, {}, partial);
  }
  Result<query::TagNames> ListTags(const query::TagRequest& request) override {
    return query::ListTags(*store_->TakeSnapshot(""), "", request, {});
  }
  Result<query::TagValues> ListTagValues(const query::TagName& tag,
                                         const query::TagRequest& request) override {
    return query::ListTagValues(*store_->TakeSnapshot(""), tag, request, {});
  }

 private:
  std::unique_ptr<store::Store> store_;
};

// What to do about a directory that cannot be read.
Error WithHint(Error error, const std::string& directory) {
  if (!error.message.contains(directory)) error = error.WithPrefix(directory);
  if (error.code == ErrorCode::kPermissionDenied) {
    error.message += "; read it as the user that weft runs as, or ask its server with --url";
  } else if (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kInvalidArgument) {
    // There is nothing to ask, whatever was asked for.
    error.code = ErrorCode::kUnavailable;
    error.message += "; name the directory that `weft serve` prints as \"data\"";
  }
  return error;
}

Result<std::unique_ptr<TraceSource>> OpenDirectory(const std::string& directory) {
  if (!PosixEnv()->Exists(directory))
    return Fail(ErrorCode::kUnavailable,
                fmt::format("there is no directory {}: name the one that `weft serve` prints as "
                            "\"data\", or its server with --url",
                            terminal::CleanText(directory)));
  std::error_code unknown;
  if (std::filesystem::exists(directory, unknown) &&
      !std::filesystem::is_directory(directory, unknown))
    return Fail(WithHint({ErrorCode::kNotFound, directory + " is no directory"}, directory));
  store::StoreConfig config;
  config.directory = directory;
  config.read_only = true;
  Result<std::unique_ptr<store::Store>> store =
      store::Store::Open(PosixEnv(), SystemClock(), config);
  if (!store) return Fail(WithHint(store.error(), directory));
  return std::unique_ptr<TraceSource>(std::make_unique<DirectorySource>(std::move(*store)));
}

}  // namespace

void AddSourceOptions(CLI::App* command, SourceOptions* options) {
  auto* url =
      command->add_option("--url", options->url, UrlHelp("Server to ask"))->type_name("URL");
  command
      ->add_option("--data", options->data,
                   "Data directory to read instead, also beside a server that writes to it")
      ->type_name("DIR")
      ->excludes(url);
  AddAccessOptions(command, &options->access);
}

Status ServerAnswers(const std::string& url, const outgoing::ClientSecurity& security) {
  WEFT_TRY(CheckUrl(url));
  outgoing::HttpClient client(
      {.connect_timeout_ms = 2000, .timeout_ms = 5000, .security = security});
  Result<outgoing::ClientResponse> response = client.Get(url + "/healthz");
  if (!response) return Fail(response.error());
  Result<std::string> body = BodyOf(response, url);
  if (body) return {};
  return Fail(ErrorCode::kUnavailable, body.error().message);
}

Result<std::unique_ptr<TraceSource>> OpenSource(const SourceOptions& options) {
  if (!options.data.empty()) return OpenDirectory(options.data);
  const auto [url, is_given] = ReadServerUrl(options.url);
  WEFT_TRY(CheckUrl(url));
  WEFT_ASSIGN(outgoing::ClientSecurity security, ReadAccess(options.access));
  if (is_given || ServerAnswers(url, security)) return MakeServerSource(url, std::move(security));
  if (options.needs_server)
    return Fail(ErrorCode::kUnavailable,
                fmt::format("no server answers at {}; --follow needs one: start `weft`, or name it "
                            "with --url",
                            url));
  std::string directory = config::DefaultDataDirectory(config::RealSurroundings());
  if (!PosixEnv()->Exists(directory))
    return Fail(ErrorCode::kUnavailable,
                fmt::format("no server answers at {} and there is no data in {}; start one with "
                            "`weft`, or name one with --url or a directory with --data",
                            url, directory));
  terminal::PrintError(
      fmt::format("no server answers at {}: reading {}", url, terminal::CleanText(directory)));
  return OpenDirectory(directory);
}

int ExitCodeOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnimplemented:
      return kExitUsage;
    case ErrorCode::kNotFound:
      return kExitNotFound;
    case ErrorCode::kUnavailable:
      return kExitUnreachable;
    default:
      return kExitFailed;
  }
}

int ExitCodeOf(const Status& status) {
  if (status) return kExitOk;
  terminal::PrintError(status.error().message);
  return ExitCodeOf(status.error());
}

}  // namespace weft::cli

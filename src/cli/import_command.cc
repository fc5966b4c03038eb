// SPDX-License-Identifier: Apache-2.0
#include "cli/import_command.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <thread>

#include "base/env.h"
#include "cli/cli.h"
#include "cli/server_source.h"
#include "cli/terminal.h"
#include "codec/otlp_file.h"
#include "config/config.h"
#include "store/import.h"

namespace weft::cli {
namespace {

using store::ImportCounts;

constexpr size_t kItemsPerBatch = 5'000;
constexpr uint64_t kFileBytesMax = 8ull << 30;
constexpr int kTriesMax = 120;

// Where an import goes.
class Target {
 public:
  virtual ~Target() = default;
  virtual Result<ImportCounts> Store(SpanBatch batch) = 0;
  // Called between two tries of a batch that was refused for now.
  virtual void MakeRoom(uint32_t retry_after_s) {
    std::this_thread::sleep_for(std::chrono::seconds(std::max(1u, retry_after_s)));
  }
};

class ServerTarget : public Target {
 public:
  explicit ServerTarget(std::string url) : url_(std::move(url)), client_({.timeout_ms = 120'000}) {}

  Result<ImportCounts> Store(SpanBatch batch) override {
    ImportCounts counts;
    if (!batch.spans.empty()) {
      std::string body;
      codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, batch, &body);
      WEFT_ASSIGN(counts, Post("/api/weft/v1/import", body));
    }
    if (!batch.logs.empty()) {
      std::string body;
      codec::EncodeOtlpLogs(codec::OtlpFormat::kProtobuf, batch, &body);
      WEFT_ASSIGN(ImportCounts logs, Post("/api/weft/v1/import?logs=true", body));
      counts.Add(logs);
    }
    return counts;
  }

 private:
  Result<ImportCounts> Post(const std::string& path, const std::string& body) {
    WEFT_ASSIGN(std::string answer,
                BodyOf(client_.Post(url_ + path, "application/x-protobuf", body), url_));
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    ImportCounts counts;
    if (parser.parse(answer).get(json) != simdjson::SUCCESS)
      return Fail(ErrorCode::kInternal, url_ + " did not answer with JSON: is it weft?");
    for (auto [name, value] : {std::pair{"kept", &counts.kept},
                               {"duplicates", &counts.duplicates},
                               {"rejected", &counts.rejected},
                               {"keptLogs", &counts.kept_logs},
                               {"duplicateLogs", &counts.duplicate_logs},
                               {"rejectedLogs", &counts.rejected_logs}})
      if (json[name].get(*value) != simdjson::SUCCESS)
        return Fail(ErrorCode::kInternal, fmt::format("{}: no \"{}\" in the answer", url_, name));
    return counts;
  }

  const std::string url_;
  net::HttpClient client_;
};

class DirectoryTarget : public Target {
 public:
  explicit DirectoryTarget(std::unique_ptr<store::Store> store) : store_(std::move(store)) {}
  Result<ImportCounts> Store(SpanBatch batch) override {
    return store::ImportBatch(store_.get(), SystemClock(), std::move(batch));
  }
  void MakeRoom(uint32_t retry_after_s) override {
    if (!store_->FlushNow()) Target::MakeRoom(retry_after_s);
  }

 private:
  std::unique_ptr<store::Store> store_;
};

struct Options {
  std::vector<std::string> files;
  std::string url, data;
  bool json = false;
};

Result<std::unique_ptr<Target>> OpenTarget(const Options& options) {
  std::string directory = options.data;
  std::string url = options.url.empty() ? kLocalServer : options.url;
  while (url.ends_with('/')) url.pop_back();
  if (directory.empty()) {
    if (ServerAnswers(url)) return std::unique_ptr<Target>(std::make_unique<ServerTarget>(url));
    if (!options.url.empty()) return Fail(ErrorCode::kUnavailable, "no server answers at " + url);
    directory = config::DefaultDataDirectory(config::RealSurroundings());
    fmt::print(stderr, "weft: no server answers at {}: importing into {}\n", url, directory);
  }
  store::StoreConfig config;
  config.directory = directory;
  WEFT_ASSIGN(auto store, store::Store::Open(PosixEnv(), SystemClock(), config));
  return std::unique_ptr<Target>(std::make_unique<DirectoryTarget>(std::move(store)));
}

// A line that is drawn over itself, from the third second on, where a person watches.
class Progress {
 public:
  Progress() : on_tty_(isatty(STDERR_FILENO) == 1), began_(std::chrono::steady_clock::now()) {}
  ~Progress() {
    if (drawn_) fmt::print(stderr, "\r\x1b[K");
  }
  void Show(const std::string& file, double part, uint64_t spans) {
    auto now = std::chrono::steady_clock::now();
    constexpr auto kQuiet = std::chrono::seconds(2);
    constexpr auto kBetween = std::chrono::milliseconds(100);
    if (!on_tty_ || now - began_ < kQuiet || now - last_ < kBetween) return;
    last_ = now;
    drawn_ = true;
    constexpr int kCells = 24;
    int full = static_cast<int>(part * kCells);
    fmt::print(stderr, "\r\x1b[K[{}{}] {:3.0f} %  {} spans  {}", std::string(full, '#'),
               std::string(kCells - full, '.'), part * 100, spans, CleanText(file));
  }

 private:
  const bool on_tty_;
  const std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point last_;
  bool drawn_ = false;
};

// One import over all files.
class Import {
 public:
  explicit Import(Target* target) : target_(target) {}

  // The first error that ends the file; documents that cannot be read are counted and named.
  Status File(const std::string& path) {
    WEFT_ASSIGN(std::string bytes, ReadFile(path));
    WEFT_ASSIGN(codec::OtlpFileReader reader,
                codec::OtlpFileReader::Open(std::move(bytes), kFileBytesMax));
    for (;;) {
      Result<std::optional<codec::OtlpDocument>> document = reader.Next();
      if (!document) return Fail(document.error());
      if (!*document) return {};
      Result<codec::OtlpContent> content = reader.Decode(**document);
      if (!content) {
        ++bad_documents_;
        fmt::print(stderr, "weft: {}: {}\n", CleanText(path), content.error().message);
        continue;
      }
      metric_points_ += content->metric_points;
      WEFT_TRY(Batch(content->traces));
      WEFT_TRY(Batch(content->logs));
      progress_.Show(path,
                     reader.bytes() == 0 ? 1.0
                                         : static_cast<double>(reader.position()) /
                                               static_cast<double>(reader.bytes()),
                     counts_.kept);
    }
  }

  const ImportCounts& counts() const { return counts_; }
  uint64_t bad_documents() const { return bad_documents_; }
  uint64_t metric_points() const { return metric_points_; }

 private:
  static Result<std::string> ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) return Fail(ErrorCode::kIo, "cannot open it");
    std::streamoff size = file.tellg();
    if (size < 0) return Fail(ErrorCode::kIo, "not a regular file");
    if (static_cast<uint64_t>(size) > kFileBytesMax)
      return Fail(ErrorCode::kTooLarge, "larger than 8 GiB: split it");
    std::string bytes(static_cast<size_t>(size), '\0');
    file.seekg(0);
    if (!file.read(bytes.data(), size)) return Fail(ErrorCode::kIo, "cannot read it");
    return bytes;
  }

  // Large batches go in pieces, so that none is over a limit of the server.
  Status Batch(const SpanBatch& batch) {
    counts_.rejected += batch.rejected_spans.count;
    counts_.rejected_logs += batch.rejected_logs.count;
    for (const Rejection* rejection : {&batch.rejected_spans, &batch.rejected_logs})
      if (rejection->count > 0 && counts_.rejected_message.empty())
        counts_.rejected_message = rejection->message;
    for (size_t at = 0; at < batch.spans.size() || at < batch.logs.size(); at += kItemsPerBatch) {
      SpanBatch piece;
      piece.resources = batch.resources;
      piece.scopes = batch.scopes;
      auto slice = [at](const auto& from, auto* to) {
        if (at < from.size())
          to->assign(
              from.begin() + static_cast<ptrdiff_t>(at),
              from.begin() + static_cast<ptrdiff_t>(std::min(from.size(), at + kItemsPerBatch)));
      };
      slice(batch.spans, &piece.spans);
      slice(batch.logs, &piece.logs);
      WEFT_TRY(StorePiece(piece));
    }
    return {};
  }

  Status StorePiece(const SpanBatch& piece) {
    for (int tries = 1;; ++tries) {
      SpanBatch copy;
      copy.resources = piece.resources;
      copy.scopes = piece.scopes;
      copy.spans = piece.spans;
      copy.logs = piece.logs;
      Result<ImportCounts> counts = target_->Store(std::move(copy));
      if (counts) {
        counts_.Add(*counts);
        return {};
      }
      if (counts.error().retry_after_s == 0 || tries == kTriesMax) return Fail(counts.error());
      target_->MakeRoom(counts.error().retry_after_s);
    }
  }

  Target* const target_;
  Progress progress_;
  ImportCounts counts_;
  uint64_t bad_documents_ = 0, metric_points_ = 0;
};

void PrintCounts(const Import& import, bool as_json) {
  const ImportCounts& counts = import.counts();
  if (as_json) {
    fmt::print(
        "{{\"kept\":{},\"duplicates\":{},\"rejected\":{},\"keptLogs\":{},\"duplicateLogs\":{},"
        "\"rejectedLogs\":{},\"badDocuments\":{},\"metricPoints\":{}}}\n",
        counts.kept, counts.duplicates, counts.rejected, counts.kept_logs, counts.duplicate_logs,
        counts.rejected_logs, import.bad_documents(), import.metric_points());
    return;
  }
  fmt::print("spans: {} kept, {} duplicate, {} rejected\n", counts.kept, counts.duplicates,
             counts.rejected);
  if (counts.kept_logs + counts.duplicate_logs + counts.rejected_logs > 0)
    fmt::print("log records: {} kept, {} duplicate, {} rejected\n", counts.kept_logs,
               counts.duplicate_logs, counts.rejected_logs);
  if (import.metric_points() > 0)
    fmt::print("metric points: {} left out, weft keeps none\n", import.metric_points());
  if (!counts.rejected_message.empty())
    fmt::print("first rejection: {}\n", CleanText(counts.rejected_message));
  if (import.bad_documents() > 0)
    fmt::print("{} documents could not be read\n", import.bad_documents());
}

int Run(const Options& options) {
  Result<std::unique_ptr<Target>> target = OpenTarget(options);
  if (!target) {
    fmt::print(stderr, "weft: {}\n", target.error().message);
    return target.error().code == ErrorCode::kUnavailable ? kExitUnreachable : kExitFailed;
  }
  Import import(target->get());
  bool failed = false;
  for (const std::string& file : options.files)
    if (Status status = import.File(file); !status) {
      fmt::print(stderr, "weft: {}: {}\n", CleanText(file), status.error().message);
      failed = true;
    }
  PrintCounts(import, options.json);
  return failed || import.bad_documents() > 0 ? kExitFailed : kExitOk;
}

}  // namespace

void AddImportCommand(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand("import", "Store the spans and logs of OTLP files");
  command->footer(
      "Files may hold OTLP protobuf, JSON or a JSON document a line, plain or compressed (gzip, "
      "zstd,\n"
      "lz4). They go to the server where one answers, else straight into the data directory.\n"
      "Examples:\n"
      "  weft import traces.json.zst more/*.ndjson\n"
      "  weft import --data /srv/weft spans.pb\n"
      "Exit codes: 0 everything was read, 1 something was not, 4 no server at --url, or the "
      "directory\n"
      "is in use.");
  auto options = std::make_shared<Options>();
  command->add_option("FILE", options->files, "Files to import")->required();
  auto* url = command->add_option("--url", options->url,
                                  fmt::format("Server to send to (default {})", kLocalServer));
  command->add_option("--data", options->data, "Data directory to write, while no server runs")
      ->excludes(url);
  command->add_flag("--json", options->json, "Counts as JSON");
  command->callback([options, exit_code] { *exit_code = Run(*options); });
}

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/import_target.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/env.h"
#include "cli/server_source.h"
#include "codec/otlp.h"
#include "config/config.h"
#include "outgoing/client.h"
#include "terminal/terminal.h"

namespace weft::cli {
namespace {

using store::ImportCounts;

// One append or request. The bytes are below the 64 MiB that the server takes.
constexpr size_t kItemsMax = 5'000, kBodyBytesMax = 48 << 20;
constexpr int kTriesMax = 600;

// Borrows.
SpanBatch Slice(const SpanBatch& from, size_t span_begin, size_t span_end, size_t log_begin,
                size_t log_end) {
  SpanBatch slice;
  slice.resources = from.resources;
  slice.scopes = from.scopes;
  slice.spans.assign(from.spans.begin() + static_cast<ptrdiff_t>(span_begin),
                     from.spans.begin() + static_cast<ptrdiff_t>(span_end));
  slice.logs.assign(from.logs.begin() + static_cast<ptrdiff_t>(log_begin),
                    from.logs.begin() + static_cast<ptrdiff_t>(log_end));
  return slice;
}

// Tries again while it is refused for now: `attempt` has stored nothing then.
template <class Attempt, class Wait>
auto UntilTaken(Attempt attempt, Wait wait) {
  for (int tries = 1;; ++tries) {
    auto taken = attempt();
    if (taken || taken.error().retry_after_s == 0 || tries == kTriesMax) return taken;
    wait(taken.error().retry_after_s);
  }
}

class ServerTarget : public ImportTarget {
 public:
  ServerTarget(std::string url, outgoing::ClientSecurity security)
      : url_(std::move(url)), client_({.timeout_ms = 120'000, .security = std::move(security)}) {}

  Result<ImportCounts> Store(const SpanBatch& batch, codec::TraceFormat format) override {
    ImportCounts counts;
    for (size_t at = 0; at < batch.spans.size(); at += kItemsMax)
      WEFT_TRY(
          StoreSpans(batch, format, at, std::min(batch.spans.size(), at + kItemsMax), &counts));
    for (size_t at = 0; at < batch.logs.size(); at += kItemsMax)
      WEFT_TRY(StoreLogs(batch, at, std::min(batch.logs.size(), at + kItemsMax), &counts));
    return counts;
  }
  const std::string& name() const override { return url_; }

 private:
  // Halves what is too large for one request.
  Status StoreSpans(const SpanBatch& batch, codec::TraceFormat format, size_t begin, size_t end,
                    ImportCounts* counts) {
    std::string body;
    codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, Slice(batch, begin, end, 0, 0), &body);
    if (body.size() > kBodyBytesMax && end - begin > 1) {
      WEFT_TRY(StoreSpans(batch, format, begin, (begin + end) / 2, counts));
      return StoreSpans(batch, format, (begin + end) / 2, end, counts);
    }
    return Post(fmt::format("/api/weft/v1/import?format={}", codec::NameOf(format)), body, counts);
  }
  Status StoreLogs(const SpanBatch& batch, size_t begin, size_t end, ImportCounts* counts) {
    std::string body;
    codec::EncodeOtlpLogs(codec::OtlpFormat::kProtobuf, Slice(batch, 0, 0, begin, end), &body);
    if (body.size() > kBodyBytesMax && end - begin > 1) {
      WEFT_TRY(StoreLogs(batch, begin, (begin + end) / 2, counts));
      return StoreLogs(batch, (begin + end) / 2, end, counts);
    }
    return Post("/api/weft/v1/import?logs=true", body, counts);
  }

  Status Post(const std::string& path, const std::string& body, ImportCounts* total) {
    auto post = [&] {
      return BodyOf(client_.Post(url_ + path, "application/x-protobuf", body), url_);
    };
    WEFT_ASSIGN(std::string answer, UntilTaken(post, [](uint32_t seconds) {
                  std::this_thread::sleep_for(std::chrono::seconds(seconds));
                }));
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    ImportCounts counts;
    if (parser.parse(answer).get(json) != simdjson::SUCCESS) return Fail(NotWeft(url_, "JSON"));
    for (auto [name, value] : {std::pair{"kept", &counts.kept},
                               {"duplicates", &counts.duplicates},
                               {"rejected", &counts.rejected},
                               {"sameId", &counts.same_id},
                               {"finer", &counts.finer},
                               {"keptLogs", &counts.kept_logs},
                               {"duplicateLogs", &counts.duplicate_logs},
                               {"rejectedLogs", &counts.rejected_logs}})
      if (json[name].get(*value) != simdjson::SUCCESS)
        return Fail(ErrorCode::kInternal, fmt::format("{}: no \"{}\" in the answer", url_, name));
    if (std::string_view message; json["message"].get(message) == simdjson::SUCCESS)
      counts.rejected_message = message;
    simdjson::dom::array examples;
    if (json["sameIdExamples"].get(examples) == simdjson::SUCCESS)
      for (const simdjson::dom::element example : examples) {
        std::string_view text;
        if (example.get(text) == simdjson::SUCCESS) counts.same_id_examples.emplace_back(text);
      }
    total->Add(counts);
    return {};
  }

  const std::string url_;
  outgoing::HttpClient client_;
};

class DirectoryTarget : public ImportTarget {
 public:
  DirectoryTarget(std::string directory, std::unique_ptr<store::Store> store)
      : name_(std::move(directory)),
        store_(std::move(store)),
        importer_(store_.get(), SystemClock()) {}
  Result<ImportCounts> Store(const SpanBatch& batch, codec::TraceFormat format) override {
    ImportCounts counts;
    const size_t items = std::max(batch.spans.size(), batch.logs.size());
    for (size_t at = 0; at < items; at += kItemsMax) {
      auto cut = [at](size_t count) {
        return std::pair(std::min(count, at), std::min(count, at + kItemsMax));
      };
      auto [span_begin, span_end] = cut(batch.spans.size());
      auto [log_begin, log_end] = cut(batch.logs.size());
      auto import = [&] {
        return importer_.Import(Slice(batch, span_begin, span_end, log_begin, log_end), format);
      };
      WEFT_ASSIGN(ImportCounts part, UntilTaken(import, [this](uint32_t) { MakeRoom(); }));
      counts.Add(part);
    }
    return counts;
  }
  const std::string& name() const override { return name_; }

 private:
  // The store flushes and merges in the background; asking for it makes it start now.
  void MakeRoom() {
    constexpr auto kPause = std::chrono::milliseconds(200);
    [[maybe_unused]] const Status flushed = store_->FlushNow();
    std::this_thread::sleep_for(kPause);
  }

  const std::string name_;
  std::unique_ptr<store::Store> store_;
  store::Importer importer_;
};

}  // namespace

Result<std::unique_ptr<ImportTarget>> OpenImportTarget(const SourceOptions& options) {
  std::string directory = options.data;
  if (directory.empty()) {
    const auto [url, is_given] = ReadServerUrl(options.url);
    WEFT_TRY(CheckUrl(url));
    WEFT_ASSIGN(outgoing::ClientSecurity security, ReadAccess(options.access));
    Status answers = ServerAnswers(url, security);
    if (answers)
      return std::unique_ptr<ImportTarget>(
          std::make_unique<ServerTarget>(url, std::move(security)));
    if (is_given) return Fail(answers.error().WithPrefix("no server answers"));
    directory = config::DefaultDataDirectory(config::RealSurroundings());
    terminal::PrintError(fmt::format("no server answers at {}: importing into {}", url,
                                     terminal::CleanText(directory)));
  }
  store::StoreConfig config;
  config.directory = directory;
  WEFT_ASSIGN(auto store, store::Store::Open(PosixEnv(), SystemClock(), config));
  return std::unique_ptr<ImportTarget>(
      std::make_unique<DirectoryTarget>(directory, std::move(store)));
}

}  // namespace weft::cli

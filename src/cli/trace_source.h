// SPDX-License-Identifier: Apache-2.0
//
// Where the commands get their data: a running server over its API, or a data directory opened
// read-only. Both answer in the same types, so that every command is written once.
//
// Thread rule: one thread. Next: query/query.h, docs/api.md.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/server_access.h"
#include "model/span_batch.h"
#include "query/query.h"
#include "query/tag_catalog.h"
#include "query/unknown_names.h"

namespace CLI {
class App;
}

namespace weft::cli {

class TraceSource {
 public:
  virtual ~TraceSource() = default;
  struct SearchAnswer {
    query::SearchResult result;
    // Smallest and largest span start of all data; nothing when there is none.
    std::optional<std::pair<uint64_t, uint64_t>> data_range;
    // Names in the query that no data has; of the first page.
    std::vector<query::UnknownName> unknown;
  };
  // kInvalidArgument for a TraceQL text that is wrong.
  virtual Result<SearchAnswer> Search(const query::SearchRequest& request) = 0;
  // Spans and log records. kNotFound when there is no such trace. `partial`: why some may be
  // missing; empty: it is whole.
  virtual Result<SpanBatch> ReadTrace(const TraceId& id, std::string* partial) = 0;
  // `partial`: why not all are listed; empty: they are.
  virtual Result<std::vector<query::ServiceCount>> ListServices(std::string* partial) = 0;
  // Of one service; "": of all.
  virtual Result<std::vector<query::OperationName>> ListOperations(const std::string& service,
                                                                   std::string* partial) = 0;
  virtual Result<query::TagNames> ListTags(const query::TagRequest& request) = 0;
  virtual Result<query::TagValues> ListTagValues(const query::TagName& tag,
                                                 const query::TagRequest& request) = 0;
};

struct SourceOptions {
  std::string url;            // empty: WEFT_URL's, else the local server
  std::string data;           // not empty: this directory, read-only
  bool needs_server = false;  // never a directory: it does not change while it is read
  AccessOptions access;
};
// --url, --data and how to pass at a server.
void AddSourceOptions(CLI::App* command, SourceOptions* options);

// --data opens the directory; --url or WEFT_URL asks that server. With none of them: the local
// server, or, where none runs, the default data directory if it exists, with a word on stderr.
// kUnavailable otherwise.
Result<std::unique_ptr<TraceSource>> OpenSource(const SourceOptions& options);

// OK when a weft server answers at `url`; else why it does not.
Status ServerAnswers(const std::string& url, const outgoing::ClientSecurity& security);

// The exit code for an error of a source.
int ExitCodeOf(const Error& error);
// The same; an error is printed.
int ExitCodeOf(const Status& status);

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
//
// Where an import goes: a running server over its API, or a data directory that no server uses.
// Both count what was new, and wait as long as they are told to come back later.
//
// Thread rule: one thread. Next: store/import.h, docs/api.md.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cli/trace_source.h"
#include "codec/trace_file.h"
#include "model/span_batch.h"
#include "store/import.h"

namespace weft::cli {

class ImportTarget {
 public:
  virtual ~ImportTarget() = default;
  // Of any size, read from a file of that format. After an error a part of it may have been stored.
  virtual Result<store::ImportCounts> Store(const SpanBatch& batch, codec::TraceFormat format) = 0;
  virtual const std::string& name() const = 0;
};

// --data opens the directory; --url sends to that server. With neither: the local server, or, where
// none runs, the default data directory, with a word on stderr. kUnavailable otherwise.
Result<std::unique_ptr<ImportTarget>> OpenImportTarget(const SourceOptions& options);

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
//
// The store's background work as spans of weft's own: flush, compaction, retention, one span each.
// A flush of nothing but weft's own spans makes none: else an idle server would flush for ever what
// its flushes made.
//
// Thread rule: as Tracer. Next: selftrace/tracer.h, exporter/store_exporter.h.
#pragma once

#include <string>

#include "selftrace/tracer.h"
#include "store/store.h"

namespace weft::exporter {

// Its trace id in hex, or "" where nothing was recorded.
std::string TraceWork(selftrace::Tracer* tracer, const std::string& exporter,
                      const store::StoreWork& work);

}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
//
// What a block keeps of each span of a whole trace: self time, share of the critical path, whether
// an error began there. Block writing computes it once; of a block that an older rule wrote
// (trace/correction.h) OldDerivedValues computes it anew when it is read.
//
// Thread rule: FindDerived is a function of its arguments; OldDerivedValues may be used from any
// thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "segment/segment.h"
#include "segment/stored_rows.h"
#include "trace/correction.h"

namespace weft::block {

// By pre-order position.
struct DerivedValues {
  std::vector<uint64_t> self_ns, critical_ns;
  std::vector<bool> error_origins;
};

// Asked once, and only of traces whose calls could be evidence about clocks: completes the nodes
// and gives the clock names that Node::resource counts.
using ReadEvidence =
    std::function<Result<std::span<const trace::ClockName>>(std::span<trace::Node>)>;
Result<DerivedValues> FindDerived(const trace::Tree& tree, std::span<trace::Node> nodes,
                                  const trace::ClockRule& rule, const ReadEvidence& evidence);

class NodeReader;

class OldDerivedValues {
 public:
  // `source` outlives this.
  OldDerivedValues(const segment::StoredRows* source, segment::RowGroups groups,
                   const trace::ClockRule& rule)
      : source_(source), groups_(groups), rule_(rule) {}
  // kSelfTime, kCriticalTime or kErrorOrigin of a group's rows.
  Status Read(segment::FixedColumn column, uint32_t group, std::span<uint64_t> out);

 private:
  struct OfTrace {
    segment::Row first_row = 0;
    DerivedValues values;
  };
  Result<std::shared_ptr<const OfTrace>> Compute(uint32_t ordinal, NodeReader* reader,
                                                 segment::RowCursor* cursor) const;

  const segment::StoredRows* source_;
  const segment::RowGroups groups_;
  const trace::ClockRule rule_;
  std::mutex mutex_;
  // The last one of the group read last: a large trace is asked for group by group.
  std::shared_ptr<const OfTrace> last_;
};

}  // namespace weft::block

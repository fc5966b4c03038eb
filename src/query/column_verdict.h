// SPDX-License-Identifier: Apache-2.0
//
// ColumnVerdict: one condition judged on one column's dictionary. A regular expression or
// comparison runs once for each distinct value; an equality does one dictionary look-up and learns
// from the value index in which row groups the value occurs at all.
//
// Thread rule: immutable once made. Next: query/segment_scan.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "query/plan.h"
#include "segment/segment.h"

namespace weft::query {

class ColumnVerdict {
 public:
  // Judges `leaf` on every value of `column`. REQUIRES: the column's type is not kEmpty.
  static Result<ColumnVerdict> Make(const segment::Table& table, segment::ColumnRef column,
                                    const Leaf& leaf);

  segment::ColumnRef column() const { return column_; }
  // No value of the column satisfies the condition.
  bool nothing() const { return form_ == Form::kNothing; }
  // May a row of this group satisfy it?
  bool MayMatch(uint32_t group) const {
    return !nothing() && (groups_.empty() || (group < groups_.size() && groups_[group]));
  }
  bool Holds(uint32_t id) const {
    switch (form_) {
      case Form::kNothing:
        return false;
      case Form::kEverything:
        return true;
      case Form::kFew:
        return (id == few_[0] || id == few_[1]) != inverted_;
      case Form::kTable:
        return id < table_.size() && table_[id] != 0;
    }
    return false;
  }
  // out[i] |= Holds(ids[i]) where ids[i] is a value.
  void Mark(std::span<const uint32_t> ids, std::span<uint8_t> out) const;
  size_t bytes() const { return table_.size() + groups_.size() / 8; }

 private:
  enum class Form : uint8_t { kNothing, kEverything, kFew, kTable };

  Status JudgeEquality(const segment::Dictionary& dictionary, const Leaf& leaf);
  Status JudgeEach(const segment::Dictionary& dictionary, const Leaf& leaf);
  Status FindGroups(const segment::Table& table);

  segment::ColumnRef column_;
  Form form_ = Form::kNothing;
  bool inverted_ = false;  // of kFew: every value but these
  uint32_t few_[2] = {segment::kAbsent, segment::kAbsent};
  std::vector<uint8_t> table_;  // by id
  std::vector<bool> groups_;    // empty: not known
};

inline bool AllNothing(std::span<const ColumnVerdict> verdicts) {
  return std::ranges::all_of(verdicts, [](const ColumnVerdict& v) { return v.nothing(); });
}
inline bool AnyMayMatch(std::span<const ColumnVerdict> verdicts, uint32_t group) {
  return std::ranges::any_of(verdicts, [&](const ColumnVerdict& v) { return v.MayMatch(group); });
}

// The value of a dictionary entry as the field's type has it: numbers of the status and kind
// columns are statuses and kinds.
Scalar FieldScalar(const traceql::Field& field, const Value& value);

}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
#include "query/column_verdict.h"

#include <cmath>

namespace weft::query {
namespace {

using traceql::Intrinsic;
using traceql::Operator;
using Kind = Scalar::Kind;

// Up to here every integer is a double and the other way round, so that one look-up is exact.
constexpr double kExactMax = 9007199254740992.0;  // 2^53

// False where no value of this type can ever be compared with the literal.
bool CanMatch(ValueType type, const Leaf& leaf) {
  switch (leaf.literal.kind) {
    case Kind::kString:
      return type == ValueType::kString || type == ValueType::kArray;
    case Kind::kBool:
      return type == ValueType::kBool || type == ValueType::kArray;
    case Kind::kInt:
    case Kind::kFloat:
    case Kind::kDuration:
      return type == ValueType::kInt || type == ValueType::kDouble || type == ValueType::kArray;
    case Kind::kStatus:
      return leaf.field.intrinsic == Intrinsic::kStatus;
    case Kind::kKind:
      return leaf.field.intrinsic == Intrinsic::kKind;
    default:
      return false;
  }
}

// The values that are equal to the literal, as this column would store them; at most two.
struct Candidates {
  bool known = false;  // false: judge each value instead
  size_t count = 0;
  Value values[2];
};
Candidates EqualValues(ValueType type, const Scalar& literal) {
  Candidates out;
  auto add = [&](const Value& value) { out.values[out.count++] = value; };
  double real = literal.kind == Kind::kFloat ? literal.real : static_cast<double>(literal.integer);
  switch (type) {
    case ValueType::kString:
      add(Value::String(literal.text));
      break;
    case ValueType::kBool:
      add(Value::Bool(literal.integer != 0));
      break;
    case ValueType::kInt:
      if (literal.kind != Kind::kFloat) {
        add(Value::Int(literal.integer));
      } else {
        if (std::abs(real) >= kExactMax) return out;
        if (real == std::trunc(real)) add(Value::Int(static_cast<int64_t>(real)));
      }
      break;
    case ValueType::kDouble:
      add(Value::Double(real == 0 ? 0.0 : real));
      if (real == 0) add(Value::Double(-0.0));
      break;
    default:
      return out;
  }
  out.known = true;
  return out;
}

}  // namespace

Scalar FieldScalar(const traceql::Field& field, const Value& value) {
  Scalar scalar = ToScalar(value);
  if (scalar.kind == Kind::kInt && field.intrinsic == Intrinsic::kStatus)
    scalar.kind = Kind::kStatus;
  if (scalar.kind == Kind::kInt && field.intrinsic == Intrinsic::kKind) scalar.kind = Kind::kKind;
  return scalar;
}

Result<ColumnVerdict> ColumnVerdict::Make(const segment::Table& table, segment::ColumnRef column,
                                          const Leaf& leaf) {
  ColumnVerdict verdict;
  verdict.column_ = column;
  if (leaf.op == Operator::kNone) {
    verdict.form_ = Form::kEverything;
    return verdict;
  }
  if (!CanMatch(column.type, leaf)) return verdict;
  WEFT_ASSIGN(std::shared_ptr<const segment::Dictionary> dictionary, table.OpenDictionary(column));
  bool equality = leaf.op == Operator::kEqual || leaf.op == Operator::kNotEqual;
  if (equality) {
    WEFT_TRY(verdict.JudgeEquality(*dictionary, leaf));
  } else {
    WEFT_TRY(verdict.JudgeEach(*dictionary, leaf));
  }
  WEFT_TRY(verdict.FindGroups(table));
  return verdict;
}

Status ColumnVerdict::JudgeEquality(const segment::Dictionary& dictionary, const Leaf& leaf) {
  Candidates candidates = EqualValues(column_.type, leaf.literal);
  if (!candidates.known) return JudgeEach(dictionary, leaf);
  inverted_ = leaf.op == Operator::kNotEqual;
  size_t found = 0;
  for (size_t i = 0; i < candidates.count; ++i) {
    WEFT_ASSIGN(uint32_t id, dictionary.Find(candidates.values[i]));
    if (id != segment::kAbsent) few_[found++] = id;
  }
  form_ = found == 0 && !inverted_ ? Form::kNothing : Form::kFew;
  return {};
}

Status ColumnVerdict::JudgeEach(const segment::Dictionary& dictionary, const Leaf& leaf) {
  table_.assign(dictionary.count(), 0);
  size_t found = 0;
  WEFT_TRY(dictionary.ForEach([&](uint32_t id, const Value& value) {
    if (id >= table_.size()) return;
    bool holds = Compare(leaf.op, FieldScalar(leaf.field, value), leaf.literal, leaf.pattern.get());
    table_[id] = holds;
    if (holds && found < 2) few_[found] = id;
    found += holds;
  }));
  form_ = found == 0 ? Form::kNothing : Form::kTable;
  if (found == 1 || found == 2) {
    form_ = Form::kFew;
    table_.clear();
  }
  return {};
}

Status ColumnVerdict::FindGroups(const segment::Table& table) {
  if (form_ != Form::kFew || inverted_) return {};
  for (uint32_t id : few_) {
    if (id == segment::kAbsent) continue;
    WEFT_ASSIGN(std::vector<bool> groups, table.GroupsWith(column_, id));
    if (groups_.empty()) groups_.resize(table.group_count());
    for (size_t g = 0; g < groups.size() && g < groups_.size(); ++g)
      if (groups[g]) groups_[g] = true;
  }
  return {};
}

void ColumnVerdict::Mark(std::span<const uint32_t> ids, std::span<uint8_t> out) const {
  switch (form_) {
    case Form::kNothing:
      return;
    case Form::kEverything:
      for (size_t i = 0; i < ids.size(); ++i) out[i] |= ids[i] != segment::kAbsent;
      return;
    case Form::kFew: {
      // An absent row must not look like an absent candidate.
      uint32_t a = few_[0], b = few_[1] == segment::kAbsent ? few_[0] : few_[1];
      for (size_t i = 0; i < ids.size(); ++i) {
        bool hit = (ids[i] == a || ids[i] == b) != inverted_;
        out[i] |= hit && ids[i] != segment::kAbsent;
      }
      return;
    }
    case Form::kTable:
      for (size_t i = 0; i < ids.size(); ++i)
        if (ids[i] < table_.size()) out[i] |= table_[ids[i]];
      return;
  }
}

}  // namespace weft::query

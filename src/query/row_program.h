// SPDX-License-Identifier: Apache-2.0
//
// RowProgram: a TraceQL expression compiled for evaluation one span at a time. It judges assembled
// traces (exact matches and counts), and conditions that no column operator fits.
//
// Fields of events and links have one value for each event or link. The smallest condition (a
// comparison, or a bare field used as true/false) that holds such a field is true if it is true for
// any event and any link of the span; for a span without any it is false.
//
// Thread rule: immutable after construction; a FieldSource belongs to one thread.
// Next: query/assembled_trace.h, query/segment_scan.h.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "query/scalar.h"
#include "traceql/tree.h"

namespace weft::query {

// Where a program finds the values of the span at hand.
class FieldSource {
 public:
  virtual ~FieldSource() = default;
  // Value of slots()[slot]; nil where the span has none. Borrowed until the source moves on.
  virtual Scalar Get(uint32_t slot) = 0;
  virtual uint32_t event_count() const = 0;
  virtual uint32_t link_count() const = 0;
  // Event and link fields refer to this one from now on.
  virtual void BindEvent(uint32_t index) = 0;
  virtual void BindLink(uint32_t index) = 0;
};

// RE2 as TraceQL uses it: a dot matches a line break too; callers match the whole text.
std::shared_ptr<const re2::RE2> CompilePattern(std::string_view pattern);

class RowProgram {
 public:
  // Keeps the expression alive. REQUIRES: checked by the parser.
  explicit RowProgram(traceql::ExpressionPtr expression);

  bool Matches(FieldSource* source) const { return Truth(root_, source); }
  // The distinct fields.
  const std::vector<traceql::Field>& slots() const { return slots_; }

 private:
  struct Node {
    traceql::Expression::Kind kind;
    traceql::Operator op;
    bool is_condition = false;  // gives true or false by itself
    bool of_event = false;      // its value depends on the bound event
    bool of_link = false;
    uint32_t left = 0, right = 0;
    uint32_t slot = 0;
    Scalar literal;
    std::shared_ptr<const re2::RE2> pattern;
  };

  uint32_t Add(const traceql::Expression& expression);
  uint32_t SlotOf(const traceql::Field& field);
  bool Truth(uint32_t index, FieldSource* source) const;
  Scalar ValueOf(uint32_t index, FieldSource* source) const;
  bool IsPresent(uint32_t index, FieldSource* source) const;
  bool Condition(const Node& node, FieldSource* source) const;
  // Runs `test` for every event and link that `of_event` / `of_link` ask for, until one is true.
  template <class Test>
  bool Any(bool of_event, bool of_link, FieldSource* source, const Test& test) const;

  traceql::ExpressionPtr expression_;
  std::vector<Node> nodes_;
  std::vector<traceql::Field> slots_;
  uint32_t root_ = 0;
};

}  // namespace weft::query

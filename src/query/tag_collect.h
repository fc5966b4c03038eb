// SPDX-License-Identifier: Apache-2.0
//
// Collectors of names and of values: they take the rows of segments, from columns, and the spans of
// traces that had to be assembled, and keep the first ones in order, bounded in number and bytes.
//
// Thread rule: one thread. Next: query/tag_catalog.cc.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "query/tag_catalog.h"
#include "query/tag_rows.h"

namespace weft::query {

// Where tags of one scope lie. In the order of answers.
struct TagScope {
  std::string_view name;
  segment::AttributeScope scope;
  segment::TableId table;
};
inline constexpr std::array<TagScope, 6> kTagScopes = {{
    {"event", segment::AttributeScope::kEvent, segment::TableId::kEvents},
    {"instrumentation", segment::AttributeScope::kInstrumentation, segment::TableId::kSpans},
    {"link", segment::AttributeScope::kLink, segment::TableId::kLinks},
    {"log", segment::AttributeScope::kLog, segment::TableId::kLogs},
    {"resource", segment::AttributeScope::kResource, segment::TableId::kSpans},
    {"span", segment::AttributeScope::kSpan, segment::TableId::kSpans},
}};

class TagCollector {
 public:
  virtual ~TagCollector() = default;
  virtual Status TakeSegment(const segment::Segment& segment, const TagRows& rows,
                             const BudgetMeter& meter) = 0;
  // Spans of a whole trace, by index.
  virtual void TakeSpans(const SpanBatch& batch, const std::vector<uint32_t>& spans) = 0;
  virtual uint64_t bytes() const = 0;
};

class NameCollector : public TagCollector {
 public:
  // `scope` "": all.
  NameCollector(std::string_view scope, uint32_t limit) : wanted_(scope), limit_(limit) {}
  Status TakeSegment(const segment::Segment& segment, const TagRows& rows,
                     const BudgetMeter& meter) override;
  void TakeSpans(const SpanBatch& batch, const std::vector<uint32_t>& spans) override;
  uint64_t bytes() const override { return bytes_; }

  std::vector<TagName> Finish();
  bool truncated() const { return truncated_; }

 private:
  void Add(size_t scope, std::string_view key);
  void AddAll(segment::AttributeScope scope, Attributes attributes);

  const std::string_view wanted_;
  const uint32_t limit_;
  std::array<std::set<std::string, std::less<>>, kTagScopes.size()> names_;
  uint64_t bytes_ = 0;
  bool truncated_ = false;
};

class ValueCollector : public TagCollector {
 public:
  // REQUIRES: a scope of kTagScopes, or "" for `.key`.
  static ValueCollector OfAttribute(const TagName& tag, uint32_t limit);
  // Of an intrinsic that lies in columns: name, status, ... An empty one lists nothing.
  static ValueCollector OfIntrinsic(traceql::Intrinsic intrinsic, uint32_t limit);

  Status TakeSegment(const segment::Segment& segment, const TagRows& rows,
                     const BudgetMeter& meter) override;
  void TakeSpans(const SpanBatch& batch, const std::vector<uint32_t>& spans) override;
  uint64_t bytes() const override { return bytes_; }

  void Add(const Value& value);
  std::vector<TagValue> Finish();
  bool truncated() const { return truncated_; }

 private:
  struct Place {
    segment::TableId table;
    segment::AttributeScope scope;
    std::string key;
  };
  explicit ValueCollector(uint32_t limit) : limit_(limit) {}
  Status TakeColumn(const segment::Table& table, segment::TableId table_id,
                    segment::ColumnRef column, const TagRows& rows, const BudgetMeter& meter);
  void AddFrom(Attributes attributes);
  void AddIntrinsic(const SpanBatch& batch, const Span& span);

  uint32_t limit_;
  traceql::Intrinsic intrinsic_ = traceql::Intrinsic::kNone;
  std::vector<Place> places_;
  std::set<TagValue> values_;
  uint64_t bytes_ = 0;
  bool truncated_ = false;
};

}  // namespace weft::query

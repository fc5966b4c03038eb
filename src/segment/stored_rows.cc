// SPDX-License-Identifier: Apache-2.0
#include "segment/stored_rows.h"

namespace weft::segment {
namespace {

using enum ValueType;
constexpr AttributeScope kIntrinsic = AttributeScope::kIntrinsic;

constexpr IntrinsicColumn kSpanColumns[] = {
    {kInternal, "resource", kInt},          {kInternal, "scope", kInt},
    {kIntrinsic, "name", kString},          {kIntrinsic, "kind", kInt},
    {kIntrinsic, "status", kInt},           {kIntrinsic, "statusMessage", kString},
    {kIntrinsic, "traceState", kString},    {kInternal, "flags", kInt},
    {kInternal, "droppedAttributes", kInt}, {kInternal, "droppedEvents", kInt},
    {kInternal, "droppedLinks", kInt},
};
constexpr IntrinsicColumn kEventColumns[] = {
    {kIntrinsic, "name", kString},
    {kInternal, "droppedAttributes", kInt},
};
constexpr IntrinsicColumn kLinkColumns[] = {
    {kIntrinsic, "traceState", kString},
    {kInternal, "flags", kInt},
    {kInternal, "droppedAttributes", kInt},
};
constexpr IntrinsicColumn kLogColumns[] = {
    {kInternal, "resource", kInt},
    {kInternal, "scope", kInt},
    {kIntrinsic, "severity", kInt},
    {kIntrinsic, "severityText", kString},
    {kIntrinsic, "eventName", kString},
    {kInternal, "flags", kInt},
    {kInternal, "droppedAttributes", kInt},
    {kIntrinsic, "body", kEmpty},
    {kIntrinsic, "body", kString},
    {kIntrinsic, "body", kBool},
    {kIntrinsic, "body", kInt},
    {kIntrinsic, "body", kDouble},
    {kIntrinsic, "body", kArray},
    {kIntrinsic, "body", kMap},
    {kIntrinsic, "body", kBytes},
};
constexpr IntrinsicColumn kResourceColumns[] = {
    {kIntrinsic, "serviceName", kString},
    {kInternal, "droppedAttributes", kInt},
    {kInternal, "schemaUrl", kString},
    {kInternal, "entityRefs", kBytes},
};
constexpr IntrinsicColumn kScopeColumns[] = {
    {kIntrinsic, "scopeName", kString},
    {kIntrinsic, "scopeVersion", kString},
    {kInternal, "droppedAttributes", kInt},
    {kInternal, "schemaUrl", kString},
};
static_assert(std::size(kSpanColumns) == span_column::kCount);
static_assert(std::size(kEventColumns) == event_column::kCount);
static_assert(std::size(kLinkColumns) == link_column::kCount);
static_assert(std::size(kLogColumns) == log_column::kCount);
static_assert(std::size(kResourceColumns) == resource_column::kCount);
static_assert(std::size(kScopeColumns) == scope_column::kCount);

}  // namespace

std::span<const IntrinsicColumn> IntrinsicColumns(StoredTable table) {
  switch (table) {
    case StoredTable::kSpans:
      return kSpanColumns;
    case StoredTable::kEvents:
      return kEventColumns;
    case StoredTable::kLinks:
      return kLinkColumns;
    case StoredTable::kLogs:
      return kLogColumns;
    case StoredTable::kResources:
      return kResourceColumns;
    case StoredTable::kScopes:
      return kScopeColumns;
  }
  return {};
}

AttributeScope AttributeScopeOf(StoredTable table) {
  switch (table) {
    case StoredTable::kSpans:
      return AttributeScope::kSpan;
    case StoredTable::kEvents:
      return AttributeScope::kEvent;
    case StoredTable::kLinks:
      return AttributeScope::kLink;
    case StoredTable::kLogs:
      return AttributeScope::kLog;
    case StoredTable::kResources:
      return AttributeScope::kResource;
    case StoredTable::kScopes:
      return AttributeScope::kInstrumentation;
  }
  return kInternal;
}

uint64_t DistinctValues(const StoredRows& rows) {
  uint64_t values = 0;
  for (uint8_t t = 0; t < kStoredTables; ++t) {
    const auto table = StoredTable{t};
    for (uint32_t c = 0; c < rows.stored_column_count(table); ++c)
      values += rows.value_count(table, c);
  }
  return values;
}

}  // namespace weft::segment

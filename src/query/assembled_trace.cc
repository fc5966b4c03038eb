// SPDX-License-Identifier: Apache-2.0
#include "query/assembled_trace.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "query/column_verdict.h"
#include "query/value_text.h"

namespace weft::query {

using traceql::Intrinsic;
using traceql::Scope;

namespace {

const Value* FindPresent(Attributes attributes, std::string_view key) {
  const Value* value = Find(attributes, key);
  return value == nullptr || value->type == ValueType::kEmpty ? nullptr : value;
}
Scalar ScalarOf(const Value* value) { return value == nullptr ? Scalar{} : ToScalar(*value); }

}  // namespace

// The fields of one span of an assembled trace.
class AssembledSource : public FieldSource {
 public:
  AssembledSource(const AssembledTrace& trace, const std::vector<traceql::Field>& slots)
      : trace_(trace), slots_(slots), texts_(slots.size()) {}

  void Move(uint32_t span) {
    index_ = span;
    span_ = &trace_.batch_.spans[span];
  }
  uint32_t event_count() const override { return static_cast<uint32_t>(span_->events.size()); }
  uint32_t link_count() const override { return static_cast<uint32_t>(span_->links.size()); }
  void BindEvent(uint32_t index) override { event_ = &span_->events[index]; }
  void BindLink(uint32_t index) override { link_ = &span_->links[index]; }

  Scalar Get(uint32_t slot) override {
    const traceql::Field& field = slots_[slot];
    if (field.intrinsic == Intrinsic::kNone) return Attribute(field);
    if (traceql::IsWholeTrace(field.intrinsic)) return WholeTrace(field.intrinsic);
    return Own(field.intrinsic, &texts_[slot]);
  }

 private:
  Scalar Attribute(const traceql::Field& field) const {
    const Resource& resource = trace_.batch_.resources[span_->resource];
    switch (field.scope) {
      case Scope::kSpan:
        return ScalarOf(FindPresent(span_->attributes, field.key));
      case Scope::kResource:
        return ScalarOf(FindPresent(resource.attributes, field.key));
      case Scope::kInstrumentation:
        return ScalarOf(FindPresent(trace_.batch_.scopes[span_->scope].attributes, field.key));
      case Scope::kEvent:
        return ScalarOf(FindPresent(event_->attributes, field.key));
      case Scope::kLink:
        return ScalarOf(FindPresent(link_->attributes, field.key));
      case Scope::kAny:
        break;
    }
    const Value* value = FindPresent(span_->attributes, field.key);
    return ScalarOf(value != nullptr ? value : FindPresent(resource.attributes, field.key));
  }

  static Scalar Hex(std::string hex, std::string* text) {
    *text = std::move(hex);
    return Scalar::String(*text);
  }

  Scalar Own(Intrinsic intrinsic, std::string* text) const {
    switch (intrinsic) {
      case Intrinsic::kDuration:
        return Scalar::Duration(SignedNs(DurationNs(*span_)));
      case Intrinsic::kName:
        return Scalar::String(span_->name);
      case Intrinsic::kStatus:
        return Scalar::Of(Scalar::Kind::kStatus, static_cast<int64_t>(span_->status));
      case Intrinsic::kStatusMessage:
        return Scalar::String(span_->status_message);
      case Intrinsic::kKind:
        return Scalar::Of(Scalar::Kind::kKind, static_cast<int64_t>(span_->kind));
      case Intrinsic::kSpanId:
        return Hex(span_->span_id.ToHex(), text);
      case Intrinsic::kParentId:
        return span_->parent_span_id.empty() ? Scalar::String("")
                                             : Hex(span_->parent_span_id.ToHex(), text);
      case Intrinsic::kTraceId:
        return Hex(span_->trace_id.ToHex(), text);
      case Intrinsic::kEventName:
        return Scalar::String(event_->name);
      case Intrinsic::kEventTimeSinceStart:
        return Scalar::Duration(static_cast<int64_t>(event_->time_ns - span_->start_ns));
      case Intrinsic::kLinkTraceId:
        return Hex(link_->trace_id.ToHex(), text);
      case Intrinsic::kLinkSpanId:
        return Hex(link_->span_id.ToHex(), text);
      case Intrinsic::kScopeName:
        return Scalar::String(trace_.batch_.scopes[span_->scope].name);
      case Intrinsic::kScopeVersion:
        return Scalar::String(trace_.batch_.scopes[span_->scope].version);
      case Intrinsic::kTraceState:
        return Scalar::String(span_->trace_state);
      default:
        return {};
    }
  }

  // Nested sets count the openings and closings of all spans in pre-order, from 1: before a span at
  // position p and depth d, p spans have opened and p - d have closed.
  int64_t NestedLeft(uint32_t position) const {
    return 2 * int64_t{position} - trace_.tree_.depth[position] + 1;
  }

  Scalar WholeTrace(Intrinsic intrinsic) const {
    const trace::Tree& tree = trace_.tree_;
    uint32_t position = trace_.position_[index_];
    const Span& root = trace_.batch_.spans[trace_.root_];
    switch (intrinsic) {
      case Intrinsic::kChildCount:
        return Scalar::Int(tree.children[position]);
      case Intrinsic::kTraceDuration:
        return Scalar::Duration(SignedNs(trace_.end_ns_ - trace_.start_ns_));
      case Intrinsic::kRootName:
        return Scalar::String(root.name);
      case Intrinsic::kRootService:
        return Scalar::String(ServiceName(trace_.batch_.resources[root.resource]));
      case Intrinsic::kNestedSetLeft:
        return Scalar::Int(NestedLeft(position));
      case Intrinsic::kNestedSetRight:
        return Scalar::Int(NestedLeft(position) + 2 * int64_t{tree.subtree[position]} - 1);
      case Intrinsic::kNestedSetParent:
        if (tree.parent[position] != trace::kNone)
          return Scalar::Int(NestedLeft(tree.parent[position]));
        return Scalar::Int(tree.orphan[position] ? 0 : -1);
      default:
        return {};
    }
  }

  const AssembledTrace& trace_;
  const std::vector<traceql::Field>& slots_;
  std::vector<std::string> texts_;  // hex ids, one a slot
  uint32_t index_ = 0;
  const Span* span_ = nullptr;
  const Event* event_ = nullptr;
  const Link* link_ = nullptr;
};

AssembledTrace::AssembledTrace(SpanBatch batch) : batch_(std::move(batch)) {
  start_ns_ = UINT64_MAX;
  for (const Span& span : batch_.spans) {
    nodes_.push_back(trace::NodeOf(span));
    start_ns_ = std::min(start_ns_, span.start_ns);
    end_ns_ = std::max({end_ns_, span.start_ns, span.end_ns});
  }
  tree_ = trace::BuildTree(nodes_);
  position_.resize(nodes_.size());
  root_missing_ = true;
  for (uint32_t i = 0; i < tree_.node.size(); ++i) {
    position_[tree_.node[i]] = i;
    bool is_root = tree_.parent[i] == trace::kNone && !tree_.orphan[i];
    if (!is_root || !root_missing_) continue;
    root_ = tree_.node[i];
    root_missing_ = false;
  }
  if (root_missing_) root_ = tree_.node[0];
}

std::vector<uint32_t> AssembledTrace::FindMatches(const Plan& plan) const {
  std::vector<std::vector<uint32_t>> spans;  // by filter
  for (const SpanFilter& filter : plan.filters) spans.push_back(FindSpans(filter));
  std::vector<uint32_t> selected;
  Select(plan.root, [&](uint32_t filter) { return !spans[filter].empty(); }, &selected);
  std::vector<uint8_t> matches(batch_.spans.size());
  for (uint32_t filter : selected)
    for (uint32_t span : spans[filter]) matches[span] = plan.InWindow(batch_.spans[span].start_ns);
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < matches.size(); ++i)
    if (matches[i]) out.push_back(i);
  std::ranges::sort(out, [&](uint32_t a, uint32_t b) {
    const Span &x = batch_.spans[a], &y = batch_.spans[b];
    return std::tie(x.start_ns, x.span_id, a) < std::tie(y.start_ns, y.span_id, b);
  });
  return out;
}

std::vector<uint32_t> AssembledTrace::FindSpans(const SpanFilter& filter) const {
  static const std::vector<traceql::Field> kNoSlots;
  AssembledSource source(*this, filter.program == nullptr ? kNoSlots : filter.program->slots());
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < batch_.spans.size(); ++i) {
    source.Move(i);
    if (filter.program == nullptr || filter.program->Matches(&source)) out.push_back(i);
  }
  return out;
}

TraceSummary AssembledTrace::Summarise(const Plan& plan, const std::vector<uint32_t>& matches,
                                       uint32_t spans_max) const {
  TraceSummary out;
  const Span& root = batch_.spans[root_];
  out.trace_id = root.trace_id;
  out.root_service = ServiceName(batch_.resources[root.resource]);
  out.root_name = root.name;
  out.root_missing = root_missing_;
  out.order_ns = start_ns_;
  uint64_t end_ns = 0;
  out.start_ns = UINT64_MAX;
  for (const Span& span : batch_.spans) {
    if (span.start_ns == 0) continue;
    out.start_ns = std::min(out.start_ns, span.start_ns);
    end_ns = std::max({end_ns, span.start_ns, span.end_ns});
  }
  if (end_ns == 0) out.start_ns = 0;
  out.duration_ns = end_ns - out.start_ns;
  out.spans = static_cast<uint32_t>(batch_.spans.size());
  out.orphans = static_cast<uint32_t>(std::ranges::count(tree_.orphan, true));
  std::map<std::string_view, ServiceShare> shares;
  for (const Span& span : batch_.spans) {
    ServiceShare& share = shares[ServiceName(batch_.resources[span.resource])];
    bool error = span.status == StatusCode::kError;
    ++share.spans;
    share.errors += error;
    out.errors += error;
  }
  for (auto& [service, share] : shares) {
    share.service = service;
    out.services.push_back(std::move(share));
  }
  std::ranges::stable_sort(out.services, std::greater(), &ServiceShare::spans);
  out.matched = static_cast<uint32_t>(matches.size());
  for (size_t i = 0; i < matches.size() && i < spans_max; ++i)
    out.matches.push_back(Describe(plan, matches[i]));
  return out;
}

MatchedSpan AssembledTrace::Describe(const Plan& plan, uint32_t index) const {
  const Span& span = batch_.spans[index];
  MatchedSpan out;
  out.span_id = span.span_id;
  out.name = span.name;
  out.service = ServiceName(batch_.resources[span.resource]);
  out.start_ns = span.start_ns;
  out.duration_ns = DurationNs(span);
  out.error = span.status == StatusCode::kError;
  for (const traceql::Field& field : plan.attributes) {
    auto add = [&](std::string_view scope, Attributes attributes) {
      const Value* value = FindPresent(attributes, field.key);
      if (value == nullptr) return false;
      out.attributes.emplace_back(std::string(scope) + "." + field.key, ValueText(*value));
      out.attribute_types.push_back(value->type);
      return true;
    };
    bool any = field.scope == Scope::kAny;
    if ((any || field.scope == Scope::kSpan) && add("span", span.attributes)) continue;
    if ((any || field.scope == Scope::kResource) &&
        add("resource", batch_.resources[span.resource].attributes))
      continue;
    if (field.scope == Scope::kInstrumentation)
      add("instrumentation", batch_.scopes[span.scope].attributes);
    if (field.scope == Scope::kEvent)
      std::ranges::any_of(span.events, [&](const Event& e) { return add("event", e.attributes); });
    if (field.scope == Scope::kLink)
      std::ranges::any_of(span.links, [&](const Link& l) { return add("link", l.attributes); });
  }
  return out;
}

}  // namespace weft::query

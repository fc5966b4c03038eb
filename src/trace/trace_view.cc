// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "trace/trace.h"

namespace weft::trace {
namespace {

// What shares a clock. Spans of one host do; where no host is named, spans of one service instance.
std::string ClockDomain(const Resource& resource) {
  for (std::string_view key : {"host.id", "host.name", "k8s.node.name"})
    if (std::string_view host = FindString(resource.attributes, key); !host.empty())
      return "host/" + std::string(host);
  std::string domain = "service/" + std::string(ServiceName(resource));
  for (std::string_view key : {"k8s.pod.name", "service.instance.id"}) {
    domain += '/';
    domain += FindString(resource.attributes, key);
  }
  return domain;
}

std::vector<uint32_t> ClockDomains(const SpanBatch& batch) {
  std::unordered_map<std::string, uint32_t> numbers;
  std::vector<uint32_t> of_resource;
  for (const Resource& resource : batch.resources) {
    uint32_t next = static_cast<uint32_t>(numbers.size());
    of_resource.push_back(numbers.try_emplace(ClockDomain(resource), next).first->second);
  }
  std::vector<uint32_t> of_span;
  of_span.reserve(batch.spans.size());
  for (const Span& span : batch.spans) of_span.push_back(of_resource[span.resource]);
  return of_span;
}

void FindRoot(TraceView* view) {
  uint32_t count = static_cast<uint32_t>(view->tree.node.size());
  view->root_missing = count > 0;
  for (uint32_t i = 0; i < count; i += view->tree.subtree[i]) {
    if (view->tree.orphan[i]) continue;
    view->root = i;  // roots lie in start order: the first is the earliest
    view->root_missing = false;
    return;
  }
}

std::vector<Node> Corrected(const TraceView& view) {
  std::vector<Node> moved = view.nodes;
  for (uint32_t i = 0; i < view.skew_ns.size(); ++i) {
    Node& node = moved[view.tree.node[i]];
    node.start_ns += static_cast<uint64_t>(view.skew_ns[i]);
    node.end_ns += static_cast<uint64_t>(view.skew_ns[i]);
  }
  return moved;
}

// Where the time went: a call whose clock is behind was waited for all the same.
void FindTimes(TraceView* view) {
  const bool agree = std::ranges::all_of(view->skew_ns, [](int64_t skew) { return skew == 0; });
  const std::vector<Node> corrected = agree ? std::vector<Node>() : Corrected(*view);
  std::span<const Node> moved = agree ? view->nodes : corrected;
  view->self_ns = SelfTimes(view->tree, moved);
  view->critical_ns = CriticalTimes(view->tree, moved);
  view->critical_path = CriticalPath(view->tree, moved, view->root);
  for (CriticalPiece& piece : view->critical_path) {
    piece.start_ns -= static_cast<uint64_t>(view->skew_ns[piece.position]);
    piece.end_ns -= static_cast<uint64_t>(view->skew_ns[piece.position]);
  }
}

}  // namespace

TraceView BuildTraceView(const SpanBatch& batch) {
  TraceView view;
  view.batch = &batch;
  view.nodes.reserve(batch.spans.size());
  std::unordered_set<std::string_view> services;
  for (const Span& span : batch.spans) {
    bool error = span.status == StatusCode::kError;
    view.nodes.push_back(
        {span.span_id, span.parent_span_id, span.start_ns, span.end_ns, span.kind, error});
    view.errors += error;
    services.insert(ServiceName(batch.resources[span.resource]));
  }
  view.services = static_cast<uint32_t>(services.size());
  view.tree = BuildTree(view.nodes);
  view.error_origin = ErrorOrigins(view.tree, view.nodes);
  view.skew_ns = SkewCorrections(view.tree, view.nodes, ClockDomains(batch));
  FindRoot(&view);
  FindTimes(&view);
  if (!view.nodes.empty()) {
    view.start_ns = UINT64_MAX;
    for (const Node& node : view.nodes) {
      view.start_ns = std::min(view.start_ns, node.start_ns);
      view.end_ns = std::max({view.end_ns, node.start_ns, node.end_ns});
    }
    view.depth = *std::ranges::max_element(view.tree.depth) + 1;
  }
  return view;
}

}  // namespace weft::trace

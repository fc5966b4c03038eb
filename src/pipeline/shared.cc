// SPDX-License-Identifier: Apache-2.0
#include "pipeline/shared.h"

#include <algorithm>

namespace weft::pipeline {
namespace {

template <class B>
void CopyFrame(const std::shared_ptr<const B>& source, bool with_received, B* out) {
  out->owners.push_back(source);
  out->resources = source->resources;
  out->scopes = source->scopes;
  out->left_out = source->left_out;
  out->not_understood = source->not_understood;
  out->received_ns = source->received_ns;
  out->client = source->client;
  out->tenant = source->tenant;
  if (!with_received || !source->received_is_content) return;
  out->received = source->received;
  out->received_is_content = true;
}

template <class T>
void CopyPoints(Arena* arena, std::span<T>* points) {
  std::span<T> copy = arena->NewArray<T>(points->size());
  std::ranges::copy(*points, copy.begin());
  *points = copy;
}

}  // namespace

SpanBatch CopyLists(const std::shared_ptr<const SpanBatch>& source, bool with_received) {
  SpanBatch batch;
  CopyFrame(source, with_received, &batch);
  batch.spans = source->spans;
  batch.logs = source->logs;
  batch.rejected_spans = source->rejected_spans;
  batch.rejected_logs = source->rejected_logs;
  return batch;
}

MetricBatch CopyLists(const std::shared_ptr<const MetricBatch>& source, bool with_received) {
  MetricBatch batch;
  CopyFrame(source, with_received, &batch);
  batch.metrics = source->metrics;
  for (Metric& metric : batch.metrics) {
    CopyPoints(&batch.arena, &metric.numbers);
    CopyPoints(&batch.arena, &metric.histograms);
    CopyPoints(&batch.arena, &metric.exponential_histograms);
    CopyPoints(&batch.arena, &metric.summaries);
  }
  batch.rejected_points = source->rejected_points;
  return batch;
}

}  // namespace weft::pipeline

// SPDX-License-Identifier: Apache-2.0
//
// A store for tests of the API: every batch becomes one sealed chunk in memory, at once. Duplicates
// are removed when a trace is read, as the real store does.
//
// Thread rule: as store::Store.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "block/chunk.h"
#include "store/store.h"

namespace weft::api {

class MemorySnapshot : public store::Snapshot {
 public:
  explicit MemorySnapshot(std::vector<std::shared_ptr<const block::Segment>> segments)
      : segments_(std::move(segments)) {}
  const std::vector<std::shared_ptr<const block::Segment>>& segments() const override {
    return segments_;
  }
  bool MayBeSplit(const TraceId&) const override { return true; }
  Result<SpanBatch> ReadTrace(const TraceId& id) const override {
    SpanBatch all;
    for (const auto& segment : segments_) {
      WEFT_ASSIGN(auto rows, segment->FindTrace(id));
      WEFT_TRY(segment->ReadSpans(rows.spans, &all));
      WEFT_TRY(segment->ReadLogs(rows.logs, &all));
    }
    if (all.spans.empty() && all.logs.empty())
      return Fail(ErrorCode::kNotFound, "no trace " + id.ToHex());
    std::set<ContentHash> seen;
    std::erase_if(all.spans,
                  [&](const Span& span) { return !seen.insert(HashSpan(all, span)).second; });
    std::ranges::stable_sort(all.spans, {}, &Span::start_ns);
    return all;
  }
  const std::vector<std::string>& unreadable() const override { return unreadable_; }

 private:
  std::vector<std::shared_ptr<const block::Segment>> segments_;
  std::vector<std::string> unreadable_;
};

class MemoryStore : public store::Store {
 public:
  Status Admit(uint64_t) override { return {}; }
  void Append(SpanBatch batch, store::Completion done) override {
    auto chunk = std::make_shared<block::Chunk>();
    chunk->Append(batch);
    chunk->Seal();
    {
      std::lock_guard lock(mutex_);
      stats_.appended_spans += batch.spans.size();
      stats_.head_spans += batch.spans.size();
      segments_.insert(segments_.begin(), std::move(chunk));
    }
    done({});
  }
  std::shared_ptr<const store::Snapshot> TakeSnapshot(std::string_view) override {
    std::lock_guard lock(mutex_);
    return std::make_shared<MemorySnapshot>(segments_);
  }
  std::vector<std::string> tenants() override { return {"default"}; }
  store::StoreStats stats() override {
    std::lock_guard lock(mutex_);
    return stats_;
  }
  Status FlushNow() override { return {}; }
  Status CompactNow(bool) override { return {}; }
  Status EnforceRetentionNow() override { return {}; }
  void Close() override {}

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<const block::Segment>> segments_;
  store::StoreStats stats_;
};

}  // namespace weft::api

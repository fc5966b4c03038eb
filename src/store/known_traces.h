// SPDX-License-Identifier: Apache-2.0
//
// KnownTraces: what the store holds of the traces that an import meets, as hashes, kept from batch
// to batch. A trace is read once, however many batches bring a piece of it: of a later snapshot
// only what was appended since is read (Snapshot::sequences()). Rows are read a row group at a
// time.
//
// Memory: some 90 bytes a span, and up to 500 more where copies in another format have to be told
// from other spans (KnownDetails). Traces that no batch has asked for longest are forgotten over
// the bound; those of the present batch and the one before stay, however large.
//
// Thread rule: one thread at a time. Used by store/import.cc. Next: codec/fingerprint.h.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "codec/fingerprint.h"
#include "model/span_batch.h"
#include "store/store.h"

namespace weft::store {

// A format with what is left of a span after a trip through it, and with the span as it stands in
// its terms: whether it looks as if it had made that trip.
struct FormatPrint {
  codec::TraceFormat format = codec::TraceFormat::kOtlp;
  std::optional<codec::Fingerprint> trip;
  codec::Fingerprint as_is;
};

struct SpanDetails {
  SpanId id;
  ContentHash content;
  std::vector<FormatPrint> formats;  // as FormatsFrom() has them
};

// The format that an import reads, and those that hold less, in this order.
std::vector<codec::TraceFormat> FormatsFrom(codec::TraceFormat format);
// Of each span of the batch.
std::vector<SpanDetails> DetailsOf(codec::TraceFormat format, const SpanBatch& batch);

struct LowOfContent {
  size_t operator()(const ContentHash& hash) const { return hash.low; }
};
using ContentSet = std::unordered_set<ContentHash, LowOfContent>;

// Spans of one trace, by what formats keep of them. However many share an id, only those that are
// like the one in question are looked at.
class KnownDetails {
 public:
  // Each content once.
  void Add(const SpanDetails& span);
  void AddLogs(codec::TraceFormat format, SpanBatch* batch);
  // True when the span says nothing that a known one does not.
  bool HasOriginalOf(const SpanDetails& span) const;
  // True when a known span is what a format that holds less has kept of this one.
  bool HasCopyOf(const SpanDetails& span) const;
  // True when it is the content of what OTLP's JSON has kept of a known log record.
  bool HasOriginalOfLog(const ContentHash& content) const { return log_trips_.contains(content); }
  uint64_t bytes() const;

 private:
  friend class KnownTraces;
  enum Side : uint64_t { kTrip, kAsIs };
  static uint64_t Key(const SpanId& id, size_t format, Side side, uint64_t content);
  template <class Matches>
  bool AnyOf(uint64_t key, const Matches& matches) const;

  uint64_t read_through_ = 0;  // log sequence
  ContentSet contents_, log_contents_, log_trips_;
  std::unordered_multimap<uint64_t, codec::Fingerprint> prints_;
  // Of the log records of a span, by index of FormatsFrom().
  std::unordered_map<SpanId, std::vector<codec::EventPrint>, IdHash> logs_;
};

enum class FirstLook : uint8_t { kNew, kDuplicate, kDoubtful };

class KnownTrace {
 public:
  // Doubtful: the id is known with other content, and not as the other half of the span's call.
  FirstLook Look(const SpanId& id, SpanKind kind, const ContentHash& content) const;
  void AddSpan(const SpanId& id, SpanKind kind, const ContentHash& content);
  // Doubtful: one of this time and span is known with other content.
  FirstLook LookAtLog(const LogRecord& log, const ContentHash& content) const;
  void AddLog(const LogRecord& log, const ContentHash& content);
  uint64_t bytes() const;

 private:
  friend class KnownTraces;
  uint64_t batch_ = 0;         // that it was found for last
  uint64_t read_through_ = 0;  // log sequence
  ContentSet spans_, logs_;
  std::unordered_set<uint64_t> log_places_;             // of their times and spans
  std::unordered_map<SpanId, uint32_t, IdHash> kinds_;  // of the spans of an id, a bit each
  std::unordered_map<codec::TraceFormat, KnownDetails> details_;
};

class KnownTraces {
 public:
  explicit KnownTraces(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // Before the traces of a batch are asked for. Everything is forgotten where the store lost blocks
  // since, and what is over the bound.
  void BeginBatch(std::string_view tenant, std::shared_ptr<const Snapshot> snapshot);
  // After what was new of the batch was appended: `after` has it. What is known of its traces is
  // then all that the store has, unless others appended meanwhile: that is read when they are asked
  // for.
  void EndBatch(const Snapshot& after);
  // As of the batch's snapshot. The result lives until the next batch begins.
  Result<KnownTrace*> Find(const TraceId& id);
  // Reads the trace a second time, and from then on what is new of it. REQUIRES: `trace` is what
  // Find() gave for `id` in this batch.
  Result<KnownDetails*> FindDetails(const TraceId& id, codec::TraceFormat format,
                                    KnownTrace* trace);
  // What was added of the present batch is not in the store.
  void ForgetAll();

  // Spans and log records read from the store, so far.
  uint64_t items_read() const { return items_read_; }

 private:
  struct Key {
    std::string tenant;
    TraceId id;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const {
      return std::hash<std::string>()(key.tenant) ^ IdHash()(key.id);
    }
  };
  struct Entry {
    Key key;
    KnownTrace trace;
  };
  // Calls take(batch) with the rows of the trace above the sequence, and raises it.
  template <class Take>
  Status ReadSince(const TraceId& id, uint64_t* read_through, const Take& take);
  template <class Take>
  Status ReadSegment(const segment::Segment& segment, const TraceId& id, const Take& take);

  const uint64_t bytes_max_;
  std::list<Entry> entries_;  // last used first
  std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> by_key_;
  uint64_t batch_ = 0;  // the present one's number
  std::string tenant_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::unordered_map<std::string, uint64_t> losses_;  // by tenant, when its traces were read
  uint64_t items_read_ = 0;
};

}  // namespace weft::store

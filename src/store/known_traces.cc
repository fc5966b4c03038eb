// SPDX-License-Identifier: Apache-2.0
#include "store/known_traces.h"

#include <algorithm>

#include "model/span_twins.h"

namespace weft::store {

using codec::TraceFormat;

namespace {

// What a system calls OTLP can be Jaeger's own data by another name (its api_v3 over an old
// storage): such a span is compared as Jaeger's, too.
size_t FormatsAsked(const SpanDetails& span) {
  return span.formats[0].format == TraceFormat::kOtlp ? 2 : 1;
}

uint64_t PlaceOf(const LogRecord& log) {
  return IdHash()(log.span_id) ^ log.time_ns * 0x9E3779B97F4A7C15u ^ log.observed_ns;
}

}  // namespace

std::vector<TraceFormat> FormatsFrom(TraceFormat format) {
  switch (format) {
    case TraceFormat::kZipkin:
      return {TraceFormat::kZipkin};
    case TraceFormat::kJaeger:
      return {TraceFormat::kJaeger, TraceFormat::kZipkin};
    default:
      return {TraceFormat::kOtlp, TraceFormat::kJaeger, TraceFormat::kZipkin};
  }
}

std::vector<SpanDetails> DetailsOf(TraceFormat format, const SpanBatch& batch) {
  std::vector<SpanDetails> all(batch.spans.size());
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].id = batch.spans[i].span_id;
    all[i].content = HashSpan(batch, batch.spans[i]);
  }
  for (const TraceFormat one : FormatsFrom(format)) {
    const auto as_is = codec::FingerprintSpans(one, batch);
    const auto trips = codec::FingerprintTrips(one, batch);
    for (size_t i = 0; i < all.size(); ++i) all[i].formats.push_back({one, trips[i], as_is[i]});
  }
  return all;
}

// ---- one trace, closely

uint64_t KnownDetails::Key(const SpanId& id, size_t format, Side side, uint64_t content) {
  return IdHash()(id) ^ (content + 2 * format + side) * 0x9E3779B97F4A7C15u;
}

template <class Matches>
bool KnownDetails::AnyOf(uint64_t key, const Matches& matches) const {
  const auto [first, last] = prints_.equal_range(key);
  return std::any_of(first, last, [&](const auto& one) { return matches(one.second); });
}

void KnownDetails::Add(const SpanDetails& span) {
  if (!contents_.insert(span.content).second) return;
  for (size_t f = 0; f < span.formats.size(); ++f) {
    const auto& [format, trip, as_is] = span.formats[f];
    if (f < FormatsAsked(span) && trip)
      prints_.emplace(Key(span.id, f, kTrip, trip->content), *trip);
    if (f > 0) prints_.emplace(Key(span.id, f, kAsIs, as_is.content), as_is);
  }
}

void KnownDetails::AddLogs(TraceFormat format, SpanBatch* batch) {
  std::erase_if(batch->logs, [&](const LogRecord& log) {
    return !log_contents_.insert(HashLog(*batch, log)).second;
  });
  if (batch->logs.empty()) return;
  const std::vector<TraceFormat> formats = FormatsFrom(format);
  if (format == TraceFormat::kOtlp)
    for (const ContentHash& content : codec::HashLogTrips(*batch)) log_trips_.insert(content);
  for (size_t f = 0; f < formats.size(); ++f) {
    const auto prints = codec::FingerprintLogTrips(formats[f], *batch);
    for (size_t i = 0; i < prints.size(); ++i) {
      auto& of_span = logs_[batch->logs[i].span_id];
      of_span.resize(formats.size());
      of_span[f].Add(prints[i]);
    }
  }
}

bool KnownDetails::HasOriginalOf(const SpanDetails& span) const {
  const auto logs = logs_.find(span.id);
  for (size_t f = 0; f < FormatsAsked(span); ++f) {
    const auto& [format, trip, as_is] = span.formats[f];
    const codec::EventPrint of_span = logs == logs_.end() ? codec::EventPrint{} : logs->second[f];
    if (AnyOf(Key(span.id, f, kTrip, as_is.content), [&](const codec::Fingerprint& fine) {
          return codec::IsAllThatIsKept(format, fine, of_span, as_is);
        }))
      return true;
  }
  return false;
}

bool KnownDetails::HasCopyOf(const SpanDetails& span) const {
  for (size_t f = 1; f < span.formats.size(); ++f) {
    const auto& [format, trip, as_is] = span.formats[f];
    if (trip && AnyOf(Key(span.id, f, kAsIs, trip->content), [&](const codec::Fingerprint& coarse) {
          return codec::IsAllThatIsKept(format, *trip, {}, coarse);
        }))
      return true;
  }
  return false;
}

// With the pointers and the slots of hash tables.
uint64_t KnownDetails::bytes() const {
  constexpr uint64_t kPrintBytes = 32 + sizeof(codec::Fingerprint), kContentBytes = 48;
  return prints_.size() * kPrintBytes + (contents_.size() + log_contents_.size()) * kContentBytes +
         logs_.size() * 4 * sizeof(codec::EventPrint);
}

// ---- one trace

FirstLook KnownTrace::Look(const SpanId& id, SpanKind kind, const ContentHash& content) const {
  if (spans_.contains(content)) return FirstLook::kDuplicate;
  const auto known = kinds_.find(id);
  if (known == kinds_.end()) return FirstLook::kNew;
  for (uint32_t bit = 0; bit < 32; ++bit) {
    const bool has = (known->second >> bit & 1) != 0;
    if (has && !AreTwoHalves(static_cast<SpanKind>(bit), kind)) return FirstLook::kDoubtful;
  }
  return FirstLook::kNew;
}

void KnownTrace::AddSpan(const SpanId& id, SpanKind kind, const ContentHash& content) {
  if (!spans_.insert(content).second) return;
  // Kinds that OTLP does not know are no half of anything, whatever their number.
  kinds_[id] |= uint32_t{1} << std::min<uint32_t>(static_cast<uint32_t>(kind), 31);
}

FirstLook KnownTrace::LookAtLog(const LogRecord& log, const ContentHash& content) const {
  if (logs_.contains(content)) return FirstLook::kDuplicate;
  return log_places_.contains(PlaceOf(log)) ? FirstLook::kDoubtful : FirstLook::kNew;
}

void KnownTrace::AddLog(const LogRecord& log, const ContentHash& content) {
  logs_.insert(content);
  log_places_.insert(PlaceOf(log));
}

uint64_t KnownTrace::bytes() const {
  constexpr uint64_t kContentBytes = 48, kIdBytes = 40;
  uint64_t bytes =
      sizeof *this + (spans_.size() + 2 * logs_.size()) * kContentBytes + kinds_.size() * kIdBytes;
  for (const auto& [format, details] : details_) bytes += details.bytes();
  return bytes;
}

// ---- all of them

void KnownTraces::ForgetAll() {
  by_key_.clear();
  entries_.clear();
}

void KnownTraces::BeginBatch(std::string_view tenant, std::shared_ptr<const Snapshot> snapshot) {
  ++batch_;
  tenant_ = tenant;
  snapshot_ = std::move(snapshot);
  const uint64_t losses = snapshot_->losses() + snapshot_->unreadable().size();
  const auto [known, is_new] = losses_.try_emplace(tenant_, losses);
  if (known->second != losses) ForgetAll();
  known->second = losses;
  uint64_t bytes = 0;
  auto at = entries_.begin();
  // A trace that is larger than the bound by itself must not be read anew for each of its pieces.
  while (at != entries_.end() &&
         ((bytes += at->trace.bytes()) <= bytes_max_ || at->trace.batch_ + 1 == batch_))
    ++at;
  for (auto gone = at; gone != entries_.end(); ++gone) by_key_.erase(gone->key);
  entries_.erase(at, entries_.end());
}

void KnownTraces::EndBatch(const Snapshot& after) {
  uint64_t before = 0;
  for (const SequenceRange& range : snapshot_->sequences()) before = std::max(before, range.last);
  const SequenceRange* own = nullptr;
  for (const SequenceRange& range : after.sequences()) {
    if (range.last <= before) continue;
    // The batch has one sequence. More than one: somebody else's too.
    if (own != nullptr || range.first != range.last) return;
    own = &range;
  }
  if (own == nullptr) return;
  for (Entry& entry : entries_) {
    if (entry.trace.batch_ != batch_) break;
    if (entry.trace.read_through_ >= before) entry.trace.read_through_ = own->last;
  }
}

template <class Take>
Status KnownTraces::ReadSegment(const segment::Segment& segment, const TraceId& id,
                                const Take& take) {
  WEFT_ASSIGN(const segment::Segment::TraceRows rows, segment.FindTrace(id));
  const auto each_group = [](const std::vector<segment::Row>& all, const segment::RowGroups& groups,
                             const auto& read) -> Status {
    for (size_t first = 0, end; first < all.size(); first = end) {
      const uint32_t group = groups.group_of(all[first]);
      for (end = first; end < all.size() && groups.group_of(all[end]) == group; ++end) {
      }
      WEFT_TRY(read(std::span(all).subspan(first, end - first)));
    }
    return {};
  };
  WEFT_TRY(each_group(rows.spans, segment.spans().groups(),
                      [&](std::span<const segment::Row> some) -> Status {
                        SpanBatch batch;
                        WEFT_TRY(segment.ReadSpans(some, &batch));
                        items_read_ += some.size();
                        take(batch);
                        return {};
                      }));
  const segment::RowGroups& groups = segment.table(segment::TableId::kLogs).groups();
  return each_group(rows.logs, groups, [&](std::span<const segment::Row> some) -> Status {
    SpanBatch batch;
    WEFT_TRY(segment.ReadLogs(some, &batch));
    items_read_ += some.size();
    take(batch);
    return {};
  });
}

template <class Take>
Status KnownTraces::ReadSince(const TraceId& id, uint64_t* read_through, const Take& take) {
  const auto& segments = snapshot_->segments();
  const auto& sequences = snapshot_->sequences();
  uint64_t last = 0;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (!sequences.empty()) {
      if (sequences[i].last <= *read_through) continue;
      last = std::max(last, sequences[i].last);
    }
    // What a damaged block hides is not known to be here: imported again it is there again.
    if (Status read = ReadSegment(*segments[i], id, take);
        !read && read.error().code != ErrorCode::kCorruption && read.error().code != ErrorCode::kIo)
      return read;
  }
  *read_through = std::max(*read_through, last);
  return {};
}

Result<KnownTrace*> KnownTraces::Find(const TraceId& id) {
  Key key{tenant_, id};
  const auto [place, is_new] = by_key_.try_emplace(key, entries_.end());
  if (is_new) {
    entries_.push_front({std::move(key), {}});
    place->second = entries_.begin();
  } else {
    entries_.splice(entries_.begin(), entries_, place->second);
  }
  KnownTrace& trace = entries_.front().trace;
  if (trace.batch_ == batch_) return &trace;
  WEFT_TRY(ReadSince(id, &trace.read_through_, [&](SpanBatch& batch) {
    for (const Span& span : batch.spans)
      trace.AddSpan(span.span_id, span.kind, HashSpan(batch, span));
    for (const LogRecord& log : batch.logs) trace.AddLog(log, HashLog(batch, log));
  }));
  trace.batch_ = batch_;
  return &trace;
}

Result<KnownDetails*> KnownTraces::FindDetails(const TraceId& id, TraceFormat format,
                                               KnownTrace* trace) {
  KnownDetails& details = trace->details_[format];
  WEFT_TRY(ReadSince(id, &details.read_through_, [&](SpanBatch& batch) {
    for (const SpanDetails& span : DetailsOf(format, batch)) details.Add(span);
    details.AddLogs(format, &batch);
  }));
  return &details;
}

}  // namespace weft::store

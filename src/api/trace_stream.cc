// SPDX-License-Identifier: Apache-2.0
#include "api/trace_stream.h"

#include <algorithm>
#include <unordered_map>

#include "api/answers.h"

namespace weft::api {
namespace {

constexpr uint32_t kRowsPerLine = 8192;
enum Flag : uint32_t {
  kOrphan = 1,
  kErrorOrigin = 2,
  kHasLinks = 4,
  kFollows = 8,
  kCopy = 16,
  kNoTime = 32,
};

// Numbers texts in the order of their first appearance.
class TextIndex {
 public:
  uint32_t Of(std::string_view text) {
    auto [place, is_new] = index_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
    if (is_new) texts_.push_back(text);
    return place->second;
  }
  const std::vector<std::string_view>& texts() const { return texts_; }

 private:
  std::unordered_map<std::string_view, uint32_t> index_;
  std::vector<std::string_view> texts_;
};

class TraceStream : public std::enable_shared_from_this<TraceStream> {
 public:
  TraceStream(std::shared_ptr<const TraceDocument> document, QueryRunner* runner,
              http::ExchangePtr exchange)
      : document_(std::move(document)), runner_(runner), exchange_(std::move(exchange)) {
    const TraceDocument& d = *document_;
    row_service_.reserve(d.row_count());
    row_name_.reserve(d.row_count());
    for (uint32_t row = 0; row < d.row_count(); ++row) {
      row_service_.push_back(services_.Of(ServiceName(d.batch().resources[d.span(row).resource])));
      row_name_.push_back(names_.Of(d.span(row).name));
    }
  }

  void Begin() {
    exchange_->Start(200, "application/x-ndjson",
                     {{"cache-control", "no-store"}, {"x-content-type-options", "nosniff"}});
    if (Send(HeaderLine())) Pump();
  }

 private:
  void Pump() {
    while (next_row_ < document_->row_count()) {
      uint32_t from = next_row_;
      next_row_ = std::min(document_->row_count(), from + kRowsPerLine);
      if (!Send(RowsLine(from, next_row_))) return;
    }
    if (exchange_->Write("{\"end\": true}\n") != http::WriteState::kClosed) exchange_->Finish();
  }

  // True: go on now. False: the client has gone, or Pump() continues when it has read.
  bool Send(std::string line) {
    switch (exchange_->Write(std::move(line))) {
      case http::WriteState::kGo:
        return true;
      case http::WriteState::kClosed:
        return false;
      case http::WriteState::kWait:
        break;
    }
    exchange_->OnWritable([self = shared_from_this()] {
      self->runner_->Resume([self] {
        if (!self->exchange_->cancelled()) self->Pump();
      });
    });
    return false;
  }

  std::string HeaderLine() const;
  std::string RowsLine(uint32_t from, uint32_t to) const;
  void WriteCriticalPath(const trace::TraceTimes& times, wire::JsonWriter* json) const;
  void WriteClocks(wire::JsonWriter* json) const;
  uint32_t FlagsOf(uint32_t row) const;

  const std::shared_ptr<const TraceDocument> document_;
  QueryRunner* const runner_;
  const http::ExchangePtr exchange_;
  TextIndex services_, names_;
  std::vector<uint32_t> row_service_, row_name_;
  uint32_t next_row_ = 0;
};

std::string TraceStream::HeaderLine() const {
  const TraceDocument& d = *document_;
  const trace::TraceView& view = d.view();
  std::string line;
  wire::JsonWriter json(&line);
  json.BeginObject();
  json.Field("traceId", d.id().ToHex());
  json.Field("spans", d.row_count());
  WriteTime("startNs", view.start_ns, &json);
  WriteTime("endNs", view.end_ns, &json);
  json.Field("rootService", services_.texts()[row_service_[view.root]]);
  json.Field("rootName", d.span(view.root).name);
  json.Field("rootMissing", view.root_missing);
  json.Field("depth", view.depth);
  json.Field("errors", view.errors);
  json.Field("logs", d.batch().logs.size());
  json.Field("duplicates", d.duplicates());
  json.Field("skewCorrected",
             std::ranges::count_if(view.skew_ns, [](int64_t skew) { return skew != 0; }));
  json.Key("shown");
  json.BeginArray();
  json.Int(static_cast<int64_t>(view.corrected_start_ns - view.start_ns));
  json.Int(static_cast<int64_t>(view.corrected_end_ns - view.start_ns));
  json.EndArray();
  WriteClocks(&json);
  json.Key("services");
  json.BeginArray();
  for (std::string_view service : services_.texts()) json.String(service);
  json.EndArray();
  json.Key("names");
  json.BeginArray();
  for (std::string_view name : names_.texts()) json.String(name);
  json.EndArray();
  json.Key("warnings");
  json.BeginArray();
  for (const std::string& warning : d.warnings()) json.String(warning);
  json.EndArray();
  json.Field("partial", d.partial());
  WriteCriticalPath(view.times, &json);
  json.Key("asReceived");
  if (view.received) {
    json.BeginObject();
    WriteCriticalPath(*view.received, &json);
    json.EndObject();
  } else {
    json.Null();
  }
  json.EndObject();
  line += '\n';
  return line;
}

void TraceStream::WriteClocks(wire::JsonWriter* json) const {
  const TraceDocument& d = *document_;
  json->Key("clocks");
  json->BeginArray();
  for (const trace::ClockFinding& finding : d.view().findings) {
    json->BeginObject();
    json->Field("row", finding.row);
    json->Field("service", services_.texts()[row_service_[finding.row]]);
    json->Field("host", trace::HostText(d.batch().resources[d.span(finding.row).resource]));
    json->Field("spans", finding.spans);
    json->Key("shiftNs");
    json->Int(finding.shift_ns);
    json->Key("wantedNs");
    json->Int(finding.wanted_ns);
    json->Field("early", finding.early);
    json->Field("late", finding.late);
    json->Field("inconsistent", finding.inconsistent);
    json->Field("beyondLimit", finding.beyond_limit);
    json->Field("text", trace::DescribeFinding(d.view(), finding));
    json->EndObject();
  }
  json->EndArray();
}

void TraceStream::WriteCriticalPath(const trace::TraceTimes& times, wire::JsonWriter* json) const {
  const trace::TraceView& view = document_->view();
  std::vector<uint64_t> by_service(services_.texts().size());
  json->Key("criticalPath");
  json->BeginArray();
  for (const trace::CriticalPiece& piece : times.critical_path) {
    by_service[row_service_[piece.position]] += piece.end_ns - piece.start_ns;
    json->BeginArray();
    json->Uint(piece.position);
    json->Uint(piece.start_ns - view.start_ns);
    json->Uint(piece.end_ns - view.start_ns);
    json->EndArray();
  }
  json->EndArray();
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < by_service.size(); ++i)
    if (by_service[i] > 0) order.push_back(i);
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
    return std::pair(by_service[b], a) < std::pair(by_service[a], b);
  });
  json->Key("selfByService");
  json->BeginArray();
  for (uint32_t service : order) {
    json->BeginArray();
    json->Uint(service);
    json->Uint(by_service[service]);
    json->EndArray();
  }
  json->EndArray();
}

uint32_t TraceStream::FlagsOf(uint32_t row) const {
  const trace::TraceView& view = document_->view();
  const trace::Node& node = view.nodes[view.tree.node[row]];
  const Span& span = document_->span(row);
  return (view.tree.orphan[row] ? kOrphan : 0u) | (view.error_origin[row] ? kErrorOrigin : 0u) |
         (span.links.empty() ? 0u : kHasLinks) | (node.follows ? kFollows : 0u) |
         (node.copy ? kCopy : 0u) | (trace::HasTime(node) ? 0u : kNoTime);
}

std::string TraceStream::RowsLine(uint32_t from, uint32_t to) const {
  const TraceDocument& d = *document_;
  const trace::TraceView& view = d.view();
  std::string line;
  line.reserve((to - from) * 110);
  wire::JsonWriter json(&line);
  auto column = [&](std::string_view name, auto write) {
    json.Key(name);
    json.BeginArray();
    for (uint32_t row = from; row < to; ++row) write(row);
    json.EndArray();
  };
  json.BeginObject();
  json.Field("from", from);
  column("id", [&](uint32_t row) { json.Hex(d.span(row).span_id.view()); });
  column("parent", [&](uint32_t row) {
    uint32_t parent = view.tree.parent[row];
    json.Int(parent == trace::kNone ? -1 : static_cast<int64_t>(parent));
  });
  // Without a start there is no place on the axis and no duration, whatever the end.
  auto has_time = [&](uint32_t row) { return d.span(row).start_ns != 0; };
  column("start", [&](uint32_t row) {
    json.Uint(has_time(row) ? d.span(row).start_ns - view.start_ns : 0);
  });
  column("duration", [&](uint32_t row) { json.Uint(has_time(row) ? DurationNs(d.span(row)) : 0); });
  column("service", [&](uint32_t row) { json.Uint(row_service_[row]); });
  column("name", [&](uint32_t row) { json.Uint(row_name_[row]); });
  column("kind", [&](uint32_t row) { json.Uint(static_cast<uint32_t>(d.span(row).kind)); });
  column("status", [&](uint32_t row) { json.Uint(static_cast<uint32_t>(d.span(row).status)); });
  column("flags", [&](uint32_t row) { json.Uint(FlagsOf(row)); });
  column("self", [&](uint32_t row) { json.Uint(view.times.self_ns[row]); });
  column("critical", [&](uint32_t row) { json.Uint(view.times.critical_ns[row]); });
  if (view.received) {
    column("selfReceived", [&](uint32_t row) { json.Uint(view.received->self_ns[row]); });
    column("criticalReceived", [&](uint32_t row) { json.Uint(view.received->critical_ns[row]); });
  }
  column("skew", [&](uint32_t row) { json.Int(view.skew_ns[row]); });
  column("logs", [&](uint32_t row) { json.Uint(d.logs(row).size()); });
  column("events", [&](uint32_t row) { json.Uint(d.span(row).events.size()); });
  json.EndObject();
  line += '\n';
  return line;
}

}  // namespace

void StreamTrace(std::shared_ptr<const TraceDocument> document, QueryRunner* runner,
                 http::ExchangePtr exchange) {
  std::make_shared<TraceStream>(std::move(document), runner, std::move(exchange))->Begin();
}

}  // namespace weft::api

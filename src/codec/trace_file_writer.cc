// SPDX-License-Identifier: Apache-2.0
#include "codec/trace_file_writer.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "codec/jaeger_json_encode.h"
#include "codec/otlp.h"
#include "codec/zipkin_json_encode.h"

namespace weft::codec {
namespace {

constexpr size_t kPrefixBytes = 4;

}  // namespace

TraceFileWriter::TraceFileWriter(TraceFileFormat format, std::string* out)
    : format_(format), out_(out), json_(out) {
  if (format_ == TraceFileFormat::kJaeger) {
    json_.BeginObject();
    json_.Key("data");
    json_.BeginArray();
  } else if (format_ == TraceFileFormat::kZipkin) {
    json_.BeginArray();
  }
}

void TraceFileWriter::Write(const TraceId& id, SpanBatch* trace) {
  ++traces_;
  switch (format_) {
    case TraceFileFormat::kJaeger:
      WriteJaegerTrace(id, *trace, &json_);
      break;
    case TraceFileFormat::kZipkin:
      WriteZipkinSpans(*trace, &json_);
      break;
    default:
      WriteOtlp(trace);
  }
}

void TraceFileWriter::WriteOtlp(SpanBatch* trace) {
  auto place = [](const auto& item) { return std::tuple(item.resource, item.scope); };
  std::ranges::stable_sort(trace->spans, {}, place);
  std::ranges::stable_sort(trace->logs, {}, place);
  const auto format =
      format_ == TraceFileFormat::kOtlpJson ? OtlpFormat::kJson : OtlpFormat::kProtobuf;
  for (auto [encode, empty] : {std::pair(&EncodeOtlpTraces, trace->spans.empty()),
                               std::pair(&EncodeOtlpLogs, trace->logs.empty())}) {
    if (empty) continue;
    const size_t begin = out_->size();
    if (format == OtlpFormat::kProtobuf) out_->append(kPrefixBytes, '\0');
    encode(format, *trace, out_);
    if (format == OtlpFormat::kJson) {
      *out_ += '\n';
      continue;
    }
    const size_t bytes = out_->size() - begin - kPrefixBytes;
    WEFT_CHECK(bytes <= UINT32_MAX);
    for (size_t i = 0; i < kPrefixBytes; ++i)
      (*out_)[begin + i] = static_cast<char>(bytes >> (8 * (kPrefixBytes - 1 - i)));
  }
}

void TraceFileWriter::Finish() {
  if (format_ == TraceFileFormat::kJaeger) {
    json_.EndArray();
    json_.Field("total", traces_);
    json_.Field("limit", 0);
    json_.Field("offset", 0);
    json_.Key("errors");
    json_.Null();
    json_.EndObject();
  } else if (format_ == TraceFileFormat::kZipkin) {
    json_.EndArray();
  } else {
    return;
  }
  *out_ += '\n';
}

}  // namespace weft::codec

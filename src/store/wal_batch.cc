// SPDX-License-Identifier: Apache-2.0
#include "store/wal_batch.h"

#include <lz4.h>

#include "codec/otlp.h"
#include "store/little_endian.h"
#include "store/wal_format.h"

namespace weft::store {
namespace {

// Four u32: bytes and stored bytes of the spans, then of the log records.
constexpr size_t kPartsHeaderBytes = 16;
// lz4 cannot compress better than this, so a header that claims more lies.
constexpr uint64_t kLz4RatioMax = 255;

Status AppendPart(std::string_view part, size_t header_at, std::string* out) {
  if (part.empty()) return {};
  if (part.size() > kWalPartBytesMax) {
    return Fail(ErrorCode::kTooLarge, "a batch of " + std::to_string(part.size()) +
                                          " bytes is more than one log record holds");
  }
  const size_t start = out->size();
  const int bound = LZ4_compressBound(static_cast<int>(part.size()));
  int stored = 0;
  out->resize_and_overwrite(start + static_cast<size_t>(bound), [&](char* bytes, size_t) {
    stored = LZ4_compress_default(part.data(), bytes + start, static_cast<int>(part.size()), bound);
    return start + static_cast<size_t>(stored);
  });
  // Equal lengths mean "as it is".
  if (stored <= 0 || static_cast<size_t>(stored) >= part.size()) {
    out->resize(start);
    out->append(part);
    stored = static_cast<int>(part.size());
  }
  StoreNumber(static_cast<uint32_t>(part.size()), out->data() + header_at);
  StoreNumber(static_cast<uint32_t>(stored), out->data() + header_at + 4);
  return {};
}

Result<std::string> ReadPart(uint64_t bytes, std::string_view stored) {
  if (bytes == stored.size()) return std::string(stored);
  if (bytes > kWalPartBytesMax || bytes > stored.size() * kLz4RatioMax + kLz4RatioMax) {
    return Fail(ErrorCode::kCorruption, "a log record states an impossible length");
  }
  std::string out(bytes, '\0');
  const int got = LZ4_decompress_safe(stored.data(), out.data(), static_cast<int>(stored.size()),
                                      static_cast<int>(bytes));
  if (got < 0 || static_cast<uint64_t>(got) != bytes) {
    return Fail(ErrorCode::kCorruption, "a log record does not decompress");
  }
  return out;
}

Status CheckComplete(const SpanBatch& batch) {
  for (const Rejection* one : {&batch.rejected_spans, &batch.rejected_logs, &batch.left_out})
    if (one->count > 0)
      return Fail(ErrorCode::kCorruption,
                  "a log record holds what its decoder rejects: " + one->message);
  return {};
}

}  // namespace

Result<std::string> EncodeWalBatch(const SpanBatch& batch) {
  std::string out(kPartsHeaderBytes, '\0');
  if (!batch.spans.empty()) {
    std::string encoded;
    if (!batch.received_is_content) {
      codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, batch, &encoded);
    }
    WEFT_TRY(AppendPart(batch.received_is_content ? batch.received : encoded, 0, &out));
  }
  if (!batch.logs.empty()) {
    std::string encoded;
    codec::EncodeOtlpLogs(codec::OtlpFormat::kProtobuf, batch, &encoded);
    WEFT_TRY(AppendPart(encoded, 8, &out));
  }
  return out;
}

Result<std::vector<SpanBatch>> DecodeWalBatch(std::string_view payload, uint64_t items) {
  BoundedReader reader(payload);
  const auto span_bytes = reader.Number<uint32_t>();
  const auto span_stored = reader.Number<uint32_t>();
  const auto log_bytes = reader.Number<uint32_t>();
  const auto log_stored = reader.Number<uint32_t>();
  const std::string_view spans = reader.Bytes(span_stored);
  const std::string_view logs = reader.Bytes(log_stored);
  if (!reader.ok() || !reader.done()) {
    return Fail(ErrorCode::kCorruption, "a log record's parts do not add up");
  }
  std::vector<SpanBatch> batches;
  uint64_t found = 0;
  if (span_bytes != 0) {
    WEFT_ASSIGN(std::string body, ReadPart(span_bytes, spans));
    auto batch = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, std::move(body),
                                         codec::OtlpSource::kStored);
    if (!batch) return Fail(ErrorCode::kCorruption, batch.error().message);
    WEFT_TRY(CheckComplete(*batch));
    found += batch->spans.size();
    batches.push_back(std::move(*batch));
  }
  if (log_bytes != 0) {
    WEFT_ASSIGN(std::string body, ReadPart(log_bytes, logs));
    auto batch = codec::DecodeOtlpLogs(codec::OtlpFormat::kProtobuf, std::move(body),
                                       codec::OtlpSource::kStored);
    if (!batch) return Fail(ErrorCode::kCorruption, batch.error().message);
    WEFT_TRY(CheckComplete(*batch));
    found += batch->logs.size();
    batches.push_back(std::move(*batch));
  }
  if (found != items) {
    return Fail(ErrorCode::kCorruption, "a log record holds " + std::to_string(found) +
                                            " spans and log records, its header says " +
                                            std::to_string(items));
  }
  return batches;
}

}  // namespace weft::store

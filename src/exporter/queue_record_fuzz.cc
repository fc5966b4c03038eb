// SPDX-License-Identifier: Apache-2.0
//
// Payloads and marks of a sending queue from a broken disk. Strategy: the input as a record's
// payload, as a mark, and as a mark with the checksum that it should have. Invariants: no crash, no
// growth beyond the input; what is taken comes back when it is encoded again.
#include <cstring>

#include "base/check.h"
#include "exporter/queue_record.h"

namespace weft::exporter {
namespace {

void Mark(std::string bytes) {
  constexpr size_t kCovered = 60;
  if (bytes.size() >= kCovered + 4) {
    const uint32_t crc = store::Crc32c(0, std::string_view(bytes).substr(0, kCovered));
    std::memcpy(bytes.data() + kCovered, &crc, sizeof crc);
  }
  const auto mark = ParseQueueMark(bytes);
  if (mark) WEFT_CHECK(EncodeQueueMark(*mark) == bytes.substr(0, kCovered + 4));
}

void Record(const std::string& bytes) {
  const auto record = ParseQueueRecord(bytes);
  if (!record) return;
  WEFT_CHECK(record->body.size() + 16 * record->sent.size() <= bytes.size());
  if (!record->signal) {
    WEFT_CHECK(EncodeSent(record->sent) == bytes);
    return;
  }
  SendRequest request;
  request.signal = *record->signal;
  request.body = record->body;
  WEFT_CHECK(EncodeRequest(request) == bytes);
}

}  // namespace
}  // namespace weft::exporter

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  weft::exporter::Record(bytes);
  weft::exporter::Mark(bytes);
  return 0;
}

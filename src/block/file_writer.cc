// SPDX-License-Identifier: Apache-2.0
#include "block/file_writer.h"

#include "block/block_format.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::block {

namespace format {
uint64_t HashTraceId(const TraceId& id) { return XXH3_64bits(id.bytes.data(), id.bytes.size()); }
}  // namespace format

namespace {
constexpr size_t kBufferBytes = 1 << 20;
}

struct FileWriter::Hash {
  XXH3_state_t state;
};

FileWriter::FileWriter(std::unique_ptr<WritableFile> file)
    : file_(std::move(file)), hash_(std::make_unique<Hash>()) {
  XXH3_64bits_reset(&hash_->state);
}
FileWriter::~FileWriter() = default;

void FileWriter::Append(std::string_view bytes) {
  XXH3_64bits_update(&hash_->state, bytes.data(), bytes.size());
  buffer_.append(bytes);
  if (buffer_.size() >= kBufferBytes) Flush();
}

uint64_t FileWriter::checksum() const { return XXH3_64bits_digest(&hash_->state); }

void FileWriter::Flush() {
  if (status_.has_value()) status_ = file_->WriteAt(written_, buffer_);
  written_ += buffer_.size();
  buffer_.clear();
}

Status FileWriter::Finish() {
  Flush();
  WEFT_TRY(status_);
  return file_->DataSync();
}

}  // namespace weft::block

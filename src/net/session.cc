// SPDX-License-Identifier: Apache-2.0
#include "net/session.h"

#include "base/check.h"

namespace weft::net {
namespace {
// Pieces up to this size are appended to the one before: one system call and one allocation serve
// many small frames.
constexpr size_t kJoinBytesMax = 16 * 1024;
constexpr size_t kAppendBytesMax = 64 * 1024;
}  // namespace

bool OutputQueue::CanJoin(size_t bytes, size_t bytes_max) const {
  return !pieces_.empty() && !pieces_.back().owner &&
         pieces_.back().own.size() + bytes <= bytes_max;
}

void OutputQueue::Push(std::string bytes) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  if (CanJoin(bytes.size(), kJoinBytesMax)) {
    pieces_.back().own.append(bytes);
    return;
  }
  pieces_.push_back({.own = std::move(bytes)});
}

void OutputQueue::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  if (!CanJoin(bytes.size(), kAppendBytesMax)) pieces_.emplace_back();
  pieces_.back().own.append(bytes);
}

void OutputQueue::PushShared(std::string_view bytes, std::shared_ptr<const void> owner) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  pieces_.push_back({.shared = bytes, .owner = std::move(owner)});
}

size_t OutputQueue::Peek(std::span<iovec> out) const {
  size_t count = 0;
  size_t offset = offset_;
  for (const Piece& piece : pieces_) {
    if (count == out.size()) break;
    std::string_view bytes = piece.bytes();
    out[count].iov_base = const_cast<char*>(bytes.data()) + offset;
    out[count].iov_len = bytes.size() - offset;
    offset = 0;
    ++count;
  }
  return count;
}

void OutputQueue::Consume(size_t bytes) {
  WEFT_CHECK(bytes <= bytes_);
  bytes_ -= bytes;
  while (bytes > 0) {
    size_t left = pieces_.front().bytes().size() - offset_;
    if (bytes < left) {
      offset_ += bytes;
      return;
    }
    bytes -= left;
    offset_ = 0;
    pieces_.pop_front();
  }
}

}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
//
// What makes an answer partial instead of failing it: a block that the disk does not give back, or
// a page of it that fails its checksum. The rest still counts, and the answer says what is missing.
//
// Thread rule: pure functions. Next: query/query.h.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/store.h"

namespace weft::query {

inline void NotePartial(const std::string& why, std::string* partial) {
  // What stands in a header or on a line of a page is not a list of a thousand pages.
  constexpr size_t kBytesMax = 4096;
  constexpr std::string_view kMore = "; and more";
  if (partial->ends_with(kMore)) return;
  if (partial->size() + why.size() > kBytesMax && !partial->empty()) {
    *partial += kMore;
    return;
  }
  if (!partial->empty()) *partial += "; ";
  *partial += why;
}

// The blocks of the snapshot that cannot be read at all: a few by name, the others by number.
// `damaged` becomes true if there are any.
inline void NoteUnreadable(const store::Snapshot& snapshot, std::string* partial, bool* damaged) {
  constexpr size_t kNamesMax = 5;
  const std::vector<std::string>& blocks = snapshot.unreadable();
  *damaged |= !blocks.empty();
  for (size_t i = 0; i < blocks.size() && i < kNamesMax; ++i)
    NotePartial("cannot read " + blocks[i], partial);
  if (blocks.size() > kNamesMax)
    NotePartial("cannot read " + std::to_string(blocks.size() - kNamesMax) + " more blocks",
                partial);
}

// Whether an answer can do without what this error hides.
inline bool IsDamage(const Error& error) {
  return error.code == ErrorCode::kCorruption || error.code == ErrorCode::kIo;
}

// Success where `status` is one that an answer can do without; it is noted, unless it only says
// that what was looked for is not there any more. `damaged` becomes true where it is noted.
inline Status ExcuseDamage(Status status, std::string* partial, bool* damaged) {
  if (status || status.error().code == ErrorCode::kNotFound) return {};
  if (!IsDamage(status.error())) return status;
  *damaged = true;
  // One page of one block is met again and again.
  const std::string why = "cannot read " + status.error().message;
  if (!partial->contains(why)) NotePartial(why, partial);
  return {};
}

// What Snapshot::ReadTrace() says of a trace that it has read in part.
inline void NoteGaps(const std::string& gaps, std::string* partial) {
  if (!gaps.empty() && !partial->contains(gaps)) NotePartial(gaps, partial);
}
inline void NoteGaps(const std::string& gaps, std::string* partial, bool* damaged) {
  *damaged |= !gaps.empty();
  NoteGaps(gaps, partial);
}

}  // namespace weft::query

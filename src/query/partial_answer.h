// SPDX-License-Identifier: Apache-2.0
//
// What makes an answer partial instead of failing it: a block that the disk does not give back, or
// a page of it that fails its checksum. The rest still counts, and the answer says what is missing.
//
// Thread rule: pure functions. Next: query/query.h.
#pragma once

#include <string>

#include "base/result.h"

namespace weft::query {

inline void NotePartial(const std::string& why, std::string* partial) {
  if (!partial->empty()) *partial += "; ";
  *partial += why;
}

// Success where `status` is one that an answer can do without; it is noted, unless it only says
// that what was looked for is not there any more.
inline Status ExcuseDamage(Status status, std::string* partial) {
  if (status) return {};
  const ErrorCode code = status.error().code;
  if (code == ErrorCode::kNotFound) return {};
  if (code != ErrorCode::kCorruption && code != ErrorCode::kIo) return status;
  NotePartial(status.error().message, partial);
  return {};
}

}  // namespace weft::query

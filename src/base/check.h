// SPDX-License-Identifier: Apache-2.0
//
// Bugs crash. WEFT_CHECK stays on in release builds; it guards what only a bug in weft can break.
// Input, peers and disks must never be able to reach one: they get an Error (base/result.h).
// Thread rule: any thread.
#pragma once

namespace weft {
// Prints file, line, condition and message to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const char* message);
}  // namespace weft

#define WEFT_CHECK_MSG(condition, message)                          \
  do {                                                              \
    if (!(condition)) [[unlikely]]                                  \
      ::weft::CheckFailed(__FILE__, __LINE__, #condition, message); \
  } while (false)
#define WEFT_CHECK(condition) WEFT_CHECK_MSG(condition, "")

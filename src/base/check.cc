// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace weft {

void CheckFailed(const char* file, int line, const char* condition, const char* message) {
  std::fprintf(stderr, "%s:%d: this is a bug in weft: check failed: %s %s\n", file, line, condition,
               message);
  std::abort();
}

}  // namespace weft

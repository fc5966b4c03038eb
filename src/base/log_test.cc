// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>

#include "wire_core/printable.h"

namespace weft {
namespace {

// What the log writes, in both of its encodings.
TEST(Log, NothingThatDrivesATerminalReachesIt) {
  for (LogEncoding encoding : {LogEncoding::kConsole, LogEncoding::kJson}) {
    std::string written;
    SetLogSink([&](std::string_view line) { written += line; });
    SetLogEncoding(encoding);
    for (std::string bad : {"\x1b[2J", "\x7f", "\u009b2J", "\x9b", "\u202e", "\u2066", "\u200f"})
      LogAlways(LogLevel::kError, "net", "from a peer: " + bad, {{"name", bad}});
    SetLogEncoding(LogEncoding::kConsole);
    SetLogSink(nullptr);
    std::string kept = written;
    std::erase(kept, '\n');
    EXPECT_EQ(ReplaceUnprintable(kept), kept);
    EXPECT_NE(kept.find("u202e"), std::string::npos);
  }
}

}  // namespace
}  // namespace weft

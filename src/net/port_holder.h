// SPDX-License-Identifier: Apache-2.0
//
// Who listens on a port: for the message of a failed bind. What /proc does not show (another user's
// process, another network namespace) stays unknown.
//
// Thread rule: any thread; reads /proc, so milliseconds. Next: http/server.h.
#pragma once

#include <cstdint>
#include <string>

namespace weft::net {
// "otelcol (pid 4242)", or "" when nothing can be found out.
std::string FindPortHolder(uint16_t port);
}  // namespace weft::net

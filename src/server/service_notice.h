// SPDX-License-Identifier: Apache-2.0
//
// Tells a service manager how far we are: a datagram to the socket that it names in NOTIFY_SOCKET.
// Without one nothing happens.
//
// Thread rule: any thread. Source: sd_notify(3), "Notes".
#pragma once

#include <string_view>

namespace weft::server {

// "READY=1", "STOPPING=1". Whoever started us may be gone: a failure changes nothing.
void NotifyServiceManager(std::string_view state);

}  // namespace weft::server

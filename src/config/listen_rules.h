// SPDX-License-Identifier: Apache-2.0
//
// Rules over all listeners of a configuration, for `serve` and `check config` alike: which may
// start beyond this machine, and that no two want the same port.
//
// Thread rule: pure functions. Next: config/security.h, docs/security.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"

namespace weft::config {

// Adds `offset` to every port but 0, which is any free one.
Status MovePorts(uint32_t offset, Config* config);

// Refuses two listeners on one port, naming both keys. Addresses that others can reach without TLS
// and authentication are refused where they show data, and put in `warnings` where they do not
// (metrics readers are among these), unless `insecure` says that this is meant. The error has a
// line for each refusal.
Status CheckListeners(const Config& config, bool insecure, std::vector<std::string>* warnings);

}  // namespace weft::config

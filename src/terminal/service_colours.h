// SPDX-License-Identifier: Apache-2.0
//
// The colours of services in one output: a service's own, and for two of them that have the same
// the next free one, so that no colour stands for two. docs/palette.md is the rule; the UI
// (ui/src/model/palette.ts) draws by the same one.
//
// Made by whoever prints a list or a trace, once for all of it. Thread rule: one thread.
// Next: terminal/terminal.h.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "terminal/terminal.h"

namespace weft::terminal {

// The index that the name alone decides.
uint32_t OwnColourIndex(std::string_view service);
// 0xRRGGBB of any index.
uint32_t ColourAt(uint32_t index);

class ServiceColours {
 public:
  // Services of one output, in any order: those without a colour get theirs. Those of earlier calls
  // keep what they have.
  void Add(std::vector<std::string> services);
  // A service that was never added is added now.
  uint32_t IndexOf(std::string_view service);
  // The escape sequence of the service's colour; empty without colour.
  std::string Escape(std::string_view service, const Terminal& terminal);

 private:
  bool Take(const std::string& service, uint32_t index);
  void TakeNext(const std::string& service);

  std::map<std::string, uint32_t, std::less<>> indexes_;
  std::set<uint32_t> taken_;
};

}  // namespace weft::terminal

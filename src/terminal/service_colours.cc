// SPDX-License-Identifier: Apache-2.0
#include "terminal/service_colours.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace weft::terminal {
namespace {

// docs/palette.md, by index.
constexpr uint32_t kPalette[] = {0xab7865, 0x6d6d4b, 0x3f6c6d, 0x3a9bfd, 0x8a63c6,
                                 0x6771f1, 0x5e52d2, 0xd58207, 0xbb75e3, 0xc45d1b,
                                 0x949b58, 0x57a78a, 0x859ab8, 0xad4b8d, 0x935516,
                                 0x3a78a0, 0x7781bc, 0x6c55a9, 0x8e8192, 0x5f853d};
constexpr uint32_t kOwn = std::size(kPalette);
constexpr uint32_t kRounds = 11;  // the twenty, and ten rounds of mixtures

}  // namespace

uint32_t OwnColourIndex(std::string_view service) {
  uint32_t hash = 0x811c9dc5;
  for (char c : service) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  return (hash >> 4) % kOwn;
}

uint32_t ColourAt(uint32_t index) {
  const uint32_t round = index / kOwn % kRounds, own = index % kOwn;
  if (round == 0) return kPalette[own];
  const uint32_t other = (own + 2 + 8 * round + 5 * ((round - 1) / 5)) % kOwn;
  uint32_t mixture = 0;
  for (uint32_t shift : {16u, 8u, 0u}) {
    const uint32_t a = kPalette[own] >> shift & 255, b = kPalette[other] >> shift & 255;
    mixture |= (2 * a + b) / 3 << shift;
  }
  return mixture;
}

bool ServiceColours::Take(const std::string& service, uint32_t index) {
  if (!taken_.insert(index).second) return false;
  indexes_.emplace(service, index);
  return true;
}

void ServiceColours::TakeNext(const std::string& service) {
  const uint32_t own = OwnColourIndex(service);
  for (uint32_t step = 0; step < kOwn * kRounds; ++step)
    if (Take(service, step / kOwn * kOwn + (own + step) % kOwn)) return;
  indexes_.emplace(service, own);  // more services than colours
}

void ServiceColours::Add(std::vector<std::string> services) {
  std::ranges::sort(services);
  std::vector<std::string> rest;
  for (const std::string& service : services) {
    if (indexes_.contains(service)) continue;
    if (!Take(service, OwnColourIndex(service))) rest.push_back(service);
  }
  for (const std::string& service : rest)
    if (!indexes_.contains(service)) TakeNext(service);
}

uint32_t ServiceColours::IndexOf(std::string_view service) {
  auto found = indexes_.find(service);
  if (found != indexes_.end()) return found->second;
  Add({std::string(service)});
  return indexes_.find(service)->second;
}

std::string ServiceColours::Escape(std::string_view service, const Terminal& terminal) {
  if (!terminal.colour) return "";
  const uint32_t rgb = ColourAt(IndexOf(service));
  return fmt::format("\x1b[38;2;{};{};{}m", rgb >> 16, rgb >> 8 & 255, rgb & 255);
}

}  // namespace weft::terminal

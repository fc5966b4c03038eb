// SPDX-License-Identifier: Apache-2.0
//
// A manifest from a broken disk. Strategy: the input as a file, and as the payload of an edit with
// a valid checksum. Invariants: no crash; an edit that parses makes a state that, written as one
// edit and read again, is the same.
#include <string>

#include "base/check.h"
#include "store/manifest_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::store;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Manifest::Parse(bytes);
  const auto edit = ParseManifestEdit(bytes);
  if (!edit) return 0;
  const ManifestHeader header{1, {9}};
  std::string file = EncodeManifestHeader(header);
  AppendManifestRecord(ManifestSeed(header), 0, *edit, &file);
  const ManifestFile once = Manifest::Parse(file);
  WEFT_CHECK(once.damage.empty() && !once.torn);
  std::string again = EncodeManifestHeader(header);
  AppendManifestRecord(ManifestSeed(header), 0, once.state.AsEdit(), &again);
  const ManifestFile twice = Manifest::Parse(again);
  WEFT_CHECK(twice.damage.empty());
  WEFT_CHECK(twice.state.blocks == once.state.blocks);
  WEFT_CHECK(twice.state.flushed_through == once.state.flushed_through);
  return 0;
}

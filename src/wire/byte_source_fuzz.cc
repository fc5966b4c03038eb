// SPDX-License-Identifier: Apache-2.0
//
// Files from anyone, compressed or archived. Strategy: the first bytes say how the file is cut into
// the pieces that its source hands out, and how many bytes are asked for at a time; the rest is the
// file, decompressed, and read as an archive when it is one.
// Invariants: no crash; every read makes progress; an archive's files are no longer than it; and
// what comes out is the same as from the whole file, up to where damage is noticed.
#include <algorithm>

#include "base/check.h"
#include "testing/piece_source.h"
#include "wire/decompress_source.h"
#include "wire/tar_source.h"

namespace weft::wire {
namespace {

using testing::Pieces;

constexpr uint64_t kBytesMax = 1 << 20;

struct Drained {
  std::string bytes;  // that came out before the end, an error or the limit
  bool failed = false;
};

Drained Drain(ByteSource* source, size_t step) {
  Drained out;
  std::string buffer(step, '\0');
  while (out.bytes.size() < kBytesMax) {
    auto count = source->Read(buffer);
    out.failed = !count;
    if (!count || *count == 0) break;
    WEFT_CHECK(*count <= buffer.size());
    out.bytes.append(buffer, 0, *count);
  }
  return out;
}

// Names and contents, and whether it ended in an error.
std::string ReadArchive(const Pieces& pieces, size_t bytes, size_t step) {
  testing::PieceSource from(pieces);
  TarSource tar(&from);
  std::string text;
  uint64_t files = 0, content = 0;
  while (true) {
    auto more = tar.Next();
    if (!more || !*more) return text + (more ? "(end)" : more.error().message);
    WEFT_CHECK(++files * kTarBlockBytes <= bytes);
    Drained file = Drain(&tar, step);
    content += file.bytes.size();
    WEFT_CHECK(content <= bytes);
    text += tar.name() + ": " + file.bytes + (file.failed ? "(cut off)\n" : "\n");
  }
}

Drained Decompressed(const Pieces& pieces, size_t step) {
  testing::PieceSource from(pieces);
  auto source = OpenDecompressed(&from);
  WEFT_CHECK(source.has_value());  // memory does not fail
  PeekedSource peeked(source->get());
  auto head = peeked.Peek(kTarBlockBytes);
  if (!head) return {"", true};
  WEFT_CHECK(head->size() <= kTarBlockBytes);
  (void)LooksLikeTar(*head);
  return Drain(&peeked, step);
}

}  // namespace
}  // namespace weft::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::wire;
  if (size < 1) return 0;
  const size_t step = data[0] % 2 == 0 ? 4096 : data[0] / 2 + size_t{1};
  auto [plan, bytes] =
      weft::testing::PlanAndBytes({reinterpret_cast<const char*>(data) + 1, size - 1});
  const Pieces pieces = weft::testing::CutByPlan(bytes, plan);
  WEFT_CHECK(ReadArchive({bytes}, size, 4096) == ReadArchive(pieces, size, step));
  const Drained whole = Decompressed({bytes}, 4096), cut = Decompressed(pieces, step);
  if (whole.bytes.size() >= kBytesMax || cut.bytes.size() >= kBytesMax) return 0;
  WEFT_CHECK(whole.failed == cut.failed);
  if (!whole.failed) WEFT_CHECK(whole.bytes == cut.bytes);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// Files from anyone, compressed or archived. Strategy: the first byte says how many bytes the
// source hands out at a time; the rest is the file, decompressed, and read as an archive when it is
// one. Invariants: no crash; every read makes progress; an archive's files are no longer than it.
#include <algorithm>

#include "base/check.h"
#include "wire/decompress_source.h"
#include "wire/tar_source.h"

namespace weft::wire {
namespace {

class DripSource : public ByteSource {
 public:
  DripSource(std::string_view bytes, size_t step) : rest_(bytes), step_(step) {}
  Result<size_t> Read(std::span<char> to) override {
    return rest_.Read(to.subspan(0, std::min(to.size(), step_)));
  }

 private:
  MemorySource rest_;
  const size_t step_;
};

constexpr uint64_t kBytesMax = 8 << 20;

// The bytes that came out before the end, an error or the limit.
uint64_t Drain(ByteSource* source) {
  char buffer[4096];
  uint64_t bytes = 0;
  while (bytes < kBytesMax) {
    auto count = source->Read(buffer);
    if (!count || *count == 0) break;
    WEFT_CHECK(*count <= sizeof(buffer));
    bytes += *count;
  }
  return bytes;
}

void ReadArchive(std::string_view bytes) {
  MemorySource memory(bytes);
  TarSource tar(&memory);
  uint64_t files = 0, content = 0;
  while (true) {
    auto more = tar.Next();
    if (!more || !*more) break;
    WEFT_CHECK(++files * kTarBlockBytes <= bytes.size());
    content += Drain(&tar);
    WEFT_CHECK(content <= bytes.size());
  }
}

}  // namespace
}  // namespace weft::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::wire;
  if (size < 1) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  ReadArchive(rest);
  DripSource drip(rest, data[0] + size_t{1});
  auto source = OpenDecompressed(&drip);
  if (!source) return 0;
  PeekedSource peeked(source->get());
  auto head = peeked.Peek(kTarBlockBytes);
  if (!head) return 0;
  WEFT_CHECK(head->size() <= kTarBlockBytes);
  (void)LooksLikeTar(*head);
  Drain(&peeked);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "column/numbers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "column/bit_pack.h"

namespace weft::column {
namespace {

constexpr size_t kBlock = 256;

uint32_t Width(uint64_t number) { return 64 - std::countl_zero(number); }

size_t VarintBytes(uint64_t number) { return number == 0 ? 1 : (Width(number) + 6) / 7; }

// The width that makes a block smallest when what does not fit becomes an exception: its position
// in a byte and its high bits, packed.
struct BlockPlan {
  uint32_t width = 0;
  uint32_t exceptions = 0;
  uint32_t high_width = 0;
  size_t bytes = 0;
};

BlockPlan PlanBlock(std::span<const uint64_t> numbers, uint64_t base) {
  std::array<uint16_t, 65> histogram{};
  for (uint64_t number : numbers) ++histogram[Width(number - base)];
  uint32_t top = 64;
  while (top > 0 && histogram[top] == 0) --top;
  BlockPlan best{top, 0, 0, 2 + PackedBytes(numbers.size(), top)};
  uint32_t over = 0;  // numbers wider than `width`
  for (uint32_t width = top; width-- > 0;) {
    over += histogram[width + 1];
    if (over > 255) break;
    size_t bytes = 3 + PackedBytes(numbers.size(), width) + over + PackedBytes(over, top - width);
    if (bytes < best.bytes) best = {width, over, top - width, bytes};
  }
  return best;
}

size_t PackedStreamBytes(std::span<const uint64_t> numbers, uint64_t base) {
  size_t bytes = VarintBytes(base);
  for (size_t i = 0; i < numbers.size(); i += kBlock)
    bytes += PlanBlock(numbers.subspan(i, std::min(kBlock, numbers.size() - i)), base).bytes;
  return bytes;
}

void EncodePacked(std::span<const uint64_t> numbers, uint64_t base, std::string* out) {
  ByteWriter writer(out);
  writer.Varint(base);
  std::array<uint64_t, kBlock> shifted, high;
  for (size_t i = 0; i < numbers.size(); i += kBlock) {
    std::span<const uint64_t> block = numbers.subspan(i, std::min(kBlock, numbers.size() - i));
    BlockPlan plan = PlanBlock(block, base);
    writer.Fixed(static_cast<uint8_t>(plan.width));
    writer.Fixed(static_cast<uint8_t>(plan.exceptions));
    for (size_t k = 0; k < block.size(); ++k) shifted[k] = block[k] - base;
    PackBits(std::span(shifted).first(block.size()), plan.width, out);
    if (plan.exceptions == 0) continue;
    writer.Fixed(static_cast<uint8_t>(plan.high_width));
    size_t count = 0;
    for (size_t k = 0; k < block.size(); ++k) {
      if (Width(shifted[k]) <= plan.width) continue;
      writer.Fixed(static_cast<uint8_t>(k));
      high[count++] = shifted[k] >> plan.width;
    }
    PackBits(std::span(high).first(count), plan.high_width, out);
  }
}

Status Malformed() { return Fail(ErrorCode::kCorruption, "malformed stream of numbers"); }

// Reads one block of a packed stream without its base.
bool DecodeBlock(ByteReader* reader, std::span<uint64_t> out) {
  uint32_t width = reader->Fixed<uint8_t>(), exceptions = reader->Fixed<uint8_t>();
  if (width > 64) return false;
  std::string_view packed = reader->Bytes(PackedBytes(out.size(), width));
  if (!reader->ok()) return false;
  UnpackBits(packed.data(), width, out);
  if (exceptions == 0) return true;
  uint32_t high_width = reader->Fixed<uint8_t>();
  if (width + high_width > 64 || high_width == 0) return false;
  std::string_view positions = reader->Bytes(exceptions);
  std::string_view packed_high = reader->Bytes(PackedBytes(exceptions, high_width));
  if (!reader->ok()) return false;
  std::array<uint64_t, kBlock> high;
  UnpackBits(packed_high.data(), high_width, std::span(high).first(exceptions));
  for (uint32_t e = 0; e < exceptions; ++e) {
    uint8_t position = static_cast<uint8_t>(positions[e]);
    if (position >= out.size()) return false;
    out[position] |= high[e] << width;
  }
  return true;
}

// Calls `put(first, block)` for the blocks of a packed stream of `count` numbers, in order.
template <class Put>
bool DecodePacked(ByteReader* reader, size_t count, Put put) {
  uint64_t base = reader->Varint();
  std::array<uint64_t, kBlock> buffer;
  for (size_t first = 0; first < count; first += kBlock) {
    std::span<uint64_t> block = std::span(buffer).first(std::min(kBlock, count - first));
    if (!DecodeBlock(reader, block)) return false;
    for (uint64_t& number : block) number += base;
    if (!put(first, block)) return false;
  }
  return reader->ok();
}

template <class T>
bool Fits(uint64_t number) {
  return sizeof(T) == 8 || number <= UINT32_MAX;
}

template <class T>
bool CopyBlock(std::span<const uint64_t> block, T* out) {
  uint64_t all = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    all |= block[i];
    out[i] = static_cast<T>(block[i]);
  }
  return Fits<T>(all);
}

template <class T>
bool DecodeDelta(ByteReader* reader, std::span<T> out) {
  uint64_t number = reader->Varint();
  if (!reader->ok() || out.empty() || !Fits<T>(number)) return false;
  out[0] = static_cast<T>(number);
  return DecodePacked(reader, out.size() - 1, [&](size_t first, std::span<uint64_t> block) {
    for (uint64_t& delta : block) delta = number += static_cast<uint64_t>(UnZigZag(delta));
    return CopyBlock<T>(block, out.data() + 1 + first);
  });
}

template <class T>
bool DecodeRuns(ByteReader* reader, std::span<T> out) {
  uint64_t runs = reader->VarintUpTo(out.size());
  if (!reader->ok()) return false;
  std::vector<uint64_t> values(runs), lengths(runs);
  auto into = [](std::vector<uint64_t>* to) {
    return [to](size_t first, std::span<uint64_t> block) {
      std::ranges::copy(block, to->begin() + static_cast<ptrdiff_t>(first));
      return true;
    };
  };
  if (!DecodePacked(reader, runs, into(&values))) return false;
  if (!DecodePacked(reader, runs, into(&lengths))) return false;
  size_t filled = 0;
  for (size_t r = 0; r < runs; ++r) {
    if (lengths[r] > out.size() - filled || !Fits<T>(values[r])) return false;
    std::fill_n(out.begin() + static_cast<ptrdiff_t>(filled), lengths[r],
                static_cast<T>(values[r]));
    filled += lengths[r];
  }
  return filled == out.size();
}

template <class Stored, class T>
bool CopyStored(ByteReader* reader, std::span<T> out) {
  std::string_view bytes = reader->Bytes(out.size() * sizeof(Stored));
  if (!reader->ok()) return false;
  uint64_t all = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof stored, sizeof stored);
    all |= stored;
    out[i] = static_cast<T>(stored);
  }
  return Fits<T>(all);
}

template <class T>
bool DecodeBytes(ByteReader* reader, std::span<T> out) {
  switch (reader->Fixed<uint8_t>()) {
    case 1:
      return CopyStored<uint8_t>(reader, out);
    case 2:
      return CopyStored<uint16_t>(reader, out);
    case 4:
      return CopyStored<uint32_t>(reader, out);
    case 8:
      return CopyStored<uint64_t>(reader, out);
  }
  return false;
}

template <class T>
Status Decode(ByteReader* reader, std::span<T> out) {
  if (out.empty()) return {};
  bool ok = false;
  switch (static_cast<NumberEncoding>(reader->Fixed<uint8_t>())) {
    case NumberEncoding::kConstant: {
      uint64_t number = reader->Varint();
      ok = Fits<T>(number);
      std::ranges::fill(out, static_cast<T>(number));
      break;
    }
    case NumberEncoding::kPacked:
      ok = DecodePacked(reader, out.size(), [&](size_t first, std::span<uint64_t> block) {
        return CopyBlock<T>(block, out.data() + first);
      });
      break;
    case NumberEncoding::kDelta:
      ok = DecodeDelta(reader, out);
      break;
    case NumberEncoding::kRuns:
      ok = DecodeRuns(reader, out);
      break;
    case NumberEncoding::kBytes:
      ok = DecodeBytes(reader, out);
      break;
  }
  if (!ok || !reader->ok()) return Malformed();
  return {};
}

}  // namespace

void EncodeNumbers(std::span<const uint64_t> numbers, std::string* out) {
  if (numbers.empty()) return;
  ByteWriter writer(out);
  uint64_t low = numbers[0];
  size_t runs = 1;
  for (size_t i = 1; i < numbers.size(); ++i) {
    low = std::min(low, numbers[i]);
    runs += numbers[i] != numbers[i - 1];
  }
  if (runs == 1) {
    writer.Fixed(static_cast<uint8_t>(NumberEncoding::kConstant));
    writer.Varint(numbers[0]);
    return;
  }
  if (runs <= numbers.size() / 8) {
    std::vector<uint64_t> values, lengths;
    for (size_t i = 0, start = 0; i < numbers.size(); ++i) {
      if (i + 1 < numbers.size() && numbers[i + 1] == numbers[i]) continue;
      values.push_back(numbers[i]);
      lengths.push_back(i + 1 - start);
      start = i + 1;
    }
    size_t bytes = PackedStreamBytes(values, 0) + PackedStreamBytes(lengths, 0);
    if (bytes < PackedStreamBytes(numbers, low)) {
      writer.Fixed(static_cast<uint8_t>(NumberEncoding::kRuns));
      writer.Varint(runs);
      EncodePacked(values, 0, out);
      EncodePacked(lengths, 0, out);
      return;
    }
  }
  std::vector<uint64_t> deltas(numbers.size() - 1);
  uint64_t low_delta = UINT64_MAX;
  for (size_t i = 0; i < deltas.size(); ++i) {
    deltas[i] = ZigZag(static_cast<int64_t>(numbers[i + 1] - numbers[i]));
    low_delta = std::min(low_delta, deltas[i]);
  }
  if (VarintBytes(numbers[0]) + PackedStreamBytes(deltas, low_delta) <
      PackedStreamBytes(numbers, low)) {
    writer.Fixed(static_cast<uint8_t>(NumberEncoding::kDelta));
    writer.Varint(numbers[0]);
    EncodePacked(deltas, low_delta, out);
    return;
  }
  writer.Fixed(static_cast<uint8_t>(NumberEncoding::kPacked));
  EncodePacked(numbers, low, out);
}

void EncodeNumberBytes(std::span<const uint64_t> numbers, std::string* out) {
  if (numbers.empty()) return;
  uint64_t all = 0;
  for (uint64_t number : numbers) all |= number;
  const uint8_t width = all <= UINT8_MAX ? 1 : all <= UINT16_MAX ? 2 : all <= UINT32_MAX ? 4 : 8;
  ByteWriter writer(out);
  writer.Fixed(static_cast<uint8_t>(NumberEncoding::kBytes));
  writer.Fixed(width);
  const size_t start = out->size();
  out->resize(start + numbers.size() * width);
  char* next = out->data() + start;
  for (uint64_t number : numbers) {
    std::memcpy(next, &number, width);
    next += width;
  }
}

Status DecodeNumbers(ByteReader* reader, std::span<uint64_t> out) { return Decode(reader, out); }
Status DecodeNumbers(ByteReader* reader, std::span<uint32_t> out) { return Decode(reader, out); }

}  // namespace weft::column

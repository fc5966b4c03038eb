// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "testing/piece_source.h"
#include "wire/compression.h"
#include "wire/decompress_source.h"
#include "wire/tar_source.h"

namespace weft::wire {
namespace {

using ::testing::HasSubstr;
using weft::testing::CutDifference;
using weft::testing::Pieces;
using weft::testing::PieceSource;

// Everything, `step` bytes at a time.
Result<std::string> ReadAll(ByteSource* source, size_t step) {
  std::string all, piece(step, '\0');
  while (true) {
    WEFT_ASSIGN(size_t count, source->Read(piece));
    if (count == 0) return all;
    all.append(piece, 0, count);
  }
}

std::string Octal(uint64_t number, int digits) {
  char text[32];
  std::snprintf(text, sizeof(text), "%0*lo", digits, static_cast<unsigned long>(number));
  return text;
}

// A header and its content, padded.
std::string TarEntry(std::string_view name, std::string_view content, char type = '0') {
  std::string block(kTarBlockBytes, '\0');
  auto put = [&](size_t at, std::string_view text) { std::ranges::copy(text, &block[at]); };
  put(0, name);
  put(124, Octal(content.size(), 11));
  put(148, "        ");
  block[156] = type;
  put(257, "ustar");
  uint64_t sum = 0;
  for (char c : block) sum += static_cast<uint8_t>(c);
  put(148, Octal(sum, 6) + '\0' + ' ');
  std::string entry = block + std::string(content);
  entry.resize((entry.size() + kTarBlockBytes - 1) / kTarBlockBytes * kTarBlockBytes);
  return entry;
}

TEST(ByteSource, PeekedBytesAreReadAgain) {
  for (size_t step : {1, 3, 64}) {
    MemorySource memory("0123456789");
    PeekedSource source(&memory);
    EXPECT_EQ(source.Peek(4).value(), "0123");
    EXPECT_EQ(source.Peek(2).value(), "0123");
    EXPECT_EQ(ReadAll(&source, step).value(), "0123456789");
  }
  MemorySource memory("01");
  PeekedSource source(&memory);
  EXPECT_EQ(source.Peek(512).value(), "01");
  EXPECT_EQ(ReadAll(&source, 8).value(), "01");
}

TEST(ByteSource, CompressedStreamsComeOutWhole) {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += std::to_string(i * 7919) + (i % 3 ? "," : "\n");
  for (Compression kind :
       {Compression::kNone, Compression::kGzip, Compression::kZstd, Compression::kLz4}) {
    std::string bytes = kind == Compression::kNone ? text : Compress(kind, text);
    for (size_t step : {7, 1 << 20}) {
      MemorySource memory(bytes);
      auto source = OpenDecompressed(&memory);
      ASSERT_TRUE(source);
      EXPECT_EQ(ReadAll(source->get(), step).value(), text) << static_cast<int>(kind);
    }
    if (kind == Compression::kNone) continue;
    MemorySource cut(std::string_view(bytes).substr(0, bytes.size() - 5));
    auto source = OpenDecompressed(&cut);
    ASSERT_TRUE(source);
    EXPECT_FALSE(ReadAll(source->get(), 1 << 16));
  }
}

// What was there before an error, and the error.
std::string ReadText(ByteSource* source, size_t step) {
  std::string all, piece(step, '\0');
  while (true) {
    Result<size_t> count = source->Read(piece);
    if (!count) return all + "(" + count.error().message + ")";
    if (*count == 0) return all;
    all.append(piece, 0, *count);
  }
}

// "" when what comes out is the same however the input and the output are cut. Of a damaged file
// that is the kind of damage: how much comes out before it is noticed depends on the cut.
std::string DecompressionDifference(std::string_view bytes, std::string* whole) {
  for (size_t step : {size_t{1} << 16, size_t{1}, size_t{7}}) {
    auto read = [&](const Pieces& pieces) {
      PieceSource from(pieces);
      auto source = OpenDecompressed(&from);
      if (!source) return source.error().message;
      std::string text = ReadText(source->get(), step);
      size_t error = text.find("(not valid ");
      return error == text.npos ? text : text.substr(error, text.find(" near ", error) - error);
    };
    if (step == size_t{1} << 16) *whole = read({bytes});
    if (read({bytes}) != *whole) return "read " + std::to_string(step) + " at a time";
    std::string difference = CutDifference(bytes, read, {.cuts_max = 200, .random_runs = 8});
    if (!difference.empty()) return difference;
  }
  return "";
}

// Members one after the other, large and small ones, empty ones, of different levels.
TEST(ByteSource, CompressedStreamsMayBeCutAnywhere) {
  std::string text, noise;
  for (int i = 0; i < 300; ++i) text += std::to_string(i * 7919) + (i % 3 ? "," : "\n");
  for (uint32_t i = 1; noise.size() < 500; ++i) noise += static_cast<char>((i * 2654435761u) >> 24);
  for (Compression kind : {Compression::kGzip, Compression::kZstd, Compression::kLz4}) {
    const std::string bytes = Compress(kind, text) + Compress(kind, "") + Compress(kind, "x") +
                              Compress(kind, noise, 1) + Compress(kind, std::string(9'000, 'y'));
    std::string whole;
    EXPECT_EQ(DecompressionDifference(bytes, &whole), "") << static_cast<int>(kind);
    EXPECT_EQ(whole, text + "x" + noise + std::string(9'000, 'y')) << static_cast<int>(kind);
  }
  // A gzip header with an extra field, a name and a comment.
  std::string gzip = Compress(Compression::kGzip, "content");
  std::string header("\x1f\x8b\x08\x1c\0\0\0\0\0\x03\x04\0extrname\0comment\0", 29);
  std::string whole;
  EXPECT_EQ(DecompressionDifference(header + gzip.substr(10), &whole), "");
  EXPECT_EQ(whole, "content");
  // A skippable frame of zstd's and a skippable frame of lz4's.
  const std::string skipped("\x50\x2A\x4D\x18\3\0\0\0abc", 11);
  EXPECT_EQ(
      DecompressionDifference(
          Compress(Compression::kZstd, "a") + skipped + Compress(Compression::kZstd, "b"), &whole),
      "");
  EXPECT_EQ(whole, "ab");
}

TEST(ByteSource, DamagedStreamsFailTheSameHoweverCut) {
  const std::string text = "the same text, the same text, the same text";
  for (Compression kind : {Compression::kGzip, Compression::kZstd, Compression::kLz4}) {
    const std::string bytes = Compress(kind, text);
    std::string whole, wrong_sum = bytes;
    if (kind == Compression::kZstd) {
      wrong_sum[4] ^= 8;  // a reserved bit: what Compress() writes has no sum
    } else {
      wrong_sum[bytes.size() - (kind == Compression::kGzip ? 6 : 2)] ^= 1;
    }
    for (const std::string& damaged :
         {bytes.substr(0, bytes.size() - 1), bytes.substr(0, bytes.size() / 2), bytes.substr(0, 5),
          bytes + "garbage", bytes + bytes.substr(0, 3), wrong_sum}) {
      EXPECT_EQ(DecompressionDifference(damaged, &whole), "") << static_cast<int>(kind);
      EXPECT_THAT(whole, HasSubstr("(not valid ")) << static_cast<int>(kind);
    }
  }
  std::string whole;
  for (std::string_view shorter : {"", "\x1f", "\x1f\x8b", "\x28\xB5\x2F", "ab"}) {
    EXPECT_EQ(DecompressionDifference(shorter, &whole), "");
    EXPECT_EQ(whole, shorter.starts_with("\x1f\x8b") ? "(not valid gzip" : shorter);
  }
}

// `zstd --ultra -22` and --long write windows of 128 MiB.
TEST(ByteSource, LargeZstdWindowsAreRead) {
  // Magic, frame header without single segment, window descriptor 2^27, one RLE block, the last.
  const std::string frame = std::string("\x28\xB5\x2F\xFD\x00\x88\x03\x00\x04x", 10);
  MemorySource memory(frame);
  auto source = OpenDecompressed(&memory);
  ASSERT_TRUE(source);
  auto all = ReadAll(source->get(), 1 << 16);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(*all, std::string(1 << 15, 'x'));
}

TEST(TarSource, FilesComeOneAfterTheOther) {
  const std::string large(5000, 'b');
  std::string archive = TarEntry("pax", "27 path=ignored\n", 'x') + TarEntry("dir/", "", '5') +
                        TarEntry("dir/a.json", "a") + TarEntry("empty", "") + TarEntry("b", large) +
                        TarEntry("c", "not read") + TarEntry("d", "d") +
                        std::string(2 * kTarBlockBytes, '\0') + "what follows is ignored";
  EXPECT_TRUE(LooksLikeTar(archive));
  EXPECT_FALSE(LooksLikeTar(std::string(kTarBlockBytes, 'x')));
  MemorySource memory(archive);
  TarSource tar(&memory);
  for (auto [name, content] : {std::pair<std::string, std::string>{"dir/a.json", "a"},
                               {"empty", ""},
                               {"b", large},
                               {"c", ""},
                               {"d", "d"}}) {
    ASSERT_TRUE(tar.Next().value());
    EXPECT_EQ(tar.name(), name);
    if (name == "c") continue;
    EXPECT_EQ(ReadAll(&tar, 7).value(), content);
  }
  EXPECT_FALSE(tar.Next().value());
}

TEST(TarSource, ArchivesMayBeCutAnywhere) {
  std::string archive = TarEntry("pax", "27 path=ignored\n", 'x') + TarEntry("dir/", "", '5') +
                        TarEntry("dir/a.json", std::string(700, 'a')) + TarEntry("empty", "") +
                        TarEntry("long", std::string(600, 'n'), 'L') +
                        TarEntry("b", std::string(512, 'b'));
  for (const std::string& bytes :
       {archive + std::string(2 * kTarBlockBytes, '\0') + "ignored", archive,
        archive.substr(0, archive.size() - 100), archive.substr(0, archive.size() - 700),
        archive + std::string(kTarBlockBytes, 'x'), archive + std::string(100, 'x')}) {
    for (size_t step : {size_t{1} << 16, size_t{1}, size_t{5}}) {
      auto read = [&](const Pieces& pieces) {
        PieceSource from(pieces);
        TarSource tar(&from);
        std::string text;
        while (true) {
          Result<bool> more = tar.Next();
          if (!more) return text + "(" + more.error().message + ")";
          if (!*more) return text;
          text += tar.name() + ": " + ReadText(&tar, step) + "\n";
        }
      };
      EXPECT_THAT(read({bytes}), HasSubstr("dir/a.json: " + std::string(700, 'a') + "\nempty: \n"));
      EXPECT_EQ(CutDifference(bytes, read, {.cuts_max = 1000}), "");
    }
  }
  // As import reads it: the head is looked at first, and what is compressed is an archive.
  for (const std::string& bytes : {archive, Compress(Compression::kGzip, archive)}) {
    auto read = [&](const Pieces& pieces) -> std::string {
      PieceSource from(pieces);
      auto source = OpenDecompressed(&from);
      if (!source) return source.error().message;
      PeekedSource peeked(source->get());
      auto head = peeked.Peek(kTarBlockBytes);
      if (!head) return head.error().message;
      return (LooksLikeTar(*head) ? "tar " : "no tar ") + ReadText(&peeked, 100);
    };
    EXPECT_EQ(read({bytes}), "tar " + archive);
    EXPECT_EQ(CutDifference(bytes, read, {.cuts_max = 1000}), "");
  }
}

TEST(TarSource, WhatIsCutOffOrNoHeaderIsAnError) {
  const std::string archive = TarEntry("a", std::string(2000, 'a')) + TarEntry("b", "b");
  for (size_t bytes : {100, 512, 1500, 2600, 3000}) {
    MemorySource memory(std::string_view(archive).substr(0, bytes));
    TarSource tar(&memory);
    Status all = [&]() -> Status {
      while (true) {
        WEFT_ASSIGN(bool more, tar.Next());
        if (!more) return {};
        WEFT_TRY(ReadAll(&tar, 512));
      }
    }();
    EXPECT_EQ(all.has_value(), false) << bytes;
  }
  std::string wrong = archive;
  wrong[2560 + 3] = 'x';  // in the second header
  MemorySource memory(wrong);
  TarSource tar(&memory);
  ASSERT_TRUE(tar.Next().value());
  auto next = tar.Next();
  ASSERT_FALSE(next);
  EXPECT_THAT(next.error().message, HasSubstr("byte 2560: not a tar header"));
}

}  // namespace
}  // namespace weft::wire

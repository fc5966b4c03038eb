// SPDX-License-Identifier: Apache-2.0
#include "wire/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <random>

#include "wire/limits.h"

namespace weft::wire {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr Compression kKinds[] = {Compression::kNone, Compression::kGzip,   Compression::kZlib,
                                  Compression::kZstd, Compression::kSnappy, Compression::kLz4};
constexpr uint64_t kPlenty = 64 << 20;

std::string Sample(size_t bytes, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text;
  while (text.size() < bytes) text += "key-" + std::to_string(random() % 5000) + ";";
  text.resize(bytes);
  return text;
}

TEST(Compression, RoundTripsEveryKindAndSize) {
  for (Compression kind : kKinds) {
    for (size_t bytes : {0, 1, 2, 100, 65535, 65536, 65537, 3000000}) {
      std::string text = Sample(bytes, bytes);
      auto back = Decompress(kind, Compress(kind, text), kPlenty);
      ASSERT_TRUE(back) << back.error().message << " kind " << static_cast<int>(kind);
      EXPECT_EQ(*back, text);
    }
  }
}

TEST(Compression, LevelsOutsideTheLibraryAreBroughtInside) {
  std::string text = Sample(100000, 1);
  for (Compression kind : kKinds) {
    for (int level : {-5, 1, 9, 22, 1000}) {
      auto back = Decompress(kind, Compress(kind, text, level), kPlenty);
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_EQ(*back, text);
    }
  }
}

TEST(Compression, SeveralMembersInARowAreOneText) {
  for (Compression kind : {Compression::kGzip, Compression::kZstd, Compression::kLz4}) {
    std::string a = Sample(70000, 1), b = Sample(10, 2);
    auto back =
        Decompress(kind, Compress(kind, a) + Compress(kind, "") + Compress(kind, b), kPlenty);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, a + b);
  }
}

TEST(Compression, TheLimitIsExact) {
  std::string text = Sample(100000, 3);
  for (Compression kind : kKinds) {
    std::string bytes = Compress(kind, text);
    EXPECT_TRUE(Decompress(kind, bytes, text.size()));
    auto over = Decompress(kind, bytes, text.size() - 1);
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, ErrorCode::kTooLarge);
    EXPECT_THAT(over.error().message, HasSubstr("99999"));
  }
}

// Of these only zstd packs tighter than kRatioMax; the others meet the limit of the output.
TEST(Compression, ABombIsRefusedBeforeTheLimit) {
  std::string zeros(60 << 20, '\0');
  std::string bomb = Compress(Compression::kZstd, zeros);
  ASSERT_LT(bomb.size() * kRatioMax + kRatioFreeBytes, zeros.size());
  auto result = Decompress(Compression::kZstd, bomb, 1 << 30);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(result.error().message, HasSubstr("bomb"));
}

// A batch of spans that failed alike: the same stack trace in each.
TEST(Compression, AStormOfOneExceptionIsNoBomb) {
  std::string stack = Sample(24'000, 5), spans;
  std::mt19937 random(6);
  for (int span = 0; span < 512; ++span) {
    for (int i = 0; i < 24; ++i) spans += static_cast<char>(random());
    spans += stack;
  }
  for (Compression kind : {Compression::kGzip, Compression::kZstd, Compression::kLz4}) {
    EXPECT_TRUE(Decompress(kind, Compress(kind, spans), 64 << 20)) << static_cast<int>(kind);
  }
}

TEST(Compression, SmallInputsMayUnpackToTheFreeAllowance) {
  std::string zeros(kRatioFreeBytes, '\0');
  for (Compression kind : {Compression::kGzip, Compression::kZstd, Compression::kLz4}) {
    EXPECT_TRUE(Decompress(kind, Compress(kind, zeros), kPlenty));
  }
}

TEST(Compression, EveryTruncationIsAnError) {
  std::string text = Sample(3000, 4);
  for (Compression kind : kKinds) {
    if (kind == Compression::kNone) continue;
    std::string bytes = Compress(kind, text);
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      auto result = Decompress(kind, std::string_view(bytes).substr(0, cut), kPlenty);
      // Ten bytes of framed snappy are the stream identifier: an empty stream.
      if (result && kind == Compression::kSnappy && cut == 10) continue;
      ASSERT_FALSE(result) << static_cast<int>(kind) << " cut at " << cut;
      EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    }
  }
}

TEST(Compression, TrailingGarbageIsAnError) {
  for (Compression kind : kKinds) {
    if (kind == Compression::kNone) continue;
    auto result = Decompress(kind, Compress(kind, "some text") + "garbage!", kPlenty);
    ASSERT_FALSE(result) << static_cast<int>(kind);
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Compression, SnappyReadsBlocksToo) {
  // "abcabcabc...": length 12, a literal of 3 and a copy of 9 from 3 back.
  auto result = Decompress(Compression::kSnappy,
                           "\x0c\x08"
                           "abc"
                           "\x15\x03"sv,
                           kPlenty);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(*result, "abcabcabcabc");
}

TEST(Compression, SnappyRefusesALyingLengthBeforeAllocating) {
  auto result = Decompress(Compression::kSnappy, "\xff\xff\xff\xff\x0f\x00z"sv, 1 << 30);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kTooLarge);
}

TEST(Compression, SnappyFrameChecksumsAreRead) {
  std::string bytes = Compress(Compression::kSnappy, "weft");
  bytes[14] ^= 1;
  auto result = Decompress(Compression::kSnappy, bytes, kPlenty);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("offset 10: checksum differs"));
}

TEST(Compression, SnappyFramesMatchTheFormatsOwnChecksum) {
  // An uncompressed chunk with "123456789", whose crc32c is the known E3069283, masked A282EAD8.
  uint32_t crc = 0xE3069283u;
  uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
  std::string bytes =
      "\xff\x06\x00\x00sNaPpY\x01\x0d\x00\x00"s.append(reinterpret_cast<const char*>(&masked), 4)
          .append("123456789");
  auto result = Decompress(Compression::kSnappy, bytes, kPlenty);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(*result, "123456789");
}

TEST(Compression, DeflateMayBeRaw) {
  // A stored block of "hi", no zlib header.
  auto result = Decompress(Compression::kZlib, "\x01\x02\x00\xfd\xffhi"sv, kPlenty);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(*result, "hi");
}

TEST(Compression, ZstdRefusesLargeWindows) {
  std::string text = Sample(1 << 20, 5);
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, kZstdWindowLogMax + 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string bytes(ZSTD_compressBound(text.size()), '\0');
  // Streamed without a known size, so that the frame keeps the window it was given.
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer out{bytes.data(), bytes.size(), 0};
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
  ASSERT_EQ(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0u);
  ZSTD_freeCCtx(context);
  bytes.resize(out.pos);
  auto result = Decompress(Compression::kZstd, bytes, kPlenty);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("memory"));
}

TEST(Compression, ALyingSizeOfGzipCostsNothing) {
  std::string bytes = Compress(Compression::kGzip, "short");
  for (size_t i = 1; i <= 4; ++i) bytes[bytes.size() - i] = '\x7f';
  auto result = Decompress(Compression::kGzip, bytes, kPlenty);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("gzip member at offset 0"));
}

TEST(Compression, NamesAndMagic) {
  EXPECT_EQ(CompressionByName(""), Compression::kNone);
  EXPECT_EQ(CompressionByName("GZIP"), Compression::kGzip);
  EXPECT_EQ(CompressionByName("x-gzip"), Compression::kGzip);
  EXPECT_EQ(CompressionByName("deflate"), Compression::kZlib);
  EXPECT_EQ(CompressionByName("x-snappy-framed"), Compression::kSnappy);
  EXPECT_EQ(CompressionByName("br"), std::nullopt);
  EXPECT_EQ(SniffCompression(Compress(Compression::kGzip, "x")), Compression::kGzip);
  EXPECT_EQ(SniffCompression(Compress(Compression::kZstd, "x")), Compression::kZstd);
  EXPECT_EQ(SniffCompression(Compress(Compression::kLz4, "x")), Compression::kLz4);
  EXPECT_EQ(SniffCompression("{}"), Compression::kNone);
  EXPECT_EQ(SniffCompression(""), Compression::kNone);
}

}  // namespace
}  // namespace weft::wire

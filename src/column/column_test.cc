// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "column/bit_pack.h"
#include "column/bloom_filter.h"
#include "column/byte_cursor.h"
#include "column/numbers.h"
#include "column/page.h"
#include "column/text_page.h"
#include "column/value_index.h"

namespace weft::column {
namespace {

using Numbers = std::vector<uint64_t>;

TEST(BitPack, EveryWidthComesBack) {
  std::mt19937_64 random(1);
  for (uint32_t width = 0; width <= 64; ++width) {
    for (size_t count : {0, 1, 2, 7, 8, 63, 64, 65, 255, 256}) {
      Numbers numbers(count);
      for (uint64_t& n : numbers) n = width == 0 ? 0 : random() >> (64 - width);
      std::string packed = "x";
      PackBits(numbers, width, &packed);
      ASSERT_EQ(packed.size(), 1 + PackedBytes(count, width));
      Numbers back(count, 99);
      UnpackBits(packed.data() + 1, width, back);
      ASSERT_EQ(back, numbers) << "width " << width << " count " << count;
    }
  }
}

// Numbers of many characters: what ids, times, depths and counts look like, and what they never do.
Numbers AnyNumbers(std::mt19937_64& random) {
  const size_t count = 1 + random() % (random() % 3 == 0 ? 9000 : 300);
  const uint32_t width = static_cast<uint32_t>(random() % 64);
  const uint64_t base = random() % 2 ? random() : 0, outliers = 1 + random() % 40;
  const int kind = static_cast<int>(random() % 7);
  Numbers numbers(count);
  uint64_t walk = base;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t small = random() >> width;
    switch (kind) {
      case 0:
        numbers[i] = small;
        break;
      case 1:
        numbers[i] = base + small;
        break;
      case 2:
        numbers[i] = walk += small;
        break;
      case 3:
        numbers[i] = walk += (random() % outliers == 0 ? random() : random() % 5);
        break;
      case 4:
        numbers[i] = i > 0 && random() % 50 != 0 ? numbers[i - 1] : small;
        break;
      case 5:
        numbers[i] = base;
        break;
      default:
        numbers[i] = random() % outliers == 0 ? random() : random() % 16;
    }
  }
  if (random() % 4 == 0) numbers.back() = UINT64_MAX;
  return numbers;
}

TEST(Numbers, EveryStreamComesBack) {
  std::mt19937_64 random(2);
  std::map<char, int> encodings;
  for (int round = 0; round < 600; ++round) {
    const Numbers numbers = AnyNumbers(random);
    for (bool bytes : {false, true}) {
      std::string stream;
      bytes ? EncodeNumberBytes(numbers, &stream) : EncodeNumbers(numbers, &stream);
      ++encodings[stream[0]];
      stream += "tail";
      ByteReader reader(stream);
      Numbers back(numbers.size());
      ASSERT_TRUE(DecodeNumbers(&reader, std::span(back)).has_value());
      ASSERT_EQ(back, numbers) << "round " << round << " encoding " << int{stream[0]};
      EXPECT_EQ(reader.Rest(), "tail");
      std::vector<uint32_t> narrow(numbers.size());
      ByteReader again(stream);
      const bool fits = std::ranges::max(numbers) <= UINT32_MAX;
      ASSERT_EQ(DecodeNumbers(&again, std::span(narrow)).has_value(), fits);
      if (fits) {
        EXPECT_TRUE(std::ranges::equal(narrow, numbers));
      }
    }
  }
  EXPECT_EQ(encodings.size(), 5u) << "every encoding was chosen";
}

TEST(Numbers, StreamsAreSmall) {
  auto bytes = [](const Numbers& numbers) {
    std::string stream;
    EncodeNumbers(numbers, &stream);
    return stream.size();
  };
  EXPECT_LE(bytes(Numbers(8192, 7)), 3u);
  Numbers rising(8192), outlier(8192, 3);
  for (size_t i = 0; i < rising.size(); ++i) rising[i] = 1'700'000'000'000'000'000 + i * 1000;
  EXPECT_LE(bytes(rising), 120u);
  for (size_t i = 0; i < outlier.size(); ++i) outlier[i] = i % 4;
  outlier[77] = UINT64_MAX;
  EXPECT_LE(bytes(outlier), 8192u / 4 + 120);
}

TEST(Numbers, DamagedStreamsAreReportedNotFollowed) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string stream;
    const Numbers numbers = AnyNumbers(random);
    EncodeNumbers(numbers, &stream);
    if (round % 2) {
      stream.resize(random() % stream.size());
    } else {
      stream[random() % std::min<size_t>(stream.size(), 20)] = static_cast<char>(random());
    }
    ByteReader reader(stream);
    Numbers back(numbers.size());
    (void)DecodeNumbers(&reader, std::span(back));  // any result, no crash
  }
  ByteReader empty("");
  Numbers one(1);
  EXPECT_EQ(DecodeNumbers(&empty, std::span(one)).error().code, ErrorCode::kCorruption);
}

TEST(ByteReader, StopsAtTheEnd) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Varint(UINT64_MAX);
  writer.Varint(300);
  writer.Text("abc");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.Varint(), UINT64_MAX);
  EXPECT_EQ(reader.Varint(), 300u);
  EXPECT_EQ(reader.Text(), "abc");
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.Fixed<uint32_t>(), 0u);
  EXPECT_FALSE(reader.ok());
  ByteReader overlong("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
  overlong.Varint();
  EXPECT_FALSE(overlong.ok());
}

TEST(Page, ComesBackCompressedOrNot) {
  PageSealer sealer(1);
  std::mt19937_64 random(4);
  std::string noise(5000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  for (const std::string& payload :
       {std::string(), std::string("a"), std::string(100'000, 'z'), noise}) {
    std::string page(sealer.Seal(payload));
    EXPECT_EQ(*OpenPage(page), payload);
    EXPECT_LE(page.size(), payload.size() + 5);
  }
  EXPECT_LT(sealer.Seal(std::string(100'000, 'z')).size(), 100u);
}

TEST(Page, NumbersWithRepetitionsAreCompressed) {
  PageSealer sealer(1);
  std::mt19937_64 random(5);
  Numbers pattern(100), numbers;
  for (uint64_t& n : pattern) n = random() % 50'000;
  for (int i = 0; i < 80; ++i) numbers.insert(numbers.end(), pattern.begin(), pattern.end());
  std::string page(sealer.SealNumbers("head", numbers));
  EXPECT_LT(page.size(), 1000u);
  std::string payload = *OpenPage(page);
  ByteReader reader(payload);
  EXPECT_EQ(reader.Bytes(4), "head");
  Numbers back(numbers.size());
  ASSERT_TRUE(DecodeNumbers(&reader, std::span(back)).has_value());
  EXPECT_EQ(back, numbers);
}

TEST(Page, EveryFlippedBitIsReported) {
  PageSealer sealer(1);
  const std::string page(sealer.Seal(std::string(300, 'q') + "end"));
  for (size_t bit = 0; bit < page.size() * 8; ++bit) {
    std::string damaged = page;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << (bit % 8));
    EXPECT_EQ(OpenPage(damaged).error().code, ErrorCode::kCorruption);
    (void)OpenPage(damaged, false);
  }
  EXPECT_FALSE(OpenPage(page.substr(0, 3)).has_value());
}

TEST(TextPage, FindsAndReturnsEveryText) {
  std::mt19937_64 random(6);
  std::vector<std::string> texts = {"", std::string(1, '\0'), std::string("a\0b", 3), "\xff\xff"};
  for (int i = 0; i < 500; ++i)
    texts.push_back("/api/v1/orders/" + std::to_string(random() % 100'000));
  std::ranges::sort(texts);
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  TextPageBuilder builder;
  for (const std::string& text : texts) builder.Add(text);
  const std::string payload = builder.Finish();
  auto page = TextPage::Open(payload);
  ASSERT_TRUE(page.has_value());
  ASSERT_EQ(page->count(), texts.size());
  for (uint32_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(*page->Get(i), texts[i]);
    EXPECT_EQ(*page->Find(texts[i]), i);
    EXPECT_EQ(*page->Find(texts[i] + "~"), page->count());
  }
  uint32_t next = 0;
  ASSERT_TRUE(page->ForEach([&](uint32_t i, std::string_view text) {
                    EXPECT_EQ(i, next);
                    EXPECT_EQ(text, texts[next++]);
                  })
                  .has_value());
  EXPECT_EQ(next, texts.size());
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = payload;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    if (auto opened = TextPage::Open(damaged)) {
      (void)opened->ForEach([](uint32_t, std::string_view) {});
      (void)opened->Find("/api/v1/orders/5");
      if (opened->count() > 0) (void)opened->Get(opened->count() - 1);
    }
  }
}

TEST(BloomFilter, HasAllAndFewOthers) {
  std::mt19937_64 random(7);
  Numbers hashes(20'000);
  for (uint64_t& hash : hashes) hash = random();
  std::string filter = BuildBloomFilter(hashes);
  EXPECT_LT(filter.size() * 8, hashes.size() * 12);
  for (uint64_t hash : hashes) ASSERT_TRUE(BloomFilterMayContain(filter, hash));
  int others = 0;
  for (int i = 0; i < 20'000; ++i) others += BloomFilterMayContain(filter, random());
  EXPECT_LT(others, 500);
  EXPECT_TRUE(BloomFilterMayContain("", 1));
  EXPECT_FALSE(BloomFilterMayContain(BuildBloomFilter({}), 1));
}

TEST(ValueIndex, IsASupersetAndExactWhereValuesAreRare) {
  std::mt19937_64 random(8);
  for (uint32_t part_count : {2u, 5u, 64u}) {
    Numbers parts(1000);
    const uint64_t all = part_count == 64 ? ~0ull : (1ull << part_count) - 1;
    for (uint64_t& bits : parts) {
      bits = 1ull << random() % part_count;
      if (random() % 3 == 0) bits |= random() & all;
    }
    std::string payload;
    EncodeValueIndex(parts, part_count, &payload);
    for (uint32_t i = 0; i < parts.size(); ++i) {
      const uint64_t found = *FindInValueIndex(payload, 1000, i);
      EXPECT_EQ(parts[i] & ~found, 0u);
      if (std::popcount(parts[i]) == 1) {
        EXPECT_EQ(found, parts[i]);
      }
    }
    EXPECT_FALSE(FindInValueIndex(payload, 1000, 1000).has_value());
    EXPECT_FALSE(FindInValueIndex(payload.substr(0, 5), 1000, 999).has_value());
  }
  std::string nothing;
  EncodeValueIndex(Numbers(10, 3), 2, &nothing);
  EXPECT_TRUE(nothing.empty()) << "everywhere needs no bytes";
}

}  // namespace
}  // namespace weft::column

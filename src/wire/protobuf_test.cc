// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "wire/protobuf_reader.h"
#include "wire_core/protobuf_writer.h"

namespace weft::wire {
namespace {

using namespace std::string_literals;

TEST(ProtoReader, ReadsEveryWireTypeAndEveryVarintLength) {
  for (int bits = 0; bits <= 64; ++bits) {
    uint64_t value = bits == 0 ? 0 : UINT64_MAX >> (64 - bits);
    ProtoWriter out(1);
    out.Fixed32(536870911, 7);  // the largest field number
    out.Fixed64(2000, ~value);
    out.Varint(1, value);
    std::string bytes;
    out.AppendTo(&bytes);
    ProtoReader in(bytes);
    ASSERT_TRUE(in.Next());
    EXPECT_EQ(in.tag(), VarintTag(1));
    EXPECT_EQ(in.value(), value);
    ASSERT_TRUE(in.Next());
    EXPECT_EQ(in.tag(), Fixed64Tag(2000));
    EXPECT_EQ(in.value(), ~value);
    ASSERT_TRUE(in.Next());
    EXPECT_EQ(in.tag(), Fixed32Tag(536870911));
    EXPECT_EQ(in.value(), 7u);
    EXPECT_FALSE(in.Next());
    EXPECT_EQ(in.error(), ProtoError::kNone);
  }
}

TEST(ProtoReader, GivesTheWholeFieldToo) {
  std::string bytes = "\x08\x01\x12\x02hi\x1b\x08\x05\x1c"s;
  ProtoReader in(bytes);
  ASSERT_TRUE(in.Next());
  ASSERT_TRUE(in.Next());
  EXPECT_EQ(in.bytes(), "hi");
  EXPECT_EQ(in.field(), "\x12\x02hi");
  ASSERT_TRUE(in.Next());  // a group, stepped over
  EXPECT_EQ(in.tag(), ProtoTag(3, WireType::kStartGroup));
  EXPECT_EQ(in.field(), "\x1b\x08\x05\x1c");
  EXPECT_FALSE(in.Next());
  EXPECT_EQ(in.error(), ProtoError::kNone);
}

TEST(ProtoReader, ErrorsSayWhatAndWhere) {
  struct Case {
    std::string bytes;
    ProtoError error;
    size_t position;
  };
  const Case kCases[] = {{"\x08"s, ProtoError::kTruncated, 0},
                         {"\x08\x80"s, ProtoError::kTruncated, 0},
                         {"\x80"s, ProtoError::kTruncated, 0},
                         {"\x08\x01\x09\x01\x02"s, ProtoError::kTruncated, 2},
                         {"\x08\x01\x0d\x01\x02"s, ProtoError::kTruncated, 2},
                         {"\x12\x03hi"s, ProtoError::kLengthTooLong, 0},
                         {"\x07"s, ProtoError::kBadFieldNumber, 0},
                         {"\x0f"s, ProtoError::kBadWireType, 0},
                         {"\x0b\x08\x01\x14"s, ProtoError::kBadGroup, 0}};
  for (const Case& one : kCases) {
    ProtoReader in(one.bytes);
    while (in.Next()) {
    }
    EXPECT_EQ(in.error(), one.error);
    EXPECT_EQ(static_cast<size_t>(in.position() - one.bytes.data()), one.position);
    EXPECT_FALSE(in.Next()) << "an error is the end";
  }
}

}  // namespace
}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
#include "wire_core/protobuf_writer.h"

#include <gtest/gtest.h>

namespace weft::wire {
namespace {

using namespace std::string_literals;

std::string Written(const ProtoWriter& out) {
  std::string text;
  out.AppendTo(&text);
  return text;
}

TEST(ProtoWriter, WritesWhatTheSpecificationShows) {
  ProtoWriter out(4);  // grows on the way
  size_t mark = out.bytes();
  out.Varint(1, 150);
  out.CloseMessage(3, mark);
  out.Bytes(2, "testing");
  out.Varint(1, 150);
  EXPECT_EQ(Written(out), "\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01"s);
}

TEST(ProtoWriter, NegativeEnumsTakeTenBytes) {
  ProtoWriter out;
  out.Int32(1, static_cast<uint32_t>(-1));
  EXPECT_EQ(Written(out), "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
}

TEST(ProtoWriter, TextIsUtf8) {
  ProtoWriter out;
  out.Text(3, "a\xE2\x82 \xFF");
  out.Text(2, "\xE2\x82\xAC");
  out.Text(1, "");
  EXPECT_EQ(Written(out),
            "\x0a\x00\x12\x03\xE2\x82\xAC\x1a\x08"
            "a\xEF\xBF\xBD \xEF\xBF\xBD"s);
}

}  // namespace
}  // namespace weft::wire

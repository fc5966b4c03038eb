// SPDX-License-Identifier: Apache-2.0
//
// Every header of the room, read as the SDK's users read them.
#include <gtest/gtest.h>

#include "wire_core/base64.h"
#include "wire_core/json_writer.h"
#include "wire_core/printable.h"
#include "wire_core/protobuf_tag.h"
#include "wire_core/protobuf_writer.h"
#include "wire_core/utf8.h"

static_assert(__cplusplus == 201703L, "the room is for programs in C++17");

namespace weft::wire {
namespace {

TEST(EveryHeader, WorksTogetherInCxx17) {
  ProtoWriter message;
  message.Text(2, "caf\xC3");
  message.Varint(1, 300);
  std::string bytes, document;
  message.AppendTo(&bytes);
  EXPECT_EQ(static_cast<uint32_t>(bytes[0]), VarintTag(1));
  JsonWriter json(&document);
  json.BeginObject();
  json.Key("hex");
  json.Hex(bytes);
  json.Field("text", ReplaceUnprintable("a\x1b"));
  json.EndObject();
  EXPECT_EQ(document, R"({"hex":"08ac021206636166efbfbd","text":"a?"})");
}

}  // namespace
}  // namespace weft::wire

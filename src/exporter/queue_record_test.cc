// SPDX-License-Identifier: Apache-2.0
#include "exporter/queue_record.h"

#include <gtest/gtest.h>

#include "exporter/remote_fixture.h"

namespace weft::exporter {
namespace {

TEST(QueueRecordTest, RequestsAndNewsComeBackAndNoCutIsTakenForWhole) {
  for (uint64_t i = 0; i < 3; ++i) {
    const SendRequest request = NumberedRequest(i, 50);
    const std::string bytes = EncodeRequest(request);
    const auto record = ParseQueueRecord(bytes);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->signal, request.signal);
    EXPECT_EQ(record->body, request.body);
    for (size_t cut = 0; cut < 2; ++cut) EXPECT_FALSE(ParseQueueRecord(bytes.substr(0, cut)));
  }
  const std::vector<SentRange> sent = {{1, 3}, {7, 7}};
  const std::string bytes = EncodeSent(sent);
  const auto record = ParseQueueRecord(bytes);
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->signal);
  EXPECT_EQ(record->sent, sent);
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_EQ(ParseQueueRecord(bytes.substr(0, cut)).error().code, ErrorCode::kCorruption) << cut;
  EXPECT_FALSE(ParseQueueRecord(bytes + "x"));
  EXPECT_FALSE(ParseQueueRecord(EncodeSent({{3, 2}})));
  EXPECT_FALSE(ParseQueueRecord(EncodeSent({{3, ~uint64_t{0}}})));
  EXPECT_EQ(ParseQueueRecord("\x02\x01").error().code, ErrorCode::kUnimplemented);
  EXPECT_FALSE(ParseQueueRecord("\x01\x09"));
}

TEST(QueueRecordTest, AMarkComesBackAndNoCutOrFlipIsTaken) {
  const QueueMark mark{
      .number = 5, .uuid = {1, 2}, .freed_through = 6, .needed_from = 7, .durable_through = 8};
  const std::string bytes = EncodeQueueMark(mark);
  const auto parsed = ParseQueueMark(bytes + std::string(100, '\0'));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->number, 5u);
  EXPECT_EQ(parsed->uuid, mark.uuid);
  EXPECT_EQ(parsed->freed_through, 6u);
  EXPECT_EQ(parsed->needed_from, 7u);
  EXPECT_EQ(parsed->durable_through, 8u);
  for (size_t at = 0; at < bytes.size(); ++at) {
    EXPECT_FALSE(ParseQueueMark(bytes.substr(0, at)));
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    EXPECT_FALSE(ParseQueueMark(flipped)) << at;
  }
}

}  // namespace
}  // namespace weft::exporter

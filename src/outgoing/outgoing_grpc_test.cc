// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_grpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "http/h2_peer.h"
#include "http/raw_peer.h"
#include "http/server.h"
#include "outgoing/outgoing_fixture.h"
#include "outgoing/outgoing_grpc_reader.h"
#include "testing/pieces.h"
#include "wire/compression.h"

namespace weft::outgoing {

using http::GrpcCallPtr;
using http::GrpcCode;
using http::GrpcFrame;
using http::GrpcRequest;
using http::Headers;
using http::RawFrame;
using http::WriteState;

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::shared_ptr<const OutgoingGrpcCoding> Gzip() {
  auto coding = std::make_shared<OutgoingGrpcCoding>();
  coding->name = coding->accepts = "gzip";
  coding->compress = [](std::string_view bytes) {
    return wire::Compress(wire::Compression::kGzip, bytes);
  };
  coding->decompress = [](std::string_view, std::string_view bytes, uint64_t bytes_max) {
    return wire::Decompress(wire::Compression::kGzip, bytes, bytes_max);
  };
  return coding;
}

using GrpcResult = std::expected<OutgoingGrpcAnswer, OutgoingError>;

std::string TextOfGrpc(const GrpcResult& result) {
  if (!result) return std::string(NameOf(result.error().failure)) + ": " + result.error().message;
  if (result->status.code == GrpcCode::kOk) return "ok " + result->message;
  return std::to_string(static_cast<int>(result->status.code)) + " " + result->status.message;
}

GrpcResult Call(OutgoingClient& client, OutgoingGrpcRequest request) {
  auto promise = std::make_shared<std::promise<GrpcResult>>();
  std::future<GrpcResult> future = promise->get_future();
  auto call = CallGrpc(&client, std::move(request),
                       [promise](GrpcResult result) { promise->set_value(std::move(result)); });
  if (!call) return std::unexpected(OutgoingError{call.error()});
  if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
    ADD_FAILURE() << "no result within 20 s";
    return std::unexpected(OutgoingError{});
  }
  return future.get();
}

// What a stream has brought, for the test's thread.
struct StreamLog {
  std::mutex mutex;
  std::vector<std::string> messages;
  std::string end;
  size_t stop_after = SIZE_MAX;  // messages; then each waits for Resume()
  size_t count() {
    std::lock_guard lock(mutex);
    return messages.size();
  }
  std::string ended() {
    std::lock_guard lock(mutex);
    return end;
  }
  static OutgoingGrpcHandlers Handlers(const std::shared_ptr<StreamLog>& log) {
    OutgoingGrpcHandlers out;
    out.on_message = [log](std::string message) {
      std::lock_guard lock(log->mutex);
      log->messages.push_back(std::move(message));
      return log->messages.size() < log->stop_after;
    };
    out.on_end = [log](std::expected<OutgoingGrpcEnd, OutgoingError> end) {
      std::lock_guard lock(log->mutex);
      EXPECT_EQ(log->end, "");
      log->end = end ? "status " + std::to_string(static_cast<int>(end->status.code)) + " " +
                           end->status.message
                     : "error " + std::string(NameOf(end.error().failure));
    };
    return out;
  }
};

class OutgoingGrpcTest : public ::testing::Test {
 protected:
  OutgoingGrpcTest() : server_({.drain_timeout_ms = 100}, 1) {
    auto router = std::make_shared<http::Router>();
    http::GrpcOptions options;
    options.decompress = [this](std::string_view encoding, std::string_view bytes,
                                uint64_t bytes_max, void*) {
      encodings_ += std::string(encoding) + ";";
      return wire::Decompress(wire::Compression::kGzip, bytes, bytes_max);
    };
    router->AddGrpc("/t.T/Echo", options, [](GrpcRequest request, GrpcCallPtr call) {
      call->Send(std::move(request.message));
      call->Finish({});
    });
    router->AddGrpc("/t.T/Headers", options, [](GrpcRequest request, GrpcCallPtr call) {
      std::string text;
      for (const char* name : {"te", "content-type", "x-tenant", "grpc-timeout", "user-agent"})
        text += std::string(http::FindHeader(request.headers, name)) + "|";
      call->Send(text);
      call->Finish({});
    });
    router->AddGrpc("/t.T/Busy", options, [](GrpcRequest, GrpcCallPtr call) {
      call->Finish({GrpcCode::kUnavailable,
                    "zu viel \xc3\xbc"
                    "berall 100%",
                    7});
    });
    router->AddGrpc("/t.T/Count", options, [](GrpcRequest request, GrpcCallPtr call) {
      const int count = std::stoi(request.message);
      for (int i = 0; i < count; ++i) call->Send(std::to_string(i) + std::string(1000, '.'));
      call->Finish({GrpcCode::kOk, "", 0});
    });
    router->AddGrpc("/t.T/Never", options, [this](GrpcRequest, GrpcCallPtr call) {
      std::lock_guard lock(mutex_);
      held_.push_back(std::move(call));
    });
    port_ = server_.Listen({"127.0.0.1", 0}, router).value();
    server_.Start();
    client_ = MakeOutgoing(Options(), loops_);
  }
  ~OutgoingGrpcTest() override {
    client_.reset();
    std::lock_guard lock(mutex_);
    held_.clear();
  }
  OutgoingOptions Options() const {
    return {.url = "http://127.0.0.1:" + std::to_string(port_),
            .protocol = OutgoingProtocol::kHttp2};
  }

  std::string encodings_;
  std::mutex mutex_;
  std::vector<GrpcCallPtr> held_;
  http::Server server_;
  uint16_t port_ = 0;
  TestLoops loops_;
  std::unique_ptr<OutgoingClient> client_;
};

TEST_F(OutgoingGrpcTest, AMessageGoesEachWay) {
  EXPECT_EQ(TextOfGrpc(Call(*client_, {.path = "/t.T/Echo", .message = "hello"})), "ok hello");
  EXPECT_EQ(TextOfGrpc(Call(*client_, {.path = "/t.T/Echo"})), "ok ");
  std::string large(3'000'000, 'x');
  EXPECT_EQ(TextOfGrpc(Call(*client_, {.path = "/t.T/Echo", .message = large})), "ok " + large);
  EXPECT_EQ(client_->counters().connections_opened, 1u);
}

TEST_F(OutgoingGrpcTest, TheHeadSaysWhatGrpcAsks) {
  GrpcResult result = Call(
      *client_, {.path = "/t.T/Headers", .metadata = {{"X-Tenant", "a"}}, .timeout_ms = 60'000});
  ASSERT_TRUE(result);
  EXPECT_THAT(result->message, StartsWith("trailers|application/grpc|a|"));
  std::string timeout = result->message.substr(28);
  EXPECT_GT(std::stoi(timeout), 50'000) << timeout;
  EXPECT_LE(std::stoi(timeout), 60'000);
  EXPECT_THAT(timeout, HasSubstr("m|weft|"));
}

TEST_F(OutgoingGrpcTest, MessagesAreCompressedWhereThatIsAsked) {
  std::string text(100'000, 'a');
  EXPECT_EQ(TextOfGrpc(Call(*client_, {.path = "/t.T/Echo", .message = text, .coding = Gzip()})),
            "ok " + text);
  EXPECT_EQ(encodings_, "gzip;");
  EXPECT_LT(client_->counters().bytes_out, 10'000u);
}

TEST_F(OutgoingGrpcTest, AStatusIsAnAnswerWithItsDetails) {
  GrpcResult result = Call(*client_, {.path = "/t.T/Busy", .message = "x"});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status.code, GrpcCode::kUnavailable);
  EXPECT_EQ(result->status.message,
            "zu viel \xc3\xbc"
            "berall 100%");
  EXPECT_THAT(result->status_details, HasSubstr("type.googleapis.com/google.rpc.RetryInfo"));
  EXPECT_EQ(TextOfGrpc(Call(*client_, {.path = "/t.T/None", .message = "x"})).substr(0, 3), "12 ");
}

TEST_F(OutgoingGrpcTest, ADeadlineEndsTheCallOnBothSides) {
  GrpcResult result = Call(*client_, {.path = "/t.T/Never", .message = "x", .timeout_ms = 200});
  if (result) {
    EXPECT_EQ(result->status.code, GrpcCode::kDeadlineExceeded);
  } else {
    EXPECT_EQ(result.error().code, ErrorCode::kDeadlineExceeded);
  }
  EXPECT_EQ(TextOfGrpc(Call(*client_, {.path = "/t.T/Echo", .message = "x"})), "ok x");
}

TEST_F(OutgoingGrpcTest, AnAnswerOverItsLimitIsTooLarge) {
  OutgoingOptions options = Options();
  options.answer_bytes_max = 1000;
  auto client = MakeOutgoing(options, loops_);
  EXPECT_EQ(TextOfGrpc(Call(*client, {.path = "/t.T/Echo", .message = std::string(1000, 'x')})),
            "ok " + std::string(1000, 'x'));
  EXPECT_THAT(TextOfGrpc(Call(*client, {.path = "/t.T/Echo", .message = std::string(1001, 'x')})),
              StartsWith("too_large: "));
}

TEST_F(OutgoingGrpcTest, CleartextWithoutHttp2IsRefusedAtOnce) {
  auto client = MakeOutgoing({.url = Options().url}, loops_);
  auto call = CallGrpc(client.get(), {.path = "/t.T/Echo"}, [](GrpcResult) { ADD_FAILURE(); });
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(OutgoingGrpcTest, AStreamBringsMessageByMessage) {
  auto log = std::make_shared<StreamLog>();
  auto stream = OpenGrpcStream(client_.get(), {.path = "/t.T/Count", .message = "500"},
                               StreamLog::Handlers(log));
  ASSERT_TRUE(stream);
  (*stream)->WritesDone();
  ASSERT_TRUE(Eventually([&] { return !log->ended().empty(); }));
  EXPECT_EQ(log->ended(), "status 0 ");
  ASSERT_EQ(log->count(), 500u);
  EXPECT_THAT(log->messages[499], StartsWith("499."));
  EXPECT_EQ((*stream)->Write("late"), WriteState::kClosed);
}

TEST_F(OutgoingGrpcTest, AReaderThatStopsHoldsItsStreamAndNoOther) {
  OutgoingOptions options = Options();
  options.stream_window_bytes = 65'535;
  auto client = MakeOutgoing(options, loops_);
  auto log = std::make_shared<StreamLog>();
  log->stop_after = 1;
  auto stream = OpenGrpcStream(client.get(), {.path = "/t.T/Count", .message = "1000"},
                               StreamLog::Handlers(log));
  ASSERT_TRUE(stream);
  (*stream)->WritesDone();
  ASSERT_TRUE(Eventually([&] { return log->count() == 1; }));
  const std::string text(200'000, 'y');
  EXPECT_EQ(TextOfGrpc(Call(*client, {.path = "/t.T/Echo", .message = text})), "ok " + text);
  // No more than the window has come, of a million bytes, and nothing of it was handed on.
  EXPECT_LT(client->counters().bytes_in, 200'000u + 65'535u + 10'000u);
  EXPECT_EQ(log->count(), 1u);
  for (size_t i = 2; i <= 1000; ++i) {
    (*stream)->Resume();
    ASSERT_TRUE(Eventually([&] { return log->count() == i; })) << i;
  }
  EXPECT_EQ(log->ended(), "");
  (*stream)->Resume();
  ASSERT_TRUE(Eventually([&] { return !log->ended().empty(); }));
  EXPECT_EQ(log->ended(), "status 0 ");
}

TEST_F(OutgoingGrpcTest, AStreamIsCancelledAndEndsWithItsClient) {
  for (bool by_client : {false, true}) {
    auto log = std::make_shared<StreamLog>();
    log->stop_after = 1;
    auto stream = OpenGrpcStream(client_.get(), {.path = "/t.T/Count", .message = "100"},
                                 StreamLog::Handlers(log));
    ASSERT_TRUE(stream);
    (*stream)->WritesDone();
    ASSERT_TRUE(Eventually([&] { return log->count() == 1; }));
    if (by_client) client_.reset();
    if (!by_client) (*stream)->Cancel();
    ASSERT_TRUE(Eventually([&] { return !log->ended().empty(); }));
    EXPECT_EQ(log->ended(), "error cancelled");
    (*stream)->Resume();
    EXPECT_EQ((*stream)->Write("late"), WriteState::kClosed);
  }
}

// Streams towards the server: weft's own takes one message a call, so the peer is nghttp2's.
TEST(OutgoingGrpcStreamTest, WritersAreStoppedByThePeersWindowAndGoOn) {
  std::atomic<size_t> received{0};
  std::atomic<bool> open{false};
  http::RawPeer peer([&](net::RawClient& raw, int) {
    // Windows of 65535 bytes; further ones are opened when the test says so.
    raw.Send(RawFrame(NGHTTP2_SETTINGS, 0, 0, {}));
    std::string bytes;
    size_t told = 0;
    bool done = false;
    while (!done) {
      raw.ReadSome(10);
      bytes += raw.Take();
      size_t data = 0;
      http::ForEachFrame(std::string_view(bytes).substr(std::min<size_t>(bytes.size(), 24)),
                         [&](const http::FrameView& frame) {
                           if (frame.type != NGHTTP2_DATA) return;
                           data += frame.payload.size();
                           done |= (frame.flags & 1) != 0;
                         });
      received = data;
      if (raw.eof()) return;
      if (!open || data == told) continue;
      auto more = static_cast<uint32_t>(data - told);
      told = data;
      std::string step = {static_cast<char>(more >> 24), static_cast<char>(more >> 16),
                          static_cast<char>(more >> 8), static_cast<char>(more)};
      raw.Send(RawFrame(NGHTTP2_WINDOW_UPDATE, 0, 0, step) +
               RawFrame(NGHTTP2_WINDOW_UPDATE, 0, 1, step));
    }
    // :status 200, content-type, then grpc-status 0 in the trailers.
    std::string head = "\x88";
    head += std::string("\x0f\x10\x10", 3) + "application/grpc";
    std::string trailers = std::string("\0\x0b", 2) + "grpc-status" + "\x01" + "0";
    raw.Send(RawFrame(NGHTTP2_HEADERS, 4, 1, head) +
             RawFrame(NGHTTP2_DATA, 0, 1, GrpcFrame("thanks")) +
             RawFrame(NGHTTP2_HEADERS, 5, 1, trailers));
    raw.ReadAll();
  });
  TestLoops loops;
  auto client = MakeOutgoing({.url = peer.url(), .protocol = OutgoingProtocol::kHttp2}, loops);
  auto log = std::make_shared<StreamLog>();
  OutgoingGrpcHandlers handlers = StreamLog::Handlers(log);
  handlers.write_bytes_max = 100'000;
  std::atomic<int> writable{0};
  handlers.on_writable = [&] { ++writable; };
  auto stream = OpenGrpcStream(client.get(), {.path = "/t.T/Take"}, handlers);
  ASSERT_TRUE(stream);
  size_t sent = 0;
  WriteState state = WriteState::kGo;
  while (state == WriteState::kGo) {
    state = (*stream)->Write(std::string(10'000, 'x'));
    sent += 10'005;
  }
  EXPECT_EQ(state, WriteState::kWait);
  EXPECT_LE(sent, 100'000u + 65'535u + 10'005u);
  EXPECT_EQ(writable, 0);
  open = true;
  ASSERT_TRUE(Eventually([&] { return writable == 1; }));
  (*stream)->WritesDone();
  ASSERT_TRUE(Eventually([&] { return !log->ended().empty(); }));
  EXPECT_EQ(log->ended(), "status 0 ");
  EXPECT_THAT(log->messages, ElementsAre("thanks"));
  EXPECT_EQ(received, sent);
}

// ------------------------------------------------------------------------------------- the reader

std::string ReadAll(const weft::testing::Pieces& pieces, Headers head, Headers trailers) {
  OutgoingGrpcReader reader(Gzip(), 100);
  reader.OnHead(200, std::move(head));
  std::string out;
  for (std::string_view piece : pieces) {
    OutgoingGrpcReader::Step step = OutgoingGrpcReader::Step::kMore;
    while ((step = reader.Next(&piece)) == OutgoingGrpcReader::Step::kMessage)
      out += "[" + reader.message() + "]";
    if (step == OutgoingGrpcReader::Step::kBroken)
      return out + " broken: " + reader.why() + (reader.too_large() ? " (too large)" : "");
  }
  OutgoingGrpcEnd end = reader.TakeEnd(std::move(trailers));
  return out + " " + std::to_string(static_cast<int>(end.status.code)) + " " + end.status.message;
}

std::string Told(std::string_view bytes, const Headers& head, const Headers& trailers) {
  auto read = [&](const weft::testing::Pieces& pieces) { return ReadAll(pieces, head, trailers); };
  EXPECT_EQ(weft::testing::CutDifference(bytes, read), "");
  return read({bytes});
}

TEST(OutgoingGrpcReaderTest, AnswersAreToldHoweverTheyWereCut) {
  const Headers head = {{"content-type", "application/grpc+proto"}, {"grpc-encoding", "gzip"}};
  const Headers ok = {{"grpc-status", "0"}};
  const std::string zipped = wire::Compress(wire::Compression::kGzip, "squeezed");
  EXPECT_EQ(Told(GrpcFrame("a") + GrpcFrame("") + GrpcFrame(zipped, true), head, ok),
            "[a][][squeezed] 0 ");
  EXPECT_EQ(Told(GrpcFrame("abc").substr(0, 6), head, ok), " 13 the answer ends inside a message");
  EXPECT_EQ(Told(GrpcFrame("a"), head, {}), "[a] 2 the answer has no gRPC status");
  EXPECT_EQ(Told("<html>", {{"content-type", "text/html"}}, {}), " 2 the answer is not gRPC's");
  EXPECT_EQ(Told(GrpcFrame("a"), head, {{"grpc-status", "8"}, {"grpc-message", "%41%zz%"}}),
            "[a] 8 A%zz%");
  EXPECT_EQ(Told("", head, {{"grpc-status", "99"}}), " 2 ");
  EXPECT_THAT(Told("\x02" + GrpcFrame("a"), head, ok), HasSubstr("broken: the first byte"));
  EXPECT_THAT(Told(GrpcFrame(std::string(101, 'x')), head, ok), HasSubstr("(too large)"));
  EXPECT_THAT(Told(GrpcFrame("no gzip", true), head, ok), HasSubstr("cannot be decompressed"));
  EXPECT_THAT(Told(GrpcFrame(wire::Compress(wire::Compression::kGzip, std::string(101, 'x')), true),
                   head, ok),
              HasSubstr("(too large)"));
  EXPECT_THAT(Told(GrpcFrame("x", true), {{"content-type", "application/grpc"}}, ok),
              HasSubstr("which was not asked for"));
}

}  // namespace
}  // namespace weft::outgoing

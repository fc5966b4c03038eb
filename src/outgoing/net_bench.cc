// SPDX-License-Identifier: Apache-2.0
//
// Requests through a real server on loopback: one kept connection, one request at a time, bodies of
// 1 KiB, 80 KiB (about 200 spans) and 1 MiB, over HTTP/1.1 and as gRPC calls. `server_cpu_us` is
// the CPU time of the server's loop thread per request.
//
// Outgoing...: the same the other way round, by OutgoingClient, with many requests at a time;
// `client_cpu_us` is the CPU time of the client's loop thread per request, `per_cpu_second` how
// many it does in one.
#include <benchmark/benchmark.h>
#include <pthread.h>

#include <atomic>
#include <ctime>
#include <latch>

#include "http/h2_peer.h"
#include "http/server.h"
#include "net/raw_client.h"
#include "outgoing/outgoing_grpc.h"

namespace weft::outgoing {

using net::SharedBytes;

namespace {

double CpuSecondsOf(pthread_t thread) {
  clockid_t clock{};
  timespec time{};
  pthread_getcpuclockid(thread, &clock);
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class BenchServer {
 public:
  BenchServer() : server_({}, 1) {
    auto router = std::make_shared<http::Router>();
    http::RouteOptions large{.body_bytes_max = 64 << 20,
                             .admit = [](const http::RequestHead&) { return http::Admission{}; }};
    router->Add("POST", "/v1/traces", large,
                [this](http::Request request, http::ExchangePtr exchange) {
                  thread_ = pthread_self();
                  benchmark::DoNotOptimize(request.body.data());
                  exchange->Respond({200, "application/x-protobuf", {}, ""});
                });
    http::GrpcOptions options;
    options.admit = [](const http::RequestHead&, uint64_t, std::shared_ptr<void>*) {
      return http::GrpcStatus{};
    };
    router->AddGrpc("/opentelemetry.proto.collector.trace.v1.TraceService/Export", options,
                    [this](http::GrpcRequest request, http::GrpcCallPtr call) {
                      thread_ = pthread_self();
                      benchmark::DoNotOptimize(request.message.data());
                      call->Send("");
                      call->Finish({});
                    });
    port_ = server_.Listen({"127.0.0.1", 0}, router).value();
    server_.Start();
  }
  uint16_t port() const { return port_; }
  double CpuSeconds() const { return CpuSecondsOf(thread_.load()); }

 private:
  http::Server server_;
  uint16_t port_ = 0;
  std::atomic<pthread_t> thread_{};
};

void Report(benchmark::State& state, double cpu_seconds) {
  auto count = static_cast<double>(state.iterations());
  state.counters["server_cpu_us"] = cpu_seconds * 1e6 / count;
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void Http1Post(benchmark::State& state) {
  BenchServer server;
  net::RawClient client(server.port());
  auto size = static_cast<size_t>(state.range(0));
  std::string request =
      "POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:4318\r\nUser-Agent: "
      "OTel-OTLP-Exporter-Cpp/1.20\r\n"
      "Content-Type: application/x-protobuf\r\nContent-Length: " +
      std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
  auto once = [&] {
    client.Send(request);
    client.ReadUntil("\r\n\r\n");
    client.Take();
  };
  once();
  double before = server.CpuSeconds();
  for (auto _ : state) once();
  Report(state, server.CpuSeconds() - before);
}
BENCHMARK(Http1Post)->Arg(1 << 10)->Arg(80 << 10)->Arg(1 << 20)->UseRealTime();

void GrpcUnary(benchmark::State& state) {
  BenchServer server;
  net::RawClient client(server.port());
  http::H2Peer peer;
  std::string message = http::GrpcFrame(std::string(static_cast<size_t>(state.range(0)), 'x'));
  auto once = [&] {
    int32_t id =
        peer.Grpc("/opentelemetry.proto.collector.trace.v1.TraceService/Export", message,
                  {{"user-agent", "OTel-OTLP-Exporter-Cpp/1.20"}, {"grpc-timeout", "10S"}});
    while (!peer.answer(id).closed && !client.eof()) {
      client.Send(peer.Output());
      if (!client.ReadSome(0)) client.ReadSome(1000);
      peer.Input(client.Take());
    }
    peer.OpenWindows();
    peer.Forget(id);
  };
  once();
  double before = server.CpuSeconds();
  for (auto _ : state) once();
  Report(state, server.CpuSeconds() - before);
}
BENCHMARK(GrpcUnary)->Arg(1 << 10)->Arg(80 << 10)->Arg(1 << 20)->UseRealTime();

// Keeps `in_flight` requests under way until kBatch have been answered.
class OutgoingLoad {
 public:
  static constexpr int kBatch = 1000;
  using Send = std::function<void(std::function<void(bool)> done)>;

  OutgoingLoad(OutgoingProtocol protocol, int in_flight, size_t body_bytes)
      : in_flight_(in_flight), loop_(std::make_shared<net::Loop>()) {
    loop_->Start();
    std::latch started(1);
    loop_->Post([&] {
      thread_ = pthread_self();
      started.count_down();
    });
    started.wait();
    client_ = OutgoingClient::Make({.url = "http://127.0.0.1:" + std::to_string(server_.port()),
                                    .protocol = protocol},
                                   {loop_})
                  .value();
    body_ = SharedBytes(std::string(body_bytes, 'x'));
  }
  ~OutgoingLoad() {
    client_.reset();
    loop_->Stop();
  }
  void Run(benchmark::State& state, const Send& send) {
    Batch(state, send);
    double before = CpuSecondsOf(thread_);
    for (auto _ : state) Batch(state, send);
    double cpu_us = (CpuSecondsOf(thread_) - before) * 1e6;
    double count = static_cast<double>(state.iterations()) * kBatch;
    state.counters["client_cpu_us"] = cpu_us / count;
    state.counters["per_cpu_second"] = count * 1e6 / cpu_us;
    state.SetItemsProcessed(static_cast<int64_t>(count));
  }
  OutgoingClient* client() { return client_.get(); }
  const SharedBytes& body() const { return body_; }

 private:
  void Batch(benchmark::State& state, const Send& send) {
    std::latch answered(kBatch);
    std::atomic<int> left{kBatch - in_flight_};
    std::function<void(bool)> done = [&](bool good) {
      if (!good) state.SkipWithError("a request failed");
      if (left.fetch_sub(1) > 0) send(done);
      answered.count_down();
    };
    loop_->Post([&] {
      for (int i = 0; i < in_flight_; ++i) send(done);
    });
    answered.wait();
  }

  const int in_flight_;
  BenchServer server_;
  std::shared_ptr<net::Loop> loop_;
  pthread_t thread_{};
  std::unique_ptr<OutgoingClient> client_;
  SharedBytes body_;
};

void OutgoingPost(benchmark::State& state, OutgoingProtocol protocol) {
  OutgoingLoad load(protocol, static_cast<int>(state.range(0)), 1024);
  load.Run(state, [&](std::function<void(bool)> done) {
    (void)load.client()->Send(
        {.method = "POST",
         .path = "/v1/traces",
         .headers = {{"content-type", "application/x-protobuf"}},
         .body = load.body()},
        [done = std::move(done)](OutgoingResult result) { done(result && result->status == 200); });
  });
}
BENCHMARK_CAPTURE(OutgoingPost, http1, OutgoingProtocol::kHttp1)->Arg(1)->Arg(8)->UseRealTime();
BENCHMARK_CAPTURE(OutgoingPost, http2, OutgoingProtocol::kHttp2)->Arg(1)->Arg(32)->UseRealTime();

void OutgoingGrpc(benchmark::State& state) {
  OutgoingLoad load(OutgoingProtocol::kHttp2, static_cast<int>(state.range(0)), 16 * 1024);
  load.Run(state, [&](std::function<void(bool)> done) {
    (void)CallGrpc(load.client(),
                   {.path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
                    .message = load.body()},
                   [done = std::move(done)](auto result) {
                     done(result && result->status.code == http::GrpcCode::kOk);
                   });
  });
}
BENCHMARK(OutgoingGrpc)->Arg(1)->Arg(32)->UseRealTime();

}  // namespace
}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
//
// Requests through a real server on loopback: one kept connection, one request at a time, bodies of
// 1 KiB, 80 KiB (about 200 spans) and 1 MiB, over HTTP/1.1 and as gRPC calls. `server_cpu_us` is
// the CPU time of the server's loop thread per request.
#include <benchmark/benchmark.h>
#include <pthread.h>

#include <atomic>
#include <ctime>

#include "net/h2_peer.h"
#include "net/raw_client.h"
#include "net/server.h"

namespace weft::net {
namespace {

class BenchServer {
 public:
  BenchServer() : server_({}, 1) {
    auto router = std::make_shared<Router>();
    RouteOptions large{.body_bytes_max = 64 << 20,
                       .admit = [](const RequestHead&) { return Admission{}; }};
    router->Add("POST", "/v1/traces", large, [this](Request request, ExchangePtr exchange) {
      thread_ = pthread_self();
      benchmark::DoNotOptimize(request.body.data());
      exchange->Respond({200, "application/x-protobuf", {}, ""});
    });
    GrpcOptions options;
    options.admit = [](const RequestHead&, uint64_t, std::shared_ptr<void>*) {
      return GrpcStatus{};
    };
    router->AddGrpc("/opentelemetry.proto.collector.trace.v1.TraceService/Export", options,
                    [this](GrpcRequest request, GrpcCallPtr call) {
                      thread_ = pthread_self();
                      benchmark::DoNotOptimize(request.message.data());
                      call->Send("");
                      call->Finish({});
                    });
    port_ = server_.Listen({"127.0.0.1", 0}, router).value();
    server_.Start();
  }
  uint16_t port() const { return port_; }
  double CpuSeconds() const {
    clockid_t clock{};
    timespec time{};
    pthread_getcpuclockid(thread_.load(), &clock);
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }

 private:
  Server server_;
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
  RawClient client(server.port());
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
  RawClient client(server.port());
  H2Peer peer;
  std::string message = GrpcFrame(std::string(static_cast<size_t>(state.range(0)), 'x'));
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

}  // namespace
}  // namespace weft::net

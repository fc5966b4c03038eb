// SPDX-License-Identifier: Apache-2.0
//
// What the HTTP fuzz targets serve: every way in which a handler can answer, at once, in pieces,
// later, never.
//
// Thread rule: one thread. Next: net/http1_fuzz.cc, net/http2_fuzz.cc.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/server.h"
#include "net/session_driver.h"

namespace weft::net {

struct FuzzRoutes {
  Router router;
  std::vector<ExchangePtr> held;
  std::vector<GrpcCallPtr> held_calls;

  FuzzRoutes() {
    router.Add("GET", "/a", {}, [](Request, ExchangePtr exchange) {
      exchange->Respond({200, "text/plain", {{"X-\n", "a\r\nb"}}, "hello"});
    });
    RouteOptions small{.body_bytes_max = 4096, .admit = [](const RequestHead& head) {
                         Admission admission;
                         admission.token = std::make_shared<int>(1);
                         if (!FindHeader(head.headers, "x-no").empty()) {
                           admission.refusal = std::make_unique<Response>(Response{.status = 503});
                         }
                         return admission;
                       }};
    router.Add("POST", "/e", small, [](Request request, ExchangePtr exchange) {
      exchange->Respond({200, "", {}, std::move(request.body)});
    });
    router.Add("POST", "/f", {}, [](Request request, ExchangePtr exchange) {
      exchange->Start(200, "", {});
      exchange->Write(std::move(request.body));
      exchange->OnWritable([exchange] {
        exchange->Write("more");
        exchange->Finish();
      });
    });
    router.Add("*", "/h/*", {},
               [this](Request, ExchangePtr exchange) { held.push_back(std::move(exchange)); });
    router.Add("GET", "/d", {}, [](Request, ExchangePtr) {});
    GrpcOptions options;
    options.message_bytes_max = 4096;
    options.decompress = [](std::string_view, std::string_view bytes,
                            uint64_t) -> Result<std::string> { return std::string(bytes); };
    router.AddGrpc("/p.S/A", options, [](GrpcRequest request, GrpcCallPtr call) {
      call->Send(std::move(request.message));
      call->Finish({});
    });
    router.AddGrpc("/p.S/H", options, [this](GrpcRequest, GrpcCallPtr call) {
      held_calls.push_back(std::move(call));
    });
    AddGrpcHealth(&router, [] { return true; });
  }

  void AnswerHeld() {
    for (ExchangePtr& exchange : std::exchange(held, {})) {
      exchange->Start(200, "x/y", {});
      if (exchange->Write("late") != WriteState::kClosed) exchange->Finish();
    }
    for (GrpcCallPtr& call : std::exchange(held_calls, {})) {
      call->Send("late");
      call->Finish({GrpcCode::kAborted, "late", 3});
    }
  }
};

// Feeds `bytes` in pieces whose sizes the first byte chooses, lets held exchanges answer now and
// then, and ends the connection in one of several ways.
inline void RunFuzzedConnection(std::string_view prefix, std::string_view bytes) {
  if (bytes.empty()) return;
  auto plan = static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  FuzzRoutes routes;
  ServerLimits limits;
  limits.header_bytes_max = 8192;
  limits.write_buffer_bytes_max = 4096;
  auto driver = SessionDriver::Make(limits, routes.router);
  driver->Feed(prefix);
  driver->set_reading((plan & 0x80) == 0);
  size_t step = (plan & 7) == 0 ? bytes.size() : (plan & 7) * (plan & 7) * 3;
  for (size_t at = 0; at < bytes.size(); at += step) {
    size_t size = std::min(step, bytes.size() - at);
    if (driver->Feed(bytes.substr(at, size)) < size) break;
    if (plan & 8) routes.AnswerHeld();
    driver->RunPosted();
  }
  if (plan & 0x10) driver->BeginDrain();
  if (plan & 0x20) driver->Eof();
  if (plan & 0x40) driver->Advance(200'000);
  driver->set_reading(true);
  routes.AnswerHeld();
  driver->RunPosted();
  driver->Close();
  routes.AnswerHeld();
  driver->RunPosted();
}

}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
//
// What the HTTP fuzz targets and the tests of cut input serve: every way in which a handler can
// answer, at once, in pieces, later, never; and what such a connection came to, as text to compare.
//
// Thread rule: one thread. Next: http/http1_fuzz.cc, http/http2_fuzz.cc, http/http_cuts_test.cc.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/server.h"
#include "http/session_driver.h"

namespace weft::http {

struct FuzzRoutes {
  Router router;
  std::vector<ExchangePtr> held;
  std::vector<GrpcCallPtr> held_calls;
  std::string log;  // the requests that reached a handler, in order

  FuzzRoutes() {
    router.Add("GET", "/a", {}, [this](Request request, ExchangePtr exchange) {
      Log(request, request.body);
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
    router.Add("POST", "/e", small, [this](Request request, ExchangePtr exchange) {
      Log(request, request.body);
      exchange->Respond({200, "", {}, std::move(request.body)});
    });
    router.Add("POST", "/f", {}, [this](Request request, ExchangePtr exchange) {
      Log(request, request.body);
      exchange->Start(200, "", {});
      exchange->Write(std::move(request.body));
      exchange->OnWritable([exchange] {
        exchange->Write("more");
        exchange->Finish();
      });
    });
    router.Add("*", "/h/*", {}, [this](Request request, ExchangePtr exchange) {
      Log(request, request.body);
      held.push_back(std::move(exchange));
    });
    router.Add("GET", "/d", {}, [](Request, ExchangePtr) {});
    GrpcOptions options;
    options.message_bytes_max = 4096;
    options.decompress = [](std::string_view, std::string_view bytes, uint64_t,
                            void*) -> Result<std::string> { return std::string(bytes); };
    router.AddGrpc("/p.S/A", options, [this](GrpcRequest request, GrpcCallPtr call) {
      Log(request, request.message);
      call->Send(std::move(request.message));
      call->Finish({});
    });
    router.AddGrpc("/p.S/H", options, [this](GrpcRequest request, GrpcCallPtr call) {
      Log(request, request.message);
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

  void Log(const RequestHead& head, std::string_view body) {
    log += head.method + " " + head.raw_path + "?" + head.query + " " +
           std::to_string(head.content_length) + "\n";
    for (const auto& [name, value] : head.headers) log += name + ": " + value + "\n";
    log += "<" + std::string(body) + ">\n";
  }
};

// A connection that sent its bytes in `pieces`, was given all the time it wanted, and ended.
struct Outcome {
  std::string log;  // FuzzRoutes::log
  std::string out;  // what the peer got; in HTTP/1, Date is left out
};

inline std::string WithoutDates(std::string out) {
  for (size_t at = 0; (at = out.find("Date: ", at)) != out.npos;)
    out.erase(at, out.find('\n', at) + 1 - at);
  return out;
}

inline Outcome OutcomeOf(const std::vector<std::string_view>& pieces, const ServerLimits& limits) {
  FuzzRoutes routes;
  auto driver = SessionDriver::Make(limits, routes.router);
  for (std::string_view piece : pieces) {
    while (true) {
      piece.remove_prefix(driver->Feed(piece));
      if (piece.empty() || (routes.held.empty() && routes.held_calls.empty())) break;
      // It has all that it can hold until somebody is answered.
      routes.AnswerHeld();
      driver->RunPosted();
    }
  }
  while (!routes.held.empty() || !routes.held_calls.empty()) {
    routes.AnswerHeld();
    driver->RunPosted();
  }
  driver->Advance(200'000);
  driver->Eof();
  Outcome outcome{routes.log, WithoutDates(driver->Take())};
  outcome.out += driver->finished() ? "(finished)" : "(open)";
  driver->Close();
  routes.AnswerHeld();
  driver->RunPosted();
  return outcome;
}

// Feeds `pieces` while answers block, held exchanges answer now and then, and the connection ends
// in one of several ways, as the bits of `plan` say.
inline void RunFuzzedConnection(unsigned char plan, const std::vector<std::string_view>& pieces,
                                const ServerLimits& limits) {
  FuzzRoutes routes;
  auto driver = SessionDriver::Make(limits, routes.router);
  driver->set_reading((plan & 0x80) == 0);
  for (std::string_view piece : pieces) {
    if (driver->Feed(piece) < piece.size()) break;
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

inline ServerLimits FuzzLimits() {
  ServerLimits limits;
  limits.header_bytes_max = 8192;
  limits.write_buffer_bytes_max = 4096;
  // Streams that are answered between two pieces make room that the whole does not have.
  limits.streams_per_connection_max = 1 << 20;
  return limits;
}

}  // namespace weft::http

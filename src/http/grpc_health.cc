// SPDX-License-Identifier: Apache-2.0
//
// grpc.health.v1.Health over the room's own gRPC: Check answers once, Watch answers when the state
// changes. A service is known when one of its methods is registered on the same router; "" is the
// server as a whole.
// Source: grpc/health/v1/health.proto.
#include <optional>
#include <string>
#include <string_view>

#include "http/grpc_call.h"
#include "http/server.h"

namespace weft::http {
namespace {

enum ServingStatus : char { kServing = 1, kNotServing = 2, kServiceUnknown = 3 };
constexpr int64_t kWatchEveryMs = 500;

// HealthCheckResponse{status = 1}.
std::string EncodeStatus(ServingStatus status) { return {'\x08', status}; }

std::optional<uint64_t> ReadVarint(std::string_view* in) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !in->empty(); shift += 7) {
    auto byte = static_cast<unsigned char>(in->front());
    in->remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// HealthCheckRequest{service = 1}; fields that we do not know are passed over.
std::optional<std::string> DecodeService(std::string_view in) {
  std::string service;
  while (!in.empty()) {
    std::optional<uint64_t> tag = ReadVarint(&in);
    if (!tag) return std::nullopt;
    size_t skip = 0;
    switch (*tag & 7) {
      case 0:
        if (!ReadVarint(&in)) return std::nullopt;
        break;
      case 1:
        skip = 8;
        break;
      case 2: {
        std::optional<uint64_t> size = ReadVarint(&in);
        if (!size || *size > in.size()) return std::nullopt;
        if (*tag >> 3 == 1) service = in.substr(0, *size);
        skip = *size;
        break;
      }
      case 5:
        skip = 4;
        break;
      default:
        return std::nullopt;
    }
    if (skip > in.size()) return std::nullopt;
    in.remove_prefix(skip);
  }
  return service;
}

class Watch {
 public:
  Watch(GrpcCallPtr call, std::function<bool()> serving, bool known)
      : call_(std::move(call)), serving_(std::move(serving)), known_(known) {}

  // REQUIRES: loop thread.
  static void Step(const std::shared_ptr<Watch>& self) {
    // Every call on a router is made by http, so the door behind it is known.
    auto& state = static_cast<GrpcCallDoor*>(self->call_.get())->state();
    if (self->call_->cancelled()) return;
    bool draining = state.draining();
    ServingStatus now = kServiceUnknown;
    if (self->known_) now = self->serving_() && !draining ? kServing : kNotServing;
    if (now != self->last_) self->call_->Send(EncodeStatus(now));
    self->last_ = now;
    if (draining) {
      self->call_->Finish({GrpcCode::kUnavailable, "the server is shutting down", 0});
      return;
    }
    state.WakeAt(state.NowMs() + kWatchEveryMs, [self] { Step(self); });
  }

 private:
  const GrpcCallPtr call_;
  const std::function<bool()> serving_;
  const bool known_;
  std::optional<ServingStatus> last_;
};

}  // namespace

void AddGrpcHealth(Router* router, std::function<bool()> serving) {
  GrpcOptions options;
  options.message_bytes_max = 64 * 1024;
  options.open = true;  // probes carry no credentials, and are told nothing but yes or no
  router->AddGrpc("/grpc.health.v1.Health/Check", options,
                  [router, serving](GrpcRequest request, GrpcCallPtr call) {
                    std::optional<std::string> service = DecodeService(request.message);
                    if (!service) {
                      call->Finish({GrpcCode::kInvalidArgument, "malformed HealthCheckRequest", 0});
                    } else if (!router->HasGrpcService(*service)) {
                      call->Finish({GrpcCode::kNotFound, "unknown service " + *service, 0});
                    } else {
                      call->Send(EncodeStatus(serving() ? kServing : kNotServing));
                      call->Finish({});
                    }
                  });
  router->AddGrpc("/grpc.health.v1.Health/Watch", options,
                  [router, serving](GrpcRequest request, GrpcCallPtr call) {
                    std::optional<std::string> service = DecodeService(request.message);
                    if (!service) {
                      call->Finish({GrpcCode::kInvalidArgument, "malformed HealthCheckRequest", 0});
                      return;
                    }
                    bool known = router->HasGrpcService(*service);
                    Watch::Step(std::make_shared<Watch>(std::move(call), serving, known));
                  });
}

}  // namespace weft::http

// SPDX-License-Identifier: Apache-2.0
#include "api/upload_route.h"

#include <utility>

namespace weft::api {
namespace {

http::Admission Charge(const http::RequestHead& head, MemoryAccount* memory,
                       const QueryRunner::Refuse& refuse) {
  http::Admission out;
  const std::string_view peer = http::PeerAddress(head);
  const uint64_t expected = head.content_length >= 0 ? static_cast<uint64_t>(head.content_length)
                                                     : MemoryAccount::kStepBytes;
  Status fits = memory->Check(expected, peer);
  Result<MemoryCharge> charge = memory->Take(0, peer);
  if (!fits || !charge) {
    out.refusal = std::make_unique<http::Response>(refuse(fits ? charge.error() : fits.error()));
    return out;
  }
  auto held = std::make_shared<MemoryCharge>(std::move(*charge));
  out.grow = [refuse, held = held.get()](const http::RequestHead&,
                                         uint64_t bytes) -> std::unique_ptr<http::Response> {
    Status status = held->Cover(bytes);
    return status ? nullptr : std::make_unique<http::Response>(refuse(status.error()));
  };
  out.token = std::move(held);
  return out;
}

}  // namespace

http::RouteOptions UploadRoute(http::RouteOptions route, MemoryAccount* memory,
                               QueryRunner::Refuse refuse) {
  route.body_bytes_max = kUploadBytesMax;
  route.admit = [may_ask = std::move(route.admit), memory,
                 refuse = std::move(refuse)](const http::RequestHead& head) {
    // What is asked before every question takes nothing: there is no token to keep.
    http::Admission admission = may_ask ? may_ask(head) : http::Admission{};
    return admission.refusal ? std::move(admission) : Charge(head, memory, refuse);
  };
  return route;
}

}  // namespace weft::api

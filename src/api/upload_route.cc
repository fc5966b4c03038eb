// SPDX-License-Identifier: Apache-2.0
#include "api/upload_route.h"

#include <utility>

namespace weft::api {
namespace {

using Reservation = ByteBudget::Reservation;

net::Admission Charge(const net::RequestHead& head, ByteBudget* budget,
                      const QueryRunner::Refuse& refuse) {
  net::Admission out;
  Result<std::shared_ptr<Reservation>> share =
      budget->Take(head.content_length >= 0 ? static_cast<uint64_t>(head.content_length)
                                            : ByteBudget::kStepBytes);
  if (!share) {
    out.refusal = std::make_unique<net::Response>(refuse(share.error()));
    return out;
  }
  out.grow = [refuse, held = share->get()](const net::RequestHead&,
                                           uint64_t bytes) -> std::unique_ptr<net::Response> {
    Status status = held->Cover(bytes);
    return status ? nullptr : std::make_unique<net::Response>(refuse(status.error()));
  };
  out.token = std::move(*share);
  return out;
}

}  // namespace

net::RouteOptions UploadRoute(net::RouteOptions route, ByteBudget* budget,
                              QueryRunner::Refuse refuse) {
  route.body_bytes_max = kUploadBytesMax;
  route.admit = [may_ask = std::move(route.admit), budget,
                 refuse = std::move(refuse)](const net::RequestHead& head) {
    // What is asked before every question takes nothing: there is no token to keep.
    net::Admission admission = may_ask ? may_ask(head) : net::Admission{};
    return admission.refusal ? std::move(admission) : Charge(head, budget, refuse);
  };
  return route;
}

}  // namespace weft::api

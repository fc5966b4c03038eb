// SPDX-License-Identifier: Apache-2.0
//
// ClientInfo: who sent a request, for components that go by it (queues that keep tenants apart,
// k8s_attributes). It is about the request, not content: nothing stores or forwards it by itself.
//
// Thread rule: a constant once made, shared by all batches of its request.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace weft {

struct ClientInfo {
  std::string address;  // "127.0.0.1:51234"; "" where there is none
  // Headers of the request, names in lower case, as they came. Only where the receiver is told to
  // keep them (include_metadata): they may hold credentials.
  std::vector<std::pair<std::string, std::string>> metadata;
};

}  // namespace weft

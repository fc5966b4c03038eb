// SPDX-License-Identifier: Apache-2.0
//
// Requests pass that carry one of some tokens in a header: "Authorization: Bearer TOKEN", in HTTP
// and in gRPC metadata. Only SHA-256 sums of the tokens stay in memory, and all of them are
// compared, each in constant time.
//
// Thread rule: any thread. Source: RFC 6750. Next: http/listen_options.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/listen_options.h"

namespace weft::auth {

struct BearerAuthOptions {
  std::string header = "authorization";  // lower case
  std::string scheme = "Bearer";         // empty: the whole value is the token
  std::vector<Secret> tokens;
  std::string file;  // not empty: one token a line, in place of `tokens`; read again on change
  uint64_t reload_interval_ms = 5'000;
};

// kInvalidArgument when there is no token, or no file.
Result<std::shared_ptr<http::Authenticator>> MakeBearerAuth(BearerAuthOptions options);

}  // namespace weft::auth

// SPDX-License-Identifier: Apache-2.0
//
// Requests pass that carry a user and password of an htpasswd file in "Authorization: Basic".
//
// Password hashes are slow by design, and this runs on net threads: pairs that were judged once are
// remembered (as keyed sums), and pairs not yet judged share a budget of a fifth of one core. Over
// it they are told to come again, so that guessing cannot stop the server.
//
// Thread rule: any thread. Source: RFC 7617. Next: net/htpasswd.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/listen_options.h"

namespace weft::net {

struct BasicAuthOptions {
  std::string file;         // read again when it changes
  Secret inline_passwords;  // behind the file's lines, so they win
  uint64_t reload_interval_ms = 5'000;
};

// kInvalidArgument when there is no usable line, or no file.
Result<std::shared_ptr<Authenticator>> MakeBasicAuth(BasicAuthOptions options);

}  // namespace weft::net

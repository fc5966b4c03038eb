// SPDX-License-Identifier: Apache-2.0
//
// Requests pass that carry a user and password of an htpasswd file in "Authorization: Basic".
//
// Password hashes are slow by design, and this runs on net threads: pairs that were judged once are
// remembered (as keyed sums), and pairs not yet judged share a budget of a fifth of one core. Over
// it they are told to come again, so that guessing cannot stop the server.
//
// Thread rule: any thread. Source: RFC 7617. Next: auth/htpasswd.h.
#pragma once

// The room. Each file makes an http::Authenticator (http/listen_options.h), which a listener's
// http::Entrance asks about every head before anything else is read:
//
//     Entrance::Check(head) --> MakeBearerAuth   token     -> SHA-256 sums, compared in constant
//     time
//                           \-> MakeBasicAuth    user:pass -> Htpasswd, within a budget of time
//
// extension/authenticators.h makes them from the configuration.

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/listen_options.h"

namespace weft::auth {

struct BasicAuthOptions {
  std::string file;         // read again when it changes
  Secret inline_passwords;  // behind the file's lines, so they win
  uint64_t reload_interval_ms = 5'000;
};

// kInvalidArgument when there is no usable line, or no file.
Result<std::shared_ptr<http::Authenticator>> MakeBasicAuth(BasicAuthOptions options);

}  // namespace weft::auth

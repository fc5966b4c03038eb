// SPDX-License-Identifier: Apache-2.0
//
// The extensions that say who may pass: extensions::bearertokenauth and extensions::basicauth. Each
// offers a SharedAuthenticator, which listeners that name it look up. Keys are the Collector's.
//
// Thread rule: plain values. Next: http/listen_options.h, docs/security.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/secret.h"
#include "http/listen_options.h"
#include "pipeline/component_row.h"

namespace weft::extension {

// extensions::bearertokenauth
struct BearerTokenSettings {
  std::string header = "authorization";  // lower case
  std::string scheme = "Bearer";         // empty: the header's value is the token
  std::vector<Secret> tokens;            // any of them
  std::string filename;                  // one token a line; then `tokens` is empty
};

// extensions::basicauth
struct BasicAuthSettings {
  std::string file;         // lines of htpasswd(1)
  Secret inline_passwords;  // the same, and stronger where both name a user
};

extern const pipeline::ComponentRow kBearerTokenAuth;
extern const pipeline::ComponentRow kBasicAuth;

}  // namespace weft::extension

// SPDX-License-Identifier: Apache-2.0
//
// How a command proves to a server who it is, and which servers it believes: --cacert, --cert,
// --key, --token, --token-file, --user, and the environment variables that stand for them, so that
// a secret need not stand on the command line, where other users of the machine can read it.
//
// Thread rule: one thread. Next: net/client.h, docs/security.md.
#pragma once

#include <string>

#include "base/result.h"
#include "net/client.h"

namespace CLI {
class App;
}

namespace weft::cli {

struct AccessOptions {
  std::string ca_file, cert_file, key_file;
  std::string token, token_file, user;
};
void AddAccessOptions(CLI::App* command, AccessOptions* options);

// With what the environment adds. kInvalidArgument when the options contradict each other, kIo
// when the token's file cannot be read.
Result<net::ClientSecurity> ReadAccess(const AccessOptions& options);

// kInvalidArgument for a URL with a user and password: it would be shown.
Status CheckUrl(const std::string& url);

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
//
// Which server a command asks, how it proves to it who it is, and which servers it believes: --url,
// --cacert, --cert, --key, --token, --token-file, --user, and the environment variables that stand
// for them, so that a secret need not stand on the command line, where other users of the machine
// can read it.
//
// Thread rule: one thread. Next: outgoing/client.h, docs/security.md.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "outgoing/client.h"

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
Result<outgoing::ClientSecurity> ReadAccess(const AccessOptions& options);

inline constexpr char kLocalServer[] = "http://127.0.0.1:16686";

// The query port to ask: what --url says, else WEFT_URL, else the local server's.
struct ServerUrl {
  std::string url;        // without a slash at its end
  bool is_given = false;  // by the command line or the environment
};
ServerUrl ReadServerUrl(const std::string& given);
// "Server to ask" -> "Server to ask (or WEFT_URL; default http://127.0.0.1:16686)".
std::string UrlHelp(std::string_view what);

// kInvalidArgument for a URL with a user and password: it would be shown.
Status CheckUrl(const std::string& url);

}  // namespace weft::cli

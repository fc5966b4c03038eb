// SPDX-License-Identifier: Apache-2.0
//
// A TraceSource over the native API of a running server (docs/api.md), and the pieces of its JSON
// that other commands need.
//
// Thread rule: one thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/trace_source.h"
#include "outgoing/client.h"

namespace weft::cli {

// `url` has no slash at its end.
std::unique_ptr<TraceSource> MakeServerSource(std::string url,
                                              outgoing::ClientSecurity security = {});

// The body of a 200 answer; else an Error with the server's own message. kUnavailable where it was
// not weft's API that answered, but another port of weft or another server.
Result<std::string> BodyOf(const Result<outgoing::ClientResponse>& response, std::string_view url);
// The error for a 200 answer that cannot be weft's, as it is no `what`.
Error NotWeft(std::string_view url, std::string_view what);
// Percent-encodes everything but unreserved characters.
std::string EscapeParameter(std::string_view text);

}  // namespace weft::cli

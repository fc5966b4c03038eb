// SPDX-License-Identifier: Apache-2.0
#include "cli/server_access.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string_view>

#include "net/file_watch.h"
#include "wire_core/base64.h"

namespace weft::cli {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<Secret> ReadTokenFile(const std::string& path) {
  Result<std::string> text = net::ReadSmallFile(path);
  // Not kNotFound, which would speak of a trace.
  if (!text) return Fail(ErrorCode::kIo, "--token-file: " + text.error().message);
  Secret whole(std::move(*text));
  std::string_view token = whole.Reveal();
  token = token.substr(0, token.find('\n'));
  while (token.ends_with('\r') || token.ends_with(' ')) token.remove_suffix(1);
  if (token.empty())
    return Fail(ErrorCode::kInvalidArgument, path + ": no token in its first line");
  return Secret(std::string(token));
}

bool FitsAHeader(std::string_view text) {
  for (unsigned char c : text)
    if (c < 0x20 || c == 0x7f) return false;
  return true;
}

Result<Secret> Bearer(const Secret& token) {
  if (!FitsAHeader(token.Reveal()))
    return Fail(ErrorCode::kInvalidArgument, "a token is one line of text");
  return Secret("Bearer " + std::string(token.Reveal()));
}

Result<Secret> Basic(const Secret& user) {
  if (user.Reveal().find(':') == std::string_view::npos)
    return Fail(ErrorCode::kInvalidArgument, "--user is NAME:PASSWORD");
  std::string text = "Basic ";
  AppendBase64(user.Reveal(), &text);
  return Secret(std::move(text));
}

// What was said on the command line counts; the environment only where nothing was.
Result<Secret> ReadAuthorization(const AccessOptions& options) {
  int given = !options.token.empty() + !options.token_file.empty() + !options.user.empty();
  if (given > 1)
    return Fail(ErrorCode::kInvalidArgument, "give one of --token, --token-file and --user");
  if (!options.token.empty()) return Bearer(Secret(options.token));
  if (!options.user.empty()) return Basic(Secret(options.user));
  if (!options.token_file.empty()) {
    WEFT_ASSIGN(Secret token, ReadTokenFile(options.token_file));
    return Bearer(token);
  }
  if (Secret token(Environment("WEFT_TOKEN")); !token.empty()) return Bearer(token);
  if (Secret user(Environment("WEFT_USER")); !user.empty()) return Basic(user);
  return Secret();
}

}  // namespace

void AddAccessOptions(CLI::App* command, AccessOptions* options) {
  auto add = [command](const char* name, std::string* out, const char* text, const char* type) {
    command->add_option(name, *out, text)->type_name(type)->group("Access to a server");
  };
  add("--cacert", &options->ca_file,
      "The authorities to believe over https, PEM (or WEFT_CACERT; the system's where not given)",
      "FILE");
  add("--cert", &options->cert_file, "Certificate to show to the server, PEM (or WEFT_CERT)",
      "FILE");
  add("--key", &options->key_file, "Its key (or WEFT_KEY)", "FILE");
  add("--token", &options->token, "Bearer token; WEFT_TOKEN keeps it off the command line",
      "TOKEN");
  add("--token-file", &options->token_file, "File whose first line is the token", "FILE");
  add("--user", &options->user, "User and password; WEFT_USER keeps them off the command line",
      "NAME:PASSWORD");
}

Result<outgoing::ClientSecurity> ReadAccess(const AccessOptions& options) {
  outgoing::ClientSecurity out;
  auto file = [](const std::string& given, const char* variable) {
    return given.empty() ? Environment(variable) : given;
  };
  out.ca_file = file(options.ca_file, "WEFT_CACERT");
  out.cert_file = file(options.cert_file, "WEFT_CERT");
  out.key_file = file(options.key_file, "WEFT_KEY");
  WEFT_ASSIGN(out.authorization, ReadAuthorization(options));
  return out;
}

ServerUrl ReadServerUrl(const std::string& given) {
  ServerUrl out{.url = given.empty() ? Environment("WEFT_URL") : given};
  out.is_given = !out.url.empty();
  if (!out.is_given) out.url = kLocalServer;
  while (out.url.ends_with('/')) out.url.pop_back();
  return out;
}

std::string UrlHelp(std::string_view what) {
  return fmt::format("{} (or WEFT_URL; default {})", what, kLocalServer);
}

Status CheckUrl(const std::string& url) {
  size_t host = url.find("://");
  host = host == std::string::npos ? 0 : host + 3;
  size_t end = url.find_first_of("/?#", host);
  if (url.substr(host, end == std::string::npos ? end : end - host).find('@') == std::string::npos)
    return {};
  return Fail(ErrorCode::kInvalidArgument,
              "a URL is shown in messages: give user and password with --user or WEFT_USER");
}

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
#include "extension/authenticators.h"

#include <algorithm>
#include <cctype>

#include "auth/basic_auth.h"
#include "auth/bearer_auth.h"

namespace weft::extension {
namespace {

std::any ReadBearerToken(config::Section section) {
  BearerTokenSettings settings;
  section.Read("header", &settings.header);
  section.Read("scheme", &settings.scheme);
  section.Read("filename", &settings.filename);
  Secret token;
  section.ReadSecret("token", &token);
  section.ReadSecrets("tokens", &settings.tokens);
  section.Finish();
  section.NameFile(settings.filename);
  std::ranges::transform(settings.header, settings.header.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (settings.header.empty()) settings.header = "authorization";
  if (!token.empty() && !settings.tokens.empty()) {
    section.Error(section.node(), "", "either tokens or token should be provided, not both");
    return {};
  }
  if (!token.empty()) settings.tokens.push_back(std::move(token));
  std::erase_if(settings.tokens, [](const Secret& secret) { return secret.empty(); });
  if (!section.IsSound()) return {};
  if (settings.tokens.empty() && settings.filename.empty()) {
    section.Error(section.node(), "", "no bearer token provided: set filename, token or tokens");
    return {};
  }
  if (!settings.tokens.empty() && !settings.filename.empty()) {
    section.problems()->Warn(section.node(), section.path(),
                             "a filename is specified: the configured tokens are ignored");
    settings.tokens.clear();
  }
  return settings;
}

std::any ReadBasicAuth(config::Section section) {
  BasicAuthSettings settings;
  const config::Node* htpasswd = section.Get("htpasswd");
  if (htpasswd != nullptr && htpasswd->kind != config::Node::Kind::kMap) {
    // Its text may be a password: it is not repeated.
    section.Error(*htpasswd, "htpasswd", "expected a map with file or inline");
    return {};
  }
  if (htpasswd != nullptr) {
    config::Section passwords = *section.Sub("htpasswd");
    passwords.Read("file", &settings.file);
    passwords.ReadSecret("inline", &settings.inline_passwords);
    passwords.Finish();
    section.NameFile(settings.file);
  }
  section.Unbuilt({"client_auth"});
  section.Finish();
  if (!section.IsSound()) return {};
  if (settings.file.empty() && settings.inline_passwords.empty()) {
    section.Error(section.node(), "", "no passwords: set htpasswd::file or htpasswd::inline");
    return {};
  }
  return settings;
}

// Holds what it offers; there is nothing to run.
class AuthExtension : public pipeline::Component {
 public:
  AuthExtension(const config::ComponentId& id, std::shared_ptr<http::Authenticator> authenticator,
                const pipeline::Deps& deps)
      : authenticator_(std::move(authenticator)) {
    deps.services->Offer<std::shared_ptr<http::Authenticator>>(id, &authenticator_);
  }
  Status Start() override { return {}; }
  void Stop() override {}

 private:
  std::shared_ptr<http::Authenticator> authenticator_;
};

using Made = Result<std::unique_ptr<pipeline::Component>>;

Made MakeBearer(const config::Component& component, const pipeline::Deps& deps) {
  const auto& settings = *component.As<BearerTokenSettings>();
  auth::BearerAuthOptions options;
  options.header = settings.header;
  options.scheme = settings.scheme;
  options.tokens = settings.tokens;
  options.file = settings.filename;
  WEFT_ASSIGN(auto authenticator, auth::MakeBearerAuth(std::move(options)));
  return std::make_unique<AuthExtension>(component.id, std::move(authenticator), deps);
}

Made MakeBasic(const config::Component& component, const pipeline::Deps& deps) {
  const auto& settings = *component.As<BasicAuthSettings>();
  auth::BasicAuthOptions options;
  options.file = settings.file;
  options.inline_passwords = settings.inline_passwords;
  WEFT_ASSIGN(auto authenticator, auth::MakeBasicAuth(std::move(options)));
  return std::make_unique<AuthExtension>(component.id, std::move(authenticator), deps);
}

}  // namespace

const pipeline::ComponentRow kBearerTokenAuth = {
    .type = {.kind = config::ComponentKind::kExtension,
             .name = "bearertokenauth",
             .summary = "lets pass who has one of its tokens",
             .stability = config::Stability::kStable,
             .read = ReadBearerToken,
             .role = config::kAuthenticatorRole},
    .make_extension = MakeBearer};

const pipeline::ComponentRow kBasicAuth = {
    .type = {.kind = config::ComponentKind::kExtension,
             .name = "basicauth",
             .summary = "lets pass who knows a user's password (htpasswd)",
             .stability = config::Stability::kStable,
             .read = ReadBasicAuth,
             .role = config::kAuthenticatorRole},
    .make_extension = MakeBasic};

}  // namespace weft::extension

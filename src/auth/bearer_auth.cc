// SPDX-License-Identifier: Apache-2.0
#include "auth/bearer_auth.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <strings.h>

#include <array>
#include <mutex>

#include "base/log.h"
#include "net/file_watch.h"

namespace weft::auth {

using http::AuthRefusal;

namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest DigestOf(std::string_view text) {
  Digest out;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data());
  return out;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return "";
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

class BearerAuth final : public http::Authenticator {
 public:
  explicit BearerAuth(BearerAuthOptions options)
      : header_(std::move(options.header)),
        scheme_(std::move(options.scheme)),
        file_(std::move(options.file)),
        watch_({file_}, options.reload_interval_ms) {
    auto digests = std::make_shared<std::vector<Digest>>();
    for (const Secret& token : options.tokens) digests->push_back(DigestOf(token.Reveal()));
    digests_ = std::move(digests);
  }

  Status Load() {
    if (file_.empty()) return {};
    WEFT_ASSIGN(std::string text, net::ReadSmallFile(file_));
    Secret whole(std::move(text));
    auto digests = std::make_shared<std::vector<Digest>>();
    std::string_view rest = whole.Reveal();
    while (!rest.empty()) {
      size_t end = std::min(rest.find('\n'), rest.size());
      // An empty line is no token that an empty header would match.
      if (std::string_view token = Trim(rest.substr(0, end)); !token.empty())
        digests->push_back(DigestOf(token));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    std::lock_guard lock(mutex_);
    digests_ = std::move(digests);
    return {};
  }
  size_t count() const {
    std::lock_guard lock(mutex_);
    return digests_->size();
  }

  std::optional<AuthRefusal> Check(const http::RequestHead& head) override {
    if (watch_.Changed()) Reload();
    std::string_view value = http::FindHeader(head.headers, header_);
    if (value.empty())
      return Refuse(AuthRefusal::Reason::kNoCredentials, "the request has no token");
    if (!scheme_.empty()) {
      size_t size = scheme_.size();
      bool named = value.size() > size && value[size] == ' ' &&
                   ::strncasecmp(value.data(), scheme_.data(), size) == 0;
      if (!named)
        return Refuse(AuthRefusal::Reason::kWrongCredentials,
                      "the request has no token of the scheme asked");
      value = Trim(value.substr(size));
    }
    return IsKnown(DigestOf(value)) ? std::nullopt
                                    : Refuse(AuthRefusal::Reason::kWrongCredentials,
                                             "the token of the request is not a known one");
  }

 private:
  bool IsKnown(const Digest& digest) const {
    std::shared_ptr<const std::vector<Digest>> digests;
    {
      std::lock_guard lock(mutex_);
      digests = digests_;
    }
    bool known = false;
    for (const Digest& candidate : *digests)
      known |= CRYPTO_memcmp(candidate.data(), digest.data(), digest.size()) == 0;
    return known;
  }

  std::optional<AuthRefusal> Refuse(AuthRefusal::Reason reason, std::string message) const {
    return AuthRefusal{.reason = reason,
                       .message = std::move(message),
                       .challenge = (scheme_.empty() ? "Bearer" : scheme_) + " realm=\"weft\""};
  }

  void Reload() {
    Status status = Load();
    if (!status) {
      Log(LogLevel::kError, "auth",
          file_ + ": goes on with the old tokens: " + status.error().message);
      watch_.TryAgain();
    } else {
      Log(LogLevel::kInfo, "auth", file_ + ": read again, tokens: " + std::to_string(count()));
    }
  }

  const std::string header_, scheme_, file_;
  net::FileWatch watch_;
  mutable std::mutex mutex_;
  std::shared_ptr<const std::vector<Digest>> digests_;  // guarded by mutex_
};

}  // namespace

Result<std::shared_ptr<http::Authenticator>> MakeBearerAuth(BearerAuthOptions options) {
  std::string file = options.file;
  auto auth = std::make_shared<BearerAuth>(std::move(options));
  if (Status status = auth->Load(); !status)
    return Fail(ErrorCode::kInvalidArgument, "filename: " + status.error().message);
  if (auth->count() == 0)
    return Fail(ErrorCode::kInvalidArgument,
                file.empty() ? "no token is given" : "filename: no token stands in " + file);
  return auth;
}

}  // namespace weft::auth

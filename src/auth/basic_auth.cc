// SPDX-License-Identifier: Apache-2.0
#include "auth/basic_auth.h"

#include <openssl/rand.h>
#include <openssl/sha.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <set>

#include "auth/htpasswd.h"
#include "base/log.h"
#include "net/file_watch.h"
#include "net/loop.h"
#include "wire_core/base64.h"

namespace weft::auth {

using http::AuthRefusal;

namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

// Of wrong pairs, this many are remembered.
constexpr size_t kWrongMax = 1000;
// Time for judging: earned at a fifth of the clock's pace, saved up to this.
constexpr int64_t kBudgetMaxUs = 1'000'000;
constexpr int64_t kEarnedUsPerMs = 200;
constexpr std::string_view kChallenge = R"(Basic realm="weft", charset="UTF-8")";

// What slow judging may cost.
class TimeBudget {
 public:
  bool MaySpend() {
    std::lock_guard lock(mutex_);
    int64_t now = net::MonotonicMs();
    left_us_ = std::min(kBudgetMaxUs, left_us_ + (now - earned_ms_) * kEarnedUsPerMs);
    earned_ms_ = now;
    return left_us_ > 0;
  }
  void Spend(int64_t us) {
    std::lock_guard lock(mutex_);
    left_us_ -= us;
  }

 private:
  std::mutex mutex_;
  int64_t left_us_ = kBudgetMaxUs;          // guarded by mutex_
  int64_t earned_ms_ = net::MonotonicMs();  // guarded by mutex_
};

// Pairs that were judged, as sums under a key that dies with the process.
class Memory {
 public:
  Memory() { (void)RAND_bytes(key_.data(), static_cast<int>(key_.size())); }

  Digest SumOf(std::string_view pair) const {
    Secret keyed(std::string(key_.begin(), key_.end()) + std::string(pair));
    Digest out;
    SHA256(reinterpret_cast<const unsigned char*>(keyed.Reveal().data()), keyed.Reveal().size(),
           out.data());
    return out;
  }
  std::optional<bool> Recall(const Digest& sum) const {
    std::lock_guard lock(mutex_);
    if (right_.contains(sum)) return true;
    if (wrong_.contains(sum)) return false;
    return std::nullopt;
  }
  // `of` is the state of the passwords that judged; a newer one has made it void.
  void Learn(const Digest& sum, bool right, uint64_t of) {
    std::lock_guard lock(mutex_);
    if (of != version_) return;
    if (!right && wrong_.size() >= kWrongMax) wrong_.clear();
    (right ? right_ : wrong_).insert(sum);
  }
  uint64_t version() const {
    std::lock_guard lock(mutex_);
    return version_;
  }
  void Forget() {
    std::lock_guard lock(mutex_);
    ++version_;
    right_.clear();
    wrong_.clear();
  }

 private:
  std::array<unsigned char, 32> key_;
  mutable std::mutex mutex_;
  uint64_t version_ = 0;            // guarded by mutex_
  std::set<Digest> right_, wrong_;  // guarded by mutex_
};

class BasicAuth final : public http::Authenticator {
 public:
  explicit BasicAuth(BasicAuthOptions options)
      : options_(std::move(options)), watch_({options_.file}, options_.reload_interval_ms) {}

  // Says what is wrong with lines; fails only without the file.
  Status Load() {
    std::string text;
    if (!options_.file.empty()) {
      WEFT_ASSIGN(text, net::ReadSmallFile(options_.file));
      text += '\n';
    }
    text += options_.inline_passwords.Reveal();
    Secret whole(std::move(text));
    std::vector<std::string> problems;
    auto passwords = std::make_shared<const Htpasswd>(Htpasswd::Parse(whole.Reveal(), &problems));
    for (const std::string& problem : problems)
      Log(LogLevel::kWarn, "auth", Name() + ": " + problem);
    if (size_t plain = passwords->plain_users(); plain > 0) {
      Log(LogLevel::kWarn, "auth",
          Name() + ": passwords in plain text: " + std::to_string(plain) +
              "; `htpasswd -B` writes them as hashes");
    }
    std::lock_guard lock(mutex_);
    passwords_ = std::move(passwords);
    memory_.Forget();
    return {};
  }
  std::shared_ptr<const Htpasswd> passwords() const {
    std::lock_guard lock(mutex_);
    return passwords_;
  }

  std::optional<AuthRefusal> Check(const http::RequestHead& head) override {
    if (watch_.Changed()) Reload();
    std::string_view value = http::FindHeader(head.headers, "authorization");
    if (value.empty())
      return Refuse(AuthRefusal::Reason::kNoCredentials, "the request has no user and password");
    constexpr std::string_view kScheme = "Basic ";
    std::optional<std::string> pair;
    if (value.size() > kScheme.size() &&
        ::strncasecmp(value.data(), kScheme.data(), kScheme.size()) == 0) {
      value.remove_prefix(kScheme.size());
      while (value.starts_with(' ')) value.remove_prefix(1);
      pair = DecodeBase64(value);
    }
    if (!pair || pair->find(':') == std::string::npos)
      return Refuse(AuthRefusal::Reason::kWrongCredentials,
                    "the request has no user and password of scheme Basic");
    return Judge(Secret(std::move(*pair)));
  }

 private:
  std::string Name() const { return options_.file.empty() ? "basicauth" : options_.file; }

  std::optional<AuthRefusal> Judge(const Secret& pair) {
    uint64_t version = memory_.version();  // before the passwords that it belongs to
    std::shared_ptr<const Htpasswd> known = passwords();
    size_t colon = pair.Reveal().find(':');
    std::string_view password = pair.Reveal().substr(colon + 1);
    const Htpasswd::Hash* hash = known->Find(pair.Reveal().substr(0, colon));
    const Htpasswd::Hash* judged_by = hash != nullptr ? hash : known->AnySlow();
    bool right = false;
    if (judged_by != nullptr && judged_by->is_slow()) {
      Digest sum = memory_.SumOf(pair.Reveal());
      std::optional<bool> recalled = memory_.Recall(sum);
      if (!recalled && !budget_.MaySpend()) {
        AuthRefusal busy;
        busy.reason = AuthRefusal::Reason::kBusy;
        busy.message = "too many unknown passwords at once";
        busy.retry_after_s = 1;
        return busy;
      }
      if (!recalled) {
        recalled = JudgeSlowly(*judged_by, password) && hash != nullptr;
        memory_.Learn(sum, *recalled, version);
      }
      right = *recalled;
    } else {
      right = hash != nullptr && Htpasswd::Matches(*hash, password);
    }
    if (right) return std::nullopt;
    return Refuse(AuthRefusal::Reason::kWrongCredentials, "the user or the password is wrong");
  }

  bool JudgeSlowly(const Htpasswd::Hash& hash, std::string_view password) {
    auto start = std::chrono::steady_clock::now();
    bool right = Htpasswd::Matches(hash, password);
    budget_.Spend(std::chrono::duration_cast<std::chrono::microseconds>(
                      std::chrono::steady_clock::now() - start)
                      .count());
    return right;
  }

  static std::optional<AuthRefusal> Refuse(AuthRefusal::Reason reason, std::string message) {
    return AuthRefusal{
        .reason = reason, .message = std::move(message), .challenge = std::string(kChallenge)};
  }

  void Reload() {
    if (Status status = Load(); !status) {
      Log(LogLevel::kError, "auth",
          Name() + ": goes on with the old passwords: " + status.error().message);
      watch_.TryAgain();
    } else {
      Log(LogLevel::kInfo, "auth",
          Name() + ": read again, users: " + std::to_string(passwords()->users()));
    }
  }

  const BasicAuthOptions options_;
  net::FileWatch watch_;
  TimeBudget budget_;
  Memory memory_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Htpasswd> passwords_;  // guarded by mutex_
};

}  // namespace

Result<std::shared_ptr<http::Authenticator>> MakeBasicAuth(BasicAuthOptions options) {
  auto auth = std::make_shared<BasicAuth>(std::move(options));
  if (Status status = auth->Load(); !status)
    return Fail(ErrorCode::kInvalidArgument, "htpasswd::file: " + status.error().message);
  if (auth->passwords()->users() == 0)
    return Fail(ErrorCode::kInvalidArgument, "htpasswd: no line has a user and a password");
  return auth;
}

}  // namespace weft::auth

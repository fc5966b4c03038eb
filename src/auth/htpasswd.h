// SPDX-License-Identifier: Apache-2.0
//
// Users and passwords as htpasswd(1) writes them: "user:hash" lines. Hashes: bcrypt ($2y$), MD5
// ($apr1$), SHA-256 and SHA-512 crypt ($5$, $6$) and whatever else libcrypt knows, {SHA}, {SSHA},
// and plain text, as the Collector's library takes them. A hash of a form that is not known makes
// the line void: read as plain text it would be a password.
//
// Thread rule: immutable after Parse(). Source: APR's apr_md5.c for $apr1$'s definition, crypt(5).
// Next: auth/basic_auth.h.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace weft::auth {

class Htpasswd {
 public:
  // Lines behind win over lines before. What is wrong with a line is said in `problems`, by its
  // number and never with its text.
  static Htpasswd Parse(std::string_view text, std::vector<std::string>* problems);

  struct Hash {
    enum class Kind : uint8_t { kPlain, kSha1, kSaltedSha1, kApr1, kCrypt } kind = Kind::kPlain;
    Secret text;  // whole, with its prefix
    // Takes milliseconds by design.
    bool is_slow() const { return kind == Kind::kApr1 || kind == Kind::kCrypt; }
  };
  // Null for a user who is not there.
  const Hash* Find(std::string_view user) const;
  // For users who are not there: asking takes as long. Null when no hash is slow.
  const Hash* AnySlow() const;
  size_t users() const { return hashes_.size(); }
  size_t plain_users() const;

  // In constant time where the hash itself does not take care of that.
  static bool Matches(const Hash& hash, std::string_view password);

 private:
  std::map<std::string, Hash, std::less<>> hashes_;
};

}  // namespace weft::auth

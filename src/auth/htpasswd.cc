// SPDX-License-Identifier: Apache-2.0
#include "auth/htpasswd.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <memory>

#include "wire_core/base64.h"

namespace weft::auth {
namespace {

using Kind = Htpasswd::Hash::Kind;

// libcrypt's own limit. What grows with the password must not be paid for any length.
constexpr size_t kPasswordBytesMax = 511;
constexpr std::string_view kApr1 = "$apr1$";

bool SameBytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string Md5(std::string_view text) {
  std::string out(16, '\0');
  // Not there in FIPS mode: then nothing matches.
  if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr,
                 EVP_md5(), nullptr) != 1)
    out.clear();
  return out;
}

std::string Sha1(std::string_view text) {
  std::string out(SHA_DIGEST_LENGTH, '\0');
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string Sha256(std::string_view text) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

// 16 bytes in the order and the alphabet of md5-crypt.
std::string Apr1Text(std::string_view sum) {
  static constexpr char kAlphabet[] =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  static constexpr std::array<std::array<int, 3>, 5> kTriples = {
      {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}}};
  auto byte = [sum](int at) {
    return static_cast<uint32_t>(static_cast<unsigned char>(sum[static_cast<size_t>(at)]));
  };
  std::string out;
  auto put = [&out](uint32_t bits, int count) {
    for (; count > 0; --count, bits >>= 6) out.push_back(kAlphabet[bits & 63]);
  };
  for (const auto& [a, b, c] : kTriples) put(byte(a) << 16 | byte(b) << 8 | byte(c), 4);
  put(byte(11), 2);
  return out;
}

std::string Apr1(std::string_view password, std::string_view salt) {
  std::string text(password), mixed = Md5(text + std::string(salt) + text);
  if (mixed.empty()) return "";
  text.append(kApr1).append(salt);
  for (size_t left = password.size(); left > 0; left -= std::min<size_t>(left, 16))
    text.append(mixed, 0, std::min<size_t>(left, 16));
  for (size_t bits = password.size(); bits > 0; bits >>= 1)
    text.push_back((bits & 1) != 0 ? '\0' : password[0]);
  std::string sum = Md5(text);
  for (int round = 0; round < 1000; ++round) {
    text.assign((round & 1) != 0 ? password : std::string_view(sum));
    if (round % 3 != 0) text.append(salt);
    if (round % 7 != 0) text.append(password);
    text.append((round & 1) != 0 ? std::string_view(sum) : password);
    sum = Md5(text);
  }
  return Apr1Text(sum);
}

bool MatchesApr1(std::string_view hash, std::string_view password) {
  hash.remove_prefix(kApr1.size());
  size_t dollar = hash.find('$');
  if (dollar == hash.npos || dollar > 8) return false;
  std::string sum = Apr1(password, hash.substr(0, dollar));
  return !sum.empty() && SameBytes(sum, hash.substr(dollar + 1));
}

bool MatchesCrypt(std::string_view hash, std::string_view password) {
  auto data = std::make_unique<crypt_data>();
  const char* out = crypt_r(std::string(password).c_str(), std::string(hash).c_str(), data.get());
  bool matches = out != nullptr && *out != '*' && SameBytes(out, hash);
  OPENSSL_cleanse(data.get(), sizeof(crypt_data));
  return matches;
}

// Which of the forms `text` has; false for one that is none of ours.
bool KindOf(std::string_view text, Kind* out) {
  if (text.starts_with("{SHA}")) {
    *out = Kind::kSha1;
  } else if (text.starts_with("{SSHA}")) {
    *out = Kind::kSaltedSha1;
  } else if (text.starts_with(kApr1)) {
    *out = Kind::kApr1;
  } else if (text.starts_with('$') && std::ranges::count(text, '$') > 2) {
    *out = Kind::kCrypt;
    return crypt_checksalt(std::string(text).c_str()) != CRYPT_SALT_INVALID;
  } else {
    *out = Kind::kPlain;
    bool other_hash = text.starts_with('{') && text.find('}') != text.npos;
    return !text.empty() && !other_hash;
  }
  return true;
}

}  // namespace

Htpasswd Htpasswd::Parse(std::string_view text, std::vector<std::string>* problems) {
  Htpasswd out;
  for (int number = 1; !text.empty(); ++number) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
      line.remove_suffix(1);
    while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
    if (line.empty() || line.starts_with('#')) continue;
    size_t colon = line.find(':');
    Hash hash;
    if (colon == line.npos || colon == 0) {
      problems->push_back("line " + std::to_string(number) + " is not of the form user:hash");
    } else if (std::string_view value = line.substr(colon + 1); !KindOf(value, &hash.kind)) {
      problems->push_back("line " + std::to_string(number) + " has a hash of an unknown form");
    } else {
      hash.text = Secret(std::string(value));
      out.hashes_.insert_or_assign(std::string(line.substr(0, colon)), std::move(hash));
    }
  }
  return out;
}

const Htpasswd::Hash* Htpasswd::Find(std::string_view user) const {
  auto it = hashes_.find(user);
  return it == hashes_.end() ? nullptr : &it->second;
}

const Htpasswd::Hash* Htpasswd::AnySlow() const {
  for (const auto& [user, hash] : hashes_)
    if (hash.is_slow()) return &hash;
  return nullptr;
}

size_t Htpasswd::plain_users() const {
  return static_cast<size_t>(std::ranges::count_if(
      hashes_, [](const auto& entry) { return entry.second.kind == Kind::kPlain; }));
}

bool Htpasswd::Matches(const Hash& hash, std::string_view password) {
  std::string_view text = hash.text.Reveal();
  if (hash.is_slow() &&
      (password.size() > kPasswordBytesMax || password.find('\0') != password.npos))
    return false;
  switch (hash.kind) {
    case Kind::kPlain:
      return SameBytes(Sha256(text), Sha256(password));
    case Kind::kSha1: {
      std::string sum = DecodeBase64(text.substr(5)).value_or("");
      return SameBytes(sum, Sha1(password));
    }
    case Kind::kSaltedSha1: {
      std::string sum = DecodeBase64(text.substr(6)).value_or("");
      if (sum.size() < SHA_DIGEST_LENGTH) return false;
      std::string salt = sum.substr(SHA_DIGEST_LENGTH);
      sum.resize(SHA_DIGEST_LENGTH);
      return SameBytes(sum, Sha1(std::string(password) + salt));
    }
    case Kind::kApr1:
      return MatchesApr1(text, password);
    case Kind::kCrypt:
      return MatchesCrypt(text, password);
  }
  return false;
}

}  // namespace weft::auth

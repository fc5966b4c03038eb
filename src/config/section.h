// SPDX-License-Identifier: Apache-2.0
//
// Section: one map of the configuration, read key by key into typed fields. What is not read is
// unknown, and Finish() says so with the nearest known key. No weak casting: "t" is no bool, 23 is
// no bool, a text is no number.
//
// Lifetime: borrows the Node and the Problems. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "config/node.h"

namespace weft::config {

struct Endpoint {
  std::string host;  // "localhost" means both loopback addresses; "" all addresses
  uint16_t port = 0;
  // Not empty: a Unix domain socket, in place of host and port; "@name" is an abstract one.
  std::string path = {};

  bool operator==(const Endpoint&) const = default;
  std::string ToString() const;
  // True when only this machine can reach it.
  bool IsLoopback() const;
};

class Section {
 public:
  // A null node is an empty section.
  Section(const Node& node, std::string path, Problems* problems);

  const std::string& path() const { return path_; }
  const Node& node() const { return *node_; }
  Problems* problems() const { return problems_; }

  // True when the key stands here, null or not. Marks it as known.
  bool Has(std::string_view key);
  // The value when it is there and not null. Marks the key as known.
  const Node* Get(std::string_view key);

  // Absent or null leaves `out` as it is; a value of a wrong type is a problem.
  void Read(std::string_view key, std::string* out);
  void Read(std::string_view key, bool* out);
  void Read(std::string_view key, uint64_t* out, uint64_t least = 0, uint64_t most = ~uint64_t{0});
  void Read(std::string_view key, std::vector<std::string>* out);
  void Read(std::string_view key, Endpoint* out);
  // "endpoint", which is a path where "transport" says unix, as the Collector spells it.
  void ReadListenAddress(Endpoint* out);
  // Values that nothing may show, errors included.
  void ReadSecret(std::string_view key, Secret* out);
  void ReadSecrets(std::string_view key, std::vector<Secret>* out);
  // "1h30m", "200ms", "14d", 0.
  void ReadDuration(std::string_view key, uint64_t* out_ns);
  // 67108864, "64MiB", "20GiB", "1GB".
  void ReadBytes(std::string_view key, uint64_t* out);
  // One of `names`; its index.
  void ReadChoice(std::string_view key, const std::vector<std::string>& names, int* out);
  // The map under `key`; nothing when absent. Null is an empty section.
  std::optional<Section> Sub(std::string_view key);

  // The value `id` under `key`, written or a default, names a component that must have this role
  // and run: checked when everything is read.
  void Refer(std::string_view role, std::string_view key, const std::string& id);

  // `path` names a file whose contents are settings, too; "" names none.
  void NameFile(const std::string& path);

  // Known, but weft does nothing with it: accepted.
  void Ignore(std::initializer_list<std::string_view> keys);
  // Known, but without effect, which the user must hear.
  void IgnoreWithWarning(std::string_view key, std::string_view why);
  // Known and refused, because ignoring it would be wrong (tls, auth).
  void Unbuilt(std::initializer_list<std::string_view> keys);
  // Reports every key that none of the calls above has named.
  void Finish();
  // True when `key` is not here, and a key that nobody knows may be meant for it. Asked when every
  // key has been named.
  bool IsMisspelt(std::string_view key) const;
  // Nothing wrong was found since the section was made, in it and in what it holds: what is missing
  // from it is really missing.
  bool IsSound() const {
    return problems_->errors.size() == errors_before_ && !node_->HoldsUnknown();
  }

  void Error(const Node& at, std::string_view key, std::string_view message);

 private:
  const Node* node_;
  std::string path_;
  Problems* problems_;
  size_t errors_before_;
  std::vector<std::string> known_;
};

// Go's durations, and d for days. Nothing when it is none.
std::optional<uint64_t> ParseDurationNs(std::string_view text);
std::optional<uint64_t> ParseByteCount(std::string_view text);
// "localhost:4317" or "unix:///run/otlp.sock". The problem as text, or "".
std::string ParseEndpoint(std::string_view text, Endpoint* out);
// "14d", "1h30m", "20GiB": shortest exact form.
std::string DurationText(uint64_t ns);
std::string ByteCountText(uint64_t bytes);

}  // namespace weft::config

// SPDX-License-Identifier: Apache-2.0
//
// Node: configuration as written, a tree that remembers where every value stands and how it was
// spelt. config/yaml.h makes it, config/sources.h merges and expands it, config/section.h reads
// typed settings out of it. Problems collects what is wrong, so that one run names every mistake.
//
// Thread rule: plain values. Next: config/config.h (the front door).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::config {

struct Node {
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
  struct Entry;

  Kind kind = Kind::kNull;
  // A scalar as written. Of a list, map or null that came out of ${...}: the text it was parsed
  // from, which is what a string field gets.
  std::string text;
  bool has_text = false;
  // Quoted, or put together from pieces: a string, whatever it looks like.
  bool is_string = false;
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, in the order written
  std::string file;            // "weft.yaml", "--set", "built-in"
  uint32_t line = 0;           // from 1

  const Node* Find(std::string_view key) const;
  Node* Find(std::string_view key);
  // "weft.yaml:12: ".
  std::string Where() const;
};
struct Node::Entry {
  std::string key;
  Node value;
  uint32_t line = 0;  // of the key
};

struct Problems {
  // A value that names something which stands elsewhere: checked when everything is read.
  struct Reference {
    const Node* at;
    std::string path;
  };

  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  std::vector<Reference> authenticators;
  std::vector<const Node*> secrets;  // not to be shown

  void Error(const Node& at, std::string_view path, std::string_view message);
  void Warn(const Node& at, std::string_view path, std::string_view message);
};

// "a" + "b" = "a::b", the Collector's way to write a path.
std::string JoinPath(std::string_view path, std::string_view key);
// The candidate with the smallest edit distance to `word`, or "" when none is near.
std::string NearestWord(std::string_view word, const std::vector<std::string>& candidates);
// `did you mean "x"?`, else `known are: a, b, c`.
std::string Suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace weft::config

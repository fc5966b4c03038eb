// SPDX-License-Identifier: Apache-2.0
//
// Node: configuration as written, a tree that remembers where every value stands and how it was
// spelt. config/yaml.h makes it, config/sources.h merges and expands it, config/section.h reads
// typed settings out of it. Problems collects what is wrong, so that one run names every mistake,
// and none that only follows from another.
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
  // What stood here could not be had, which is a problem of its own: nobody knows what is in it.
  bool is_unknown = false;
  // The environment variables that it needs and that are not set: "HOST, PORT".
  std::string unset;
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, in the order written
  std::string file;            // "weft.yaml", "--set", "built-in"
  uint32_t line = 0;           // from 1

  // Of itself and of everything in it.
  bool HoldsUnknown() const;
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

struct Problem {
  std::string file;
  uint32_t line = 0;
  std::string text;  // whole, with file and line
};

struct Problems {
  // A value that names a component which stands elsewhere: checked when everything is read.
  struct Reference {
    std::string_view role;  // what it must be: config/component_type.h has the words
    const Node* at;         // where it is written, or should be
    std::string path;
    std::string id;
  };

  std::vector<Problem> errors;
  std::vector<Problem> warnings;
  std::vector<Reference> references;
  std::vector<const Node*> secrets;  // not to be shown
  std::vector<std::string> files;    // paths that settings name: what is in them counts as settings

  void Error(const Node& at, std::string_view path, std::string_view message);
  void Warn(const Node& at, std::string_view path, std::string_view message);
};
// Their texts by line, the files in this order and what is in none of them (--set) last.
std::vector<std::string> InLineOrder(std::vector<Problem> problems,
                                     const std::vector<std::string>& files);

// "a" + "b" = "a::b", the Collector's way to write a path.
std::string JoinPath(std::string_view path, std::string_view key);
// The candidate with the smallest edit distance to `word`, or "" when none is near.
std::string NearestWord(std::string_view word, const std::vector<std::string>& candidates);
// `did you mean "x"?`, else `known are: a, b, c`.
std::string Suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace weft::config

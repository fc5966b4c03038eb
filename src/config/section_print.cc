// SPDX-License-Identifier: Apache-2.0
#include "config/section_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/secret.h"

namespace weft::config {
namespace {

// Lengths before texts: no text can look like the end of another.
void AddText(std::string_view text, std::string* out) {
  *out += fmt::format("{}:", text.size());
  out->append(text);
}

void AddNode(const Node& node, std::string* out) {
  *out += static_cast<char>('0' + static_cast<int>(node.kind));
  *out += node.is_string ? 's' : 'p';
  AddText(node.text, out);
  for (const Node& item : node.items) AddNode(item, out);
  std::vector<const Node::Entry*> entries;
  for (const Node::Entry& entry : node.entries) entries.push_back(&entry);
  std::ranges::sort(entries, {}, &Node::Entry::key);
  for (const Node::Entry* entry : entries) {
    AddText(entry->key, out);
    AddNode(entry->value, out);
  }
  *out += ';';
}

}  // namespace

std::string PrintOf(const Node& section, const std::vector<std::string>& files,
                    const Surroundings& surroundings) {
  std::string text;
  AddNode(section, &text);
  for (const std::string& path : files) {
    Result<std::string> content = surroundings.read_file ? surroundings.read_file(path)
                                                         : Fail(ErrorCode::kNotFound, "no files");
    AddText(content ? *content : "unread", &text);
    text += content ? 'r' : 'u';
    if (content) Secret::Wipe(&*content);
  }
  const std::hash<std::string> hash;
  const size_t first = hash(text);
  text.insert(0, fmt::format("{:016x}", first));
  std::string print = fmt::format("{:016x}{:016x}", first, hash(text));
  Secret::Wipe(&text);
  return print;
}

}  // namespace weft::config

// SPDX-License-Identifier: Apache-2.0
#include "config/section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "config/yaml.h"

namespace weft::config {
namespace {

std::string KindName(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
    case Node::Kind::kScalar:
      break;
  }
  switch (TypeOfScalar(node)) {
    case ScalarType::kBool:
      return fmt::format("the bool {}", node.text);
    case ScalarType::kInt:
      return fmt::format("the integer {}", node.text);
    case ScalarType::kFloat:
      return fmt::format("the number {}", node.text);
    default:
      return fmt::format("the text \"{}\"", node.text);
  }
}

struct Unit {
  std::string_view name;
  uint64_t scale;
};
constexpr Unit kDurationUnits[] = {
    {"ns", 1},
    {"us", 1'000},
    {"\xC2\xB5s", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
};
constexpr Unit kByteUnits[] = {
    {"", 1},
    {"B", 1},
    {"kB", 1'000},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KiB", 1ull << 10},
    {"MiB", 1ull << 20},
    {"GiB", 1ull << 30},
    {"TiB", 1ull << 40},
};

// value * scale, when it fits.
std::optional<uint64_t> Scale(double value, uint64_t scale) {
  double scaled = value * static_cast<double>(scale);
  if (!(scaled >= 0 && scaled < 9.2e18)) return std::nullopt;
  return static_cast<uint64_t>(std::llround(scaled));
}

// Reads a decimal number from the front of `text`; nothing when there is none.
std::optional<double> TakeNumber(std::string_view* text) {
  size_t length = 0;
  while (length < text->size() && ((*text)[length] == '.' || std::isdigit((*text)[length])))
    ++length;
  double value = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + length, value);
  if (length == 0 || error != std::errc() || end != text->data() + length) return std::nullopt;
  text->remove_prefix(length);
  return value;
}

}  // namespace

std::string Endpoint::ToString() const {
  if (!path.empty()) return "unix:" + path;
  return host.find(':') != std::string::npos ? fmt::format("[{}]:{}", host, port)
                                             : fmt::format("{}:{}", host, port);
}

bool Endpoint::IsLoopback() const {
  return !path.empty() || host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::optional<uint64_t> ParseDurationNs(std::string_view text) {
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  uint64_t total = 0;
  while (!text.empty()) {
    std::optional<double> number = TakeNumber(&text);
    if (!number) return std::nullopt;
    size_t length = 0;
    while (length < text.size() && text[length] != '.' && !std::isdigit(text[length])) ++length;
    const Unit* unit = std::ranges::find(kDurationUnits, text.substr(0, length), &Unit::name);
    if (unit == std::end(kDurationUnits)) return std::nullopt;
    std::optional<uint64_t> part = Scale(*number, unit->scale);
    if (!part || __builtin_add_overflow(total, *part, &total)) return std::nullopt;
    text.remove_prefix(length);
  }
  return total;
}

std::optional<uint64_t> ParseByteCount(std::string_view text) {
  std::optional<double> number = TakeNumber(&text);
  if (!number) return std::nullopt;
  while (text.starts_with(' ')) text.remove_prefix(1);
  const Unit* unit = std::ranges::find(kByteUnits, text, &Unit::name);
  if (unit == std::end(kByteUnits)) return std::nullopt;
  return Scale(*number, unit->scale);
}

namespace {

// "unix:///run/weft.sock", "unix:weft.sock", "unix:@name" and "unix-abstract:name", as gRPC spells
// them. Nothing: `text` is no path.
std::optional<std::string> SocketPath(std::string_view text) {
  for (auto [scheme, front] : {std::pair<std::string_view, std::string_view>{"unix-abstract:", "@"},
                               {"unix://", ""},
                               {"unix:", ""}})
    if (text.starts_with(scheme))
      return std::string(front) + std::string(text.substr(scheme.size()));
  return std::nullopt;
}

}  // namespace

std::string ParseEndpoint(std::string_view text, Endpoint* out) {
  if (std::optional<std::string> path = SocketPath(text)) {
    if (path->empty() || *path == "@")
      return fmt::format("\"{}\" names no path; write unix:///run/weft/otlp.sock", text);
    *out = {.host = "", .port = 0, .path = std::move(*path)};
    return "";
  }
  for (std::string_view scheme : {"http://", "https://"})
    if (text.starts_with(scheme))
      return fmt::format("\"{}\" is a URL; write host:port, such as localhost:4317", text);
  size_t colon = text.rfind(':');
  bool bracketed = text.starts_with('[');
  if (colon == std::string_view::npos || (bracketed && (colon == 0 || text[colon - 1] != ']')))
    return fmt::format("\"{}\" names no port; write host:port, such as localhost:4317", text);
  std::string_view host = text.substr(0, colon), port = text.substr(colon + 1);
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fmt::format("\"{}\": put an IPv6 address in brackets, such as [::1]:4317", text);
  }
  unsigned number = 0;
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number > 65535)
    return fmt::format("\"{}\" is no port; it is a number from 0 to 65535", port);
  *out = {.host = std::string(host), .port = static_cast<uint16_t>(number), .path = ""};
  return "";
}

std::string DurationText(uint64_t ns) {
  if (ns == 0) return "0";
  static constexpr std::string_view kNames[] = {"d", "h", "m", "s", "ms", "us", "ns"};
  std::string out;
  for (std::string_view name : kNames) {
    uint64_t scale = std::ranges::find(kDurationUnits, name, &Unit::name)->scale;
    if (ns >= scale) out += fmt::format("{}{}", ns / scale, name);
    ns %= scale;
  }
  return out;
}

std::string ByteCountText(uint64_t bytes) {
  for (auto [name, shift] : {std::pair{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}})
    if (bytes != 0 && bytes % (1ull << shift) == 0)
      return fmt::format("{}{}", bytes >> shift, name);
  return fmt::format("{}", bytes);
}

Section::Section(const Node& node, std::string path, Problems* problems)
    : node_(&node),
      path_(std::move(path)),
      problems_(problems),
      errors_before_(problems->errors.size()) {
  if (node.kind != Node::Kind::kMap && node.kind != Node::Kind::kNull)
    problems_->Error(node, path_, fmt::format("expected a map, found {}", KindName(node)));
}

bool Section::Has(std::string_view key) {
  known_.emplace_back(key);
  return node_->Find(key) != nullptr;
}

const Node* Section::Get(std::string_view key) {
  known_.emplace_back(key);
  const Node* node = node_->Find(key);
  if (node == nullptr || node->is_unknown) return nullptr;
  return node->kind == Node::Kind::kNull && !node->has_text ? nullptr : node;
}

void Section::Error(const Node& at, std::string_view key, std::string_view message) {
  problems_->Error(at, JoinPath(path_, key), message);
}

void Section::Read(std::string_view key, std::string* out) {
  const Node* node = Get(key);
  if (node == nullptr) return;
  if (!node->has_text) {
    Error(*node, key, fmt::format("expected a text, found {}", KindName(*node)));
  } else {
    *out = node->text;
  }
}

void Section::Read(std::string_view key, bool* out) {
  const Node* node = Get(key);
  if (node == nullptr || node->kind == Node::Kind::kNull) return;
  if (node->kind != Node::Kind::kScalar || TypeOfScalar(*node) != ScalarType::kBool) {
    Error(*node, key, fmt::format("expected true or false, found {}", KindName(*node)));
  } else {
    *out = node->text[0] == 't' || node->text[0] == 'T';
  }
}

void Section::Read(std::string_view key, uint64_t* out, uint64_t least, uint64_t most) {
  const Node* node = Get(key);
  if (node == nullptr || node->kind == Node::Kind::kNull) return;
  uint64_t value = 0;
  std::string text = node->text;
  std::erase(text, '_');
  int base = 10;
  size_t skip = 0;
  if (text.starts_with("0x"))
    base = 16, skip = 2;
  else if (text.starts_with("0o"))
    base = 8, skip = 2;
  else if (text.starts_with("0b"))
    base = 2, skip = 2;
  else if (text.size() > 1 && text[0] == '0')
    base = 8, skip = 1;  // as YAML 1.1 and the Collector read it
  auto [end, error] = std::from_chars(text.data() + skip, text.data() + text.size(), value, base);
  bool is_number = node->kind == Node::Kind::kScalar && TypeOfScalar(*node) == ScalarType::kInt &&
                   error == std::errc() && end == text.data() + text.size();
  if (!is_number) {
    Error(*node, key, fmt::format("expected a whole number, found {}", KindName(*node)));
  } else if (value < least || value > most) {
    Error(*node, key, fmt::format("{} is out of range: {} to {}", value, least, most));
  } else {
    *out = value;
  }
}

void Section::Read(std::string_view key, std::vector<std::string>* out) {
  const Node* node = Get(key);
  if (node == nullptr || node->kind == Node::Kind::kNull) return;
  if (node->kind != Node::Kind::kList) {
    Error(*node, key, fmt::format("expected a list, found {}", KindName(*node)));
    return;
  }
  out->clear();
  for (const Node& item : node->items) {
    if (item.is_unknown) continue;
    if (item.has_text) {
      out->push_back(item.text);
    } else {
      Error(item, key, fmt::format("expected a text, found {}", KindName(item)));
    }
  }
}

void Section::Read(std::string_view key, Endpoint* out) {
  std::string text;
  Read(key, &text);
  if (text.empty()) return;
  std::string problem = ParseEndpoint(text, out);
  if (!problem.empty()) Error(*node_->Find(key), key, problem);
}

void Section::ReadListenAddress(Endpoint* out) {
  int transport = 0;
  ReadChoice("transport", {"tcp", "tcp4", "tcp6", "unix"}, &transport);
  std::string text;
  if (transport == 3) Read("endpoint", &text);
  if (text.empty() || text.starts_with("unix")) return Read("endpoint", out);
  *out = {.host = "", .port = 0, .path = std::move(text)};
}

void Section::ReadSecret(std::string_view key, Secret* out) {
  const Node* node = Get(key);
  if (node == nullptr) return;
  problems_->secrets.push_back(node);
  if (!node->has_text) {
    Error(*node, key, "expected a text");
  } else {
    *out = Secret(node->text);
  }
}

void Section::ReadSecrets(std::string_view key, std::vector<Secret>* out) {
  const Node* node = Get(key);
  if (node == nullptr) return;
  if (node->kind != Node::Kind::kList) {
    problems_->secrets.push_back(node);
    Error(*node, key, "expected a list of texts");
    return;
  }
  for (const Node& item : node->items) {
    problems_->secrets.push_back(&item);
    if (item.is_unknown) continue;
    if (item.has_text) {
      out->push_back(Secret(item.text));
    } else {
      Error(item, key, "expected a text");
    }
  }
}

void Section::ReadDuration(std::string_view key, uint64_t* out_ns) {
  const Node* node = Get(key);
  if (node == nullptr) return;
  std::optional<uint64_t> value;
  if (node->kind == Node::Kind::kScalar) value = ParseDurationNs(node->text);
  if (value) {
    *out_ns = *value;
  } else {
    Error(
        *node, key,
        fmt::format("expected a duration such as 200ms, 1h30m or 14d, found {}", KindName(*node)));
  }
}

void Section::ReadBytes(std::string_view key, uint64_t* out) {
  const Node* node = Get(key);
  if (node == nullptr) return;
  std::optional<uint64_t> value;
  if (node->kind == Node::Kind::kScalar) value = ParseByteCount(node->text);
  if (value) {
    *out = *value;
  } else {
    Error(*node, key,
          fmt::format("expected a number of bytes such as 67108864, 64MiB or 20GiB, found {}",
                      KindName(*node)));
  }
}

void Section::ReadChoice(std::string_view key, const std::vector<std::string>& names, int* out) {
  std::string text;
  Read(key, &text);
  if (text.empty()) return;
  auto found = std::ranges::find(names, text);
  if (found == names.end()) {
    Error(*node_->Find(key), key,
          fmt::format("\"{}\" is not one of {}", text, fmt::join(names, ", ")));
  } else {
    *out = static_cast<int>(found - names.begin());
  }
}

std::optional<Section> Section::Sub(std::string_view key) {
  if (!Has(key)) return std::nullopt;
  return Section(*node_->Find(key), JoinPath(path_, key), problems_);
}

void Section::Refer(std::string_view role, std::string_view key, const std::string& id) {
  const Node* written = Get(key);
  problems_->references.push_back(
      {role, written == nullptr ? node_ : written, JoinPath(path_, key), id});
}

void Section::NameFile(const std::string& path) {
  if (!path.empty()) problems_->files.push_back(path);
}

void Section::Ignore(std::initializer_list<std::string_view> keys) {
  known_.insert(known_.end(), keys.begin(), keys.end());
}

void Section::IgnoreWithWarning(std::string_view key, std::string_view why) {
  if (const Node* node = Get(key)) problems_->Warn(*node, JoinPath(path_, key), why);
}

void Section::Unbuilt(std::initializer_list<std::string_view> keys) {
  for (std::string_view key : keys)
    if (const Node* node = Get(key))
      Error(*node, key, "known, but this version of weft cannot do it");
}

bool Section::IsMisspelt(std::string_view key) const {
  if (node_->Find(key) != nullptr) return false;
  return std::ranges::any_of(node_->entries, [&](const Node::Entry& entry) {
    return std::ranges::find(known_, entry.key) == known_.end() &&
           NearestWord(entry.key, known_) == key;
  });
}

void Section::Finish() {
  if (node_->kind != Node::Kind::kMap) return;
  for (const Node::Entry& entry : node_->entries) {
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    Node at;
    at.file = entry.value.file;
    at.line = entry.line;
    problems_->Error(
        at, path_, fmt::format("unknown key \"{}\"; {}", entry.key, Suggestion(entry.key, known_)));
  }
}

}  // namespace weft::config

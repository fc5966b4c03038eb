// SPDX-License-Identifier: Apache-2.0
#include "http/entrance.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "net/tls_context.h"

namespace weft::http {

Result<std::shared_ptr<Entrance>> Entrance::Make(std::shared_ptr<const Router> router,
                                                 ListenOptions options) {
  auto entrance = std::make_shared<Entrance>(std::move(router));
  if (options.tls) {
    WEFT_ASSIGN(entrance->tls_,
                net::TlsContext::Make(std::move(*options.tls), options.name, options.metrics));
    options.tls.reset();
  }
  entrance->options_ = std::move(options);
  entrance->MakeCounters();
  return entrance;
}

namespace {

// "[::1]:16686" -> "::1", "localhost:16686" -> "localhost", in lower case; what is none of these
// forms stays as it is, and is no name that anybody has.
std::string HostName(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const size_t end = bracketed ? host.find(']') : host.find(':');
  std::string_view port = end == host.npos ? "" : host.substr(end + (bracketed ? 1 : 0));
  const bool fits = !(bracketed && end == host.npos) &&
                    (port.empty() || (port.starts_with(':') &&
                                      port.find_first_not_of("0123456789", 1) == port.npos));
  if (fits) host = bracketed ? host.substr(1, end - 1) : host.substr(0, end);
  std::string name;
  for (char c : host) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name.ends_with('.')) name.pop_back();
  return name;
}

bool IsLoopbackName(std::string_view name) {
  return name == "localhost" || name.ends_with(".localhost") || name == "::1" ||
         (name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos);
}

}  // namespace

bool Entrance::HostFits(const RequestHead& head, bool grpc) const {
  if (!options_.hosts || (grpc && !options_.hosts->grpc)) return true;
  // Browsers always send a Host.
  std::string name = HostName(FindHeader(head.headers, "host"));
  if (name.empty() || IsLoopbackName(name) ||
      std::ranges::find(options_.hosts->allowed, name) != options_.hosts->allowed.end())
    return true;
  if (refused_hosts_ != nullptr) refused_hosts_->Add();
  refusal_log_.Say(LogLevel::kWarn, "http",
                   options_.name + ": a request of " + head.peer + " for another host was refused");
  return false;
}

std::string Entrance::HostRefusal() const {
  const std::string& setting = options_.hosts->setting;
  return "this server answers for localhost only; to reach it by another name, " +
         (setting.empty() ? "listen on another address" : "add that name to " + setting);
}

void Entrance::MakeCounters() {
  if (options_.metrics != nullptr)
    ended_readers_ = options_.metrics->GetCounter(
        "weft_ended_readers_total", "Answers cut because their reader took too little of them.",
        {{"listener", options_.name}});
  if (options_.metrics != nullptr && options_.hosts)
    refused_hosts_ = options_.metrics->GetCounter(
        "weft_host_refused_total",
        "Requests whose Host header names another server, refused before their body was read.",
        {{"listener", options_.name}});
  if (options_.metrics == nullptr || options_.authenticator == nullptr) return;
  constexpr std::array<std::string_view, 3> kReasons = {"no_credentials", "wrong_credentials",
                                                        "busy"};
  for (size_t i = 0; i < kReasons.size(); ++i) {
    refused_[i] = options_.metrics->GetCounter(
        "weft_auth_refused_total", "Requests refused before their body was read.",
        {{"listener", options_.name}, {"reason", kReasons[i]}});
  }
}

std::optional<AuthRefusal> Entrance::Check(const RequestHead& head, bool open) const {
  if (options_.authenticator == nullptr || open) return std::nullopt;
  std::optional<AuthRefusal> refusal = options_.authenticator->Check(head);
  if (!refusal) return std::nullopt;
  if (Counter* counter = refused_[static_cast<size_t>(refusal->reason)]) counter->Add();
  refusal_log_.Say(
      LogLevel::kWarn, "http",
      options_.name + ": a request of " + head.peer + " was refused: " + refusal->message);
  return refusal;
}

}  // namespace weft::http

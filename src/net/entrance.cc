// SPDX-License-Identifier: Apache-2.0
#include "net/entrance.h"

#include "net/tls_context.h"

namespace weft::net {

Result<std::shared_ptr<Entrance>> Entrance::Make(std::shared_ptr<const Router> router,
                                                 ListenOptions options) {
  auto entrance = std::make_shared<Entrance>(std::move(router));
  if (options.tls) {
    WEFT_ASSIGN(entrance->tls_,
                TlsContext::Make(std::move(*options.tls), options.name, options.metrics));
    options.tls.reset();
  }
  entrance->options_ = std::move(options);
  entrance->MakeCounters();
  return entrance;
}

void Entrance::MakeCounters() {
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
      LogLevel::kWarn, "net",
      options_.name + ": a request of " + head.peer + " was refused: " + refusal->message);
  return refusal;
}

}  // namespace weft::net

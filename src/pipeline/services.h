// SPDX-License-Identifier: Apache-2.0
//
// Services: what components offer each other, found by interface and id: the data of a store, an
// authenticator. A component offers when it is made; others look when they start.
//
// Lifetime: borrows; who offers outlives who looks. Thread rule: one thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/component_type.h"

namespace weft::pipeline {

class Services {
 public:
  template <class Interface>
  void Offer(const config::ComponentId& id, Interface* service) {
    services_[{&kTag<Interface>, id}] = {service, owner_};
  }
  // Null: no component of this id offers it.
  template <class Interface>
  Interface* Find(const config::ComponentId& id) const {
    auto found = services_.find({&kTag<Interface>, id});
    return found == services_.end() ? nullptr : static_cast<Interface*>(found->second.service);
  }
  // By id.
  template <class Interface>
  std::vector<Interface*> All() const {
    std::vector<Interface*> all;
    for (const auto& [key, offer] : services_)
      if (key.first == &kTag<Interface>) all.push_back(static_cast<Interface*>(offer.service));
    return all;
  }
  // What is offered from now on belongs to `owner`, whatever that is.
  void SetOwner(const void* owner) { owner_ = owner; }
  // Takes back what belongs to an owner of whom `stays` is false.
  void Retain(const std::function<bool(const void* owner)>& stays) {
    std::erase_if(services_, [&](const auto& entry) { return !stays(entry.second.owner); });
  }

 private:
  // Its address stands for the interface.
  template <class Interface>
  static constexpr char kTag = 0;

  struct Offered {
    void* service;
    const void* owner;
  };
  std::map<std::pair<const void*, config::ComponentId>, Offered> services_;
  const void* owner_ = nullptr;
};

// Whether a component could take what comes; /readyz asks all that offer it.
class Readiness {
 public:
  virtual ~Readiness() = default;
  // Empty: yes. Any thread.
  virtual std::string WhyNotReady() const = 0;
};

}  // namespace weft::pipeline

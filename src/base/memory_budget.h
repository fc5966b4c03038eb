// SPDX-License-Identifier: Apache-2.0
//
// MemoryBudget: what the process may hold, as a tree of one root and named accounts. Everything
// large is charged to an account before it is allocated and given back when it is freed; what does
// not fit is refused with a retry hint, or waits its turn. Caches are accounts that can shrink:
// they do before anything else is refused. A part of an account may be kept for it alone (its
// reserve): nobody else can take that, so flushes and answers under way always end.
//
//   MemoryAccount* requests = budget.Open("requests", {.bytes_max = 128 << 20});
//   WEFT_ASSIGN(MemoryCharge charge, requests->Take(body_bytes, "10.0.0.7"));
//
// What nobody charges (the allocator's holes, code, small things) is measured from outside and told
// with SetUncharged(): it counts like the rest, so that the sum is what the process really has.
//
// Thread rule: accounts are opened before threads use them and live as long as the budget; all else
// from any thread. Take() never waits. Charges keep the count alive, not the budget: they may
// outlive it. Made by server/running_server.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weft {

class MemoryAccount;

// Bytes charged to an account until this is destroyed. One thread at a time.
class MemoryCharge {
 public:
  MemoryCharge() = default;  // of nothing
  ~MemoryCharge() { Release(); }
  MemoryCharge(MemoryCharge&& other) noexcept;
  MemoryCharge& operator=(MemoryCharge&& other) noexcept;

  uint64_t bytes() const { return bytes_; }
  // Makes it at least `bytes`, by steps where they fit. Refuses as Take(), and then holds what it
  // held. REQUIRES: made by Take() or Ask().
  Status Cover(uint64_t bytes);
  // Counts what could not be known before, such as decoded sizes: never refuses.
  void Add(uint64_t bytes);
  // Makes it at most `bytes`.
  void ShrinkTo(uint64_t bytes);
  // Makes it just `bytes`: what was guessed is known now. Never refuses.
  void Settle(uint64_t bytes) {
    ShrinkTo(bytes);
    Add(bytes - bytes_);
  }
  // The same bytes, charged to another account of the same budget whatever that makes its sum.
  void MoveTo(MemoryAccount* account);
  void Release();

 private:
  friend class MemoryAccount;
  std::shared_ptr<MemoryAccount> account_;
  std::string holder_;
  uint64_t bytes_ = 0;
};

struct MemoryAccountOptions {
  uint64_t bytes_max = UINT64_MAX;
  uint64_t reserve = 0;  // at most bytes_max
};

// One line of the tree.
struct MemoryNode {
  std::string name;
  uint64_t used = 0, bytes_max = 0, reserve = 0, peak = 0;
  uint64_t refused = 0;  // Take() and Cover() that failed
  uint64_t waiting = 0;  // Ask() that still waits
};

class MemoryAccount : public std::enable_shared_from_this<MemoryAccount> {
 public:
  // Granted steps of Cover(): fewer turns at the common lock.
  static constexpr uint64_t kStepBytes = 256 << 10;
  using Granted = std::function<void(MemoryCharge)>;

  // kTooLarge when `bytes` could never fit; kUnavailable with a retry hint when they do not fit
  // now. `holder` ("10.0.0.7"; "": nobody in particular) may hold three quarters of what all others
  // leave it, an eighth at least: one peer cannot shut out the rest. More than three quarters can
  // then never fit.
  Result<MemoryCharge> Take(uint64_t bytes, std::string_view holder = {});
  // Whether Take() would refuse, charging nothing.
  Status Check(uint64_t bytes, std::string_view holder = {});
  // As Take(), but by what the whole budget has left: this account's limit and shares do not count.
  // Never kTooLarge: it is for what follows from bytes that were let in.
  Result<MemoryCharge> TakeBeyond(uint64_t bytes, std::string_view holder = {});
  // For caches: takes only what is plainly free, shrinks nothing, and nothing while somebody waits.
  Result<MemoryCharge> TakeSpare(uint64_t bytes);
  // Charges whatever it makes the sum.
  MemoryCharge TakeAnyway(uint64_t bytes);

  // Waits in turn: `granted` runs once, at once on this thread where the bytes are free, else later
  // on the thread that frees them: it must be quick. kTooLarge as Take(). The number is for
  // Withdraw(); 0: granted already.
  Result<uint64_t> Ask(uint64_t bytes, Granted granted);
  // False: it has been granted, or is being so.
  bool Withdraw(uint64_t number);
  // Ask() that waits on this thread, never a net thread: kUnavailable after `timeout`.
  Result<MemoryCharge> Wait(uint64_t bytes, std::chrono::nanoseconds timeout);

  uint64_t used() const;
  uint64_t bytes_max() const;
  // The most that a charge of a holder can ever be.
  uint64_t holder_max() const;
  const std::string& name() const;

  struct State;
  struct Entry;
  MemoryAccount(std::shared_ptr<State> state, Entry* entry);

 private:
  friend class MemoryCharge;
  friend class MemoryBudget;
  enum class Rule : uint8_t { kAccount, kWholeBudget };
  // `whole`: what the charge is with them.
  Status Charge(uint64_t bytes, uint64_t whole, const std::string& holder,
                Rule rule = Rule::kAccount);
  void ChargeAnyway(uint64_t bytes, const std::string& holder);
  void Return(uint64_t bytes, const std::string& holder);

  const std::shared_ptr<State> state_;
  Entry* const entry_;
};

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t bytes_max);
  ~MemoryBudget();  // who still waits is never granted

  // REQUIRES: the name is new, and all reserves together fit.
  MemoryAccount* Open(std::string name, MemoryAccountOptions options = {});
  // Another limit, and other options of accounts; what is held over them stays until it is given
  // back. REQUIRES: all reserves together fit.
  void Resize(uint64_t bytes_max,
              const std::vector<std::pair<MemoryAccount*, MemoryAccountOptions>>& accounts);
  // `shrink(wanted)` frees up to about so many bytes of what its caches hold. Called on the thread
  // that needs them, without locks of this file. REQUIRES: it takes no lock under which somebody
  // calls Take(), Cover() or Ask().
  void OnShortage(std::function<void(uint64_t wanted)> shrink);
  // `shrink` callbacks are not called after it.
  void StopShrinking();
  // The measured rest, in place of the last one.
  void SetUncharged(uint64_t bytes);

  uint64_t bytes_max() const;
  uint64_t charged() const;  // without the rest
  uint64_t used() const;     // with it
  uint64_t peak() const;
  // In the order of opening; "other", the rest, is the last.
  std::vector<MemoryNode> nodes() const;

 private:
  const std::shared_ptr<MemoryAccount::State> state_;
  std::vector<std::shared_ptr<MemoryAccount>> accounts_;
};

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "base/memory_budget.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"

namespace weft {
namespace {

uint64_t Over(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

// Caches leave this part of the limit free, so that what cannot wait need not shrink them each
// time.
constexpr uint64_t kSpareDivisor = 16;

}  // namespace

struct MemoryAccount::Entry {
  std::string name;
  MemoryAccountOptions options;
  uint64_t used = 0, peak = 0, refused = 0;
  std::map<std::string, uint64_t, std::less<>> holders;
};

struct MemoryAccount::State {
  struct Waiter {
    uint64_t number = 0;
    Entry* entry = nullptr;
    uint64_t bytes = 0;
    Granted granted;
    std::shared_ptr<MemoryAccount> account;
  };
  using Grants = std::vector<std::pair<Granted, MemoryCharge>>;

  explicit State(uint64_t max) : bytes_max(max) {}

  // What `entry` with `bytes` more would leave over the limit; 0: they fit.
  uint64_t Excess(const Entry& entry, uint64_t bytes) const {
    const uint64_t mine = std::max(entry.used, entry.options.reserve);
    const uint64_t then = std::max(entry.used + bytes, entry.options.reserve);
    return Over(committed - mine + then + uncharged, bytes_max);
  }
  bool FitsAccount(const Entry& entry, uint64_t bytes) const {
    return entry.used <= entry.options.bytes_max && bytes <= entry.options.bytes_max - entry.used;
  }
  void Count(Entry* entry, uint64_t used) {
    committed -= std::max(entry->used, entry->options.reserve);
    charged = charged - entry->used + used;
    entry->used = used;
    entry->peak = std::max(entry->peak, used);
    committed += std::max(used, entry->options.reserve);
    peak = std::max(peak, charged + uncharged);
  }
  // Grants what fits to those who wait, in their order; who does not fit holds up its own account
  // and nobody else's. REQUIRES: the lock. The caller runs the grants without it.
  void GrantWaiting(Grants* grants);

  mutable std::mutex mutex;  // guards all but the shrinkers
  uint64_t bytes_max;
  std::deque<Entry> entries;
  uint64_t charged = 0, uncharged = 0, peak = 0;
  uint64_t committed = 0;  // the sum of what each account holds, or its reserve where that is more
  std::list<Waiter> waiting;
  uint64_t next_number = 1;
  uint32_t refusals = 0;
  std::mutex
      shrink_mutex;  // guards the list; held while they run, so that StopShrinking() is final
  std::vector<std::function<void(uint64_t)>> shrinkers;

  void Shrink(uint64_t wanted) {
    std::lock_guard lock(shrink_mutex);
    for (const auto& shrink : shrinkers) shrink(wanted);
  }
};

void MemoryAccount::State::GrantWaiting(Grants* grants) {
  std::vector<const Entry*> held_up;
  for (auto at = waiting.begin(); at != waiting.end();) {
    const bool behind = std::ranges::find(held_up, at->entry) != held_up.end();
    if (behind || !FitsAccount(*at->entry, at->bytes) || Excess(*at->entry, at->bytes) > 0) {
      held_up.push_back(at->entry);
      ++at;
      continue;
    }
    Count(at->entry, at->entry->used + at->bytes);
    MemoryCharge charge;
    charge.account_ = std::move(at->account);
    charge.bytes_ = at->bytes;
    grants->emplace_back(std::move(at->granted), std::move(charge));
    at = waiting.erase(at);
  }
}

// ------------------------------------------------------------------------------------ one account

MemoryAccount::MemoryAccount(std::shared_ptr<State> state, Entry* entry)
    : state_(std::move(state)), entry_(entry) {}

namespace {

std::string Mebibytes(uint64_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20); }

Error TooLarge(const std::string& name, uint64_t bytes, uint64_t bytes_max) {
  return {ErrorCode::kTooLarge,
          std::to_string(bytes) + " bytes are over what one of the " + name + " may hold, " +
              std::to_string(bytes_max) + " bytes",
          0};
}

// Of what all may hold.
uint64_t HolderMax(uint64_t bytes_max) { return bytes_max / 4 * 3; }

}  // namespace

Status MemoryAccount::Charge(uint64_t bytes, uint64_t whole, const std::string& holder, Rule rule) {
  const bool beyond = rule == Rule::kWholeBudget;
  for (bool shrunk = false;; shrunk = true) {
    uint64_t excess = 0;
    {
      std::lock_guard lock(state_->mutex);
      const MemoryAccountOptions& options = entry_->options;
      const uint64_t limit = std::min(options.bytes_max, state_->bytes_max);
      const uint64_t charge_max = holder.empty() ? limit : HolderMax(limit);
      if (!beyond && whole > charge_max) {
        ++entry_->refused;
        return Fail(TooLarge(entry_->name, whole, charge_max));
      }
      bool fits = beyond || state_->FitsAccount(*entry_, bytes);
      bool shared = true;
      if (fits && !beyond && !holder.empty()) {
        const auto found = entry_->holders.find(holder);
        const uint64_t held = found == entry_->holders.end() ? 0 : found->second;
        const uint64_t left = Over(limit, entry_->used - held);
        shared = held + bytes <= std::max(limit / 8, left / 4 * 3);
      }
      excess = fits && shared ? state_->Excess(*entry_, bytes) : 0;
      if (fits && shared && excess == 0) {
        state_->Count(entry_, entry_->used + bytes);
        if (!holder.empty()) entry_->holders[holder] += bytes;
        return {};
      }
      if (excess == 0 || shrunk) {
        ++entry_->refused;
        // Clients that were refused together should not come back together: hints of 1 to 4 s.
        const uint32_t hint = 1 + state_->refusals++ % 4;
        std::string why =
            !shared ? "one peer holds its share of what " + entry_->name + " may hold"
            : !fits ? entry_->name + " under way hold " + std::to_string(entry_->used) + " of " +
                          std::to_string(limit) + " bytes"
                    : "memory is used up: " + Mebibytes(state_->charged + state_->uncharged) +
                          " of " + Mebibytes(state_->bytes_max) + " MiB";
        return Fail(Error{ErrorCode::kUnavailable, std::move(why), hint});
      }
    }
    state_->Shrink(excess);
  }
}

void MemoryAccount::ChargeAnyway(uint64_t bytes, const std::string& holder) {
  std::lock_guard lock(state_->mutex);
  state_->Count(entry_, entry_->used + bytes);
  if (!holder.empty()) entry_->holders[holder] += bytes;
}

void MemoryAccount::Return(uint64_t bytes, const std::string& holder) {
  if (bytes == 0) return;
  State::Grants grants;
  {
    std::lock_guard lock(state_->mutex);
    WEFT_CHECK(entry_->used >= bytes);
    state_->Count(entry_, entry_->used - bytes);
    if (!holder.empty()) {
      auto found = entry_->holders.find(holder);
      WEFT_CHECK(found != entry_->holders.end() && found->second >= bytes);
      if ((found->second -= bytes) == 0) entry_->holders.erase(found);
    }
    state_->GrantWaiting(&grants);
  }
  for (auto& [granted, charge] : grants) granted(std::move(charge));
}

Result<MemoryCharge> MemoryAccount::Take(uint64_t bytes, std::string_view holder) {
  MemoryCharge charge;
  charge.holder_ = holder;
  WEFT_TRY(Charge(bytes, bytes, charge.holder_));
  charge.account_ = shared_from_this();
  charge.bytes_ = bytes;
  return charge;
}

Result<MemoryCharge> MemoryAccount::TakeBeyond(uint64_t bytes, std::string_view holder) {
  MemoryCharge charge;
  charge.holder_ = holder;
  WEFT_TRY(Charge(bytes, bytes, charge.holder_, Rule::kWholeBudget));
  charge.account_ = shared_from_this();
  charge.bytes_ = bytes;
  return charge;
}

Status MemoryAccount::Check(uint64_t bytes, std::string_view holder) {
  Result<MemoryCharge> charge = Take(bytes, holder);
  return charge ? Status{} : Fail(charge.error());
}

Result<MemoryCharge> MemoryAccount::TakeSpare(uint64_t bytes) {
  std::lock_guard lock(state_->mutex);
  const uint64_t spare = state_->bytes_max / kSpareDivisor;
  if (!state_->waiting.empty() || !state_->FitsAccount(*entry_, bytes) ||
      state_->Excess(*entry_, bytes + spare) > 0)
    return Fail(ErrorCode::kUnavailable, "no memory to spare");
  state_->Count(entry_, entry_->used + bytes);
  MemoryCharge charge;
  charge.account_ = shared_from_this();
  charge.bytes_ = bytes;
  return charge;
}

MemoryCharge MemoryAccount::TakeAnyway(uint64_t bytes) {
  MemoryCharge charge;
  charge.account_ = shared_from_this();
  charge.Add(bytes);
  return charge;
}

Result<uint64_t> MemoryAccount::Ask(uint64_t bytes, Granted granted) {
  State::Grants grants;
  uint64_t number = 0, excess = 0;
  {
    std::lock_guard lock(state_->mutex);
    const uint64_t limit = std::min(entry_->options.bytes_max, state_->bytes_max);
    if (bytes > limit) return Fail(TooLarge(entry_->name, bytes, limit));
    number = state_->next_number++;
    state_->waiting.push_back({number, entry_, bytes, std::move(granted), shared_from_this()});
    state_->GrantWaiting(&grants);
    const bool waits = std::ranges::any_of(
        state_->waiting, [number](const State::Waiter& one) { return one.number == number; });
    if (waits && state_->FitsAccount(*entry_, bytes)) excess = state_->Excess(*entry_, bytes);
    if (!waits) number = 0;
  }
  for (auto& [run, charge] : grants) run(std::move(charge));
  if (excess > 0) state_->Shrink(excess);  // what it frees is granted as it comes back
  return number;
}

bool MemoryAccount::Withdraw(uint64_t number) {
  State::Waiter taken;
  State::Grants grants;
  {
    std::lock_guard lock(state_->mutex);
    const auto found =
        std::ranges::find(state_->waiting, number, [](const State::Waiter& w) { return w.number; });
    if (found == state_->waiting.end()) return false;
    taken = std::move(*found);
    state_->waiting.erase(found);
    state_->GrantWaiting(&grants);  // it may have held up others
  }
  for (auto& [granted, charge] : grants) granted(std::move(charge));
  return true;
}

Result<MemoryCharge> MemoryAccount::Wait(uint64_t bytes, std::chrono::nanoseconds timeout) {
  struct Turn {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<MemoryCharge> charge;
  };
  auto turn = std::make_shared<Turn>();
  WEFT_ASSIGN(const uint64_t number, Ask(bytes, [turn](MemoryCharge charge) {
                std::lock_guard lock(turn->mutex);
                turn->charge = std::move(charge);
                turn->came.notify_one();
              }));
  std::unique_lock lock(turn->mutex);
  auto came = [&turn] { return turn->charge.has_value(); };
  if (!turn->came.wait_for(lock, timeout, came)) {
    lock.unlock();
    const bool withdrawn = Withdraw(number);
    lock.lock();
    if (withdrawn)
      return Fail(Error{ErrorCode::kUnavailable,
                        "others hold the memory that it needs, " + Mebibytes(bytes) + " MiB", 2});
    turn->came.wait(lock, came);  // granted in this very moment
  }
  return std::move(*turn->charge);
}

uint64_t MemoryAccount::used() const {
  std::lock_guard lock(state_->mutex);
  return entry_->used;
}
uint64_t MemoryAccount::bytes_max() const {
  std::lock_guard lock(state_->mutex);
  return std::min(entry_->options.bytes_max, state_->bytes_max);
}
uint64_t MemoryAccount::holder_max() const { return HolderMax(bytes_max()); }
const std::string& MemoryAccount::name() const { return entry_->name; }

// ------------------------------------------------------------------------------------ one charge

MemoryCharge::MemoryCharge(MemoryCharge&& other) noexcept
    : account_(std::move(other.account_)),
      holder_(std::move(other.holder_)),
      bytes_(std::exchange(other.bytes_, 0)) {}

MemoryCharge& MemoryCharge::operator=(MemoryCharge&& other) noexcept {
  if (this == &other) return *this;
  Release();
  account_ = std::move(other.account_);
  holder_ = std::move(other.holder_);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

Status MemoryCharge::Cover(uint64_t bytes) {
  if (bytes <= bytes_) return {};
  const uint64_t more = bytes - bytes_;
  // A whole step is for fewer turns here: what fits without it is not refused for it.
  constexpr uint64_t kStep = MemoryAccount::kStepBytes;
  if (more < kStep && account_->Charge(kStep, bytes_ + kStep, holder_)) {
    bytes_ += kStep;
    return {};
  }
  WEFT_TRY(account_->Charge(more, bytes, holder_));
  bytes_ = bytes;
  return {};
}

void MemoryCharge::Add(uint64_t bytes) {
  if (bytes == 0 || !account_) return;
  account_->ChargeAnyway(bytes, holder_);
  bytes_ += bytes;
}

void MemoryCharge::ShrinkTo(uint64_t bytes) {
  if (bytes >= bytes_) return;
  const uint64_t less = bytes_ - bytes;
  bytes_ = bytes;
  account_->Return(less, holder_);
}

void MemoryCharge::MoveTo(MemoryAccount* account) {
  MemoryCharge moved = account->TakeAnyway(bytes_);
  *this = std::move(moved);
}

void MemoryCharge::Release() {
  if (auto account = std::move(account_)) account->Return(std::exchange(bytes_, 0), holder_);
}

// ----------------------------------------------------------------------------------- the budget

MemoryBudget::MemoryBudget(uint64_t bytes_max)
    : state_(std::make_shared<MemoryAccount::State>(bytes_max)) {}

MemoryBudget::~MemoryBudget() {
  StopShrinking();
  std::list<MemoryAccount::State::Waiter> waiting;
  std::lock_guard lock(state_->mutex);
  waiting.swap(state_->waiting);
}

MemoryAccount* MemoryBudget::Open(std::string name, MemoryAccountOptions options) {
  std::lock_guard lock(state_->mutex);
  WEFT_CHECK(options.reserve <= options.bytes_max);
  WEFT_CHECK(state_->committed + options.reserve <= state_->bytes_max);
  for (const MemoryAccount::Entry& entry : state_->entries) WEFT_CHECK(entry.name != name);
  MemoryAccount::Entry& entry = state_->entries.emplace_back();
  entry.name = std::move(name);
  entry.options = options;
  state_->committed += options.reserve;
  return accounts_.emplace_back(std::make_shared<MemoryAccount>(state_, &entry)).get();
}

void MemoryBudget::Resize(
    uint64_t bytes_max,
    const std::vector<std::pair<MemoryAccount*, MemoryAccountOptions>>& accounts) {
  MemoryAccount::State::Grants grants;
  uint64_t excess = 0;
  {
    std::lock_guard lock(state_->mutex);
    state_->bytes_max = bytes_max;
    for (const auto& [account, options] : accounts) {
      WEFT_CHECK(options.reserve <= options.bytes_max);
      account->entry_->options = options;
    }
    state_->committed = 0;
    uint64_t reserves = 0;
    for (const MemoryAccount::Entry& entry : state_->entries) {
      state_->committed += std::max(entry.used, entry.options.reserve);
      reserves += entry.options.reserve;
    }
    WEFT_CHECK(reserves <= bytes_max);
    state_->GrantWaiting(&grants);
    excess = Over(state_->committed + state_->uncharged, bytes_max);
  }
  for (auto& [granted, charge] : grants) granted(std::move(charge));
  if (excess > 0) state_->Shrink(excess);
}

void MemoryBudget::OnShortage(std::function<void(uint64_t)> shrink) {
  std::lock_guard lock(state_->shrink_mutex);
  state_->shrinkers.push_back(std::move(shrink));
}

void MemoryBudget::StopShrinking() {
  std::lock_guard lock(state_->shrink_mutex);
  state_->shrinkers.clear();
}

void MemoryBudget::SetUncharged(uint64_t bytes) {
  MemoryAccount::State::Grants grants;
  uint64_t excess = 0;
  {
    std::lock_guard lock(state_->mutex);
    state_->uncharged = bytes;
    state_->peak = std::max(state_->peak, state_->charged + bytes);
    state_->GrantWaiting(&grants);
    excess = Over(state_->committed + bytes, state_->bytes_max);
  }
  for (auto& [granted, charge] : grants) granted(std::move(charge));
  if (excess > 0) state_->Shrink(excess);
}

uint64_t MemoryBudget::bytes_max() const {
  std::lock_guard lock(state_->mutex);
  return state_->bytes_max;
}
uint64_t MemoryBudget::charged() const {
  std::lock_guard lock(state_->mutex);
  return state_->charged;
}
uint64_t MemoryBudget::used() const {
  std::lock_guard lock(state_->mutex);
  return state_->charged + state_->uncharged;
}
uint64_t MemoryBudget::peak() const {
  std::lock_guard lock(state_->mutex);
  return state_->peak;
}

std::vector<MemoryNode> MemoryBudget::nodes() const {
  std::lock_guard lock(state_->mutex);
  std::vector<MemoryNode> nodes;
  for (const MemoryAccount::Entry& entry : state_->entries) {
    auto waits = [&entry](const auto& waiter) { return waiter.entry == &entry; };
    nodes.push_back({entry.name, entry.used, std::min(entry.options.bytes_max, state_->bytes_max),
                     entry.options.reserve, entry.peak, entry.refused,
                     static_cast<uint64_t>(std::ranges::count_if(state_->waiting, waits))});
  }
  nodes.push_back({"other", state_->uncharged, state_->bytes_max, 0, state_->uncharged, 0, 0});
  return nodes;
}

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "store/damage_log.h"

namespace weft::store {
namespace {

// A disk that fails and recovers for months must not fill the memory.
constexpr size_t kSentencesMax = 1000;

}  // namespace

void DamageLog::Tell(std::string what) {
  if (observer_ != nullptr) observer_->OnDamage(what);
  if (sentences_.size() < kSentencesMax) sentences_.push_back(std::move(what));
}

void DamageLog::Note(std::string what) {
  std::lock_guard lock(mutex_);
  Tell(std::move(what));
}

void DamageLog::NoteQuarantined(std::string what) {
  std::lock_guard lock(mutex_);
  ++quarantined_;
  Tell(std::move(what));
}

void DamageLog::NoteBlock(uint64_t number, const std::string& what) {
  std::lock_guard lock(mutex_);
  ++failed_reads_;
  if (blocks_.insert(number).second) Tell(what);
}

void DamageLog::Forget(uint64_t number) {
  std::lock_guard lock(mutex_);
  blocks_.erase(number);
}

void DamageLog::Clear() {
  std::lock_guard lock(mutex_);
  blocks_.clear();
  sentences_.clear();
  failed_reads_ = quarantined_ = 0;
}

void DamageLog::Detach() {
  std::lock_guard lock(mutex_);
  observer_ = nullptr;
}

std::vector<std::string> DamageLog::sentences() const {
  std::lock_guard lock(mutex_);
  return sentences_;
}

uint64_t DamageLog::failed_reads() const {
  std::lock_guard lock(mutex_);
  return failed_reads_;
}

uint64_t DamageLog::quarantined() const {
  std::lock_guard lock(mutex_);
  return quarantined_;
}

}  // namespace weft::store

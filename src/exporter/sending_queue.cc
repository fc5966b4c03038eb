// SPDX-License-Identifier: Apache-2.0
#include "exporter/sending_queue.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/log.h"
#include "exporter/sending_queue_core.h"

namespace weft::exporter {
namespace {

constexpr uint32_t kRetryAfterSeconds = 1;
// Beside a request's own bytes.
constexpr uint64_t kItemBytes = 512;
constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

std::function<double()> SystemRandom() {
  return [engine = std::mt19937_64(std::random_device()())]() mutable {
    return std::uniform_real_distribution<double>(0, 1)(engine);
  };
}

}  // namespace

SendingQueue::SendingQueue(SendingQueueOptions options, RemoteSender* sender, Env* env,
                           Clock* clock, Metrics* metrics)
    : core_(std::make_shared<Core>(std::move(options), sender, env, clock, metrics)) {}
SendingQueue::~SendingQueue() { Stop(); }
Status SendingQueue::Start() { return core_->Start(); }
void SendingQueue::Stop() { core_->Stop(); }
Status SendingQueue::Admit(uint64_t bytes) { return core_->Admit(bytes); }
void SendingQueue::Push(SendRequest request, pipeline::Ack ack) {
  core_->Push(std::move(request), std::move(ack));
}
bool SendingQueue::Keeps() const { return core_->Keeps(); }
void SendingQueue::Poke() { core_->Poke(); }

SendingQueue::Core::Core(SendingQueueOptions options, RemoteSender* sender, Env* env, Clock* clock,
                         Metrics* metrics)
    : options_(std::move(options)),
      queue_(options_.settings.queue),
      retry_(options_.settings.retry),
      sender_(sender),
      env_(env),
      clock_(clock),
      waits_(queue_.wait_for_result || !queue_.enabled),
      blocks_(queue_.block_on_overflow || !queue_.enabled),
      consumers_max_(queue_.enabled ? queue_.num_consumers : kUnlimited),
      size_max_(queue_.enabled ? queue_.queue_size : kUnlimited),
      bytes_max_(queue_.BytesMax()),
      random_(options_.random ? options_.random : SystemRandom()) {
  WEFT_CHECK_MSG(!(waits_ && has_log()), "what is stored is answered at once");
  DeclareMetrics(metrics);
}

SendingQueue::Core::~Core() = default;

void SendingQueue::Core::DeclareMetrics(Metrics* metrics) {
  const Labels labels = {{"exporter", options_.exporter}};
  size_gauge_ = metrics->GetGauge(
      "weft_exporter_queue_size",
      "What a sending queue holds, in its sizer's unit: what is being sent included.", labels);
  capacity_gauge_ = metrics->GetGauge("weft_exporter_queue_capacity",
                                      "The most that it may hold, in the same unit.", labels);
  bytes_gauge_ = metrics->GetGauge("weft_exporter_queue_bytes", "Memory of what it holds.", labels);
  sent_items_ = metrics->GetCounter("weft_exporter_sent_items_total",
                                    "Items of requests that the remote took.", labels);
  retries_ = metrics->GetCounter("weft_exporter_retries_total",
                                 "Tries that failed and are followed by another.", labels);
  static constexpr std::string_view kRefusals[] = {"full", "too_large", "log", "stopped"};
  static constexpr std::string_view kGivenUps[] = {"permanent", "max_elapsed_time", "no_retry",
                                                   "stopped"};
  for (size_t i = 0; i < std::size(kRefusals); ++i) {
    refused_items_[i] = metrics->GetCounter(
        "weft_exporter_enqueue_failed_items_total", "Items that a sending queue did not take.",
        {{"exporter", options_.exporter}, {"reason", kRefusals[i]}});
    given_up_items_[i] = metrics->GetCounter(
        "weft_exporter_failed_items_total", "Items that were taken and not sent, and are dropped.",
        {{"exporter", options_.exporter}, {"reason", kGivenUps[i]}});
  }
}

Status SendingQueue::Core::Start() {
  if (has_log()) WEFT_TRY(OpenLog());
  capacity_gauge_->Add(static_cast<int64_t>(std::min<uint64_t>(size_max_, INT64_MAX)));
  thread_ = std::thread([this] { Run(); });
  return {};
}

Status SendingQueue::Core::OpenLog() {
  QueueLogOptions options{.directory = options_.directory,
                          .segment_bytes = options_.log_segment_bytes,
                          .segments_max = 2 * bytes_max_ / options_.log_segment_bytes + 4};
  QueueLogFound found;
  auto log = QueueLog::Open(env_, clock_, std::move(options), &found);
  if (!log) return Fail(log.error().WithPrefix("the sending queue of " + options_.exporter));
  log_ = *std::move(log);
  for (const std::string& what : found.damage)
    Log(LogLevel::kError, "exporter", "the log of a sending queue is damaged",
        {{"exporter", options_.exporter}, {"what", what}});
  if (!found.requests.empty())
    Log(LogLevel::kInfo, "exporter", "a sending queue goes on with what its log holds",
        {{"exporter", options_.exporter}, {"requests", found.requests.size()}});
  std::lock_guard lock(mutex_);
  for (QueueLogFound::Request& one : found.requests) {
    ItemPtr item = NewItem(std::move(one.request));
    if (options_.memory != nullptr) item->charge = options_.memory->TakeAnyway(item->bytes);
    item->sequence = one.sequence;
    Hold(*item);
    logged_.emplace(one.sequence, item);
    ready_.push_back(std::move(item));
  }
  if (!found.damage.empty()) TidyBy(clock_->MonotonicNs());
  return {};
}

Status SendingQueue::Core::Admit(uint64_t bytes) {
  if (!blocks_) return {};
  if (log_ != nullptr) {
    if (const Status taken = log_->status(); !taken)
      return Fail(taken.error().WithPrefix("the sending queue of " + options_.exporter));
  }
  const bool fits = options_.memory == nullptr || options_.memory->Check(bytes);
  std::lock_guard lock(mutex_);
  if (!stopping_ && fits && size_ < size_max_ && bytes_ < bytes_max_ &&
      bytes <= bytes_max_ - bytes_)
    return {};
  return Fail(
      Error{ErrorCode::kUnavailable,
            "the sending queue of " + options_.exporter + (stopping_ ? " is stopping" : " is full"),
            kRetryAfterSeconds});
}

uint64_t SendingQueue::Core::SizeOf(const SendRequest& request) const {
  switch (queue_.sizer) {
    case QueueSettings::Sizer::kItems:
      return request.items;
    case QueueSettings::Sizer::kBytes:
      return request.body.size();
    case QueueSettings::Sizer::kRequests:
      break;
  }
  return 1;
}

SendingQueue::Core::ItemPtr SendingQueue::Core::NewItem(SendRequest request) {
  auto item = std::make_shared<Item>();
  item->size = SizeOf(request);
  item->bytes = request.body.size() + request.tenant.size() + kItemBytes;
  item->request = std::make_shared<const SendRequest>(std::move(request));
  return item;
}

bool SendingQueue::Core::Charge(Item* item) const {
  if (options_.memory == nullptr) return true;
  Result<MemoryCharge> charge = options_.memory->Take(item->bytes);
  if (charge) item->charge = std::move(*charge);
  return charge.has_value();
}

std::pair<SendingQueue::Core::Refusal, Error> SendingQueue::Core::Full() const {
  const std::string what = "the sending queue of " + options_.exporter + " is full";
  return {Refusal::kFull, blocks_ ? Error{ErrorCode::kUnavailable, what, kRetryAfterSeconds}
                                  : Error{ErrorCode::kResourceExhausted, what, 0}};
}

std::optional<std::pair<SendingQueue::Core::Refusal, Error>> SendingQueue::Core::WhyNot(
    const Item& item) const {
  const std::string name = "the sending queue of " + options_.exporter;
  if (stopping_)
    return std::pair(Refusal::kStopped,
                     Error{ErrorCode::kUnavailable, name + " is stopping", kRetryAfterSeconds});
  // A queue measured in bytes means those of the requests.
  const uint64_t own_bytes = item.bytes - kItemBytes;
  if (item.size > size_max_ || own_bytes > bytes_max_)
    return std::pair(Refusal::kTooLarge,
                     Error{ErrorCode::kTooLarge, "a request is larger than " + name, 0});
  // What was let in by Admit() while there was room is taken, up to as much again.
  const uint64_t times = blocks_ ? 2 : 1;
  const uint64_t size_room = size_max_ > kUnlimited / times ? kUnlimited : size_max_ * times;
  if (size_ <= size_room && item.size <= size_room - size_ &&
      (bytes_ == 0 || bytes_ + item.bytes <= bytes_max_ * times))
    return std::nullopt;
  return Full();
}

void SendingQueue::Core::Hold(const Item& item) {
  size_ += item.size;
  bytes_ += item.bytes;
  size_gauge_->Add(static_cast<int64_t>(item.size));
  bytes_gauge_->Add(static_cast<int64_t>(item.bytes));
}

void SendingQueue::Core::LetGo(const Item& item) {
  size_ -= item.size;
  bytes_ -= item.bytes;
  size_gauge_->Add(-static_cast<int64_t>(item.size));
  bytes_gauge_->Add(-static_cast<int64_t>(item.bytes));
}

void SendingQueue::Core::Push(SendRequest request, pipeline::Ack ack) {
  ItemPtr item = NewItem(std::move(request));
  std::optional<std::pair<Refusal, Error>> refused;
  const bool charged = Charge(item.get());
  {
    std::lock_guard lock(mutex_);
    refused = WhyNot(*item);
    if (!refused && !charged) refused = Full();
    if (!refused) {
      Hold(*item);
      if (waits_) item->ack = std::move(ack);
      if (log_ == nullptr) ready_.push_back(item);
    }
  }
  if (refused) return Refused(*item, refused->first, std::move(refused->second), std::move(ack));
  if (log_ == nullptr) {
    work_.notify_one();
    if (!waits_) ack.Complete();
    return;
  }
  log_->Append(*item->request, [self = shared_from_this(), item,
                                ack = std::move(ack)](Result<uint64_t> sequence) mutable {
    self->OnLogged(item, sequence, std::move(ack));
  });
}

void SendingQueue::Core::Refused(const Item& item, Refusal reason, Error error, pipeline::Ack ack) {
  refused_items_[static_cast<size_t>(reason)]->Add(item.request->items);
  Log(LogLevel::kWarn, "exporter", "a sending queue did not take a request",
      {{"exporter", options_.exporter}, {"items", item.request->items}, {"why", error.message}});
  ack.Complete({.status = Fail(std::move(error))});
}

void SendingQueue::Core::OnLogged(const ItemPtr& item, const Result<uint64_t>& sequence,
                                  pipeline::Ack ack) {
  {
    std::lock_guard lock(mutex_);
    if (sequence) {
      item->sequence = *sequence;
      logged_.emplace(*sequence, item);
      ready_.push_back(item);
    } else {
      LetGo(*item);
      // A full disk may have room again.
      TidyBy(clock_->MonotonicNs());
    }
  }
  work_.notify_one();
  if (sequence) return ack.Complete();
  Refused(*item, Refusal::kLog,
          sequence.error().WithPrefix("the sending queue of " + options_.exporter), std::move(ack));
}

void SendingQueue::Core::Poke() {
  {
    std::lock_guard lock(mutex_);
    poked_ = true;
  }
  work_.notify_one();
}

}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
#include "testing/sim_env.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/check.h"

namespace weft::testing {
namespace {

std::string DirOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// One change of a file's bytes that no DataSync() has covered yet.
struct Pending {
  uint64_t offset = 0;
  std::string bytes;
  std::optional<uint64_t> resize;  // set: the file became this long, and `bytes` is empty
};

void ApplyTo(const Pending& change, std::string* content) {
  if (change.resize) {
    content->resize(*change.resize);
    return;
  }
  if (content->size() < change.offset + change.bytes.size()) {
    content->resize(change.offset + change.bytes.size());
  }
  std::memcpy(content->data() + change.offset, change.bytes.data(), change.bytes.size());
}

bool Flip(std::mt19937_64& random) { return (random() & 1) != 0; }

void ApplyTorn(const Pending& change, uint64_t sector, std::mt19937_64& random,
               std::string* content) {
  uint64_t at = 0;
  while (at < change.bytes.size()) {
    const uint64_t end = std::min<uint64_t>(
        change.bytes.size(), ((change.offset + at) / sector + 1) * sector - change.offset);
    if (Flip(random)) {
      ApplyTo({change.offset + at, change.bytes.substr(at, end - at), std::nullopt}, content);
    }
    at = end;
  }
}

std::string Survivors(const std::string& synced, const std::vector<Pending>& pending,
                      CrashKind kind, std::mt19937_64& random) {
  std::string content = synced;
  const size_t cut = pending.empty() ? 0 : random() % (pending.size() + 1);
  for (size_t i = 0; i < pending.size(); ++i) {
    const Pending& change = pending[i];
    switch (kind) {
      case CrashKind::kDropUnsynced:
      case CrashKind::kNamesOnly:
        break;
      case CrashKind::kKeepAll:
      case CrashKind::kBytesOnly:
        ApplyTo(change, &content);
        break;
      case CrashKind::kSubset:
        if (Flip(random)) ApplyTo(change, &content);
        break;
      case CrashKind::kTorn512:
      case CrashKind::kTorn4096:
        if (!change.resize) {
          ApplyTorn(change, kind == CrashKind::kTorn512 ? 512 : 4096, random, &content);
        } else if (Flip(random)) {
          ApplyTo(change, &content);
        }
        break;
      case CrashKind::kReordered:
        if (i >= cut) ApplyTo(change, &content);
        break;
    }
  }
  return content;
}

bool KeepsName(CrashKind kind, std::mt19937_64& random) {
  switch (kind) {
    case CrashKind::kDropUnsynced:
    case CrashKind::kBytesOnly:
      return false;
    case CrashKind::kKeepAll:
    case CrashKind::kNamesOnly:
      return true;
    default:
      return Flip(random);
  }
}

}  // namespace

struct SimEnv::Node {
  bool directory = false;
  std::string content;
  std::string synced;
  std::vector<Pending> pending;
};

class SimEnv::Readable : public ReadableFile {
 public:
  Readable(SimEnv* env, std::shared_ptr<Node> node, std::string path)
      : env_(env), node_(std::move(node)), path_(std::move(path)), bytes_(node_->content.size()) {}

  Status ReadAt(uint64_t offset, std::span<char> out) const override {
    std::lock_guard lock(env_->mutex_);
    WEFT_TRY(env_->Count(DiskOp::kRead, path_));
    if (offset > node_->content.size() || out.size() > node_->content.size() - offset) {
      return Fail(ErrorCode::kCorruption, path_ + ": file ends at " +
                                              std::to_string(node_->content.size()) + ", wanted " +
                                              std::to_string(offset + out.size()));
    }
    if (!out.empty()) std::memcpy(out.data(), node_->content.data() + offset, out.size());
    env_->bytes_read_ += out.size();
    return {};
  }
  void WillNeed(uint64_t offset, uint64_t bytes) const override {
    std::lock_guard lock(env_->mutex_);
    WEFT_CHECK(offset <= bytes_ && bytes <= bytes_ - offset);
    ++env_->calls_[static_cast<int>(DiskOp::kReadAhead)];
  }
  uint64_t bytes() const override { return bytes_; }

 private:
  SimEnv* env_;
  std::shared_ptr<Node> node_;  // shared: an open file outlives its name
  std::string path_;
  uint64_t bytes_;
};

class SimEnv::Writable : public WritableFile {
 public:
  Writable(SimEnv* env, std::shared_ptr<Node> node, std::string path)
      : env_(env), node_(std::move(node)), path_(std::move(path)) {}

  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    return Change(Pending{offset, std::string(bytes), std::nullopt}, offset + bytes.size());
  }
  Status Preallocate(uint64_t bytes) override {
    return Change(Pending{0, {}, std::max<uint64_t>(bytes, node_->content.size())}, bytes);
  }
  Status Truncate(uint64_t bytes) override { return Change(Pending{0, {}, bytes}, bytes); }

  Status DataSync() override {
    {
      std::lock_guard lock(env_->mutex_);
      WEFT_TRY(env_->Count(DiskOp::kDataSync, path_));
      if (!env_->data_sync_lies_) {
        for (const Pending& change : node_->pending) ApplyTo(change, &node_->synced);
        node_->pending.clear();
      }
    }
    env_->Changed();
    return {};
  }

 private:
  Status Change(Pending change, uint64_t end) {
    {
      std::lock_guard lock(env_->mutex_);
      WEFT_TRY(env_->Count(DiskOp::kWrite, path_));
      WEFT_TRY(env_->CheckSpace(*node_, end));
      ApplyTo(change, &node_->content);
      node_->pending.push_back(std::move(change));
    }
    env_->Changed();
    return {};
  }

  SimEnv* env_;
  std::shared_ptr<Node> node_;
  std::string path_;
};

class SimEnv::Held : public FileLock {
 public:
  Held(SimEnv* env, std::string path) : env_(env), path_(std::move(path)) {}
  ~Held() override {
    std::lock_guard lock(env_->mutex_);
    env_->locked_.erase(path_);
  }

 private:
  SimEnv* env_;
  std::string path_;
};

SimEnv::SimEnv() {
  auto root = std::make_shared<Node>();
  root->directory = true;
  names_["/"] = durable_["/"] = root;
}
SimEnv::~SimEnv() = default;

void SimEnv::Apply(const NameChange& change, Names* names) {
  if (!change.removed_path.empty()) names->erase(change.removed_path);
  if (change.node == nullptr) {
    names->erase(change.path);
  } else {
    (*names)[change.path] = change.node;
  }
}

std::unique_ptr<SimEnv> SimEnv::Crash(CrashKind kind, uint64_t seed) const {
  std::mt19937_64 random(seed);
  auto after = std::make_unique<SimEnv>();
  std::lock_guard lock(mutex_);
  Names names = durable_;
  for (const NameChange& change : unsynced_names_) {
    if (KeepsName(kind, random)) Apply(change, &names);
  }
  // A name can only survive inside a directory that did.
  for (auto it = names.begin(); it != names.end();) {
    const bool orphan = it->first != "/" && !names.contains(DirOf(it->first));
    it = orphan ? names.erase(it) : std::next(it);
  }
  for (const auto& [path, node] : names) {
    auto copy = std::make_shared<Node>();
    copy->directory = node->directory;
    copy->synced = Survivors(node->synced, node->pending, kind, random);
    copy->content = copy->synced;
    after->names_[path] = after->durable_[path] = std::move(copy);
  }
  return after;
}

void SimEnv::FailCalls(DiskOp op, uint64_t nth, ErrorCode code, uint64_t count) {
  std::lock_guard lock(mutex_);
  const uint64_t first = calls_[static_cast<int>(op)] + nth;
  faults_[static_cast<int>(op)].push_back({first, first + (count - 1), code});
}

void SimEnv::ClearFaults() {
  std::lock_guard lock(mutex_);
  for (auto& faults : faults_) faults.clear();
}

uint64_t SimEnv::calls(DiskOp op) const {
  std::lock_guard lock(mutex_);
  return calls_[static_cast<int>(op)];
}

uint64_t SimEnv::bytes_read() const {
  std::lock_guard lock(mutex_);
  return bytes_read_;
}

void SimEnv::set_data_sync_lies(bool lies) {
  std::lock_guard lock(mutex_);
  data_sync_lies_ = lies;
}

void SimEnv::set_sync_dir_lies(bool lies) {
  std::lock_guard lock(mutex_);
  sync_dir_lies_ = lies;
}

void SimEnv::set_capacity_bytes(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  capacity_bytes_ = bytes;
}

uint64_t SimEnv::used_bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t used = 0;
  for (const auto& [path, node] : names_) used += node->content.size();
  return used;
}

void SimEnv::set_after_change(std::function<void()> hook) {
  std::lock_guard lock(mutex_);
  after_change_ = std::move(hook);
}

std::string SimEnv::Contents(const std::string& path) const {
  std::lock_guard lock(mutex_);
  auto it = names_.find(path);
  return it == names_.end() ? std::string() : it->second->content;
}

void SimEnv::SetContents(const std::string& path, std::string bytes) {
  std::lock_guard lock(mutex_);
  auto node = std::make_shared<Node>();
  node->content = node->synced = std::move(bytes);
  names_[path] = durable_[path] = std::move(node);
}

std::vector<std::string> SimEnv::Files() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, node] : names_) {
    if (!node->directory) paths.push_back(path);
  }
  return paths;
}

Status SimEnv::Count(DiskOp op, const std::string& path) {
  const uint64_t call = ++calls_[static_cast<int>(op)];
  for (const Fault& fault : faults_[static_cast<int>(op)]) {
    if (call >= fault.first && call <= fault.last) {
      return Fail(fault.code, path + ": injected fault");
    }
  }
  return {};
}

Status SimEnv::CheckSpace(const Node& node, uint64_t bytes) const {
  if (capacity_bytes_ == 0 || bytes <= node.content.size()) return {};
  uint64_t used = bytes - node.content.size();
  for (const auto& [path, other] : names_) used += other->content.size();
  if (used > capacity_bytes_) return Fail(ErrorCode::kNoSpace, "the simulated disk is full");
  return {};
}

bool SimEnv::ParentExists(const std::string& path) const {
  auto it = names_.find(DirOf(path));
  return it != names_.end() && it->second->directory;
}

void SimEnv::Changed() {
  std::function<void()> hook;
  {
    std::lock_guard lock(mutex_);
    hook = after_change_;
  }
  if (hook) hook();
}

Result<std::unique_ptr<ReadableFile>> SimEnv::OpenRead(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto it = names_.find(path);
  if (it == names_.end()) return Fail(ErrorCode::kNotFound, path + " does not exist");
  if (it->second->directory) return Fail(ErrorCode::kInvalidArgument, path + " is a directory");
  return std::make_unique<Readable>(this, it->second, path);
}

Result<std::unique_ptr<WritableFile>> SimEnv::Create(const std::string& path) {
  std::unique_ptr<WritableFile> file;
  {
    std::lock_guard lock(mutex_);
    WEFT_TRY(Count(DiskOp::kCreate, path));
    if (!ParentExists(path)) return Fail(ErrorCode::kNotFound, DirOf(path) + " does not exist");
    auto& node = names_[path];
    if (node == nullptr) {
      node = std::make_shared<Node>();
      unsynced_names_.push_back({path, node, {}});
    } else if (node->directory) {
      return Fail(ErrorCode::kInvalidArgument, path + " is a directory");
    } else {
      node->content.clear();
      node->pending.push_back({0, {}, 0});
    }
    file = std::make_unique<Writable>(this, node, path);
  }
  Changed();
  return file;
}

Result<std::unique_ptr<WritableFile>> SimEnv::OpenWrite(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto it = names_.find(path);
  if (it == names_.end() || it->second->directory) {
    return Fail(ErrorCode::kNotFound, path + " is not a file");
  }
  return std::make_unique<Writable>(this, it->second, path);
}

Status SimEnv::Rename(const std::string& from, const std::string& to) {
  {
    std::lock_guard lock(mutex_);
    WEFT_TRY(Count(DiskOp::kRename, from));
    auto it = names_.find(from);
    if (it == names_.end()) return Fail(ErrorCode::kNotFound, from + " does not exist");
    if (!ParentExists(to)) return Fail(ErrorCode::kNotFound, DirOf(to) + " does not exist");
    NameChange change{to, it->second, from};
    Apply(change, &names_);
    unsynced_names_.push_back(std::move(change));
  }
  Changed();
  return {};
}

Status SimEnv::Remove(const std::string& path) {
  {
    std::lock_guard lock(mutex_);
    WEFT_TRY(Count(DiskOp::kRemove, path));
    auto it = names_.find(path);
    if (it == names_.end() || it->second->directory) {
      return Fail(ErrorCode::kNotFound, path + " is not a file");
    }
    names_.erase(it);
    unsynced_names_.push_back({path, nullptr, {}});
  }
  Changed();
  return {};
}

Result<bool> SimEnv::MakeDir(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (auto it = names_.find(path); it != names_.end()) {
    if (it->second->directory) return false;
    return Fail(ErrorCode::kAlreadyExists, path + " is a file");
  }
  WEFT_TRY(Count(DiskOp::kMakeDir, path));
  auto node = std::make_shared<Node>();
  node->directory = true;
  names_[path] = node;
  unsynced_names_.push_back({path, node, {}});
  return true;
}

Status SimEnv::MakeDirs(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    WEFT_ASSIGN(const bool made, MakeDir(path.substr(0, end)));
    if (made) Changed();
    if (end == std::string::npos) return {};
  }
}

Status SimEnv::RemoveDir(const std::string& path) {
  {
    std::lock_guard lock(mutex_);
    WEFT_TRY(Count(DiskOp::kRemoveDir, path));
    auto it = names_.find(path);
    if (it == names_.end() || !it->second->directory) {
      return Fail(ErrorCode::kNotFound, path + " is not a directory");
    }
    auto next = names_.lower_bound(path + "/");
    if (next != names_.end() && next->first.starts_with(path + "/")) {
      return Fail(ErrorCode::kIo, path + " is not empty");
    }
    names_.erase(it);
    unsynced_names_.push_back({path, nullptr, {}});
  }
  Changed();
  return {};
}

Status SimEnv::SyncDir(const std::string& path) {
  {
    std::lock_guard lock(mutex_);
    WEFT_TRY(Count(DiskOp::kSyncDir, path));
    if (!names_.contains(path)) return Fail(ErrorCode::kNotFound, path + " does not exist");
    if (!sync_dir_lies_) {
      std::erase_if(unsynced_names_, [&](const NameChange& change) {
        const bool here = DirOf(change.path) == path ||
                          (!change.removed_path.empty() && DirOf(change.removed_path) == path);
        if (here) Apply(change, &durable_);
        return here;
      });
    }
  }
  Changed();
  return {};
}

Result<std::vector<DirEntry>> SimEnv::List(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto dir = names_.find(path);
  if (dir == names_.end() || !dir->second->directory) {
    return Fail(ErrorCode::kNotFound, path + " is not a directory");
  }
  std::vector<DirEntry> entries;
  for (const auto& [name, node] : names_) {
    if (name != "/" && DirOf(name) == path) {
      entries.push_back({name.substr(name.rfind('/') + 1), node->directory});
    }
  }
  return entries;
}

bool SimEnv::Exists(const std::string& path) {
  std::lock_guard lock(mutex_);
  return names_.contains(path);
}

Result<std::unique_ptr<FileLock>> SimEnv::Lock(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!ParentExists(path)) return Fail(ErrorCode::kNotFound, DirOf(path) + " does not exist");
  if (!locked_.insert(path).second) {
    return Fail(ErrorCode::kUnavailable, path + " is held by process 1");
  }
  return std::make_unique<Held>(this, path);
}

Result<uint64_t> SimEnv::FreeBytes(const std::string&) {
  const uint64_t used = used_bytes();
  std::lock_guard lock(mutex_);
  if (capacity_bytes_ == 0) return uint64_t{1} << 40;
  return capacity_bytes_ > used ? capacity_bytes_ - used : 0;
}

}  // namespace weft::testing

// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/env.h"

namespace weft {
namespace {

ErrorCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    default:
      return ErrorCode::kIo;
  }
}

std::unexpected<Error> FailErrno(std::string_view action, const std::string& path) {
  const int error = errno;
  std::string message(action);
  message.append(" ").append(path).append(": ").append(std::strerror(error));
  return Fail(CodeOf(error), std::move(message));
}

// Repeats an interrupted call.
template <class Call>
auto Retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

class PosixReadableFile : public ReadableFile {
 public:
  PosixReadableFile(int fd, uint64_t bytes, std::string path)
      : fd_(fd), bytes_(bytes), path_(std::move(path)) {}

  Status ReadAt(uint64_t offset, std::span<char> out) const override {
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = Retry([&] {
        return ::pread(fd_.get(), out.data() + done, out.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (n < 0) return FailErrno("cannot read", path_);
      if (n == 0) {
        return Fail(ErrorCode::kCorruption, path_ + ": file ends at " +
                                                std::to_string(offset + done) + ", wanted " +
                                                std::to_string(offset + out.size()));
      }
      done += static_cast<size_t>(n);
    }
    return {};
  }
  void WillNeed(uint64_t offset, uint64_t bytes) const override {
    ::posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes),
                    POSIX_FADV_WILLNEED);
  }
  uint64_t bytes() const override { return bytes_; }

 private:
  Descriptor fd_;
  uint64_t bytes_;
  std::string path_;
};

class PosixWritableFile : public WritableFile {
 public:
  PosixWritableFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = Retry([&] {
        return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      });
      if (n < 0) return FailErrno("cannot write", path_);
      offset += static_cast<uint64_t>(n);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return {};
  }

  Status Preallocate(uint64_t bytes) override {
    if (Retry([&] { return ::fallocate(fd_.get(), 0, 0, static_cast<off_t>(bytes)); }) == 0) {
      return {};
    }
    // A file system without fallocate still works; it only loses the early kNoSpace.
    if (errno != EOPNOTSUPP) return FailErrno("cannot reserve space for", path_);
    return Truncate(bytes);
  }

  Status Truncate(uint64_t bytes) override {
    if (Retry([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(bytes)); }) != 0) {
      return FailErrno("cannot truncate", path_);
    }
    return {};
  }

  // EINTR included: a failed sync is never retried (base/env.h).
  Status DataSync() override {
    if (::fdatasync(fd_.get()) != 0) return FailErrno("cannot sync", path_);
    return {};
  }

 private:
  Descriptor fd_;
  std::string path_;
};

class PosixFileLock : public FileLock {
 public:
  explicit PosixFileLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;  // closing it releases flock
};

std::string HolderOf(int fd) {
  char text[24] = {};
  const ssize_t n = ::pread(fd, text, sizeof text - 1, 0);
  std::string pid(text, n > 0 ? static_cast<size_t>(n) : 0);
  pid.erase(std::find_if_not(pid.begin(), pid.end(), [](char c) { return c >= '0' && c <= '9'; }),
            pid.end());
  return pid.empty() ? "an unknown process" : "process " + pid;
}

class RealEnv : public Env {
 public:
  Result<std::unique_ptr<ReadableFile>> OpenRead(const std::string& path) override {
    // Where a pipe stands in a file's place nobody may wait for its writer.
    Descriptor fd(Retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
    if (fd.get() < 0) return FailErrno("cannot open", path);
    struct stat info;
    if (::fstat(fd.get(), &info) != 0) return FailErrno("cannot stat", path);
    if (!S_ISREG(info.st_mode)) {
      return Fail(ErrorCode::kInvalidArgument, path + " is not a regular file");
    }
    return std::make_unique<PosixReadableFile>(fd.release(), static_cast<uint64_t>(info.st_size),
                                               path);
  }

  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    const int fd =
        Retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640); });
    if (fd < 0) return FailErrno("cannot create", path);
    return std::make_unique<PosixWritableFile>(fd, path);
  }

  Result<std::unique_ptr<WritableFile>> OpenWrite(const std::string& path) override {
    const int fd = Retry([&] { return ::open(path.c_str(), O_RDWR | O_CLOEXEC); });
    if (fd < 0) return FailErrno("cannot open for writing", path);
    return std::make_unique<PosixWritableFile>(fd, path);
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      return FailErrno("cannot rename", from + " to " + to);
    return {};
  }

  Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return FailErrno("cannot remove", path);
    return {};
  }

  Status MakeDirs(const std::string& path) override {
    for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
      WEFT_TRY(MakeDir(path.substr(0, end)));
    }
    return MakeDir(path);
  }

  Status RemoveDir(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) return FailErrno("cannot remove directory", path);
    return {};
  }

  Status SyncDir(const std::string& path) override {
    Descriptor fd(Retry([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0) return FailErrno("cannot open directory", path);
    if (::fsync(fd.get()) != 0) return FailErrno("cannot sync directory", path);
    return {};
  }

  Result<std::vector<DirEntry>> List(const std::string& path) override {
    DIR* dir = ::opendir(path.c_str());
    if (dir == nullptr) return FailErrno("cannot list", path);
    std::vector<DirEntry> entries;
    errno = 0;
    while (const dirent* entry = ::readdir(dir)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") {
        entries.push_back({name, IsDirectory(path + "/" + name, entry->d_type)});
      }
      errno = 0;
    }
    const int error = errno;
    ::closedir(dir);
    errno = error;
    if (error != 0) return FailErrno("cannot list", path);
    std::sort(entries.begin(), entries.end(),
              [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
    return entries;
  }

  bool Exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    Descriptor fd(Retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640); }));
    if (fd.get() < 0) return FailErrno("cannot open lock file", path);
    if (Retry([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return FailErrno("cannot lock", path);
      return Fail(ErrorCode::kUnavailable, path + " is held by " + HolderOf(fd.get()));
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd.get(), 0) != 0 ||
        ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
      return FailErrno("cannot write process id to", path);
    }
    return std::make_unique<PosixFileLock>(fd.release());
  }

  Result<uint64_t> FreeBytes(const std::string& path) override {
    struct statvfs info;
    if (::statvfs(path.c_str(), &info) != 0) return FailErrno("cannot stat file system of", path);
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  }

 private:
  static Status MakeDir(const std::string& path) {
    if (::mkdir(path.c_str(), 0750) == 0) return {};
    const int error = errno;
    struct stat info;
    if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
    errno = error;
    return FailErrno("cannot make directory", path);
  }

  static bool IsDirectory(const std::string& path, unsigned char type) {
    if (type != DT_UNKNOWN && type != DT_LNK) return type == DT_DIR;
    struct stat info;
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  }
};

}  // namespace

Env* PosixEnv() {
  static RealEnv* env = new RealEnv;
  return env;
}

}  // namespace weft

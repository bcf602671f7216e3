// The system calls by which objects become files, as an interface: tests put one in between that fails.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace swarmdns::controlplane {

// Each does what the system call does, tried again after EINTR. A failure is -errno. Any thread.
class FileCalls {
 public:
  virtual ~FileCalls() = default;

  virtual int open(int folder, const char* name, int flags, mode_t mode) = 0;  // openat
  virtual int close(int fd) = 0;
  virtual ssize_t read(int fd, std::span<std::byte> into, off_t at) = 0;  // pread
  virtual ssize_t write(int fd, std::span<const std::byte> octets) = 0;
  virtual int sync(int fd) = 0;  // fsync
  virtual int stat(int fd, struct stat& facts) = 0;
  virtual int stat(int folder, const char* name, struct stat& facts) = 0;  // of a link: the link
  virtual int make_folder(int folder, const char* name, mode_t mode) = 0;
  virtual int link(int from, const char* old_name, int to, const char* new_name) = 0;
  virtual int rename(int from, const char* old_name, int to, const char* new_name, bool replace) = 0;
  virtual int unlink(int folder, const char* name) = 0;
  // The names in a folder but "." and "..", in no order.
  virtual std::expected<std::vector<std::string>, int> names(int folder) = 0;
};

FileCalls& system_file_calls();

// A descriptor of these calls, with one owner.
class OpenFile {
 public:
  OpenFile(FileCalls& calls, int fd) : calls_(&calls), fd_(fd) {}
  OpenFile(OpenFile&& other) noexcept : calls_(other.calls_), fd_(std::exchange(other.fd_, -1)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(calls_, other.calls_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OpenFile() { close(); }

  int get() const { return fd_; }
  // Closes now: what it says is the last chance to hear that writing failed.
  int close() { return fd_ < 0 ? 0 : calls_->close(std::exchange(fd_, -1)); }

 private:
  FileCalls* calls_;
  int fd_;
};

}  // namespace swarmdns::controlplane

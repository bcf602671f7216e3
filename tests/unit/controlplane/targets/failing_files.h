// System calls that fail on purpose, over the real ones.
#pragma once

#include <cerrno>
#include <functional>
#include <map>

#include "controlplane/targets/file_calls.h"

namespace swarmdns::controlplane {

class FailingFiles final : public FileCalls {
 public:
  // Call number `at` (from 0) fails with `error`; `dead`: and so do all after it, as if the process had died.
  void fail(std::size_t at, int error, bool dead = false) {
    at_ = at;
    error_ = error;
    dead_ = dead;
    calls_ = 0;
    log_.clear();
  }
  // Every call of one kind ("write", "rename", …) fails.
  void fail_all(const std::string& call, int error) { broken_[call] = error; }
  // write() takes at most so many octets.
  void write_at_most(std::size_t bytes) { write_most_ = bytes; }

  std::size_t calls() const { return calls_; }
  bool struck() const { return calls_ > at_; }
  // "open NAME", "write", "sync FD", … in their order.
  const std::vector<std::string>& log() const { return log_; }
  const std::vector<int>& open_files() const { return open_; }

  int open(int folder, const char* name, int flags, mode_t mode) override {
    return track(tell<int>("open", name, [&] { return real_.open(folder, name, flags, mode); }));
  }
  // A descriptor is closed whatever is said of it, or the test would leak it.
  int close(int fd) override {
    std::erase(open_, fd);
    const int done = real_.close(fd);
    return tell<int>("close", "", [&] { return done; });
  }
  ssize_t read(int fd, std::span<std::byte> into, off_t at) override {
    return tell<ssize_t>("read", "", [&] { return real_.read(fd, into, at); });
  }
  ssize_t write(int fd, std::span<const std::byte> octets) override {
    return tell<ssize_t>("write", "",
                         [&] { return real_.write(fd, octets.first(std::min(octets.size(), write_most_))); });
  }
  int sync(int fd) override {
    return tell<int>("sync", "", [&] { return real_.sync(fd); });
  }
  int stat(int fd, struct stat& facts) override {
    return tell<int>("stat", "", [&] { return real_.stat(fd, facts); });
  }
  int stat(int folder, const char* name, struct stat& facts) override {
    return tell<int>("stat", name, [&] { return real_.stat(folder, name, facts); });
  }
  int make_folder(int folder, const char* name, mode_t mode) override {
    return tell<int>("make_folder", name, [&] { return real_.make_folder(folder, name, mode); });
  }
  int link(int from, const char* old_name, int to, const char* new_name) override {
    return tell<int>("link", new_name, [&] { return real_.link(from, old_name, to, new_name); });
  }
  int rename(int from, const char* old_name, int to, const char* new_name, bool replace) override {
    return tell<int>("rename", new_name, [&] { return real_.rename(from, old_name, to, new_name, replace); });
  }
  int unlink(int folder, const char* name) override {
    return tell<int>("unlink", name, [&] { return real_.unlink(folder, name); });
  }
  std::expected<std::vector<std::string>, int> names(int folder) override {
    std::expected<std::vector<std::string>, int> found = std::unexpected(-EIO);
    const int error = tell<int>("names", "", [&] {
      found = real_.names(folder);
      return 0;
    });
    if (error < 0) return std::unexpected(error);
    return found;
  }

 private:
  template <typename Result>
  Result tell(const std::string& call, const std::string& name, const std::function<Result()>& real) {
    const std::size_t number = calls_++;
    log_.push_back(name.empty() ? call : call + " " + name);
    if (number == at_ || (dead_ && number > at_)) return -error_;
    if (const auto broken = broken_.find(call); broken != broken_.end()) return -broken->second;
    return real();
  }
  int track(int fd) {
    if (fd >= 0) open_.push_back(fd);
    return fd;
  }

  FileCalls& real_ = system_file_calls();
  std::size_t at_ = SIZE_MAX;
  int error_ = EIO;
  bool dead_ = false;
  std::size_t calls_ = 0;
  std::size_t write_most_ = SIZE_MAX;
  std::map<std::string, int> broken_;
  std::vector<std::string> log_;
  std::vector<int> open_;
};

}  // namespace swarmdns::controlplane

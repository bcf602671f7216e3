#include "controlplane/targets/file_calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace swarmdns::controlplane {
namespace {

template <typename Call>
auto again(const Call& call) -> decltype(call()) {
  for (;;) {
    const auto result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

class SystemFileCalls final : public FileCalls {
 public:
  int open(int folder, const char* name, int flags, mode_t mode) override {
    return again([&] { return ::openat(folder, name, flags | O_CLOEXEC, mode); });
  }
  // After EINTR the descriptor is gone all the same (Linux).
  int close(int fd) override { return ::close(fd) == 0 || errno == EINTR ? 0 : -errno; }
  ssize_t read(int fd, std::span<std::byte> into, off_t at) override {
    return again([&] { return ::pread(fd, into.data(), into.size(), at); });
  }
  ssize_t write(int fd, std::span<const std::byte> octets) override {
    return again([&] { return ::write(fd, octets.data(), octets.size()); });
  }
  int sync(int fd) override {
    return again([&] { return ::fsync(fd); });
  }
  int stat(int fd, struct stat& facts) override { return ::fstat(fd, &facts) == 0 ? 0 : -errno; }
  int stat(int folder, const char* name, struct stat& facts) override {
    return ::fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -errno;
  }
  int make_folder(int folder, const char* name, mode_t mode) override {
    return ::mkdirat(folder, name, mode) == 0 ? 0 : -errno;
  }
  int link(int from, const char* old_name, int to, const char* new_name) override {
    return ::linkat(from, old_name, to, new_name, 0) == 0 ? 0 : -errno;
  }
  int rename(int from, const char* old_name, int to, const char* new_name, bool replace) override {
    return ::renameat2(from, old_name, to, new_name, replace ? 0 : RENAME_NOREPLACE) == 0 ? 0 : -errno;
  }
  int unlink(int folder, const char* name) override { return ::unlinkat(folder, name, 0) == 0 ? 0 : -errno; }
  std::expected<std::vector<std::string>, int> names(int folder) override {
    const int fd = open(folder, ".", O_RDONLY | O_DIRECTORY, 0);  // fdopendir takes its descriptor
    if (fd < 0) return std::unexpected(fd);
    DIR* entries = ::fdopendir(fd);
    if (entries == nullptr) {
      const int error = -errno;
      ::close(fd);
      return std::unexpected(error);
    }
    std::vector<std::string> found;
    errno = 0;
    while (const dirent* entry = ::readdir(entries)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") found.emplace_back(name);
      errno = 0;
    }
    const int error = -errno;
    ::closedir(entries);
    if (error != 0) return std::unexpected(error);
    return found;
  }
};

}  // namespace

FileCalls& system_file_calls() {
  static SystemFileCalls calls;
  return calls;
}

}  // namespace swarmdns::controlplane

#include "dataplane/app/pidfile.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace swarmdns::app {

std::expected<Pidfile, std::string> Pidfile::take(const std::string& path) {
  for (;;) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return std::unexpected("cannot open " + path + ": " + std::strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      char text[32] = {};
      [[maybe_unused]] const ssize_t n = pread(fd, text, sizeof text - 1, 0);
      close(fd);
      if (char* end = std::strchr(text, '\n')) *end = '\0';
      return std::unexpected("a data plane runs already as process " + std::string(text) + " (" + path +
                             "); stop it, or give this one another run_dir");
    }
    // The file may have been removed by its owner between open() and flock(): then the lock is on nothing.
    struct stat held {
    }, named{};
    if (fstat(fd, &held) != 0 || stat(path.c_str(), &named) != 0 || held.st_ino != named.st_ino ||
        held.st_dev != named.st_dev) {
      close(fd);
      continue;
    }
    const std::string line = std::to_string(getpid()) + "\n";
    if (ftruncate(fd, 0) != 0 ||
        pwrite(fd, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
      const int error = errno;
      close(fd);
      return std::unexpected("cannot write " + path + ": " + std::strerror(error));
    }
    return Pidfile(path, fd);
  }
}

Pidfile::Pidfile(Pidfile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

Pidfile::~Pidfile() {
  if (fd_ < 0) return;
  unlink(path_.c_str());
  close(fd_);
}

}  // namespace swarmdns::app

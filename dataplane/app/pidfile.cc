#include "dataplane/app/pidfile.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include "proto/config/store.h"

namespace swarmdns::app {
namespace {

std::expected<std::string, std::string> identity_line() {
  const auto stat = config::read_file("/proc/self/stat");
  if (!stat) return std::unexpected(stat.error());
  // The command, field 2, may hold spaces and brackets; the last bracket ends it.
  std::istringstream fields(stat->substr(stat->rfind(')') + 1));
  std::string word;
  for (int field = 3; field <= 22; ++field) fields >> word;
  auto boot = config::read_file("/proc/sys/kernel/random/boot_id");
  if (!boot) return std::unexpected(boot.error());
  return std::to_string(getpid()) + " " + word + " " + *boot;
}

// The kernel refuses O_CREAT on another user's file in a sticky directory, even to root
// (fs.protected_regular): what a killed data plane left there is opened without.
int open_lock(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0 || errno != ENOENT) return fd;
  return open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

}  // namespace

std::string pidfile_path(const std::string& run_dir) {
  return run_dir + "/dataplane.pid";
}

std::string lockfile_path(const std::string& run_dir) {
  return run_dir + "/dataplane.lock";
}

std::expected<Pidfile, std::string> Pidfile::take(const std::string& run_dir) {
  const std::string path = lockfile_path(run_dir);
  for (;;) {
    const int fd = open_lock(path);
    if (fd < 0 && errno == EEXIST) continue;  // somebody else was faster
    if (fd < 0) return std::unexpected("cannot open " + path + ": " + std::strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      close(fd);
      const std::string who = config::read_file(pidfile_path(run_dir)).value_or("?");
      return std::unexpected("a data plane runs already in " + run_dir + " as process " +
                             who.substr(0, who.find(' ')) + "; stop it, or give this one another run_dir");
    }
    // The file may have been removed by its owner between open() and flock(): then the lock is on nothing.
    struct stat held {};
    struct stat named {};
    if (fstat(fd, &held) != 0 || stat(path.c_str(), &named) != 0 || held.st_ino != named.st_ino ||
        held.st_dev != named.st_dev) {
      close(fd);
      continue;
    }
    Pidfile taken(run_dir, fd);
    const auto line = identity_line();
    if (!line) return std::unexpected(line.error());
    if (auto written = config::write_file_atomically(pidfile_path(run_dir), *line); !written) {
      return std::unexpected(written.error());
    }
    return taken;
  }
}

Pidfile::Pidfile(Pidfile&& other) noexcept
    : run_dir_(std::move(other.run_dir_)), fd_(std::exchange(other.fd_, -1)) {}

Pidfile::~Pidfile() {
  if (fd_ < 0) return;
  unlink(pidfile_path(run_dir_).c_str());
  unlink(lockfile_path(run_dir_).c_str());
  close(fd_);
}

}  // namespace swarmdns::app

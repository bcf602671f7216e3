#include "controlplane/app/daemon.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "proto/config/store.h"

namespace swarmdns::controlplane {

std::optional<int> Daemon::detach() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return 1;
  const pid_t pid = fork();
  if (pid < 0) return 1;
  if (pid > 0) {
    close(fds[1]);
    unsigned char status = 1;
    ssize_t n;
    do {
      n = read(fds[0], &status, 1);
    } while (n < 0 && errno == EINTR);
    // Nothing was said: it died, and its own words are on stderr.
    return n == 1 ? status : 1;
  }
  close(fds[0]);
  fd_ = fds[1];
  setsid();
  return std::nullopt;
}

void Daemon::report(int exit_status) {
  if (fd_ < 0) return;
  const auto status = static_cast<unsigned char>(exit_status);
  [[maybe_unused]] const ssize_t n = write(fd_, &status, 1);
  close(fd_);
  fd_ = -1;
}

void Daemon::let_go() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
  if (null > 2) close(null);
  [[maybe_unused]] const int rc = chdir("/");
}

std::expected<void, std::string> lock_run_dir(const std::string& run_dir) {
  const std::string path = run_dir + "/controlplane.lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return std::unexpected("cannot open " + path + ": " + std::strerror(errno));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    std::string owner = config::read_file(path, 64).value_or("");
    while (!owner.empty() && owner.back() == '\n') owner.pop_back();
    close(fd);
    return std::unexpected("another control plane (pid " + owner +
                           ") runs this node; stop it, or choose another node.run_dir");
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  [[maybe_unused]] const int rc = ftruncate(fd, 0);
  [[maybe_unused]] const ssize_t n = write(fd, pid.data(), pid.size());
  return {};  // the descriptor stays open, and with it the lock
}

std::string find_dataplane() {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& candidate :
       {here / "swarmdns-dataplane", here.parent_path() / "dataplane" / "swarmdns-dataplane"}) {
    if (!error && access(candidate.c_str(), X_OK) == 0) return candidate.string();
  }
  return "/usr/local/sbin/swarmdns-dataplane";
}

}  // namespace swarmdns::controlplane

#include "controlplane/app/log.h"

#include <time.h>
#include <unistd.h>

#include <cstdio>

#include "controlplane/supervise/log_file.h"

namespace swarmdns::controlplane {
namespace {

constexpr long kLimit = 16L << 20;

std::string timestamp() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  char text[40];
  const size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text + n, sizeof(text) - n, ".%03ldZ", now.tv_nsec / 1000000);
  return text;
}

}  // namespace

bool Log::to_file(const std::string& path) {
  const int fd = open_log(path, kLimit);
  if (fd < 0) return false;
  const std::lock_guard lock(mutex_);
  if (fd_ > 2) close(fd_);
  fd_ = fd;
  path_ = path;
  written_ = lseek(fd, 0, SEEK_END);
  return true;
}

void Log::write(const char* level, const std::string& text) {
  std::string line = timestamp() + " " + level + " " + text + "\n";
  const std::lock_guard lock(mutex_);
  if (!path_.empty() && written_ > kLimit) {
    const int fd = open_log(path_, kLimit);
    if (fd >= 0) {
      close(fd_);
      fd_ = fd;
      written_ = 0;
    }
  }
  // One write a line, so that lines of several processes do not mix.
  [[maybe_unused]] const ssize_t n = ::write(fd_, line.data(), line.size());
  written_ += static_cast<long>(line.size());
}

}  // namespace swarmdns::controlplane

#include "controlplane/supervise/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "controlplane/supervise/unique_fd.h"

namespace swarmdns::controlplane {

int open_log(const std::string& path, long limit) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size > limit) {
    rename(path.c_str(), (path + ".1").c_str());
  }
  return open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
}

std::string log_tail(const std::string& path, int lines) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return "";
  constexpr off_t kWindow = 8192;
  const off_t size = lseek(fd.get(), 0, SEEK_END);
  if (size <= 0) return "";
  std::string text(static_cast<size_t>(std::min(size, kWindow)), '\0');
  const ssize_t n = pread(fd.get(), text.data(), text.size(), size - static_cast<off_t>(text.size()));
  if (n <= 0) return "";
  text.resize(static_cast<size_t>(n));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  size_t at = text.size();
  for (int i = 0; i < lines; ++i) {
    if (at == 0) return text;
    at = text.rfind('\n', at - 1);
    if (at == std::string::npos) return text;
  }
  return text.substr(at + 1);
}

}  // namespace swarmdns::controlplane

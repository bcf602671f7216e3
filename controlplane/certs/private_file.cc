#include "controlplane/certs/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "controlplane/supervise/unique_fd.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

std::string errno_text() {
  return std::strerror(errno);
}

}  // namespace

std::expected<std::optional<Secret>, std::string> read_private_file(const std::string& path,
                                                                    std::size_t most) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    return std::unexpected("cannot open " + path + ": " + errno_text());
  }
  struct stat facts;
  if (fstat(fd.get(), &facts) != 0) return std::unexpected("cannot stat " + path + ": " + errno_text());
  if (!S_ISREG(facts.st_mode)) return std::unexpected(path + " is not a file");
  if (facts.st_uid != geteuid()) {
    return std::unexpected(path + " belongs to user " + std::to_string(facts.st_uid) + ": chown it to user " +
                           std::to_string(geteuid()) + ", and find out who may have read it");
  }
  if ((facts.st_mode & 077) != 0) {
    return std::unexpected(path + " can be read or written by others: chmod 600 " + path +
                           ", and replace the key if somebody may have read it");
  }
  if (static_cast<std::size_t>(facts.st_size) > most) {
    return std::unexpected(path + " is larger than " + std::to_string(most) + " bytes");
  }
  std::string text(static_cast<std::size_t>(facts.st_size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = read(fd.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::unexpected("cannot read " + path + ": " + (n < 0 ? errno_text() : "it is cut"));
    done += static_cast<std::size_t>(n);
  }
  return Secret::taken_from(text);
}

std::expected<void, std::string> write_private_file(const std::string& path, const Secret& contents) {
  std::string text(contents.view());
  auto done = config::write_file_atomically(path, text, 0600);
  sodium_memzero(text.data(), text.size());
  return done;
}

}  // namespace swarmdns::controlplane

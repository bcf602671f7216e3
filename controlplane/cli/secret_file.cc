#include "controlplane/cli/secret_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "proto/config/store.h"

namespace swarmdns::controlplane {

std::expected<SecretFile, std::string> SecretFile::create(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == EEXIST) {
    return std::unexpected(path + " exists, and a key is never overwritten; name another file");
  }
  if (fd < 0) return std::unexpected("cannot make " + path + ": " + std::strerror(errno));
  return SecretFile(path, fd);
}

SecretFile::SecretFile(SecretFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(other.fd_), written_(other.written_) {
  other.fd_ = -1;
}

SecretFile::~SecretFile() {
  if (fd_ < 0) return;
  close(fd_);
  if (!written_) unlink(path_.c_str());
}

std::expected<void, std::string> SecretFile::write(const std::string& contents) {
  size_t done = 0;
  while (done < contents.size()) {
    const ssize_t n = ::write(fd_, contents.data() + done, contents.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected("cannot write " + path_ + ": " + std::strerror(errno));
    done += static_cast<size_t>(n);
  }
  if (fsync(fd_) != 0) return std::unexpected("cannot write " + path_ + ": " + std::strerror(errno));
  written_ = true;
  return {};
}

std::expected<std::string, std::string> read_secret(const std::string& path, std::istream& in) {
  std::string text;
  if (path == "-") {
    std::getline(in, text);
  } else {
    auto contents = config::read_file(path, 4096);
    if (!contents) return std::unexpected(contents.error());
    text = std::move(*contents);
  }
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  if (text.empty())
    return std::unexpected((path == "-" ? "the standard input" : path) + " has nothing in its first line");
  return text;
}

}  // namespace swarmdns::controlplane

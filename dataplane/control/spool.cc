#include "dataplane/control/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace swarmdns::control {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

bool read_exactly(int fd, void* out, std::size_t size, std::uint64_t at) {
  auto* to = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t n = pread(fd, to, size, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to += n;
    at += static_cast<std::uint64_t>(n);
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

std::expected<Spool, std::string> Spool::create(const std::string& directory, std::uint64_t limit) {
  int fd = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {  // a file system without O_TMPFILE
    std::string name = directory + "/spool-XXXXXX";
    fd = mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0) unlink(name.c_str());
  }
  if (fd < 0) {
    return std::unexpected("cannot make a temporary file in " + directory + ": " + std::strerror(errno));
  }
  return Spool(fd, limit);
}

Spool::Spool(Spool&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      limit_(other.limit_),
      written_(other.written_),
      buffer_(std::move(other.buffer_)) {}

Spool::~Spool() {
  if (fd_ >= 0) close(fd_);
}

std::expected<void, std::string> Spool::append(std::string_view record) {
  const auto length = static_cast<std::uint32_t>(record.size());
  if (size() + sizeof length + record.size() > limit_) {
    return std::unexpected("is larger than " + std::to_string(limit_ >> 20) +
                           " MiB, more than this node's cache can hold; raise dataplane.cache.memory_mib");
  }
  buffer_.append(reinterpret_cast<const char*>(&length), sizeof length);
  buffer_.append(record);
  return buffer_.size() >= kBufferBytes ? flush() : std::expected<void, std::string>{};
}

std::expected<void, std::string> Spool::flush() {
  std::string_view left = buffer_;
  while (!left.empty()) {
    const ssize_t n = ::write(fd_, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(std::string("cannot be kept on disk: ") + std::strerror(errno));
    written_ += static_cast<std::uint64_t>(n);
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  buffer_.clear();
  return {};
}

std::expected<void, std::string> Spool::replay(const std::function<bool(const std::string&)>& visit) {
  if (auto flushed = flush(); !flushed) return flushed;
  std::string record;
  for (std::uint64_t at = 0; at < written_;) {
    std::uint32_t length = 0;
    if (!read_exactly(fd_, &length, sizeof length, at)) {
      return std::unexpected(std::string("cannot be read back from disk: ") + std::strerror(errno));
    }
    record.resize(length);
    if (!read_exactly(fd_, record.data(), length, at + sizeof length)) {
      return std::unexpected(std::string("cannot be read back from disk: ") + std::strerror(errno));
    }
    at += sizeof length + length;
    if (!visit(record)) break;
  }
  return {};
}

}  // namespace swarmdns::control

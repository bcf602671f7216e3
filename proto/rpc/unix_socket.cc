#include "proto/rpc/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace swarmdns::rpc {
namespace {

std::string sentence(const std::string& what, const std::string& path, int error) {
  return what + " " + path + ": " + std::strerror(error);
}

std::expected<sockaddr_un, std::string> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.front() != '/') {
    return std::unexpected("socket path \"" + path + "\" is not absolute");
  }
  if (path.size() >= sizeof(address.sun_path)) {
    return std::unexpected("socket path " + path + " is longer than " +
                           std::to_string(sizeof(address.sun_path) - 1) + " bytes; choose a shorter run_dir");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// Removes a socket file nobody listens on. Only a refused connection proves that: any other failure leaves
// the file.
std::expected<void, std::string> clear_stale(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return std::unexpected(sentence("cannot look at", path, errno));
  }
  if (!S_ISSOCK(info.st_mode)) {
    return std::unexpected(path + " exists and is not a socket; remove it or choose another run_dir");
  }
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return std::unexpected(sentence("cannot make a socket for", path, errno));
  const int rc = connect(fd, reinterpret_cast<const sockaddr*>(&*address), sizeof(*address));
  const int error = rc == 0 ? 0 : errno;
  std::optional<PeerCredentials> owner;
  if (rc == 0) owner = peer_credentials(fd);
  close(fd);
  if (error == ECONNREFUSED || error == ENOENT) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
      return std::unexpected(sentence("cannot remove the stale socket", path, errno));
    }
    return {};
  }
  if (error == 0 || error == EAGAIN) {
    return std::unexpected(path + " is already served by process " +
                           (owner ? std::to_string(owner->pid) : std::string("(unknown)")) +
                           "; stop it or choose another run_dir");
  }
  return std::unexpected(sentence("cannot tell who serves", path, error));
}

}  // namespace

std::optional<PeerCredentials> peer_credentials(int fd) {
  ucred credentials{};
  socklen_t length = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0 || length != sizeof(credentials)) {
    return std::nullopt;
  }
  return PeerCredentials{credentials.pid, credentials.uid, credentials.gid};
}

std::expected<int, std::string> listen_unix(const std::string& path, mode_t mode) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  if (auto cleared = clear_stale(path); !cleared) return std::unexpected(cleared.error());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return std::unexpected(sentence("cannot make a socket for", path, errno));
  // No connection succeeds before listen(), so the mode is in force before anybody can use the socket.
  const char* step = nullptr;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
    step = "cannot bind";
  } else if (chmod(path.c_str(), mode) != 0) {
    step = "cannot set the mode of";
  } else if (listen(fd, 64) != 0) {
    step = "cannot listen on";
  }
  if (step != nullptr) {
    const int error = errno;
    close(fd);
    return std::unexpected(sentence(step, path, error));
  }
  return fd;
}

std::expected<int, std::string> connect_unix(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::unexpected(sentence("cannot make a socket for", path, errno));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
    const int error = errno;
    close(fd);
    return std::unexpected(sentence("cannot connect to", path, error));
  }
  return fd;
}

}  // namespace swarmdns::rpc

#include "controlplane/resolver/unbound_control.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "controlplane/supervise/unique_fd.h"

namespace swarmdns::controlplane {

std::expected<std::string, std::string> unbound_command(const std::string& socket_path,
                                                        const std::string& command, int timeout_ms) {
  // A line break would smuggle in a second command.
  if (command.find_first_of("\r\n") != std::string::npos)
    return std::unexpected("the command holds a line break");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path))
    return std::unexpected(socket_path + " is too long for a socket");
  std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(std::string("cannot make a socket: ") + std::strerror(errno));
  const timeval timeout{timeout_ms / 1000, suseconds_t{timeout_ms % 1000} * 1000};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return std::unexpected("the resolver does not listen on " + socket_path + ": " + std::strerror(errno));
  }
  const std::string request = "UBCT1 " + command + "\n";
  if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return std::unexpected(std::string("cannot send to the resolver: ") + std::strerror(errno));
  }
  std::string answer;
  char buffer[4096];
  for (;;) {
    const ssize_t n = recv(fd.get(), buffer, sizeof(buffer), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(std::string("no answer from the resolver: ") + std::strerror(errno));
    if (n == 0) break;
    if (answer.size() < (1u << 20)) answer.append(buffer, static_cast<size_t>(n));
  }
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  if (answer.starts_with("error"))
    return std::unexpected("the resolver refused \"" + command + "\": " + answer);
  return answer;
}

}  // namespace swarmdns::controlplane
